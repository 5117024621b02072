/** Text of header fields as octets and back: one character is one octet, as `wire` reads and writes them. */

export { decodeOctets, encodeOctets, octetsIn } from '../wire/octet.ts'
