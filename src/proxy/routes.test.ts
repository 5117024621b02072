import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureError } from '../job/failure.ts'
import { defaultProxySettings, type ProxySettings, type Route } from '../job/route.ts'
import { TurnedClock } from '../testing/turned-clock.ts'
import { parseBypass } from './bypass.ts'
import { describeHop } from './decision.ts'
import { environmentSettings } from './desktop/environment.ts'
import { ScriptError, scriptView, type ScriptSource } from './ports.ts'
import { parseProxyList } from './proxy-list.ts'
import { createRoutes, type JobRoutes } from './routes.ts'
import { fixedProxies, type PlaceSettings } from './settings.ts'
import { Surroundings, type ProxyPolicy, type SurroundingsParts } from './surroundings.ts'

/** A person whose places, scripts and network a test decides about, and who counts what is asked. */
class Village {
  readonly clock = new TurnedClock()
  readonly asked: string[] = []
  places: readonly PlaceSettings[] = []
  /** What scripts return, by their URL; an error is thrown. */
  answers = new Map<string, string | Error>()
  discovered: string | undefined | Error
  readonly surroundings: Surroundings

  constructor(parts: Partial<Pick<SurroundingsParts, 'machine'>> & { policy?: ProxyPolicy } = {}) {
    this.surroundings = new Surroundings({
      ...parts,
      clock: this.clock,
      desktop: {
        read: () => {
          this.asked.push('settings')
          return Promise.resolve(this.places)
        },
      },
      scripts: {
        evaluate: (source, url) => this.#evaluate(source, url),
        networkChanged: () => void this.asked.push('scripts forget'),
        close: () => Promise.resolve(),
      },
      discovery: {
        find: () => {
          this.asked.push('discovery')
          return this.discovered instanceof Error
            ? Promise.reject(this.discovered)
            : Promise.resolve(this.discovered)
        },
        networkChanged: () => void this.asked.push('discovery forgets'),
      },
    })
  }

  #evaluate({ url, isDiscovered }: ScriptSource, of: URL): Promise<string> {
    this.asked.push(`${isDiscovered ? 'discovered ' : ''}${url} of ${scriptView(of)}`)
    const answer = this.answers.get(url) ?? new ScriptError('ERR_PAC_UNREACHABLE', 'Not there')
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }

  routes(settings: ProxySettings = defaultProxySettings): JobRoutes {
    return createRoutes(settings, this.surroundings)
  }
}

const named = (place: string, list: string, bypass = ''): PlaceSettings => ({
  place,
  says: 'proxies are named',
  fixed: fixedProxies(parseProxyList(list), parseBypass(bypass)),
})

const show = (route: Route): readonly string[] => route.map(describeHop)

async function ways(routes: JobRoutes, url: string): Promise<readonly string[]> {
  return show(await routes.find(new URL(url)))
}

const straight = ['straight to the server']
const PAC = 'http://pac.example/proxy.pac'
const WPAD = 'http://wpad.example/wpad.dat'

test('NO_PROXY goes straight, and asks nobody (N1)', async () => {
  const village = new Village()
  village.places = [named('desktop', 'p')]
  assert.deepEqual(await ways(village.routes({ usage: 'noProxy' }), 'http://h.example/'), straight)
  assert.deepEqual(village.asked, [])
})

test('OVERRIDE goes exactly as its lists say, and asks nobody (N1)', async () => {
  const village = new Village()
  village.places = [named('desktop', 'other')]
  const routes = village.routes({ usage: 'override', list: 'a b:81', bypass: '*.near.example' })
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://a:80', 'http://b:81'])
  assert.deepEqual(await ways(routes, 'http://x.near.example/'), straight)
  assert.deepEqual(village.asked, [])
})

