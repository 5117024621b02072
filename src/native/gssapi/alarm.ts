/** An end for calls that nobody watches any more (alarm(2)). */

import { requireKoffi } from './koffi.ts'

/**
 * Opens alarm(2): a function that has the process killed after so many seconds, and with 0 takes that back. Where
 * there is none, the function does nothing: then a call that hangs ends when its library gives up.
 */
export function openAlarm(): (seconds: number) => void {
  try {
    const alarm = requireKoffi().load(null).func('alarm', 'uint', ['uint'])
    return (seconds) => void alarm(seconds)
  } catch {
    return () => undefined
  }
}
