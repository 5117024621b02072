import assert from 'node:assert/strict'
import { test } from 'node:test'

import { encodeBase64 } from '../base64.ts'
import { parseChallenges, type Challenge } from '../challenge.ts'
import { openSession, request } from '../conversation.suite.ts'
import { formatHex } from '../hex.ts'
import type { RequestFacts } from '../scheme.ts'
import { nodeHashes, testWorld } from '../world.suite.ts'
import { parseDigestAlgorithm } from './algorithm.ts'
import { digestScheme } from './digest.ts'
import {
  challengeOf,
  cnonce,
  headerOf,
  index,
  mufasa,
  nonce,
  opaque,
  parameter,
  password,
  printed,
  printedMd5,
  printedSha256,
  world,
} from './given.suite.ts'
import { digestResponse, sessionKey, userKey, type DigestInput } from './response.ts'

const v10 = [
  ['MD5', 'auth', '8ca523f5e9506fed4657c9700eebdbec'],
  ['MD5', 'auth-int', '8804a53d3640a40a4f73cea12c5ba451'],
  ['MD5', undefined, '7b2cc3b30e75b4777ea31027084363fd'],
  ['MD5-sess', 'auth', 'e783283f46242139c486a698fec7211d'],
  ['MD5-sess', 'auth-int', '200cda1c37eb927016d1f97f2c0f04f6'],
  ['MD5-sess', undefined, '37a7f42db2090a3fcac4e26e747d4fc8'],
  ['SHA-256', 'auth', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ['SHA-256', 'auth-int', '8bdf6f15638e260831e905028de5450562816d093c9bfc5c13d3a46adcdde940'],
  ['SHA-256', undefined, 'a1306b0595a6c7fe96c448631fb5cfbd5107bd1fe1da729d978dd7446b812363'],
  ['SHA-256-sess', 'auth', '2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7'],
  ['SHA-256-sess', 'auth-int', '3c19fbb1d58d0c5baff1a2ef49d847b5d0dfd7e3252b355d978d3af7d895912b'],
  ['SHA-256-sess', undefined, '30bc0742357e535c85094121d22cf826b794be0667e19537beb7b28f2251c274'],
  ['SHA-512-256', 'auth', '430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0'],
  ['SHA-512-256', 'auth-int', '38244c4d345d09bb0000b355be27d2a55003ee188df9821c54df70a63aa0c1ca'],
  ['SHA-512-256', undefined, '93e9122020ea0624d2ca801426d5bfbeb93d10ff4cc24cb410af3920fa4730e7'],
  ['SHA-512-256-sess', 'auth', '3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e'],
  [
    'SHA-512-256-sess',
    'auth-int',
    '1e68177aa6f998392db08ac130e9e08b7cf8c081a506e608d436be3e224f57ab',
  ],
  [
    'SHA-512-256-sess',
    undefined,
    '7c70dbd9f483cbccedbd3e92ac246a9f2b712bed77914b52c3ae2254fdb2edba',
  ],
] as const

function text(word: string): Uint8Array {
  return new TextEncoder().encode(word)
}

/** H(A1) of V10 for any algorithm name. */
function v10Key(name: string) {
  const algorithm = parseDigestAlgorithm(name)
  assert.ok(algorithm !== undefined)
  const key = userKey(
    nodeHashes,
    algorithm.hash,
    text('Mufasa'),
    'http-auth@example.org',
    text('Circle of Life'),
  )
  const used = algorithm.isSession
    ? sessionKey(nodeHashes, algorithm.hash, key, nonce, cnonce)
    : key
  return { algorithm, key: used }
}

test('digestResponse() gives every value of V10', async (t) => {
  for (const [name, qop, response] of v10) {
    await t.test(`${name}, ${qop ?? 'the form of RFC 2069'}`, () => {
      const { algorithm, key } = v10Key(name)
      const input: DigestInput = { algorithm, nonce, method: 'GET', uri: '/dir/index.html' }
      const quality = qop === undefined ? {} : { quality: { qop, nc: '00000001', cnonce } }
      assert.equal(digestResponse(nodeHashes, key, { ...input, ...quality }), response)
    })
  }
})

test('userKey() and sessionKey() give the intermediate values of V10', () => {
  const rows = [
    ['MD5', '3d78807defe7de2157e2b0b6573a855f'],
    ['MD5-sess', '2b3d906f52651c3136e1502b3d6f38ee'],
    ['SHA-256', '7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232'],
    ['SHA-256-sess', 'bca21f4c7d7e8bf70d96361085370c7d219947abc1b8cd628f710917b89bed5b'],
    ['SHA-512-256', 'fb174f5c3c7802721517cae13b98e2b8dae2e0118cb705d94ee29946319204ce'],
    ['SHA-512-256-sess', '7bda9d6d426c30b563dd560a3fcddd2be830ed2f46019752dcf95ea629c4e570'],
  ] as const
  for (const [name, expected] of rows) {
    const { key } = v10Key(name)
    assert.equal(
      key.use((bytes) => Buffer.from(bytes).toString()),
      expected,
      name,
    )
  }
})

test('digestResponse() gives rspauth when the method is empty (V11)', () => {
  const rows = [
    ['MD5', '9b712497bc9f91499fbcca1dfc5f09a5'],
    ['SHA-256', '86d3b25618d41854ca5039a5d7e53ff6355d5134a9b1fb088a78ac3c462195a0'],
    ['SHA-512-256', 'c8f9593a4f49b95ce2c483cc3222ecd360a5c6ec52ca24a530b0aac18478de8c'],
  ] as const
  for (const [name, rspauth] of rows) {
    const { algorithm, key } = v10Key(name)
    const quality = { qop: 'auth', nc: '00000001', cnonce } as const
    const input = { algorithm, nonce, quality, method: '', uri: '/dir/index.html' }
    assert.equal(digestResponse(nodeHashes, key, input), rspauth)
  }
})

test('digestResponse() gives the values of RFC 2617 and RFC 2069 (V14, V15)', () => {
  const rows = [
    ['Circle Of Life', true, 'GET', '6629fae49393a05397450978507c4ef1'],
    ['Circle Of Life', true, '', '376602cfd2f4e8e5e78b948a85263e85'],
    ['Circle Of Life', false, 'GET', '670fd8c2df070c60b045671b8b24ff02'],
    // Erratum 749: the RFC prints e966c932a9242554e42c8ee200cec7f6.
    ['CircleOfLife', false, 'GET', '1949323746fe6a43ef61f9606e7febea'],
  ] as const
  for (const [word, hasQop, method, response] of rows) {
    const key = userKey(nodeHashes, 'md5', text('Mufasa'), 'testrealm@host.com', text(word))
    const input: DigestInput = {
      algorithm: { hash: 'md5', isSession: false },
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      method,
      uri: '/dir/index.html',
      ...(hasQop ? { quality: { qop: 'auth', nc: '00000001', cnonce: '0a4f113b' } } : {}),
    }
    assert.equal(digestResponse(nodeHashes, key, input), response)
  }
})

test('SHA-512/256 has initial values of its own (V12, FIPS 180-4)', () => {
  const abc = nodeHashes.hash('sha-512-256', new TextEncoder().encode('abc'))
  assert.equal(formatHex(abc), '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23')
})

test('parseDigestAlgorithm() has no regard to case and knows nothing else (A211)', () => {
  assert.deepEqual(parseDigestAlgorithm('mD5-SESS'), { hash: 'md5', isSession: true })
  assert.deepEqual(parseDigestAlgorithm(undefined), { hash: 'md5', isSession: false })
  for (const name of ['', '-sess', 'SHA-512', 'SHA512-256', 'MD5-sess-sess', 'token']) {
    assert.equal(parseDigestAlgorithm(name), undefined, name)
  }
})

test('Digest answers RFC 7616 §3.9.1 with the printed header (V10)', async () => {
  assert.equal(encodeBase64(Buffer.from(cnonce, 'base64')), cnonce)
  const session = openSession(digestScheme, { credentials: mufasa, world })
  const [first, second] = parseChallenges([printedSha256, printedMd5])
  assert.ok(first !== undefined && second !== undefined)
  assert.equal(digestScheme.pick?.([first, second], world), first)
  assert.equal(
    headerOf(await session.begin().answer(first, index)),
    `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, nonce="${nonce}", nc=00000001, cnonce="${cnonce}", qop=auth, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", opaque="${opaque}"`,
  )
  const md5 = headerOf(await session.begin().answer(second, index))
  assert.equal(parameter(md5, 'response'), '8ca523f5e9506fed4657c9700eebdbec')
})

function api(extra: string, algorithm = 'SHA-512-256'): Challenge {
  return challengeOf(
    `Digest realm="api@example.org", qop="auth", algorithm=${algorithm}, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8${extra}`,
  )
}

test('Digest says the name of RFC 7616 §3.9.2 as the server wants it (V12, V13)', async () => {
  const session = openSession(digestScheme, {
    credentials: password('J\u00e4s\u00f8n Doe', 'Secret, or not?'),
    world: testWorld({
      randomBytes: [Buffer.from('NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v', 'base64')],
    }),
  })
  const doe = request('GET', 'http://api.example.org/doe.json')
  const tail =
    'nc=00000001, cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", qop=auth, response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"'
  const middle =
    'realm="api@example.org", uri="/doe.json", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"'
  assert.equal(
    headerOf(await session.begin().answer(api(', userhash=true'), doe)),
    `Digest username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", ${middle}, ${tail}, userhash=true`,
  )
  assert.equal(
    headerOf(await session.begin().answer(api(''), doe)),
    `Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, ${middle}, ${tail}`,
  )
  for (const [algorithm, userName, response] of [
    [
      'SHA-256',
      '5a1a8a47df5c298551b9b42ba9b05835174a5bd7d511ff7fe9191d8e946fc4e7',
      'b6d5cb9c3000ea2385250005e294d7132b260b8fd08940d2377373493cee8cc4',
    ],
    ['MD5', '2e063fa2c54dea1c36808b7a6e3b14c9', '2428277c77e50ae43afb1669a43dae19'],
  ] as const) {
    const answer = await session.begin().answer(api(', userhash=true', algorithm), doe)
    assert.equal(parameter(headerOf(answer), 'username'), userName)
    assert.equal(parameter(headerOf(answer), 'response'), response)
  }
  // A201, A218: the same name in Normalization Form D is the same name.
  const decomposed = openSession(digestScheme, {
    credentials: password('Ja\u0308s\u00f8n Doe', 'Secret, or not?'),
  })
  const header = headerOf(await decomposed.begin().answer(api(', userhash=true'), doe))
  assert.equal(
    parameter(header, 'username'),
    '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b',
  )
})

const requests: readonly (readonly [
  why: string,
  RequestFacts,
  Readonly<Record<string, string>>,
])[] = [
  [
    'HEAD',
    request('HEAD', 'http://server.example.com/dir/index.html'),
    {
      MD5: 'd43f7a4c1bc5149b26009fb3ac57c6e8',
      'SHA-256': 'd80a69838363f0dfe90de3205e55bb40d4e2a582630457238f3c5ec182794378',
      'SHA-512-256': 'f6f5b5e1d0a338dc383df817218a92d116bb5062d6e949c21342a068ec5517b1',
    },
  ],
  [
    'absolute-form to a proxy (A223)',
    request('GET', 'http://server.example.com/dir/index.html', {
      requestTarget: 'http://server.example.com/dir/index.html',
    }),
    {
      MD5: '9ed50680017f97b37c27a1f32f2b4cf4',
      'SHA-256': '02ff94efc229ba8c17be85bbf803b499d7905b30693dcc06306a4f5e1876cbea',
      'SHA-512-256': '4613973373a7d485fd1fbd756995f8a3a7316aa3fa4602c56f1b7d908cb03ce5',
    },
  ],
]

test('Digest covers the method and the request-target as sent (V11)', async (t) => {
  for (const [why, facts, responses] of requests) {
    for (const [algorithm, response] of Object.entries(responses)) {
      await t.test(`${why}, ${algorithm}`, async () => {
        const session = openSession(digestScheme, { credentials: mufasa, world })
        const challenge = challengeOf(printed(algorithm))
        const header = headerOf(await session.begin().answer(challenge, facts))
        assert.equal(parameter(header, 'response'), response)
        assert.equal(parameter(header, 'uri'), facts.requestTarget)
      })
    }
  }
})

test('Digest counts requests of one nonce, also on CONNECT (V11, V17, A126)', async () => {
  const rows = [
    [
      index,
      'http-auth@example.org',
      'SHA-256',
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
      '8c8db27f49ff1c202f9fb49fa9d2e9eabf078dcc93db40dfd6527010091d1c8e',
    ],
    [
      index,
      'http-auth@example.org',
      'MD5',
      '8ca523f5e9506fed4657c9700eebdbec',
      '4b5d595ecf2db9df612ea5b45cd97101',
    ],
    [
      index,
      'http-auth@example.org',
      'SHA-512-256',
      '430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0',
      'c70be613fc833a6fd44d48f13b0ae4431b234f5a5c232c4f817c08d99be9485e',
    ],
    [
      request('CONNECT', 'https://server.example.com/', {
        requestTarget: 'server.example.com:443',
      }),
      'proxy@example.org',
      'MD5',
      '74aca53c939d429b3d8ddb0c8ad684c8',
      undefined,
    ],
    [
      request('CONNECT', 'https://server.example.com/', {
        requestTarget: 'server.example.com:443',
      }),
      'proxy@example.org',
      'SHA-256',
      '37d3eca3c15c43e32de12a324b3d225438005696a390e4255c7e4ff7420e5ba9',
      '75b858238eb6757effbd36654f9604e8b42bca3c176adab8932ec16e4e483d65',
    ],
  ] as const
  for (const [facts, realm, algorithm, first, second] of rows) {
    const session = openSession(digestScheme, { credentials: mufasa, world, target: 'proxy' })
    const handshake = session.begin()
    const challenge = challengeOf(
      `Digest realm="${realm}", qop="auth", algorithm=${algorithm}, nonce="${nonce}", opaque="${opaque}"`,
    )
    assert.equal(parameter(headerOf(await handshake.answer(challenge, facts)), 'response'), first)
    await handshake.accept({ status: 200, fields: [] })
    const again = headerOf(await session.begin().prepare(facts))
    assert.equal(parameter(again, 'nc'), '00000002')
    if (second !== undefined) assert.equal(parameter(again, 'response'), second)
  }
})

function post(body: string): RequestFacts {
  return request('POST', 'http://server.example.com/dir/index.html', {
    bodyHash: (algorithm) => nodeHashes.hash(algorithm, text(body)),
  })
}

test('Digest hashes the body when nothing less is offered (V11, A219, A220)', async () => {
  const plain = request('POST', 'http://server.example.com/dir/index.html')
  const empty = [
    '35ec75c6389a8fd8412c13222b3affe8',
    '322f218d701da7c7ef51e3ba6fa2551a2bf36425e1218fc1508c6bf65cbd4448',
    '722f41f4e8b637e9faa8d59bdece9e91bac819cda5ff57f6e6b21a78b9d5e5b9',
  ]
  const rows = [
    [
      post('{"a":1}'),
      [
        '15b188edd42ec64280df76d316ec198e',
        '193d6834c8f5b21e6b707fdd7de62ad0b3514493466cf33958098aa6d3836274',
        '06b121e41adf2fd623c8ddee8e89fd12cec6e446a7b62239c23cf01195eadcc7',
      ],
    ],
    [post(''), empty],
    [plain, empty],
  ] as const
  for (const [facts, responses] of rows) {
    for (const [index, algorithm] of ['MD5', 'SHA-256', 'SHA-512-256'].entries()) {
      const session = openSession(digestScheme, { credentials: mufasa, world })
      const challenge = challengeOf(
        `Digest realm="http-auth@example.org", qop=auth-int, algorithm=${algorithm}, nonce="${nonce}", opaque="${opaque}"`,
      )
      const header = headerOf(await session.begin().answer(challenge, facts))
      assert.equal(parameter(header, 'qop'), 'auth-int')
      assert.equal(parameter(header, 'response'), responses[index])
    }
  }
})

function old(extra: string): Challenge {
  return challengeOf(
    `Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"${extra}`,
  )
}

test('Digest answers servers of RFC 2617 and 2069 in their own form (V14, V15, A214)', async () => {
  const credentials = password('Mufasa', 'Circle Of Life')
  const oldest = headerOf(
    await openSession(digestScheme, { credentials }).begin().answer(old(''), index),
  )
  assert.equal(
    oldest,
    'Digest username="Mufasa", realm="testrealm@host.com", uri="/dir/index.html", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", response="670fd8c2df070c60b045671b8b24ff02", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  )
  // A226: `algorithm` is sent if and only if it was there.
  const newer = headerOf(
    await openSession(digestScheme, { credentials }).begin().answer(old(', qop="auth"'), index),
  )
  assert.equal(parameter(newer, 'algorithm'), undefined)
  assert.equal(parameter(newer, 'qop'), 'auth')
})