for (const settings of [
  { usage: 'override', list: 'p:0' },
  { usage: 'override', list: ' ' },
  { usage: 'override', list: 'p', bypass: '<what>' },
  { usage: 'override', script: PAC, bypass: '<what>' },
  { usage: 'override' },
] as const satisfies readonly ProxySettings[]) {
  test(`${JSON.stringify(settings)} fails the job when it runs, not when it is set (N2)`, async () => {
    const routes = new Village().routes(settings)
    await assert.rejects(
      async () => routes.find(new URL('http://h.example/')),
      (error) =>
        error instanceof FailureError &&
        error.failure.symbol === 'BG_E_INVALID_PROXY_INFO' &&
        error.failure.severity === 'fatal',
    )
    const { steps, route } = await routes.explain(new URL('http://h.example/'))
    assert.equal(route, undefined)
    assert.equal(steps.at(-1)?.outcome, 'fails')
  })
}

test('OVERRIDE without a bypass list has no exceptions, with one also those of this machine itself (N1, N22, N24)', async () => {
  const village = new Village()
  const local = new URL('http://localhost:1/')
  for (const [bypass, way] of [
    [undefined, 'http://p:80'],
    ['', 'straight to the server'],
    ['<-loopback> *.corp', 'http://p:80'],
  ] as const) {
    const settings = { usage: 'override', list: 'p', ...(bypass === undefined ? {} : { bypass }) }
    const routes = village.routes(settings as ProxySettings)
    assert.deepEqual(show(await routes.find(local)), [way])
  }
})

test('the variables of whoever made the job come before the settings of the desktop (N40)', async () => {
  const village = new Village()
  village.places = [named('the desktop', 'desk')]
  const environment = { http_proxy: 'env:1', no_proxy: 'b.test' }
  const routes = village.routes({ usage: 'preconfig', environment })
  assert.deepEqual(show(await routes.find(new URL('http://a.test/'))), ['http://env:1'])
  assert.deepEqual(show(await routes.find(new URL('http://b.test/'))), ['straight to the server'])
})

test('no_proxy alone makes exceptions from what is set elsewhere, also from scripts (N41, N42)', async () => {
  const environment = { no_proxy: 'localhost, .b.test,10.0.0.0/8' }
  const village = new Village()
  village.answers.set(PAC, 'PROXY script')
  const rows = [
    ['http://a.test/', 'http://desk:80', 'http://script:80'],
    ['http://b.test/', 'straight to the server', 'straight to the server'],
    ['https://www.b.test/', 'straight to the server', 'straight to the server'],
    ['http://10.1.2.3/', 'straight to the server', 'straight to the server'],
    ['http://11.1.2.3/', 'http://desk:80', 'http://script:80'],
  ] as const
  for (const [url, ofList, scripted] of rows) {
    const routes = village.routes({ usage: 'preconfig', environment })
    village.places = [named('the desktop', 'desk')]
    assert.deepEqual(show(await routes.find(new URL(url))), [ofList])
    village.surroundings.networkChanged()
    village.places = [{ place: 'the desktop', says: 'a script is set', script: PAC }]
    assert.deepEqual(show(await routes.find(new URL(url))), [scripted])
    village.surroundings.networkChanged()
  }
  const { steps } = await village
    .routes({ usage: 'preconfig', environment })
    .explain(new URL('http://b.test/'))
  assert.deepEqual(
    steps.slice(1).map(({ outcome, sentence }) => `${outcome}: ${sentence}`),
    [
      'told: The environment: no_proxy set',
      'decides: The environment: no_proxy has .b.test: straight to the server',
    ],
  )
})

test('no_proxy alone makes no exceptions from proxies that an administrator made binding (N56)', async () => {
  const village = new Village({ machine: { list: 'corp', isBinding: true } })
  const routes = village.routes({ usage: 'preconfig', environment: { no_proxy: '*' } })
  assert.deepEqual(show(await routes.find(new URL('http://a.test/'))), ['http://corp:80'])
})

test('a new job asks for its owner’s settings (N3)', async () => {
  const village = new Village()
  village.places = [named('desktop', 'p')]
  assert.deepEqual(await ways(village.routes(), 'http://h.example/'), ['http://p:80'])
})

