/**
 * Serves proxy scripts at the port of HTTP, and is a proxy of few words at another; its argument is the address. Says
 * `ready` when it does both.
 */

import { createServer } from 'node:http'

const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'application/x-ns-proxy-autoconfig')
  response.end(`function FindProxyForURL(url, host) {
    if (isPlainHostName(host) || isInNet(dnsResolve(host), '10.97.0.0', '255.255.255.0')) return 'DIRECT'
    return 'PROXY proxy.corp.bits.test:3128; SOCKS5 ' + myIpAddress() + ':1080; ${request.url ?? ''}'
  }`)
})

const proxy = createServer(({ url = '' }, response) => response.end(`through the proxy: ${url}`))

server.listen(80, process.argv[2], () => {
  proxy.listen(3128, process.argv[2], () => process.stdout.write('ready\n'))
})
