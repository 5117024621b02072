/** Text of header fields as octets and back: one character is one octet, as `wire` reads and writes them. */

export { decodeOctets, encodeOctets } from '../wire/octet.ts'