test('AUTODETECT asks the network for every file, and goes straight when it names no script (N1, N85)', async () => {
  const village = new Village()
  const routes = village.routes({ usage: 'autodetect' })
  assert.deepEqual(await ways(routes, 'http://h.example/'), straight)
  village.discovered = new ScriptError('ERR_WPAD_FAILED', 'No name server answers')
  assert.deepEqual(await ways(routes, 'http://i.example/'), straight)
  village.discovered = WPAD
  village.answers.set(WPAD, 'PROXY w')
  assert.deepEqual(await ways(routes, 'http://j.example/a'), ['http://w:80'])
  assert.deepEqual(await ways(routes, 'http://j.example/b'), ['http://w:80'])
  assert.deepEqual(
    village.asked.filter((each) => each.startsWith('discovered')),
    [`discovered ${WPAD} of http://j.example/a`, `discovered ${WPAD} of http://j.example/b`],
  )
})

test('the network is not asked for a script unless somebody wants it (N84)', async () => {
  const village = new Village()
  village.discovered = WPAD
  await village.routes().find(new URL('http://h.example/'))
  assert.deepEqual(village.asked, ['settings'])
})

test('the network cannot make this machine read its own files (N84)', async () => {
  const village = new Village()
  village.discovered = 'file:///etc/proxy.pac'
  village.answers.set(village.discovered, 'PROXY evil')
  const routes = village.routes({ usage: 'autodetect' })
  assert.deepEqual(await ways(routes, 'http://h.example/'), straight)
})

test('PRECONFIG detects, then asks the script, then the list, then the environment, then goes straight (N5)', async () => {
  const village = new Village()
  const url = 'http://h.example/'
  const desktop = { ...named('desktop', 'fixed'), detects: true, script: PAC }
  const environment = environmentSettings({ http_proxy: 'http://env:1' })
  village.discovered = WPAD
  village.answers.set(WPAD, 'PROXY detected').set(PAC, 'PROXY scripted')
  village.places = [desktop, environment]
  assert.deepEqual(await ways(village.routes(), url), ['http://detected:80'])

  village.surroundings.networkChanged()
  village.discovered = undefined
  assert.deepEqual(await ways(village.routes(), url), ['http://scripted:80'])

  village.surroundings.networkChanged()
  village.answers.delete(PAC)
  assert.deepEqual(await ways(village.routes(), url), ['http://fixed:80'])

  village.surroundings.networkChanged()
  village.places = [{ place: 'desktop', says: 'a script is set', script: PAC }, environment]
  assert.deepEqual(await ways(village.routes(), url), ['http://env:1'])

  village.surroundings.networkChanged()
  village.places = [{ place: 'desktop', says: 'nothing' }, environmentSettings({})]
  assert.deepEqual(await ways(village.routes(), url), straight)
})

test('a script that is mandatory fails the job, for now, when it cannot be used (N5)', async () => {
  const policy = { scriptIsMandatory: true, legacyProxyIdentity: false }
  const village = new Village({ policy })
  village.places = [{ place: 'desktop', says: 'a script is set', script: PAC }]
  await assert.rejects(
    async () => village.routes().find(new URL('http://h.example/')),
    (error) =>
      error instanceof FailureError &&
      error.failure.symbol === 'ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT' &&
      error.failure.severity === 'transient',
  )
})

test('a job that names a script does not go straight when the script fails (N76)', async () => {
  const village = new Village()
  village.answers.set(PAC, new ScriptError('ERR_PAC_FAILED', 'It threw'))
  await assert.rejects(
    async () =>
      village.routes({ usage: 'override', script: PAC }).find(new URL('http://h.example/')),
    (error) =>
      error instanceof FailureError &&
      error.failure.symbol === 'ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT',
  )
  const routes = village.routes({ usage: 'override', script: PAC, list: 'instead' })
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://instead:80'])
})

test('each URL and each redirect is decided on its own (N6, A124)', async () => {
  const village = new Village()
  village.places = [named('desktop', 'http=a https=b', 'c.example')]
  const routes = village.routes()
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://a:80'])
  assert.deepEqual(await ways(routes, 'https://h.example/'), ['http://b:80'])
  assert.deepEqual(await ways(routes, 'https://c.example/'), straight)
})

