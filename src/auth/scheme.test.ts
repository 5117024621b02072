import { basicAcceptor } from './basic-server.ts'
import { basicScheme } from './basic.ts'
import { bearerAcceptor, TokenIssuer } from './bearer-server.ts'
import { bearerScheme } from './bearer.ts'
import type { Credentials } from './credentials.ts'
import { digestAcceptor } from './digest/digest-server.ts'
import { digestScheme } from './digest/digest.ts'
import type { Mechanisms } from './mechanism.ts'
import type { NtlmAcceptorOptions } from './ntlm/acceptor.ts'
import { acceptNtlm, ntlmAcceptor } from './ntlm/ntlm-server.ts'
import { ntlmScheme } from './ntlm/ntlm.ts'
import { computeNtHash } from './ntlm/password-keys.ts'
import { PassportService } from './passport/passport-server.ts'
import { passportScheme } from './passport/passport.ts'
import type { AuthWorld } from './scheme.ts'
import { suite } from './scheme.suite.ts'
import { Secret } from './secret.ts'
import { mechanismIds } from './spnego/mechanism-ids.ts'
import { negotiateAcceptor } from './spnego/negotiate-server.ts'
import { negotiateScheme } from './spnego/negotiate.ts'
import { PretendAcceptor, PretendInitiator } from './spnego/pretend-kerberos.suite.ts'
import { testWorld } from './world.suite.ts'

function password(userName: string, word: string): Credentials {
  return { kind: 'password', userName, password: Secret.fromText(word) }
}

function client(clientSecret: string): Credentials {
  return {
    kind: 'client',
    clientId: 'mufasa',
    clientSecret: Secret.fromText(clientSecret),
    tokenUrl: 'https://login.example/token',
  }
}

const right = 'circle of life'

const named = {
  right: password('mufasa', right),
  wrong: password('mufasa', 'hakuna matata'),
  user: 'mufasa',
  secrets: ['mufasa', 'circle of life', 'hakuna matata'],
}

const users = new Map([['mufasa', Secret.fromText('circle of life')]])

suite({
  name: 'Basic',
  scheme: basicScheme,
  ...named,
  kinds: ['password'],
  accept: () =>
    basicAcceptor({
      realm: 'r',
      check: (userName, word) =>
        userName === 'mufasa' && Buffer.from(word).toString() === 'circle of life',
    }),
})

for (const [name, options] of [
  ['Digest', {}],
  ['Digest of RFC 2069', { algorithms: [undefined], qops: [] }],
  ['Digest with sessions', { algorithms: ['SHA-512-256-sess'] }],
] as const) {
  suite({
    name,
    scheme: digestScheme,
    ...named,
    kinds: ['password'],
    accept: (world) => digestAcceptor({ realm: 'r', users, ...options }, world),
  })
}

const ntlmOptions: NtlmAcceptorOptions = {
  names: {
    nbComputerName: 'S',
    nbDomainName: 'D',
    dnsComputerName: 's.d',
    dnsDomainName: 'd',
  },
  ntHashOf: (user) =>
    user === 'mufasa' ? computeNtHash(new TextEncoder().encode('circle of life')) : undefined,
  accepts: ['v2'],
  hasTimestamp: true,
  hasSessionSecurity: true,
  bindingPolicy: 'ignore',
}

suite({
  name: 'NTLM',
  scheme: ntlmScheme,
  ...named,
  kinds: ['password', 'implicit'],
  accept: (world) => ntlmAcceptor(ntlmOptions, world),
})

suite({
  name: 'Negotiate with NTLM',
  scheme: negotiateScheme,
  ...named,
  kinds: ['password', 'implicit', 'keytab', 'tickets'],
  accept: (world) =>
    negotiateAcceptor({
      persists: true,
      mechanisms: [{ id: mechanismIds.ntlm, open: () => acceptNtlm(ntlmOptions, world) }],
    }),
})

/** A platform that gives tickets to everybody; those of a wrong password are for another server. */
const platform: Mechanisms = {
  unavailable: (mechanism) => (mechanism === 'kerberos' ? undefined : 'It is not here'),
  open: async ({ identity }) => {
    if (identity.kind !== 'password') throw new Error('nobody else asks here')
    const isRight = identity.password.use((word) => Buffer.from(word).toString() === right)
    return new PretendInitiator(isRight ? 'key' : 'another key', identity.userName)
  },
}

suite({
  name: 'Negotiate with Kerberos',
  scheme: negotiateScheme,
  ...named,
  kinds: ['password', 'implicit', 'keytab', 'tickets'],
  world: () => testWorld({ mechanisms: platform }),
  accept: () =>
    negotiateAcceptor({
      persists: true,
      mechanisms: [
        {
          id: mechanismIds.kerberos,
          open() {
            const context = new PretendAcceptor('key')
            return { context, user: () => context.user }
          },
        },
      ],
    }),
})

/** One service for a world, so that the partner knows the tickets of the sign-in server. */
const services = new WeakMap<AuthWorld, PassportService>()

function serviceOf(world: AuthWorld): PassportService {
  const { nexusUrl } = world.settings.passport
  const login = 'login.example/login'
  const options = { realm: 'Lab', nexusUrl, login, version: 1, users }
  const service = services.get(world) ?? new PassportService(options)
  services.set(world, service)
  return service
}

suite({
  name: 'Passport',
  scheme: passportScheme,
  ...named,
  kinds: ['password'],
  accept: (world) => serviceOf(world).partner('x=1'),
  elsewhere: (world) => (detour) => serviceOf(world).answer(detour),
  skips: { early: 'what proves later requests is a cookie, which the partner here is not shown' },
})

suite({
  name: 'Bearer',
  scheme: bearerScheme,
  right: { kind: 'bearer', token: Secret.fromText('circle-of-life') },
  wrong: { kind: 'bearer', token: Secret.fromText('hakuna-matata') },
  user: 'mufasa',
  secrets: ['mufasa', 'circle-of-life', 'hakuna-matata'],
  kinds: ['bearer', 'client'],
  accept: () =>
    bearerAcceptor('r', (token) =>
      Buffer.from(token).toString() === 'circle-of-life' ? 'mufasa' : undefined,
    ),
  skips: { names: 'a token has no name' },
})

/** One issuer for a world, so that the acceptor knows what the endpoint gave out. */
const issuers = new WeakMap<AuthWorld, TokenIssuer>()

function issuerOf(world: AuthWorld): TokenIssuer {
  const issuer = issuers.get(world) ?? new TokenIssuer({ clients: users, lifetimeS: 60 }, world)
  issuers.set(world, issuer)
  return issuer
}

suite({
  name: 'Bearer with a client',
  scheme: bearerScheme,
  right: client('circle of life'),
  wrong: client('hakuna matata'),
  user: 'mufasa',
  secrets: ['mufasa', 'circle of life', 'hakuna matata'],
  kinds: ['bearer', 'client'],
  accept: (world) => bearerAcceptor('r', (token) => issuerOf(world).owner(token)),
  elsewhere: (world) => async (detour) => ({
    url: detour.url,
    ...issuerOf(world).answer({ body: new Uint8Array(0), ...detour }),
  }),
  skips: { names: 'a token has no name' },
})
