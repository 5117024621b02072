import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ProgramOutput } from '../program.ts'
import { macosClient, networkManager } from './dhcp-client.ts'

const { signal } = new AbortController()

const connection = `DHCP4.OPTION[1]:dhcp_lease_time = 3600
DHCP4.OPTION[2]:domain_name = corp.example
DHCP4.OPTION[3]:requested_wpad = 1
`

describe('DHCP clients of the machine (N81)', () => {
  const rows = [
    [
      `${connection}DHCP4.OPTION[4]:wpad = http://wpad.corp.example/wpad.dat\n`,
      'http://wpad.corp.example/wpad.dat',
    ],
    [
      `${connection}DHCP4.OPTION[4]:wpad = http://w.example:81/a?b=c:d\n`,
      'http://w.example:81/a?b=c:d',
    ],
    [`${connection}DHCP4.OPTION[4]:wpad = \n`, undefined],
    [`${connection}DHCP4.OPTION[4]:wpad = file:///etc/passwd\n`, undefined],
    [connection, undefined],
    ['', undefined],
  ] as const

  test('networkManager() reads its options', async () => {
    for (const [text, url] of rows) {
      const finder = networkManager({ run: async () => ({ kind: 'said', text }) })
      assert.equal(await finder.find(signal), url)
    }
  })

  test('networkManager() finds none where it is not', async () => {
    const finder = networkManager({
      run: async () => ({ kind: 'failed', reason: 'nmcli is not installed' }),
    })
    assert.equal(await finder.find(signal), undefined)
  })

  test('macosClient() asks interface after interface', async () => {
    const asked: string[] = []
    const said: Readonly<Record<string, ProgramOutput>> = {
      en0: { kind: 'failed', reason: 'ipconfig ended with 1' },
      en1: { kind: 'said', text: '\n' },
      en2: { kind: 'said', text: 'http://wpad.corp.example/wpad.dat\n' },
    }
    const run = async (program: string, args: readonly string[]): Promise<ProgramOutput> => {
      asked.push([program, ...args].join(' '))
      return said[args[1] ?? ''] ?? { kind: 'failed', reason: 'unknown' }
    }
    const finder = macosClient({ run }, () => ['en0', 'en1', 'en2', 'en3'])
    assert.equal(await finder.find(signal), 'http://wpad.corp.example/wpad.dat')
    assert.deepEqual(
      asked,
      ['en0', 'en1', 'en2'].map((name) => `ipconfig getoption ${name} 252`),
    )
    assert.equal(await macosClient({ run }, () => ['en0']).find(signal), undefined)
  })
})
