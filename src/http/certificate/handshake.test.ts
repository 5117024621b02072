import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mayAskLater, type HandshakeFacts, type LateOutcome } from './handshake.ts'

const facts: HandshakeFacts = { hasCertificate: true, wantsCertificate: false, protocol: 'TLSv1.3' }

describe('mayAskLater()', () => {
  const worthIt: Readonly<Record<string, LateOutcome>> = {
    'no answer': { facts },
    '403': { facts, status: 403 },
  }

  for (const [what, outcome] of Object.entries(worthIt)) {
    test(`mayAskLater() finds TLS 1.2 worth a try after ${what} (A83)`, () => {
      assert.equal(mayAskLater(outcome), true)
    })
  }

  const notWorthIt: Readonly<Record<string, LateOutcome>> = {
    'another status': { facts, status: 404 },
    success: { facts, status: 200 },
    'a certificate that was asked for': { facts: { ...facts, wantsCertificate: true } },
    'TLS 1.2': { facts: { ...facts, protocol: 'TLSv1.2' }, status: 403 },
    'a handshake that was not over': { facts: { ...facts, protocol: undefined } },
    'no certificate of ours': { facts: { ...facts, hasCertificate: false }, status: 403 },
    'no TLS': { facts: undefined, status: 403 },
  }

  for (const [what, outcome] of Object.entries(notWorthIt)) {
    test(`mayAskLater() finds TLS 1.2 worth no try after ${what} (A83)`, () => {
      assert.equal(mayAskLater(outcome), false)
    })
  }
})
