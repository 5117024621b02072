import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseChallenges, type Challenge } from '../challenge.ts'
import { converse, openSession, request } from '../conversation.suite.ts'
import type { PasswordCredentials } from '../credentials.ts'
import type { Answer, DetourResponse, Handshake, RequestFacts, Session } from '../scheme.ts'
import { Secret } from '../secret.ts'
import { testWorld, type WorldOptions } from '../world.suite.ts'
import { PassportService, type PassportPartner } from './passport-server.ts'
import { passportScheme } from './passport.ts'

const peer = new URL('https://partner.example/')
const page = request('GET', 'https://partner.example/a/b?c')
const nexusUrl = 'https://nexus.example/rdr'

function password(userName: string, word: string): PasswordCredentials {
  return { kind: 'password', userName, password: Secret.fromText(word) }
}

const right = password('user1@example.com', 'pass,word')

const service = {
  realm: 'Passport.Net',
  nexusUrl,
  login: 'login.sign-in.example/login2.srf',
  version: 14,
  users: new Map([['user1@example.com', Secret.fromText('pass,word')]]),
}

function session(credentials = right, world: WorldOptions = {}): Session {
  const settings = { passport: { nexusUrl }, ...world.settings }
  return openSession(passportScheme, {
    credentials,
    peer,
    world: testWorld({ ...world, settings }),
  })
}

test('passportScheme asks where to sign in, signs in, and shows its ticket (A123, A331 to A340)', async () => {
  const passport = new PassportService({ ...service, custom: ['ts=-2', 'prompt'] })
  const urls: string[] = []
  const outcome = await converse(session().begin(), passport.partner('param1,param2'), page, {
    elsewhere(detour) {
      urls.push(detour.url)
      return passport.answer(detour)
    },
  })
  assert.deepEqual(outcome, {
    kind: 'granted',
    text: 'user1@example.com',
    sent: [undefined, 'Passport1.4 from-PP=t=1&p='],
  })
  const login = 'https://login.sign-in.example/login2.srf'
  assert.deepEqual(urls, [nexusUrl, login, login])
})

test('passportScheme sends a ticket back as it was written, quotes included (A339, V72)', async () => {
  const passport = new PassportService({ ...service, isQuoted: true })
  const outcome = await converse(session().begin(), passport.partner(''), page, {
    elsewhere: (detour) => passport.answer(detour),
  })
  assert.deepEqual([outcome.kind, outcome.sent[1]], ['granted', "Passport1.4 from-PP='t=1&p='"])
})

function knows(said: readonly (string | undefined)[] | undefined, what: RegExp): boolean {
  return said?.some((each) => what.test(each ?? '')) ?? false
}

test('passportScheme tells each party its own: nexus, sign-in server and partner (A330)', async () => {
  const passport = new PassportService(service)
  const told: Record<string, string[]> = {}
  const outcome = await converse(session().begin(), passport.partner(''), page, {
    elsewhere(detour) {
      const said = `${detour.url} ${detour.fields.flat().join(' ')}`
      const { host } = new URL(detour.url)
      told[host] = [...(told[host] ?? []), said]
      return passport.answer(detour)
    },
  })
  assert.deepEqual(Object.keys(told), ['nexus.example', 'login.sign-in.example'])
  const [name, word, ticket] = [/user1(?:@|%40)/u, /pass(?:,|%2c)word/iu, /from-PP=/u]
  const signIn = told['login.sign-in.example']
  for (const what of [name, word, ticket]) assert(!knows(told['nexus.example'], what))
  assert(knows(signIn, name) && knows(signIn, word) && !knows(signIn, ticket))
  assert(knows(outcome.sent, ticket) && !knows(outcome.sent, name) && !knows(outcome.sent, word))
})

test('passportScheme does not mind what else its challenge says of Negotiate (A186)', async () => {
  const said: string[] = []
  const passport = new PassportService(service)
  const parameters = 'ct=1,Negotiate2SupportedIf=negoexts,lc=1033'
  const outcome = await converse(session().begin(), passport.partner(parameters), page, {
    elsewhere(detour) {
      said.push(detour.fields.flat().join(' '))
      return passport.answer(detour)
    },
  })
  assert.equal(outcome.kind, 'granted')
  // It goes to the sign-in server with the rest, unread.
  assert(said.slice(1).every((each) => each.includes(`,${parameters}`)))
})

test('passportScheme takes its password along redirects of the sign-in server (A338)', async () => {
  const redirects = ['https://login2.sign-in.example/', 'https://login3.sign-in.example/x']
  const passport = new PassportService({ ...service, redirects })
  const outcome = await converse(session().begin(), passport.partner(''), page, {
    elsewhere: (detour) => passport.answer(detour),
  })
  assert.equal(outcome.kind, 'granted')
})

