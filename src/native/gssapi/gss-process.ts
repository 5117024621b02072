/** A helper for GSSAPI: the program. Its one argument is how many seconds a request may take without a parent. */

import { MechanismError } from '../../auth/error.ts'
import { openAlarm } from './alarm.ts'
import { openGssForeign } from './gss-foreign.ts'
import { GssInitiator } from './gss-initiator.ts'
import { GssLibrary } from './gss-library.ts'
import { putOwnConfigurationFirst } from './own-configuration.ts'
import { serve, standardChannel } from './serve.ts'

// A terminal sends these to every process of the service; the service decides when its helpers end.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)

const alarm = openAlarm()
const limitSeconds = Number(process.argv[2])

putOwnConfigurationFirst()
serve(
  () => {
    const library = openGssForeign()
    if (library.kind === 'available') return new GssInitiator(new GssLibrary(library.value))
    throw new MechanismError('ERR_KERBEROS_UNAVAILABLE', `Cannot use Kerberos: ${library.reason}`, {
      reason: 'unable',
    })
  },
  standardChannel,
  (work) => {
    alarm(limitSeconds)
    try {
      return work()
    } finally {
      alarm(0)
    }
  },
)
