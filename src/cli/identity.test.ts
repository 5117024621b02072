import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planCertificate } from './certificate-plan.ts'
import { CliError } from './cli-error.ts'
import { cureOf } from './cure.ts'
import { describeHosts } from './hosts.ts'
import { planIdentity } from './identity.ts'
import { pairsOf, planTarget, schemesOf } from './identity-plan.ts'
import { parse } from './parse.ts'
import { describeSettings, isProxySecure, proxySettingsOf } from './route-arguments.ts'

const get = (...words: readonly string[]) => parse('get', ['http://h/x', ...words])

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert(error instanceof CliError)
    assert.equal(error.status, 2)
    return error.message
  }
  throw new assert.AssertionError({ message: 'it was not refused' })
}

const secure = (list: string) => isProxySecure({ usage: 'override', list })

/** Of a job that is nothing but its error. */
const cure = (symbol: string, state: 'ERROR' | 'TRANSIENT_ERROR') =>
  cureOf({ id: '01234567-89', state, error: { symbol } } as Parameters<typeof cureOf>[0])

describe('schemesOf()', () => {
  const rows: readonly (readonly [words: string, way: 'clear' | 'tls', schemes: string])[] = [
    ['-u alice', 'clear', 'negotiate ntlm digest'],
    ['-u alice', 'tls', 'negotiate ntlm digest basic'],
    // A23: a sign-in name is an e-mail address.
    ['-u alice@example.org', 'clear', 'negotiate ntlm passport digest'],
    ['-u CORP\\alice@example.org', 'clear', 'negotiate ntlm digest'],
    ['-u alice --scheme basic', 'clear', 'basic'],
    ['-u alice --scheme DIGEST,Basic,digest', 'clear', 'digest basic'],
    ['-u alice --scheme digest --scheme ntlm', 'clear', 'digest ntlm'],
    ['--implicit', 'tls', 'negotiate ntlm'],
    ['--implicit --scheme ntlm', 'clear', 'ntlm'],
    ['--keytab k --principal a@B', 'clear', 'negotiate'],
    ['--ccache FILE:/c', 'clear', 'negotiate'],
    ['--bearer-stdin', 'clear', 'bearer'],
    ['--proxy-user alice@example.org', 'clear', 'negotiate ntlm digest'],
    ['--proxy-user alice', 'tls', 'negotiate ntlm digest basic'],
    ['--proxy-user alice --proxy-scheme basic', 'clear', 'basic'],
  ]
  for (const [words, way, schemes] of rows) {
    test(`schemesOf() gives ${schemes} for ${words} over ${way}`, () => {
      const [plan] = planIdentity(get(...words.split(' '))).targets
      assert(plan !== undefined)
      assert.equal(schemesOf(plan, way === 'tls').join(' '), schemes)
    })
  }
})

describe('planTarget()', () => {
  test('planTarget() sets every pair that bitsadmin /setcredentials does: each target, each scheme (A26)', () => {
    const every = ['basic', 'digest', 'ntlm', 'negotiate', 'passport'] as const
    for (const [target, prefix] of [
      ['server', ''],
      ['proxy', 'proxy-'],
    ] as const) {
      for (const scheme of every) {
        const words = [`--${prefix}user`, 'a@b.example', `--${prefix}scheme`, scheme.toUpperCase()]
        // BITS stores Passport for a proxy and never uses it (A344); here it is refused at once.
        if (target === 'proxy' && scheme === 'passport') {
          assert.match(
            refusal(() => planIdentity(get(...words))),
            /passport/u,
          )
          continue
        }
        const [plan] = planIdentity(get(...words)).targets
        assert(plan !== undefined)
        const credentials = { userName: 'a@b.example', password: 'p' }
        assert.deepEqual(pairsOf(plan, 'p', true), [{ target, scheme, credentials }])
      }
    }
  })
})