test('passportScheme refuses wrong passwords after one sign-in (A135)', async () => {
  const passport = new PassportService(service)
  let detours = 0
  const handshake = session(password('user1@example.com', 'wrong')).begin()
  const outcome = await converse(handshake, passport.partner(''), page, {
    elsewhere(detour) {
      detours++
      return passport.answer(detour)
    },
  })
  assert.deepEqual([outcome.kind, detours], ['refused', 3])
})

/** Sends one request, and tells how often the sign-in side was asked. */
async function visit(
  opened: Session,
  passport: PassportService,
  partner: PassportPartner,
  facts: RequestFacts = page,
): Promise<{ readonly detours: number; readonly granted: boolean }> {
  const handshake = opened.begin()
  let detours = 0
  let send = await handshake.prepare(facts)
  for (let leg = 0; leg < 4; leg++) {
    const cookie = send?.cookie === undefined ? {} : { cookie: send.cookie }
    const reception = await partner.receive(send?.header, { ...facts, ...cookie })
    if (reception.kind === 'granted') {
      await handshake.accept({ status: 200, fields: reception.fields })
      return { detours, granted: true }
    }
    let answer = await handshake.answer(only(reception.challenges), facts)
    for (; answer.kind === 'detour'; detours++) {
      answer = await detoured(handshake, await passport.answer(answer), facts)
    }
    if (answer.kind !== 'send') break
    send = answer
  }
  return { detours, granted: false }
}

function only(fieldValues: readonly string[]): Challenge {
  const [challenge] = parseChallenges(fieldValues)
  assert.ok(challenge !== undefined)
  return challenge
}

async function detoured(
  handshake: Handshake,
  response: DetourResponse,
  facts: RequestFacts,
): Promise<Answer> {
  assert.ok(handshake.detoured !== undefined)
  return handshake.detoured(response, facts)
}

test('passportScheme shows cookies instead of a ticket from then on (A341)', async () => {
  const passport = new PassportService(service)
  const [opened, partner] = [session(), passport.partner('')]
  assert.deepEqual(await visit(opened, passport, partner), { detours: 3, granted: true })
  assert.deepEqual(await visit(opened, passport, partner), { detours: 0, granted: true })
})

test('passportScheme gets another ticket when its cookies are over, without the password (A343)', async () => {
  const passport = new PassportService(service)
  const [opened, partner] = [session(), passport.partner('')]
  await visit(opened, passport, partner)
  passport.expire()
  assert.deepEqual(await visit(opened, passport, partner), { detours: 1, granted: true })
  assert.deepEqual(await visit(opened, passport, partner), { detours: 0, granted: true })
})

test('passportScheme begins from nothing once its session was closed', async () => {
  const passport = new PassportService(service)
  const [opened, partner] = [session(), passport.partner('')]
  await visit(opened, passport, partner)
  opened.close()
  assert.equal((await visit(opened, passport, partner)).detours, 2)
})

test('passportScheme forgets its sign-in when a partner logs it out (A342)', async () => {
  const passport = new PassportService(service)
  const [opened, partner] = [session(), passport.partner('')]
  await visit(opened, passport, partner)
  const handshake = opened.begin()
  const fields = [['Authentication-Info', 'Passport1.4 da-status=logout']] as const
  await handshake.accept({ status: 200, fields })
  passport.expire()
  assert.equal((await visit(opened, passport, partner)).detours, 2)
})

test('passportScheme asks again where to sign in when a newer configuration exists (A331)', async () => {
  let version = 14
  const opened = session()
  const old = new PassportService(service)
  await visit(opened, old, old.partner(''))
  version++
  const renewed = new PassportService({ ...service, version })
  assert.equal((await visit(opened, renewed, renewed.partner(''))).detours, 2, 'it hears of it')
  renewed.expire()
  opened.close()
  assert.equal((await visit(opened, renewed, renewed.partner(''))).detours, 3, 'it asks')
  opened.close()
  assert.equal((await visit(opened, renewed, renewed.partner(''))).detours, 2, 'it knows')
})

test('passportScheme does not ask where the administrator said it (A332)', async () => {
  const passport = new PassportService(service)
  const signIn = { realm: 'passport.net', url: 'https://login.sign-in.example/' }
  const opened = session(right, { settings: { passport: { nexusUrl, signIn } } })
  assert.deepEqual(await visit(opened, passport, passport.partner('')), {
    detours: 2,
    granted: true,
  })
})

