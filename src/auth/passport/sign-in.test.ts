import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fieldValues, type Field } from '../auth.ts'
import { Secret } from '../secret.ts'
import { CookieJar } from './cookies.ts'
import { isSameSite, SignIn, type SignInOptions, type SignInStep } from './sign-in.ts'

const options: SignInOptions = {
  original: {
    method: 'GET',
    url: new URL('http://www.msn.com/passport/passport_default.asp'),
    parameters: 'param1,param2',
  },
  credentials: {
    kind: 'password',
    userName: 'rusty@hotmail.com',
    password: Secret.fromText('goalkeeper'),
  },
  configuration: { realm: 'Passport.Net', loginUrl: 'https://login.passport.com/login2.srf' },
  elapsedSeconds: 3,
  cookies: new CookieJar(),
  now: () => 0,
  trustedOrigins: [],
}

function signIn(changes: Partial<SignInOptions> = {}): SignIn {
  return new SignIn({ ...options, cookies: new CookieJar(), ...changes })
}

/** Gives the machine an answer of its server. */
function answer(machine: SignIn, status: number, ...fields: readonly Field[]): SignInStep {
  return machine.take({ url: 'https://unused.example/', status, fields, body: new Uint8Array() })
}

function challenge(text: string): Field {
  return ['WWW-Authenticate', `Passport1.4 ${text}`]
}

function info(text: string): Field {
  return ['Authentication-Info', `Passport1.4 ${text}`]
}

/** Where a step goes and what it carries. */
function sent(step: SignInStep): readonly (string | undefined)[] {
  assert.ok(step.kind === 'detour', step.kind)
  const [authorization] = fieldValues(step.fields, 'authorization')
  const [cookie] = fieldValues(step.fields, 'cookie')
  return [step.url, authorization, cookie]
}

test('SignIn dances as in MS-PASS §4, with time and custom elements added (A334 to A339, V71)', () => {
  const machine = signIn()
  const described = 'OrgVerb=GET,OrgUrl=http://www.msn.com/passport/passport_default.asp'
  assert.deepEqual(sent(machine.begin()), [
    'https://login.passport.com/login2.srf',
    `Passport1.4 tname=,${described},param1,param2`,
    undefined,
  ])
  const second = answer(
    machine,
    401,
    challenge('da-status=failed,srealm=Passport.NET, ts=0, param3'),
  )
  assert.deepEqual(sent(second), [
    'https://login.passport.com/login2.srf',
    `Passport1.4 sign-in=rusty%40hotmail.com,pwd=goalkeeper,elapsed-time=3,${described},ts=0,param3,param1,param2`,
    undefined,
  ])
  const last = answer(
    machine,
    200,
    info(
      'da-status=success,tname=PPAuth,from-PP=1puV5BFuLD,ru=http://www.msn.com/passport/passport_default.asp',
    ),
    ['Set-Cookie', 'PPAuth=x'],
  )
  assert.deepEqual(last, {
    kind: 'ticket',
    ticket: '1puV5BFuLD',
    returnUrl: 'http://www.msn.com/passport/passport_default.asp',
  })
})

test('SignIn may begin with the password (A337)', () => {
  const [, authorization] = sent(signIn({ isPasswordFirst: true }).begin())
  assert.match(authorization ?? '', /^Passport1\.4 sign-in=rusty%40hotmail\.com,pwd=goalkeeper,/)
})

test('SignIn says that no time has passed when somebody was asked (A336)', () => {
  const machine = signIn()
  machine.begin()
  const step = answer(machine, 401, challenge('da-status=failed,srealm=passport.net,prompt'))
  assert.match(sent(step)[1] ?? '', /,elapsed-time=0,/)
})

test('SignIn shows the cookies of earlier sign-ins, and takes a ticket for them (A334, A339)', () => {
  const cookies = new CookieJar()
  cookies.store(new URL(options.configuration.loginUrl), [['Set-Cookie', 'PPAuth=x']], 0)
  const machine = signIn({ cookies })
  assert.equal(sent(machine.begin())[2], 'PPAuth=x')
  const step = answer(machine, 302, info("da-status=success,from-PP='t=1&p='"))
  assert.deepEqual(step, { kind: 'ticket', ticket: "'t=1&p='" })
})