test('a script is asked once for a URL within half a minute, and what it is not shown makes no other URL (N65, N67)', async () => {
  const village = new Village()
  village.places = [{ place: 'desktop', says: 'a script is set', script: PAC }]
  village.answers.set(PAC, 'PROXY p; DIRECT')
  const routes = village.routes()
  await ways(routes, 'http://user:secret@h.example/a#b')
  const known = routes.find(new URL('http://h.example/a'))
  assert(!(known instanceof Promise))
  village.clock.turn(30_000)
  await ways(routes, 'http://h.example/a')
  await ways(routes, 'https://h.example/secret')
  await ways(routes, 'https://h.example/other')
  assert.deepEqual(
    village.asked.filter((each) => each !== 'settings'),
    [
      `${PAC} of http://h.example/a`,
      `${PAC} of http://h.example/a`,
      `${PAC} of https://h.example/`,
    ],
  )
})

test('a script that fails for one URL says nothing of the next, and is asked again soon (N5, N62)', async () => {
  const village = new Village()
  village.places = [{ place: 'desktop', says: 'a script is set', script: PAC }]
  const routes = village.routes()
  assert.deepEqual(await ways(routes, 'http://h.example/'), straight)
  village.answers.set(PAC, 'PROXY p')
  assert.deepEqual(await ways(routes, 'http://h.example/a'), ['http://p:80'])
  assert.deepEqual(await ways(routes, 'http://h.example/'), straight)
  village.clock.turn(8_000)
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://p:80'])
})

test('what people change in their settings holds within a minute', async () => {
  const village = new Village()
  village.places = [named('desktop', 'old')]
  const routes = village.routes()
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://old:80'])
  village.places = [named('desktop', 'new')]
  village.clock.turn(60_000)
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://new:80'])
})

test('whoever asks for the same URL meanwhile waits for the same answer', async () => {
  const village = new Village()
  village.places = [{ place: 'desktop', says: 'a script is set', script: PAC }]
  village.answers.set(PAC, 'PROXY p')
  const routes = village.routes()
  const both = [ways(routes, 'http://h.example/'), ways(routes, 'http://h.example/')]
  assert.deepEqual(await Promise.all(both), [['http://p:80'], ['http://p:80']])
  assert.deepEqual(village.asked, ['settings', `${PAC} of http://h.example/`])
})

test('a proxy that could not be reached is asked last for five minutes, and every other job knows (N75)', async () => {
  const village = new Village()
  village.places = [{ place: 'desktop', says: 'a script is set', script: PAC }]
  village.answers.set(PAC, 'PROXY a; PROXY b; DIRECT')
  const routes = village.routes()
  const [a, b] = await routes.find(new URL('http://h.example/'))
  assert(typeof a === 'object' && typeof b === 'object')
  routes.failed(a)
  const other = village.routes()
  assert.deepEqual(await ways(other, 'http://h.example/'), [
    'http://b:80',
    ...straight,
    'http://a:80',
  ])
  routes.failed(b)
  assert.deepEqual(await ways(routes, 'http://h.example/'), [
    ...straight,
    'http://a:80',
    'http://b:80',
  ])
  village.clock.turn(5 * 60_000)
  assert.deepEqual(await ways(routes, 'http://h.example/'), [
    'http://a:80',
    'http://b:80',
    ...straight,
  ])
})

test('when every proxy is away, they are tried in order all the same, and nothing else (N75, N76)', async () => {
  const routes = new Village().routes({ usage: 'override', list: 'a b' })
  const route = await routes.find(new URL('http://h.example/'))
  for (const hop of route) if (hop !== 'direct') routes.failed(hop)
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://a:80', 'http://b:80'])
})

test('another network makes everything be found out anew (N6, N75)', async () => {
  const village = new Village()
  village.places = [named('desktop', 'a b')]
  const routes = village.routes()
  const [a] = await routes.find(new URL('http://h.example/'))
  assert(typeof a === 'object')
  routes.failed(a)
  village.places = [named('desktop', 'a c')]
  routes.networkChanged()
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://a:80', 'http://c:80'])
  assert.deepEqual(village.asked, ['settings', 'scripts forget', 'discovery forgets', 'settings'])
})

