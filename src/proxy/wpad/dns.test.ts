import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allowedSuffixes, isOrganisation } from './dns-suffix.ts'
import { wellKnownName } from './dns.ts'

const nowhere = { hostName: 'pc', resolvConf: '', userDomain: '' }

describe('suffixes of DNS', () => {
  const rows = [
    [{}, [], 'a machine without any'],
    [
      { hostName: 'pc.a.corp.example' },
      ['a.corp.example'],
      'its own name, and no part of the suffix (N82)',
    ],
    [{ userDomain: 'CORP.EXAMPLE' }, ['corp.example'], 'the domain of a person'],
    [
      { resolvConf: 'search b.example c.example\n' },
      ['b.example', 'c.example'],
      'those of its connections',
    ],
    [
      { resolvConf: 'search b.example\ndomain d.example.\n' },
      ['d.example'],
      'the last line of them',
    ],
    [{ resolvConf: '# search x.example\noptions ndots:1\n' }, [], 'no comment'],
    [
      { hostName: 'pc.a.example', resolvConf: 'search A.example b.example c.example d.example' },
      ['a.example', 'b.example', 'c.example'],
      'each once, and no more than three',
    ],
    [
      { hostName: 'pc.local', resolvConf: 'search lan co.uk corp.example' },
      ['corp.example'],
      'those that can be owned',
    ],
  ] as const

  for (const [places, suffixes, what] of rows) {
    test(`allowedSuffixes() takes ${what}`, () => {
      assert.deepEqual(allowedSuffixes({ ...nowhere, ...places }), suffixes)
    })
  }

  const devolutions = [
    ['pc.a.b.corp.example', ['a.b.corp.example', 'b.corp.example', 'corp.example']],
    ['pc.a.corp.co.uk', ['a.corp.co.uk', 'corp.co.uk']],
    ['pc.corp.co.uk', ['corp.co.uk']],
    ['pc.shop.github.io', ['shop.github.io']],
    ['pc.a.city.kawasaki.jp', ['a.city.kawasaki.jp', 'city.kawasaki.jp']],
    ['pc.a.b.ck', ['a.b.ck']],
    ['pc.lan', []],
  ] as const

  for (const [hostName, suffixes] of devolutions) {
    test(`allowedSuffixes() shortens that of ${hostName} to an organisation's, where it may (N82)`, () => {
      assert.deepEqual(allowedSuffixes({ ...nowhere, hostName }, { devolves: true }), suffixes)
      assert.deepEqual(allowedSuffixes({ ...nowhere, hostName }), suffixes.slice(0, 1))
    })
  }

  test('allowedSuffixes() shortens no suffix that the network names (N82)', () => {
    const places = { hostName: 'pc', resolvConf: 'search a.b.example', userDomain: 'c.d.example' }
    const suffixes = allowedSuffixes(places, { devolves: true })
    assert.deepEqual(suffixes, ['c.d.example', 'a.b.example'])
  })

  test('isOrganisation() holds for names that somebody can own alone (N82)', () => {
    const yes = [
      'example.com',
      'corp.bits.test',
      'a.co.uk',
      'ad.corp.example',
      'example.de',
      'x--y.example',
      // An exception of the list, and names below what a company lets anybody have.
      'www.ck',
      'city.kawasaki.jp',
      'shop.github.io',
      '_a.example.org',
    ]
    const no =
      `com lan corp uk co.uk com.au ac.jp gov.br net.nz local office.local home.arpa x.localhost a.onion x.invalid
      192.0.2.1 10.0.0 .. a..b -a.example a,b.example é.example ${'a'.repeat(64)}.example
      anything.ck kobe.jp a.kobe.jp k12.ca.us pvt.k12.ma.us github.io blogspot.com s3.amazonaws.com azurewebsites.net
      xn--p1ai xn--55qx5d.cn`.split(/\s+/u)
    assert.deepEqual(
      yes.filter((each) => !isOrganisation(each)),
      [],
    )
    assert.deepEqual([...no, '', 'a b.example'].filter(isOrganisation), [])
  })
})

describe('wellKnownName()', () => {
  const { signal } = new AbortController()

  test('asks for absolute names only, and for none after one that is there', async () => {
    const asked: string[] = []
    const finder = wellKnownName({
      suffixes: async () => ['a.example', 'b.example', 'c.example'],
      exists: async (name) => {
        asked.push(name)
        return name === 'wpad.b.example.'
      },
    })
    assert.equal(await finder.find(signal), 'http://wpad.b.example/wpad.dat')
    assert.deepEqual(asked, ['wpad.a.example.', 'wpad.b.example.'])
  })

  test('finds none where there is none', async () => {
    const finder = wellKnownName({ suffixes: async () => ['nothing.invalid'] })
    assert.equal(await finder.find(signal), undefined)
    assert.equal(await wellKnownName({ suffixes: async () => [] }).find(signal), undefined)
  })
})