describe('planIdentity()', () => {
  test('planIdentity() gives each target what is its own', () => {
    const { targets } = planIdentity(
      get('-u', 'CORP\\a', '--password-stdin', '--proxy-implicit', '--proxy-scheme', 'negotiate'),
    )
    assert.deepEqual(
      targets.flatMap((plan) => pairsOf(plan, 'secret', false)),
      [
        ...['negotiate', 'ntlm', 'digest'].map((scheme) => ({
          target: 'server',
          scheme,
          credentials: { userName: 'CORP\\a', password: 'secret' },
        })),
        {
          target: 'proxy',
          scheme: 'negotiate',
          credentials: { userName: null, password: null },
        },
      ],
    )
  })

  test('planIdentity() says nothing where nothing is said', () => {
    const nobody = { targets: [], certificate: undefined, isPreemptive: false }
    assert.deepEqual(planIdentity(get()), nobody)
    assert.deepEqual(planIdentity(get('--preemptive')), { ...nobody, isPreemptive: true })
  })

  const refused: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [['-u', 'alice:hunter2'], /never stands on a command line/u],
    [['--proxy-user', 'alice:hunter2'], /--proxy-user with a colon/u],
    [['-u', ''], /without a name/u],
    [['-u', 'a', '--implicit'], /both --user and --implicit/u],
    [['--proxy-user', 'a', '--proxy-ccache', 'c'], /both --proxy-user and --proxy-ccache/u],
    [['--password-stdin'], /--password-stdin alone: --user/u],
    [['--proxy-scheme', 'ntlm'], /--proxy-scheme alone: --proxy-user/u],
    [['--principal', 'a@B'], /--principal alone: --keytab/u],
    [['--keytab', 'k'], /--keytab alone: --principal/u],
    [['--implicit', '--password-stdin'], /--password-stdin without --user/u],
    [['--implicit', '--scheme', 'basic'], /basic with --implicit: it answers negotiate, ntlm/u],
    [['-u', 'a', '--scheme', 'bearer'], /bearer with --user/u],
    [['-u', 'a', '--scheme', 'kerberos'], /did you mean negotiate/u],
    [['-u', 'a', '--scheme', 'digset'], /did you mean digest/u],
    [['-u', 'a', '--scheme', 'x'], /there are basic, digest, ntlm, negotiate, passport/u],
    [['-u', 'a', '--scheme', ','], /empty --scheme/u],
    [['--proxy-user', 'a', '--proxy-scheme', 'passport'], /passport with --proxy-user/u],
    [['--key', 'k'], /--key without --cert/u],
    [['--passphrase-stdin'], /--passphrase-stdin without --cert/u],
    [['--cert', '/no/such/file'], /\/no\/such\/file/u],
    [['--cert', 'a', '--cert-id', 'b'], /--cert and --cert-id together/u],
    [['--cert-id', 'abc'], /40 hexadecimal digits/u],
    [['--cert-id', `nowhere/MY/${'a'.repeat(40)}`], /LOCATION\/STORE\/HASH/u],
    [['--cert-name', 'current-user/MY/'], /empty/u],
  ]
  for (const [words, says] of refused) {
    test(`planIdentity() refuses ${words.join(' ').slice(0, 60)}`, () => {
      const message = refusal(() => planIdentity(get(...words)))
      assert.match(message, says)
      assert(!message.includes('hunter2'))
    })
  }

  test('planTarget() takes the full path of a keytab', () => {
    const plan = planTarget('server', get('--keytab', 'k', '--principal', 'a@B'))
    assert(plan?.source.kind === 'keytab' && plan.source.keytab.startsWith('/'))
  })
})

describe('planCertificate()', () => {
  const hash = 'aabbccddeeff00112233445566778899aabbccdd'
  const colons = hash.toUpperCase().match(/../gu)?.join(':') ?? ''
  const current = { location: 'currentUser', store: 'MY' }
  const rows: readonly (readonly [words: readonly string[], certificate: object])[] = [
    [['--cert-id', hash], { ...current, hash }],
    [['--cert-id', colons], { ...current, hash }],
    [['--cert-id', `current-user/MY/${colons}`], { ...current, hash }],
    [
      ['--cert-id', `Cert:\\LocalMachine\\Web\\${hash}`],
      { location: 'localMachine', store: 'Web', hash },
    ],
    [['--cert-id', `CURRENT_SERVICE/x/${hash}`], { location: 'currentService', store: 'x', hash }],
    [['--cert-name', 'Alice'], { ...current, name: 'Alice' }],
    [
      ['--cert-name', 'local-machine/MY/CN=a/b'],
      { location: 'localMachine', store: 'MY', name: 'CN=a/b' },
    ],
    [['--cert-name', 'O=a/b/c'], { ...current, name: 'O=a/b/c' }],
  ]
  for (const [words, certificate] of rows) {
    test(`planCertificate() reads ${words.join(' ').slice(0, 60)}`, () => {
      assert.deepEqual(planCertificate(get(...words))?.certificate, certificate)
    })
  }
})

