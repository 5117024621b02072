/** A carrier in a process of its own: it ends when whoever started it is gone. */

import { assert } from '../base/error.ts'
import { Carrier } from './carrier.ts'
import { systemClock } from './system-clock.ts'
import type { ToCarrier } from './hosted-carriers.ts'
import type { CarrierSettings } from './settings.ts'

const send = process.send?.bind(process)
assert(send !== undefined, 'a carrier process has a channel to its service')

const [, , settings = '{}'] = process.argv

const carrier = new Carrier({
  clock: systemClock,
  deliver: (reports) => send(reports),
  // Given by our own service, of the same version.
  settings: JSON.parse(settings) as CarrierSettings,
})

process.on('message', (message: ToCarrier) => {
  if (message.kind !== 'end') {
    carrier.take(message)
    return
  }
  void carrier.stop().then(() => process.disconnect())
})

// Without a service nobody could be told what is on disk: the next one asks for what it does not know to be there.
process.on('disconnect', () => process.exit(0))

// A terminal sends these to every process of the service; the service decides when its carriers end.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
