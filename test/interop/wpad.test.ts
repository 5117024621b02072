/** A network that names a proxy script: DHCP and DNS of dnsmasq, in a network of its own. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { whyMissing } from '../lab/installed.ts'
import { until } from '../lab/lull.ts'
import { whyNoNamespaces } from '../lab/namespaces.ts'
import { HALF_DEAD, WpadNetwork } from '../lab/wpad-network.ts'

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

describe('lull get', { skip }, () => {
  const auto = ['--proxy', 'auto']

  for (const [how, options] of [
    ['DHCP', { dhcp: true, dns: false }],
    ['DNS', { dhcp: false, dns: true }],
  ] as const) {
    test(`goes by the script that ${how} names, each URL its own way (N1, N6, N80)`, async () => {
      await using network = await WpadNetwork.start(options)
      const outside = 'http://outside.example/file'
      assert.equal(await network.get(outside, auto), `through the proxy: ${outside}`)
      assert.match(
        await network.get('http://www.corp.bits.test/inside', auto),
        /^function .*\/inside'/su,
      )
    })
  }

  test('goes straight where the network names no script, and asks for none unless it is told to (N84, N85)', async () => {
    await using network = await WpadNetwork.start({ dhcp: false, dns: false })
    const url = 'http://www.corp.bits.test/straight'
    assert.match(await network.get(url, []), /^function .*\/straight'/su)
    assert.deepEqual(namesOfWpad(network), [])
    assert.match(await network.get(url, auto), /^function .*\/straight'/su)
    assert.deepEqual(namesOfWpad(network), ['wpad.corp.bits.test'])
  })

  test('asks the network once for many jobs, and again when it is another one (N6, N62, N85)', async () => {
    await using network = await WpadNetwork.start({ dhcp: false, dns: false })
    const searches = (): number => network.queries.filter((name) => name.startsWith('wpad')).length
    const get = (): Promise<string> => network.get('http://www.corp.bits.test/', auto)
    await get()
    const searchesOfOne = searches()
    await get()
    assert.equal(searches(), searchesOfOne)
    network.change()
    const isSearched = async (): Promise<boolean> => {
      await get()
      return searches() > searchesOfOne
    }
    await until(isSearched, 'the network is asked again')
  })

  test('does not wait for an address of IPv6 that is dead, a server’s or a proxy’s (RFC 8305)', async () => {
    await using network = await WpadNetwork.start({ dhcp: false, dns: false })
    // Less than it takes the machine to find out that nobody has that address.
    const hasty = ['--stall-timeout', '1s']
    const url = `http://${HALF_DEAD}/alive`
    assert.match(await network.get(url, ['--proxy', 'none', ...hasty]), /^function .*\/alive'/su)
    const through = ['--proxy', `http://${HALF_DEAD}:3128`, ...hasty]
    assert.equal(await network.get(url, through), `through the proxy: ${url}`)
  })
})
