import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'

import {
  assert as check,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  string,
  uint8Array,
} from 'fast-check'

import { MisuseError } from '../base/error.ts'
import {
  digestAlgorithms,
  formatDigestHex,
  parseContentMd5,
  parseDigestOption,
  parseIntegrityField,
  parseLegacyDigest,
  wholeFileDigests,
} from './digest-fields.ts'
import type { Digest, DigestAlgorithm, DigestField } from './digest-fields.ts'

/** The object of RFC 9530 Appendix B, and the part of it that §B.3 asks for. */
const item = '{"hello": "world"}\n'
const part = '"world"}\n'

/** What the platform makes of a text. */
function digest(algorithm: DigestAlgorithm, text: string): Digest {
  const name = algorithm.replace('sha-', 'sha')
  return { algorithm, bytes: new Uint8Array(createHash(name).update(text).digest()) }
}

/** What a field holds, in a form that reads well in a table. */
function summary(field: DigestField | undefined): unknown {
  return field && { digests: field.digests.map(brief), ignored: field.ignored }
}

function brief({ algorithm, bytes }: Digest): string {
  return `${algorithm} ${Buffer.from(bytes).toString('base64').slice(0, 8)}`
}

const sha256 = 'sha-256=:d435Qo+nKZ+gLcUHn7GQtQ72hiBVAgqoLsZnZPiTGPk=:'
const sha512 =
  'sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:'

const fields = [
  [sha512, { digests: ['sha-512 YMAam51J'], ignored: [] }, 'RFC 9530 §2 and §3, one algorithm'],
  [
    `${sha256},${sha512}`,
    { digests: ['sha-512 YMAam51J', 'sha-256 d435Qo+n'], ignored: [] },
    'RFC 9530 §2 and §3, two, the stronger first',
  ],
  [
    'sha-256=:d435Qo+nKZ+gLcUHn7GQtQ72hiBVAgqoLsZnZPiTGPk=:,' +
      'sha-512=:db7fdBbgZMgX1Wb2MjA8zZj+rSNgfmDCEEXM8qLWfpfoNY0sCpHAzZbj09X1/7HAb7Od5Qfto4QpuBsFbUO3dQ==:',
    { digests: ['sha-512 db7fdBbg', 'sha-256 d435Qo+n'], ignored: [] },
    'RFC 9530 §B.6',
  ],
  [
    'md5=:XrY7u+Ae7tCTyyK7j1rNww==:, unixsum=:AAA=:, sha=:fXVR:',
    { digests: [], ignored: ['md5', 'unixsum', 'sha'] },
    'algorithms that RFC 9530 §5 calls deprecated',
  ],
  [
    `blake3=:AAAA:, ${sha256}`,
    { digests: ['sha-256 d435Qo+n'], ignored: ['blake3'] },
    'an unknown algorithm beside a known one',
  ],
  ['sha-256=:AAAA:', { digests: [], ignored: ['sha-256'] }, 'a wrong length'],
  ['sha-256=10', { digests: [], ignored: ['sha-256'] }, 'a value as in Want-Repr-Digest'],
  ['', { digests: [], ignored: [] }, 'an empty field'],
  ['sha-256=d435Qo', { digests: [], ignored: ['sha-256'] }, 'a token where bytes belong'],
] as const

for (const [value, expected, reason] of fields) {
  test(`parseIntegrityField() reads ${value.slice(0, 60)}: ${reason}`, () => {
    assert.deepEqual(summary(parseIntegrityField(value)), expected)
  })
}

test('parseIntegrityField() says nothing about a field that is absent or cannot be read', () => {
  for (const value of [undefined, 'sha-256=:d435', 'SHA-256=:AAAA:', 'sha-256=:AAAA:,', '💥']) {
    assert.equal(parseIntegrityField(value), undefined)
  }
})

