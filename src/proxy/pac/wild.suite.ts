/** Scripts as they are found in the wild: long, old, new, and not always right; every one is asked for some URLs. */

/** One script. */
export interface WildScript {
  readonly name: string
  readonly text: string
  readonly urls: readonly string[]
  /** What it answers, in order. */
  readonly answers: readonly string[]
}

const forestRules = Array.from({ length: 400 }, (_, index) => {
  const condition = [
    `shExpMatch(url, "*://*.site${index}.example.com/*")`,
    `shExpMatch(host, "*.dept-${index}.corp.example")`,
    `dnsDomainIs(host, ".partner${index}.example.net")`,
    `isInNet(host, "172.16.${index % 256}.0", "255.255.255.0")`,
    `shExpMatch(url, "https://*.cdn?${index}.example.org:*")`,
  ][index % 5]
  const proxy = index % 7 === 0 ? 'DIRECT' : `PROXY p${index}.corp.example:${8000 + index}; DIRECT`
  return `  if (${condition ?? 'false'}) { return "${proxy}"; }`
})

const forest: WildScript = {
  name: 'a forest of 400 rules',
  text: `function FindProxyForURL(url, host) {
  url = url.toLowerCase(); host = host.toLowerCase();
  if (isPlainHostName(host) || localHostOrDomainIs(host, "localhost.localdomain")) return "DIRECT";
${forestRules.join('\n')}
  if (url.substring(0, 5) == "http:" || url.substring(0, 6) == "https:") return "PROXY last.corp.example:3128";
  return "DIRECT";
}`,
  urls: [
    'http://intranet/',
    'http://www.site395.example.com/x',
    'https://a.dept-396.corp.example/',
    'http://www.partner12.example.net/',
    'http://172.16.3.9/',
    'http://172.16.4.9/',
    'http://elsewhere.example/',
  ],
  answers: [
    'DIRECT',
    'PROXY p395.corp.example:8395; DIRECT',
    'PROXY p396.corp.example:8396; DIRECT',
    'PROXY p12.corp.example:8012; DIRECT',
    'PROXY p3.corp.example:8003; DIRECT',
    'PROXY last.corp.example:3128',
    'PROXY last.corp.example:3128',
  ],
}

const balancing: WildScript = {
  name: 'a hash over the URL',
  text: `
var proxies = new Array("PROXY a:1; PROXY b:1", "PROXY b:1; PROXY a:1", "PROXY c:1")
function hash(s) { var ret = 0; for (var i = 0; i < s.length; i++) { ret = (ret * 31 + s.charCodeAt(i)) % 65521 } return ret }
function FindProxyForURL(url, host) { with (Math) { return proxies[floor(hash(url) % proxies.length)] } }`,
  urls: ['http://a.example/1', 'http://a.example/2', 'http://b.example/3'],
  answers: ['PROXY c:1', 'PROXY a:1; PROXY b:1', 'PROXY c:1'],
}

const old: WildScript = {
  name: 'the language of 1999',
  text: `<!-- hidden from old browsers
var port = 010
function FindProxyForURL(url, host)
{
  var i
  outer: for (i = 0; i < 3; i++) { for (;;) { if (i == 1) break outer; continue outer } }
  var re = new RegExp("^10\\\\." , "i")
  switch (true) {
    case re.test(host): return "DIRECT" 
    case /^ftp/.test(url): case host == unescape("%6f%6c%64"): return 'proxy old:' + port + ' ; ;  direct'
  }
  delete i
  return arguments.length + ":" + typeof arguments.callee + ":" + i + ":" + escape("\\xe4") + (undefined_thing = 1)
}
--> the end`,
  urls: ['http://10.1.1.1/', 'http://old/', 'http://new.example/'],
  answers: ['DIRECT', 'proxy old:8 ; ;  direct', '2:function:1:%E41'],
}