test('a decision that was under way when the network changed is not remembered (N6)', async () => {
  const village = new Village()
  village.places = [named('desktop', 'old')]
  const routes = village.routes()
  const deciding = routes.find(new URL('http://h.example/'))
  village.surroundings.networkChanged()
  village.places = [named('desktop', 'new')]
  await deciding
  assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://new:80'])
})

test('no script is asked about the machine itself, unless the job says so (N22)', async () => {
  const village = new Village()
  village.places = [{ place: 'desktop', says: 'a script is set', script: PAC }]
  village.answers.set(PAC, 'PROXY p')
  for (const url of ['http://localhost/', 'http://127.0.0.1:8080/', 'https://[::1]/']) {
    assert.deepEqual(await ways(village.routes(), url), straight)
  }
  const settings = { usage: 'override', script: PAC, bypass: '<-loopback>' } as const
  assert.deepEqual(await ways(village.routes(settings), 'http://localhost/'), ['http://p:80'])
})

test('the administrator’s settings hold where people have set nothing, or always (N56)', async () => {
  const after = new Village({ machine: { list: 'machine' } })
  assert.deepEqual(await ways(after.routes(), 'http://h.example/'), ['http://machine:80'])
  after.places = [named('desktop', 'p')]
  after.surroundings.networkChanged()
  assert.deepEqual(await ways(after.routes(), 'http://h.example/'), ['http://p:80'])

  const instead = new Village({ machine: { list: 'machine', isBinding: true } })
  instead.places = [named('desktop', 'p')]
  assert.deepEqual(await ways(instead.routes(), 'http://h.example/'), ['http://machine:80'])
  assert.deepEqual(instead.asked, [])
})

for (const legacyProxyIdentity of [false, true]) {
  test(`settings are read as the ${legacyProxyIdentity ? 'owner' : 'helper'}, scripts run as the helper, ${legacyProxyIdentity ? 'before' : 'since'} 1809 (A110, A111, A115, N4)`, async () => {
    const policy = { scriptIsMandatory: false, legacyProxyIdentity }
    const owner = new Village({ policy })
    const helper = new Village()
    const place = { place: 'desktop', says: 'a script is set', script: PAC }
    owner.places = [place]
    helper.places = [place]
    helper.answers.set(PAC, 'PROXY helped')
    const routes = createRoutes(defaultProxySettings, owner.surroundings, helper.surroundings)
    assert.deepEqual(await ways(routes, 'http://h.example/'), ['http://helped:80'])
    assert.deepEqual(owner.asked, legacyProxyIdentity ? ['settings'] : [])
    assert.deepEqual(helper.asked, [
      ...(legacyProxyIdentity ? [] : ['settings']),
      `${PAC} of http://h.example/`,
    ])
  })
}

test('explain() tells every step, without a secret', async () => {
  const village = new Village()
  village.places = [
    {
      place: 'the desktop',
      says: 'a script is set',
      script: 'http://me:secret@pac.example/p?secret',
    },
    environmentSettings({ http_proxy: 'http://me:secret@p:1', no_proxy: 'x' }),
  ]
  const { steps, route } = await village.routes().explain(new URL('http://h.example/'))
  assert.deepEqual(
    steps.map(({ outcome, sentence }) => `${outcome}: ${sentence}`),
    [
      'told: The job goes as its owner has set it',
      'told: The desktop: a script is set',
      'fails: Cannot use the script http://pac.example/p: Not there',
      'told: The environment: http_proxy, no_proxy set',
      'decides: The environment: http_proxy says so: http://p:1',
    ],
  )
  assert.deepEqual(route?.map(describeHop), ['http://p:1'])
})

test('explain() tells of wildcards that Windows would ignore, and of proxies that are away (N23, N75)', async () => {
  const village = new Village()
  const routes = village.routes({ usage: 'override', list: 'a b', bypass: 'aaa.*' })
  const [a] = await routes.find(new URL('http://h.example/'))
  assert(typeof a === 'object')
  routes.failed(a)
  const { steps, route } = await routes.explain(new URL('http://h.example/'))
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['usage', 'place', 'warning', 'fixed', 'unreachable'],
  )
  assert.deepEqual(route?.map(describeHop), ['http://b:80', 'http://a:80'])
})