const legacy = [
  [
    'md5=HUXZLQLMuI/KZ5KDcJPcOA==',
    { digests: ['md5 HUXZLQLM'], ignored: [] },
    'RFC 3230 §4.3.2, first example',
  ],
  [
    'SHA=thvDyvhfIqlvFe+A9MYgxAfm1q5=,unixsum=30637',
    { digests: ['sha-1 thvDyvhf'], ignored: ['unixsum'] },
    'RFC 3230 §4.3.2, second example',
  ],
  [
    'md5=HUXZLQLMuI/KZ5KDcJPcOA==, SHA=thvDyvhfIqlvFe+A9MYgxAfm1q5=',
    { digests: ['sha-1 thvDyvhf', 'md5 HUXZLQLM'], ignored: [] },
    'the stronger first',
  ],
  [
    'SHA-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=',
    { digests: ['sha-256 RK/0qy18'], ignored: [] },
    'RFC 5843',
  ],
  [
    'sha-512=YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==',
    { digests: ['sha-512 YMAam51J'], ignored: [] },
    'RFC 5843',
  ],
  [`md5=${'0'.repeat(32)}`, { digests: [], ignored: ['md5'] }, 'hexadecimal where base64 belongs'],
  ['md5=not base64', undefined, 'a space inside'],
  ['md5=!', { digests: [], ignored: ['md5'] }, 'no base64'],
  ['md5', undefined, 'no value'],
  [
    ', md5=HUXZLQLMuI/KZ5KDcJPcOA== ,',
    { digests: ['md5 HUXZLQLM'], ignored: [] },
    'empty elements',
  ],
  ['', { digests: [], ignored: [] }, 'an empty field'],
  [undefined, undefined, 'no field'],
  ['a=1,'.repeat(64), undefined, 'more members than allowed'],
  [`a=${'1'.repeat(16 * 1024)}`, undefined, 'longer than allowed'],
] as const

for (const [value, expected, reason] of legacy) {
  test(`parseLegacyDigest() reads ${value?.slice(0, 60)}: ${reason}`, () => {
    assert.deepEqual(summary(parseLegacyDigest(value)), expected)
  })
}

test('parseContentMd5() reads the example of RFC 1864 §2', () => {
  const found = parseContentMd5('Q2hlY2sgSW50ZWdyaXR5IQ==')
  assert.equal(found && Buffer.from(found.bytes).toString('latin1'), 'Check Integrity!')
})

test('parseContentMd5() says nothing about what is not 16 bytes in base64', () => {
  for (const value of [undefined, '', 'AAAA', 'Q2hlY2s gSW50ZWdyaXR5IQ==', '0'.repeat(32)]) {
    assert.equal(parseContentMd5(value), undefined)
  }
})

const itemDigest = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:'

test('wholeFileDigests() takes both fields of a whole representation, RFC 9530 §B.1', () => {
  for (const values of [{ contentDigest: itemDigest }, { reprDigest: itemDigest }]) {
    assert.deepEqual(wholeFileDigests(200, values), [digest('sha-256', item)])
  }
})

test('wholeFileDigests() leaves out the Content-Digest of no content, RFC 9530 §B.2', () => {
  const contentDigest = 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'
  assert.deepEqual(parseIntegrityField(contentDigest)?.digests, [digest('sha-256', '')])
  assert.deepEqual(wholeFileDigests(200, { contentDigest, reprDigest: itemDigest }, 'HEAD'), [
    digest('sha-256', item),
  ])
  assert.deepEqual(wholeFileDigests(200, { contentDigest }, 'HEAD'), [])
})

test('wholeFileDigests() leaves out the Content-Digest of a part, RFC 9530 §B.3', () => {
  const contentDigest = 'sha-256=:jjcgBDWNAtbYUXI37CVG3gRuGOAjaaDRGpIUFsdyepQ=:'
  assert.deepEqual(parseIntegrityField(contentDigest)?.digests, [digest('sha-256', part)])
  assert.deepEqual(wholeFileDigests(206, { contentDigest, reprDigest: itemDigest }), [
    digest('sha-256', item),
  ])
  assert.deepEqual(wholeFileDigests(206, { contentDigest }), [])
})

test('wholeFileDigests() reads the padding of RFC 9530 §B.5 as it was printed', () => {
  const reprDigest = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg==:'
  assert.deepEqual(wholeFileDigests(200, { reprDigest }), [digest('sha-256', item)])
})

const base64 = (algorithm: DigestAlgorithm, text: string) =>
  Buffer.from(digest(algorithm, text).bytes).toString('base64')

test('wholeFileDigests() takes the older fields: Digest always, Content-MD5 of a whole file only', () => {
  const values = {
    digest: `SHA=${base64('sha-1', item)}`,
    contentMd5: base64('md5', item),
  }
  assert.deepEqual(wholeFileDigests(200, values), [digest('sha-1', item), digest('md5', item)])
  assert.deepEqual(wholeFileDigests(206, values), [digest('sha-1', item)])
})

test('wholeFileDigests() prefers the field that is surer about what it covers', () => {
  const found = wholeFileDigests(200, {
    reprDigest: itemDigest,
    contentDigest: `sha-256=:${base64('sha-256', 'b')}:, sha-512=:${base64('sha-512', 'b')}:`,
    digest: `SHA-256=${base64('sha-256', 'c')}, MD5=${base64('md5', 'c')}`,
    contentMd5: base64('md5', 'd'),
  })
  assert.deepEqual(found, [digest('sha-512', 'b'), digest('sha-256', item), digest('md5', 'c')])
})

