import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { dhcpInform } from './dhcp-inform.ts'
import { encodeReply, startDhcpServer, type DhcpServer, type Reply } from './dhcp-server.suite.ts'

const own = { address: '127.0.0.1', netmask: '255.0.0.0', mac: '02:00:00:00:00:01' }
const hardwareAddress = Uint8Array.from([2, 0, 0, 0, 0, 1])
const ack = Uint8Array.from([5])
const script = 'http://127.0.0.1/wpad.dat'

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function find(
  server: DhcpServer,
  clock: TurnedClock,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const finder = dhcpInform({
    clock,
    ports: { client: 0, server: server.port },
    server: '127.0.0.1',
    addresses: async () => [own],
  })
  return finder.find(signal ?? new AbortController().signal)
}

/** Answers of a server that differs from the right one in something. */
function replies(question: Buffer, ...wrong: readonly Partial<Reply>[]): readonly Uint8Array[] {
  const transaction = question.readUInt32BE(4)
  const options = new Map([
    [53, ack],
    [252, bytesOf(`${script}\n\0`)],
  ])
  return wrong.map((each) => encodeReply({ transaction, hardwareAddress, options, ...each }))
}

function otherUrl(type: Uint8Array): Reply['options'] {
  return new Map([
    [53, type],
    [252, bytesOf('http://attacker.example/')],
  ])
}

describe('dhcpInform()', () => {
  test('finds the script that a server names, without what servers append to it (N80)', async () => {
    await using server = await startDhcpServer((question) => replies(question, {}))
    assert.equal(await find(server, new TurnedClock()), script)
  })

  test('hears no answer to another question, for another card, or of another kind', async () => {
    await using server = await startDhcpServer((question) => [
      bytesOf('nonsense'),
      ...replies(
        question,
        { transaction: (question.readUInt32BE(4) ^ 1) >>> 0, options: otherUrl(ack) },
        { hardwareAddress: Uint8Array.from([2, 0, 0, 0, 0, 2]), options: otherUrl(ack) },
        { options: otherUrl(Uint8Array.from([6])) },
        {},
      ),
    ])
    assert.equal(await find(server, new TurnedClock()), script)
  })

  test('finds none where the server names none, or no address', async () => {
    const values = [
      '',
      'file:///etc/passwd',
      'javascript:1',
      'http://',
      'wpad.dat',
      'x'.repeat(3_000),
    ]
    for (const value of values) {
      const options = new Map([
        [53, ack],
        [252, bytesOf(value)],
      ])
      await using server = await startDhcpServer((question) => replies(question, { options }))
      assert.equal(await find(server, new TurnedClock()), undefined)
    }
    await using silent = await startDhcpServer((question) =>
      replies(question, { options: new Map([[53, ack]]) }),
    )
    assert.equal(await find(silent, new TurnedClock()), undefined)
  })

  test('asks twice where nobody answers, and then no more', async () => {
    const clock = new TurnedClock()
    const asked = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()] as const
    let questions = 0
    await using server = await startDhcpServer(() => {
      asked[questions++]?.resolve(undefined)
      return []
    })
    const found = find(server, clock)
    await asked[0].promise
    clock.turn(1_000)
    await asked[1].promise
    clock.turn(2_000)
    assert.equal(await found, undefined)
    assert.equal(questions, 2)
    assert.equal(clock.alarms, 0)
  })

  test('ends when it is told to', async () => {
    const controller = new AbortController()
    await using server = await startDhcpServer(() => {
      controller.abort()
      return []
    })
    assert.equal(await find(server, new TurnedClock(), controller.signal), undefined)
    assert.equal(await find(server, new TurnedClock(), controller.signal), undefined)
    assert.equal(server.questions(), 1)
  })

  test('finds none where the port or the address is not to be had', async () => {
    const finder = dhcpInform({
      clock: new TurnedClock(),
      ports: { client: 0, server: 9 },
      addresses: async () => [{ ...own, address: '192.0.2.1' }],
    })
    assert.equal(await finder.find(new AbortController().signal), undefined)
  })
})
