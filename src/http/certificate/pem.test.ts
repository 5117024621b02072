import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { encodePem, findPemBlocks } from './pem.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

describe('PEM', () => {
  test('encodePem() writes what base64 of the platform writes, in lines of 64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (der) => {
        const lines =
          Buffer.from(der)
            .toString('base64')
            .match(/.{1,64}/gu) ?? []
        const expected = ['-----BEGIN KEY-----', ...lines, '-----END KEY-----', ''].join('\n')
        assert.equal(text(encodePem('KEY', der)), expected)
      }),
    )
  })

  test('findPemBlocks() finds every block that was written, whatever is between them', () => {
    const label = fc.constantFrom('CERTIFICATE', 'EC PRIVATE KEY', 'X509 CRL')
    const between = fc.string({ maxLength: 20 }).filter((text) => !text.includes('-----'))
    fc.assert(
      fc.property(fc.array(fc.tuple(label, fc.uint8Array(), between)), (parts) => {
        const blocks = parts.map(([label, der]) => text(encodePem(label, der)).trim())
        const file = parts.map(([, , between], place) => `${between}\n${blocks[place]}\n`).join('')
        const found = findPemBlocks(Buffer.from(file))
        assert.deepEqual(found.map(({ bytes }) => text(bytes)), blocks) // prettier-ignore
        assert.deepEqual(found.map(({ label }) => label), parts.map(([label]) => label)) // prettier-ignore
      }),
    )
  })

  const broken: readonly (readonly [what: string, file: string])[] = [
    ['without an end', '-----BEGIN X-----\nAAAA\n'],
    ['with another end', '-----BEGIN X-----\nAAAA\n-----END Y-----\n'],
    ['whose first line does not end', '-----BEGIN X'],
    ['with a label that is none', `-----BEGIN ${'X'.repeat(100)}-----\n-----END X-----\n`],
  ]

  for (const [what, file] of broken) {
    test(`findPemBlocks() finds no block ${what}`, () => {
      assert.deepEqual(findPemBlocks(Buffer.from(file)), [])
    })
  }

  test('findPemBlocks() gives views of the file, so that wiping it wipes them', () => {
    const file = Buffer.from('-----BEGIN X-----\nAAAA\n-----END X-----\n')
    const [block] = findPemBlocks(file)
    file.fill(0)
    assert.ok(block?.bytes.every((octet) => octet === 0))
  })
})
