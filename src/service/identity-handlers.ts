/** The methods about as whom, and which way, a job asks. */

import type { Caller } from '../engine/access.ts'
import type { Engine } from '../engine/engine.ts'
import { JobError } from '../job/failure.ts'
import type { MethodName } from '../rpc/contract.ts'
import type { Handlers } from '../rpc/dispatch.ts'

/** The methods of this file, by the ends of their names. */
type IdentityMethod = Extract<
  MethodName,
  `${string}${'Credentials' | 'Settings' | 'Certificate' | 'Token' | 'Flags' | 'Ownership' | '.rotate'}`
>

function notYet(): never {
  throw new JobError('E_NOTIMPL', 'Cannot do this yet')
}

/** These methods over one engine. */
export function identityHandlers({ identity }: Engine): Pick<Handlers<Caller>, IdentityMethod> {
  return {
    'job.setCredentials': ({ id, ...pair }, caller) => {
      identity.setCredentials(caller, id, pair)
      return null
    },
    'job.removeCredentials': ({ id, ...pair }, caller) => ({
      removed: identity.removeCredentials(caller, id, pair),
    }),
    'job.listCredentials': ({ id }, caller) => ({ pairs: identity.credentials(caller, id) }),
    'job.setProxySettings': notYet,
    'job.getProxySettings': notYet,
    'job.setClientCertificate': notYet,
    'job.getClientCertificate': notYet,
    'job.removeClientCertificate': notYet,
    'job.setHelperToken': notYet,
    'job.clearHelperToken': notYet,
    'job.setHelperTokenFlags': notYet,
    'job.getHelperTokenFlags': notYet,
    'job.setCostFlags': notYet,
    'job.getCostFlags': notYet,
    'job.takeOwnership': notYet,
    'vault.rotate': notYet,
  }
}
