/** The methods about as whom, and which way, a job asks. */

import type { Caller } from '../engine/access.ts'
import type { Engine } from '../engine/engine.ts'
import type { Job } from '../job/job.ts'
import type { JobView, MethodName } from '../rpc/contract.ts'
import type { Handlers } from '../rpc/dispatch.ts'
import type { ServiceFacts } from './handlers.ts'

/** The methods of this file, by the ends of their names. */
type IdentityMethod = Extract<
  MethodName,
  `${string}${'Credentials' | 'Authentication' | 'Settings' | 'Validation' | 'Certificate' | 'Token' | 'Flags' | 'Sid' | 'Ownership' | '.rotate'}`
>

/** These methods over one engine. */
export function identityHandlers(
  { identity, validation }: Engine,
  { rotate }: Pick<ServiceFacts, 'rotate'>,
  show: (job: Job) => JobView,
): Pick<Handlers<Caller>, IdentityMethod> {
  return {
    'job.setCredentials': ({ id, ...pair }, caller) => {
      identity.setCredentials(caller, id, pair)
      return null
    },
    'job.removeCredentials': ({ id, ...pair }, caller) => ({
      removed: identity.removeCredentials(caller, id, pair),
    }),
    'job.listCredentials': ({ id }, caller) => ({ pairs: identity.credentials(caller, id) }),
    'job.setUseStoredCredentials': ({ id, target }, caller) => {
      identity.setUseStoredCredentials(caller, id, target ?? undefined)
      return null
    },
    'job.getUseStoredCredentials': ({ id }, caller) => ({
      target: identity.useStoredCredentials(caller, id) ?? null,
    }),
    'job.setPreemptiveAuthentication': ({ id, enabled }, caller) => {
      identity.setPreemptiveAuthentication(caller, id, enabled)
      return null
    },
    'job.getPreemptiveAuthentication': ({ id }, caller) => ({
      enabled: identity.preemptiveAuthentication(caller, id),
    }),
    'job.setProxySettings': ({ id, ...proxy }, caller) => {
      identity.setProxySettings(caller, id, proxy)
      return null
    },
    'job.getProxySettings': ({ id }, caller) => identity.proxySettings(caller, id),
    'job.setClientCertificate': ({ id, ...certificate }, caller) => {
      identity.setCertificate(caller, id, certificate)
      return null
    },
    'job.getClientCertificate': ({ id }, caller) => identity.certificate(caller, id),
    'job.removeClientCertificate': ({ id }, caller) => ({
      removed: identity.removeCertificate(caller, id),
    }),
    'job.setHelperToken': ({ id, token }, caller) => {
      identity.setHelperToken(caller, id, token)
      return null
    },
    'job.clearHelperToken': ({ id }, caller) => {
      identity.clearHelperToken(caller, id)
      return null
    },
    'job.setHelperTokenFlags': ({ id, flags }, caller) => {
      identity.setHelperTokenFlags(caller, id, flags)
      return null
    },
    'job.getHelperTokenFlags': ({ id }, caller) => ({
      flags: identity.helperTokenFlags(caller, id),
    }),
    'job.getHelperTokenSid': ({ id }, caller) => ({
      sid: identity.helperTokenSid(caller, id) ?? null,
    }),
    'job.setCostFlags': ({ id, flags }, caller) => {
      identity.setCostFlags(caller, id, flags)
      return null
    },
    'job.getCostFlags': ({ id }, caller) => ({ flags: identity.costFlags(caller, id) }),
    'job.getSecurityFlags': ({ id }, caller) => ({ flags: identity.securityFlags(caller, id) }),
    'job.setServerValidation': ({ id, required }, caller) => {
      validation.set(caller, id, required)
      return null
    },
    'job.getServerCertificate': ({ id }, caller) => ({
      shown: validation.shown(caller, id) ?? null,
    }),
    'job.judgeServerCertificate': ({ id, server, hash, accepted }, caller) => {
      validation.judge(caller, id, { server, hash, isAccepted: accepted })
      return null
    },
    'job.takeOwnership': ({ id }, caller) => show(identity.takeOwnership(caller, id)),
    'vault.rotate': rotate,
  }
}
