/** The text of the functions that every script finds beside itself. */

import { calendarFunctions } from './calendar-functions.ts'
import { hostFunctions } from './host-functions.ts'

/**
 * An expression whose value is a function: called with a {@link PacHost}, it puts the functions into the global object,
 * where a script may replace them as in any browser.
 */
export const libraryText = `(function (host) {
  var given = [(${hostFunctions.toString()})(host)]
  given.push((${calendarFunctions.toString()})(function () { return new Date() }))
  given.forEach(function (functions) {
    Object.keys(functions).forEach(function (name) { globalThis[name] = functions[name] })
  })
})`

/**
 * An expression whose value is the function that decides, or undefined. The IPv6-aware one is asked where there are
 * both (N66). Asked by name and not as a property, so that `let` and `const` count too.
 */
export const entryText = `(
  typeof FindProxyForURLEx === 'function' ? FindProxyForURLEx :
  typeof FindProxyForURL === 'function' ? FindProxyForURL : undefined
)`