describe('proxySettingsOf()', () => {
  const rows: readonly (readonly [words: readonly string[], settings: object | undefined])[] = [
    [[], undefined],
    [['--proxy', 'none'], { usage: 'noProxy' }],
    [['--proxy', 'Auto'], { usage: 'autodetect' }],
    [['--proxy', 'system'], { usage: 'preconfig' }],
    [['--proxy', 'http=p:1 https=q:2'], { usage: 'override', list: 'http=p:1 https=q:2' }],
    [
      ['--proxy', 'p:1', '--noproxy', '<local>'],
      { usage: 'override', list: 'p:1', bypass: '<-loopback> <local>' },
    ],
    [['--pac', 'http://p/x.pac'], { usage: 'override', script: 'http://p/x.pac' }],
  ]
  for (const [words, settings] of rows) {
    test(`proxySettingsOf() reads ${words.join(' ') || 'nothing'}`, () => {
      assert.deepEqual(proxySettingsOf(get(...words)), settings)
    })
  }

  test('proxySettingsOf() gives a script of this machine its URL', () => {
    const settings = proxySettingsOf(get('--pac', import.meta.filename))
    assert.equal(settings?.script, import.meta.url)
  })

  test('--noproxy with nothing but a star goes straight', () => {
    assert.deepEqual(proxySettingsOf(get('--noproxy', '*')), { usage: 'noProxy' })
  })

  const refused: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [['--proxy', 'http://alice:hunter2@p:1'], /--proxy-user/u],
    [['--proxy', ' '], /empty --proxy/u],
    [['--noproxy', 'x'], /--noproxy alone/u],
    [['--proxy', 'none', '--noproxy', 'x'], /--noproxy alone/u],
    [['--proxy', 'p', '--pac', 'x'], /both --proxy and --pac/u],
    [['--pac', 'no-such-script'], /no-such-script/u],
  ]
  for (const [words, says] of refused) {
    test(`proxySettingsOf() refuses ${words.join(' ')}`, () => {
      const message = refusal(() => proxySettingsOf(get(...words)))
      assert.match(message, says)
      assert(!message.includes('hunter2'))
    })
  }

  test('isProxySecure() wants TLS to every proxy of the list', () => {
    assert(secure('https://p') && secure('http=https://p;https=https://q:8443'))
    assert(!secure('p:443') && !secure('https://p http://q') && !secure('https=p'))
    assert(!isProxySecure(undefined) && !isProxySecure({ usage: 'autodetect' }))
  })

  test('describeSettings() says them as a person does', () => {
    assert.equal(
      describeSettings({ usage: 'override', list: 'p:1', bypass: 'x' }),
      'p:1, but straight to x',
    )
    assert.equal(describeSettings({ usage: 'noProxy' }), 'straight (none)')
  })
})

describe('what people are told', () => {
  test('describeHosts() names two and counts the others', () => {
    const urls = ['https://a/1', 'https://a/2', 'https://b:8443/', 'https://c/', 'https://d/']
    assert.deepEqual(describeHosts(urls), { name: 'a, b:8443 and 2 more', isSecure: true })
    assert.deepEqual(describeHosts(['https://a/', 'http://b/']), {
      name: 'a and b',
      isSecure: false,
    })
    assert.deepEqual(describeHosts([]), { name: '', isSecure: false })
  })

  test('cureOf() tells whom the credentials are for, and nothing about other errors', () => {
    assert.deepEqual(cure('BG_E_HTTP_ERROR_401', 'ERROR')?.commands, [
      'lull credentials set 01234567 --user NAME',
      'lull resume 01234567',
    ])
    assert.match(cure('BG_E_HTTP_ERROR_407', 'ERROR')?.commands[0] ?? '', /--proxy-user NAME/u)
    const trust = cure('ERROR_WINHTTP_SECURE_INVALID_CA', 'ERROR')?.commands
    assert.deepEqual(trust, ['lull trust set 01234567 --cacert FILE', 'lull resume 01234567'])
    assert.equal(cure('BG_E_HTTP_ERROR_404', 'ERROR'), undefined)
    assert.equal(cure('BG_E_HTTP_ERROR_401', 'TRANSIENT_ERROR'), undefined)
  })
})
