/** A carrier in a worker thread. */

import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/error.ts'
import { Carrier } from './carrier.ts'
import { systemClock } from './system-clock.ts'
import type { ToCarrier } from './hosted-carriers.ts'
import type { CarrierSettings } from './settings.ts'

const port = parentPort
assert(port !== null, 'a carrier thread has a parent')

const carrier = new Carrier({
  clock: systemClock,
  // As one text: copied object by object, the reports of ten thousand files would cost the other thread twice as much.
  deliver: (reports) => port.postMessage(JSON.stringify(reports)),
  // Given by our own service, of the same version.
  settings: workerData as CarrierSettings,
})

port.on('message', (message: ToCarrier) => {
  if (message.kind !== 'end') {
    carrier.take(message)
    return
  }
  void carrier.stop().then(() => port.close())
})