test('wholeFileDigests() says nothing about an answer that is not the file', () => {
  for (const status of [201, 204, 304, 404, 416, 500]) {
    assert.deepEqual(wholeFileDigests(status, { reprDigest: itemDigest }), [])
  }
})

const algorithm = constantFrom(...digestAlgorithms)

test('wholeFileDigests() finds strongest first, each of its length, whatever a server sends', () => {
  const field = oneof(
    string({ unit: 'binary' }),
    string({ unit: constantFrom('sha-256', 'sha-512', 'MD5', '=', ':', ',', 'AAAA', ' ', ';') }),
  )
  const values = record({
    reprDigest: field,
    contentDigest: field,
    digest: field,
    contentMd5: field,
  })
  check(
    property(constantFrom(200, 206, 404), values, (status, values) => {
      const found = wholeFileDigests(status, values)
      const order = found.map(({ algorithm }) => digestAlgorithms.indexOf(algorithm))
      assert.deepEqual(
        order,
        [...new Set(order)].toSorted((a, b) => a - b),
      )
      for (const { algorithm, bytes } of found) {
        assert.equal(bytes.length, digest(algorithm, '').bytes.length)
      }
    }),
    { numRuns: 2000 },
  )
})

const options = [
  ['sha256:', 'sha-256', 'the name without its hyphen'],
  ['sha-256:', 'sha-256', 'the name'],
  ['SHA-256:', 'sha-256', 'upper case'],
  ['sha-256=', 'sha-256', 'an equals sign'],
  ['sha512:', 'sha-512', 'the longest'],
  ['sha-1:', 'sha-1', 'the name'],
  ['sha1=', 'sha-1', 'the name without its hyphen'],
  ['sha:', 'sha-1', 'the name in RFC 3230'],
  ['MD5:', 'md5', 'the shortest'],
  ['', 'sha-512', 'known by its length'],
  ['', 'sha-256', 'known by its length'],
  ['', 'sha-1', 'known by its length'],
  ['', 'md5', 'known by its length'],
] as const

for (const [prefix, algorithm, reason] of options) {
  test(`parseDigestOption() reads "${prefix}" before ${algorithm}: ${reason}`, () => {
    const expected = digest(algorithm, item)
    const hex = Buffer.from(expected.bytes).toString('hex')
    assert.deepEqual(parseDigestOption(prefix + hex), expected)
    assert.deepEqual(parseDigestOption(` ${prefix}${hex.toUpperCase()}\n`), expected)
  })
}

const md5 = '0'.repeat(32)
const misused = [
  ['', 'nothing'],
  ['sha256:', 'no digits'],
  [':', 'neither'],
  [`:${md5}`, 'an empty name'],
  [`crc32:${md5}`, 'an unknown algorithm'],
  [`sha256:${md5}`, 'too short'],
  [`md5:${md5}00`, 'too long'],
  [`md5:${md5}0`, 'half a byte'],
  [`md5:${md5.slice(1)}g`, 'no hexadecimal'],
  [`md5:0x${md5}`, 'a prefix'],
  ['00', 'no algorithm has this length'],
  [`sha256:md5:${md5}`, 'two names'],
] as const

for (const [text, reason] of misused) {
  test(`parseDigestOption() refuses ${JSON.stringify(text)}: ${reason}`, () => {
    assert.throws(
      () => parseDigestOption(text),
      (error) => error instanceof MisuseError && error.code === 'ERR_WIRE_DIGEST_OPTION',
    )
  })
}

test('parseDigestOption() undoes formatDigestHex(), with and without the name', () => {
  check(
    property(algorithm, uint8Array({ minLength: 64, maxLength: 64 }), (algorithm, bytes) => {
      const value = { algorithm, bytes: bytes.slice(0, digest(algorithm, '').bytes.length) }
      assert.deepEqual(parseDigestOption(formatDigestHex(value)), value)
      assert.deepEqual(parseDigestOption(`${algorithm}:${formatDigestHex(value)}`), value)
    }),
  )
})

test('parseDigestOption() throws nothing but MisuseError', () => {
  const text = string({ unit: constantFrom('sha256', 'md5', ':', '=', 'a', '0'.repeat(16), ' ') })
  check(
    property(oneof(string(), text), integer({ min: 0, max: 3 }), (text, cut) => {
      try {
        assert.ok(parseDigestOption(text.slice(cut)).bytes.length >= 16)
      } catch (error) {
        assert.ok(error instanceof MisuseError)
      }
    }),
    { numRuns: 2000 },
  )
})
