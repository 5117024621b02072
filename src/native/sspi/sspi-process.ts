/** A helper for SSPI: the program. */

import { MechanismError } from '../../auth/error.ts'
import { serve, standardChannel } from '../gssapi/serve.ts'
import { openSspiForeign } from './sspi-foreign.ts'
import { SspiInitiator } from './sspi-initiator.ts'

// A console sends this to every process of the service; the service decides when its helpers end.
process.on('SIGINT', () => undefined)

serve(() => {
  const library = openSspiForeign()
  if (library.kind === 'available') return new SspiInitiator(library.value)
  throw new MechanismError('ERR_SSPI_UNAVAILABLE', `Cannot use SSPI: ${library.reason}`, {
    reason: 'unable',
  })
}, standardChannel)
