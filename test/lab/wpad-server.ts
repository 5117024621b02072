/** Serves proxy scripts at the port of HTTP; its argument is the address. Says `ready` when it does. */

import { createServer } from 'node:http'

const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'application/x-ns-proxy-autoconfig')
  response.end(`function FindProxyForURL(url, host) {
    if (isPlainHostName(host) || isInNet(dnsResolve(host), '10.97.0.0', '255.255.255.0')) return 'DIRECT'
    return 'PROXY proxy.corp.bits.test:3128; SOCKS5 ' + myIpAddress() + ':1080; ${request.url ?? ''}'
  }`)
})
server.listen(80, process.argv[2], () => process.stdout.write('ready\n'))
