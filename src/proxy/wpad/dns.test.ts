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

  test('isOrganisation() holds for names that somebody can own alone (N82)', () => {
    const yes = [
      'example.com',
      'corp.bits.test',
      'a.co.uk',
      'ad.corp.example',
      'example.de',
      'x--y.example',
    ]
    const no =
      `com lan corp uk co.uk com.au ac.jp gov.br net.nz local office.local home.arpa x.localhost a.onion x.invalid
      192.0.2.1 10.0.0 .. a..b -a.example a,b.example é.example ${'a'.repeat(64)}.example`.split(
        /\s+/u,
      )
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