test('SignIn repeats the same request where it is redirected to, within reason (A338)', () => {
  const machine = signIn()
  machine.begin()
  const before = answer(machine, 401, challenge('da-status=failed,srealm=Passport.Net'))
  const redirected = answer(machine, 302, info('da-status=redir'), [
    'Location',
    'https://login2.passport.com/x#y',
  ])
  assert.deepEqual(sent(redirected), ['https://login2.passport.com/x', sent(before)[1], undefined])
  const relative = answer(machine, 302, info('da-status=redir'), ['Location', '/z'])
  assert.equal(sent(relative)[0], 'https://login2.passport.com/z')
})

test('SignIn tells its password to nobody else (A338)', () => {
  for (const [location, kind] of [
    ['https://evil.example/', 'refused'],
    ['https://evilpassport.com/', 'refused'],
    ['http://login.passport.com/', 'refused'],
    ['https://trusted.example/', 'detour'],
    ['https://trusted.example:444/', 'refused'],
    ['https://a.b.passport.com/', 'detour'],
    ['https://[', 'unable'],
    [undefined, 'unable'],
  ] as const) {
    const machine = signIn({ trustedOrigins: ['https://trusted.example'] })
    machine.begin()
    const fields: readonly Field[] = location === undefined ? [] : [['Location', location]]
    const step = answer(machine, 302, info('da-status=redir'), ...fields)
    assert.equal(step.kind, kind, location)
  }
})

test('SignIn follows five redirects and no more (A135)', () => {
  const machine = signIn()
  machine.begin()
  const redirect = () => answer(machine, 302, info('da-status=redir'), ['Location', '/again'])
  for (let count = 0; count < 5; count++) assert.equal(redirect().kind, 'detour')
  assert.equal(redirect().kind, 'unable')
})

test('SignIn ends where it must, with credentials refused or left for another scheme', () => {
  for (const [why, status, fields, kind] of [
    ['another realm (A335)', 401, [challenge('da-status=failed,srealm=Other')], 'refused'],
    ['no realm', 401, [challenge('da-status=failed')], 'refused'],
    ['no second try', 401, [challenge('da-status=failed-noretry,srealm=Passport.Net')], 'refused'],
    [
      'as the text spells it too',
      401,
      [challenge('da-status=fail-noretry,srealm=Passport.Net')],
      'refused',
    ],
    ['no word of Passport', 401, [['WWW-Authenticate', 'Basic realm="x"']], 'unable'],
    [
      'more challenges than anybody reads',
      401,
      Array.from({ length: 100 }, () => ['WWW-Authenticate', 'Basic'] as const),
      'unable',
    ],
    ['a server in trouble', 503, [], 'unable'],
    ['success without a ticket', 200, [info('da-status=success,ru=http://h/')], 'unable'],
    ['a ticket that splits headers', 200, [info('da-status=success,from-PP=a\r\nb')], 'unable'],
    [
      'a custom element that splits headers',
      401,
      [challenge('da-status=failed,srealm=Passport.Net,a\u0000b')],
      'unable',
    ],
  ] as const satisfies readonly (readonly [string, number, readonly Field[], string])[]) {
    const machine = signIn()
    machine.begin()
    const step = answer(machine, status, ...fields)
    assert.equal(step.kind, kind, why)
    const said = 'reason' in step ? step.reason : ''
    assert.doesNotMatch(said, /rusty|goalkeeper/)
  }
})

test('SignIn sends the password once (A135)', () => {
  const machine = signIn()
  machine.begin()
  const again = challenge('da-status=failed,srealm=Passport.Net')
  assert.equal(answer(machine, 401, again).kind, 'detour')
  assert.equal(answer(machine, 401, again).kind, 'refused')
})

test('SignIn goes over TLS or not at all (A337)', () => {
  const machine = signIn({ configuration: { realm: 'R', loginUrl: 'http://login.passport.com/' } })
  assert.equal(machine.begin().kind, 'unable')
})

test('isSameSite() takes hosts of the sign-in server’s own domain', () => {
  for (const [host, signInHost, expected] of [
    ['login.passport.com', 'login.passport.com', true],
    ['loginnet.passport.com', 'login.passport.com', true],
    ['passport.com', 'login.passport.com', true],
    ['notpassport.com', 'login.passport.com', false],
    ['evil.com', 'passport.com', false],
    ['other.co.uk', 'login.co.uk', false],
    ['a.login.co.uk', 'www.login.co.uk', true],
    ['10.0.0.2', '10.0.0.1', false],
    ['[::2]', '[::1]', false],
    ['localhost', 'localhost', true],
  ] as const) {
    assert.equal(isSameSite(host, signInHost), expected, `${host} for ${signInHost}`)
  }
})