/** What the scheme does about a challenge, with these answers to its detours. */
async function outcomeOf(
  facts: RequestFacts,
  ...responses: readonly (readonly (readonly [string, string])[])[]
): Promise<Answer> {
  const handshake = session().begin()
  const challenge = { scheme: 'passport1.4', parameters: new Map<string, string>(), text: 'p' }
  let answer = await handshake.answer(challenge, facts)
  for (const fields of responses) {
    const response = { url: nexusUrl, status: 200, fields, body: new Uint8Array() }
    answer = await detoured(handshake, response, facts)
  }
  return answer
}

const configuration = [['PassportURLs', 'DARealm=R,DALogin=login.example']] as const

function success(returnUrl: string) {
  const value = `Passport1.4 da-status=success,from-PP=t,ru=${returnUrl}`
  return [['Authentication-Info', value]] as const
}

test('passportScheme takes its ticket to the server that asked and to no other (A340)', async () => {
  for (const [asked, returnUrl, sent] of [
    ['https://h/a', 'https://h/a', undefined],
    ['https://h/a', 'https://h/b#c', 'https://h/b'],
    ['http://h/a', 'http://h/b', 'http://h/b'],
    ['http://h/a', 'https://h/a', 'https://h/a'],
  ] as const) {
    const answer = await outcomeOf(request('GET', asked), configuration, success(returnUrl))
    assert.ok(answer.kind === 'send')
    assert.equal(answer.url, sent, `${asked} and ${returnUrl}`)
  }
  for (const [asked, returnUrl] of [
    ['https://h/a', 'http://h/a'],
    ['https://h/a', 'https://other/a'],
    ['https://h/a', 'https://h:444/a'],
    ['https://h/a', 'nowhere'],
  ] as const) {
    const answer = await outcomeOf(request('GET', asked), configuration, success(returnUrl))
    assert.equal(answer.kind, 'refused', `${asked} and ${returnUrl}`)
  }
})

test('passportScheme ends where its helpers say nothing useful', async () => {
  const plain = [['PassportURLs', 'DARealm=R,DALogin=http://login.example']] as const
  for (const [why, responses, kind] of [
    ['no configuration', [[]], 'unable'],
    ['a sign-in server without TLS (A337)', [plain], 'unable'],
    ['no sign-in', [configuration, []], 'unable'],
  ] as const) {
    assert.equal((await outcomeOf(page, ...responses)).kind, kind, why)
  }
})

test('passportScheme refuses itself when its ticket is not taken (A341)', async () => {
  const handshake = session().begin()
  const challenge = { scheme: 'passport1.4', parameters: new Map<string, string>(), text: '' }
  await handshake.answer(challenge, page)
  for (const fields of [configuration, success('https://partner.example/a/b?c')]) {
    await detoured(handshake, { url: '', status: 200, fields, body: new Uint8Array() }, page)
  }
  assert.equal((await handshake.prepare(page))?.header, 'Passport1.4 from-PP=t', 'once more')
  assert.equal((await handshake.answer(challenge, page)).kind, 'refused')
})

test('passportScheme answers nothing that it was not asked', async () => {
  const handshake = session().begin()
  const response = { url: nexusUrl, status: 200, fields: configuration, body: new Uint8Array() }
  assert.equal((await detoured(handshake, response, page)).kind, 'unable')
  const garbled = { scheme: 'passport1.4', parameters: new Map<string, string>(), text: 'a\r\nb' }
  assert.equal((await handshake.answer(garbled, page)).kind, 'unable')
})

test('passportScheme takes no cookies of servers that it proved nothing to', async () => {
  const opened = session()
  await opened.begin().accept({ status: 200, fields: [['Set-Cookie', 'a=b; Path=/']] })
  assert.equal(await opened.begin().prepare(page), undefined)
})

test('passportScheme is for servers and passwords, and never unasked (A60, A344)', async () => {
  assert.ok(passportScheme.accepts(right, 'server'))
  assert.ok(!passportScheme.accepts(right, 'proxy'))
  assert.ok(!passportScheme.accepts({ kind: 'implicit' }, 'server'))
  assert.equal(await session().begin().prepare(page, true), undefined)
})

test('passportScheme asks only servers that it reaches over TLS', () => {
  for (const passport of [
    { nexusUrl: 'http://nexus.example/' },
    { nexusUrl: 'nonsense' },
    { nexusUrl, signIn: { realm: 'R', url: 'http://login.example/' } },
  ]) {
    const world = testWorld({ settings: { passport } })
    const opened = passportScheme.open({ target: 'server', peer, credentials: right, world })
    assert.equal('kind' in opened && opened.kind, 'unable')
  }
})
