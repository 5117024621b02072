/** A network that names a proxy script: DHCP and DNS of dnsmasq, in a network of its own. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { whyMissing } from '../lab/installed.ts'
import { whyNoNamespaces } from '../lab/namespaces.ts'
import { WpadNetwork } from '../lab/wpad-network.ts'

const skip = whyMissing({ dnsmasq: 'dnsmasq-base' }) || whyNoNamespaces()

const urls = ['http://www.corp.bits.test/', 'http://intranet/', 'https://outside.example/private']

function answersOf(path: string): readonly string[] {
  const proxies = 'PROXY proxy.corp.bits.test:3128; SOCKS5 10.97.0.2:1080'
  return ['DIRECT', 'DIRECT', `${proxies}; ${path}`]
}

/** Names that were asked for on the way to a script; the script itself asks for others. */
function namesOfWpad(network: WpadNetwork): readonly string[] {
  return [...new Set(network.queries.filter((name) => name.startsWith('wpad')))]
}

describe('dnsmasq', { skip }, () => {
  test('names a script with DHCP, and DNS is not asked then (N80)', async () => {
    await using network = await WpadNetwork.start({ dhcp: true, dns: true })
    assert.deepEqual(await network.ask(urls), {
      found: 'http://10.97.0.1/dhcp.pac',
      answers: answersOf('/dhcp.pac'),
    })
    assert.deepEqual(namesOfWpad(network), [])
  })

  test('has the well-known name below the suffix of the connection (N80, N82)', async () => {
    await using network = await WpadNetwork.start({ dhcp: false, dns: true })
    assert.deepEqual(await network.ask(urls), {
      found: 'http://wpad.corp.bits.test/wpad.dat',
      answers: answersOf('/wpad.dat'),
    })
    assert.deepEqual(namesOfWpad(network), ['wpad.corp.bits.test'])
  })

  test('is asked for no part of the suffix and no bare name where there is none (N82, N83)', async () => {
    await using network = await WpadNetwork.start({ dhcp: false, dns: false })
    assert.deepEqual(await network.ask(urls), { found: null, answers: [] })
    assert.deepEqual(namesOfWpad(network), ['wpad.corp.bits.test'])
  })
})
