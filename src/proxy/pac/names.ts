/** Names and addresses for scripts: asked outside of the sandbox, by the system's resolver. */

import { lookup } from 'node:dns/promises'
import { createSocket } from 'node:dgram'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { domainToASCII } from 'node:url'
import type { Clock } from '../../base/clock.ts'
import type { Question } from './conversation.ts'

/** What scripts may find out about the network. */
export interface Names {
  /**
   * All addresses of a name, in the order of the system.
   *
   * @param name no address
   * @param family 4 for those of IPv4 alone
   * @throws when there is none
   */
  resolve(name: string, family: 0 | 4): Promise<readonly string[]>
  /** Addresses of this machine, those in front that lead out of it; none of loopback. */
  ownAddresses(): Promise<readonly string[]>
}

/** Addresses that are sent nothing: the way to them tells which of our own addresses leads out (N71). */
const outside = ['8.8.8.8', '2001:4860:4860::8888']

/** The same for networks that lead nowhere else (N71). */
const privateNetworks = ['10.0.0.0', '172.16.0.0', '192.168.0.0', 'fc00::']

/** Any port will do. */
const DISCARD_PORT = 9

/** Of loopback, of this link alone, or of nobody. */
const notUsable = /^(?:127\.|169\.254\.|0\.|::1?$|fe[89ab])/iu

/** The system's resolver and this machine's own addresses. */
export const systemNames: Names = {
  async resolve(name, family) {
    const ascii = domainToASCII(name)
    if (ascii === '') throw new Error('Cannot resolve: no name')
    const found = await lookup(ascii, { family, all: true })
    return found.map(({ address }) => address)
  },
  async ownAddresses() {
    const routed = await routedAddresses()
    const interfaces = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
    const all: (string | undefined)[] = [...routed, ...interfaces.map(({ address }) => address)]
    if (routed.length === 0) {
      all.unshift(...(await ownName()), ...(await Promise.all(privateNetworks.map(sourceOf))))
    }
    return [...new Set(all)].filter(
      (each): each is string => each !== undefined && !notUsable.test(each),
    )
  },
}

/** Our own addresses on the ways out of this machine; empty where there is none. */
export async function routedAddresses(): Promise<readonly string[]> {
  const routed = await Promise.all(outside.map(sourceOf))
  return routed.filter((each) => each !== undefined)
}

/** Our address on the way to another one. */
function sourceOf(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    const end = (own: string | undefined): void => {
      socket.close()
      resolve(own)
    }
    socket.once('error', () => end(undefined))
    socket.connect(DISCARD_PORT, address, () => end(socket.address().address))
  })
}

async function ownName(): Promise<readonly string[]> {
  try {
    return await systemNames.resolve(hostname(), 0)
  } catch {
    return []
  }
}

/** How long an answer is used for other calls too. */
const ANSWER_LIFE_MS = 60_000

/** How long it is used that there was none. */
const FAILURE_LIFE_MS = 10_000

/** More answers are not kept. */
const MOST_ANSWERS = 1_000

interface Known {
  readonly until: number
  readonly answer: Promise<string>
}

/** Answers the questions of all scripts, each name once in a while. */
export class NameService {
  readonly #names: Names
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #known = new Map<string, Known>()

  constructor(names: Names, clock: Pick<Clock, 'monotonic'>) {
    this.#names = names
    this.#clock = clock
  }

  /** @returns what the function of the script returns; empty when there is no answer. Never rejects */
  answer(question: Question): Promise<string> {
    const key = 'name' in question ? `${question.kind} ${question.name}` : question.kind
    const known = this.#known.get(key)
    if (known !== undefined && known.until > this.#clock.monotonic()) return known.answer
    const answer = this.#ask(question).catch(() => '')
    this.#keep(key, answer, ANSWER_LIFE_MS)
    void answer.then((text) => {
      if (text === '' && this.#known.get(key)?.answer === answer) {
        this.#keep(key, answer, FAILURE_LIFE_MS)
      }
    })
    return answer
  }

  /** Forgets all answers. */
  forget(): void {
    this.#known.clear()
  }

  #keep(key: string, answer: Promise<string>, lifeMs: number): void {
    this.#known.delete(key)
    this.#known.set(key, { until: this.#clock.monotonic() + lifeMs, answer })
    const [oldest] = this.#known.keys()
    if (this.#known.size > MOST_ANSWERS && oldest !== undefined) this.#known.delete(oldest)
  }

  /** @returns of an address itself, when it is of the family */
  async #addresses(name: string, family: 0 | 4): Promise<readonly string[]> {
    const version = isIP(name)
    if (version === 0) return this.#names.resolve(name, family)
    return family === 0 || version === family ? [name] : []
  }

  async #ask(question: Question): Promise<string> {
    switch (question.kind) {
      case 'resolve':
        return (await this.#addresses(question.name, 4))[0] ?? ''
      case 'resolveAll':
        return (await this.#addresses(question.name, 0)).join(';')
      case 'ownAddress': {
        const own = await this.#names.ownAddresses()
        return own.find((address) => !address.includes(':')) ?? own[0] ?? ''
      }
      case 'ownAddresses':
        return (await this.#names.ownAddresses()).join(';')
      default:
        return question satisfies never
    }
  }
}
