import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTlsCode, tlsFailure } from './tls-failure.ts'

/** Codes as OpenSSL 3.0 and 3.5 name them, which differ. */
const rows: readonly (readonly [code: string, symbol: string, sentence: RegExp])[] = [
  ['ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC', 'ERROR_WINHTTP_CONNECTION_ERROR', /damaged on the way$/u],
  ['ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC', 'ERROR_WINHTTP_CONNECTION_ERROR', /damaged on the way$/u], // prettier-ignore
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ERROR_WINHTTP_SECURE_CHANNEL_ERROR', /no way of TLS that is known here$/u], // prettier-ignore
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'ERROR_WINHTTP_SECURE_CHANNEL_ERROR', /no way of TLS that is known here$/u], // prettier-ignore
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ERROR_WINHTTP_SECURE_CHANNEL_ERROR', /versions of TLS that are broken$/u], // prettier-ignore
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED', /wants a certificate from us$/u], // prettier-ignore
  ['ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED', 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED', /wants a certificate from us$/u], // prettier-ignore
  // Nobody has asked for ours, so the alert is about something else.
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'ERROR_WINHTTP_SECURE_CHANNEL_ERROR', /alert certificate expired\)$/u], // prettier-ignore
  ['ERR_TLS_CERTIFICATE_WANTED', 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED', /asks for a certificate from us$/u], // prettier-ignore
]

for (const [code, symbol, sentence] of rows) {
  test(`tlsFailure() makes ${symbol} of ${code}`, () => {
    assert.ok(isTlsCode(code))
    const failure = tlsFailure(new Error(code), code, 'example.org')
    assert.equal(failure.symbol, symbol)
    assert.match(failure.sentence, /example\.org/u)
    assert.match(failure.sentence, sentence)
  })
}