const modern: WildScript = {
  name: 'the language of today',
  text: `
const table = new Map([["a.example", { proxy: { name: "pa" } }], ["b.example", {}]]);
class Chooser { #count = 0; static port = 8_080; choose(x) { this.#count += 1; return x ?? "none" } get count() { return this.#count } }
const chooser = new Chooser();
let late; late ??= "late";
function* numbers() { yield* [1, 2, 3] }
function FindProxyForURL(url, host) {
  const { groups: { scheme } = {} } = /^(?<scheme>[a-z]+):/u.exec(url) ?? {};
  const proxy = table.get(host)?.proxy?.name;
  const name = chooser.choose(proxy);
  const [first, ...rest] = [...numbers()].map((n) => n ** 2);
  return \`PROXY \${name}:\${Chooser.port}; \${scheme} \${first} \${rest.at(-1)} \${late} \${[[1], [2]].flat().includes(2)} \${2n ** 70n} \${"x".padStart(3, "-")} \${Object.entries({ a: 1 })}\`;
}`,
  urls: ['http://a.example/', 'https://b.example/', 'https://c.example/'],
  answers: ['pa:8080; http', 'none:8080; https', 'none:8080; https'].map(
    (each) => `PROXY ${each} 1 9 late true 1180591620717411303424 --x a,1`,
  ),
}

const ipv6: WildScript = {
  name: 'IPv6 and addresses',
  text: `
function FindProxyForURL(url, host) {
  if (isInNetEx(host, "2001:db8::/32")) return "PROXY [2001:db8::1]:3128";
  if (/^\\d+\\.\\d+\\.\\d+\\.\\d+$/.test(host) && (convert_addr(host) & convert_addr("255.0.0.0")) == convert_addr("10.0.0.0")) return "DIRECT";
  var ip = dnsResolve(host);
  if (ip == null) return "SOCKS5 unresolved:1080";
  if (isInNet(ip, "10.0.0.0", "255.0.0.0")) return "SOCKS " + dnsResolveEx(host) + ":1080";
  return "HTTPS secure:443";
}`,
  urls: [
    'http://[2001:db8::7]/',
    'http://10.1.1.1/',
    'http://a.test/',
    'http://intranet/',
    'http://unknown.invalid/',
  ],
  answers: [
    'PROXY [2001:db8::1]:3128',
    'DIRECT',
    'SOCKS 10.1.2.3:1080',
    'HTTPS secure:443',
    'SOCKS5 unresolved:1080',
  ],
}

const clever: WildScript = {
  name: 'code that makes code, and replaces what is given',
  text: `
var calls = 0
var isPlainHostName = function (host) { return host == "plain" }
function shExpMatch(text, pattern) { return text.indexOf(pattern) >= 0 }
String.prototype.endsIn = function (tail) { return this.slice(-tail.length) == tail }
var decide = new Function("host", "return eval('host.length') > 10 ? 'PROXY long:1' : 'PROXY short:1'")
function FindProxyForURL(url, host) {
  calls++
  if (isPlainHostName(host)) return "DIRECT"
  if (shExpMatch(host, "middle")) return "PROXY middle:" + Math.min(calls, 2)
  if (host.endsIn(".tail")) return this === globalThis ? "PROXY tail:1" : "PROXY head:1"
  try { undefinedFunction() } catch (error) { if (!(error instanceof ReferenceError)) return "DIRECT" }
  return decide(host)
}`,
  urls: [
    'http://plain/',
    'http://a.middle.b/',
    'http://x.tail/',
    'http://abc/',
    'http://abcdefghijkl/',
  ],
  answers: ['DIRECT', 'PROXY middle:2', 'PROXY tail:1', 'PROXY short:1', 'PROXY long:1'],
}

const lookup: WildScript = {
  name: 'a table of 3,000 hosts that is searched by halves',
  text: `var hosts = [${Array.from({ length: 3_000 }, (_, index) => `"h${String(index).padStart(5, '0')}.example"`).join(',\n')}];
function FindProxyForURL(url, host) {
  var low = 0, high = hosts.length - 1
  while (low <= high) {
    var mid = (low + high) >>> 1
    if (hosts[mid] === host) return "PROXY found:" + (mid + 1)
    if (hosts[mid] < host) low = mid + 1; else high = mid - 1
  }
  return "DIRECT"
}`,
  urls: ['http://h00000.example/', 'http://h02999.example/', 'http://h03000.example/'],
  answers: ['PROXY found:1', 'PROXY found:3000', 'DIRECT'],
}

/** All of them. */
export const wildScripts: readonly WildScript[] = [
  forest,
  balancing,
  old,
  modern,
  ipv6,
  clever,
  lookup,
]
