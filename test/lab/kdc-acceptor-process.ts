/** The process of a {@link GssAcceptor}: one answer in JSON on standard output for each line of standard input. */

import { createInterface } from 'node:readline'
import {
  noHandle,
  openGssForeign,
  type BufferDescriptor,
  type GssForeign,
  type Handle,
  type Status,
} from '../../src/native/gssapi/gss-foreign.ts'
import { isFailure } from '../../src/native/gssapi/gss-status.ts'
import type { AcceptorAnswer, AcceptorRequest } from './kdc-acceptor.ts'

const library = openGssForeign()
if (library.kind === 'missing') throw new Error(library.reason)
const foreign: GssForeign = library.value

const accept = foreign.declare('gss_accept_sec_context', [
  'handleInOut', // the context
  'handle', // the credential
  'buffer', // the token
  'bindings',
  'handleOut', // the initiator's name
  'handle',
  'bufferOut', // the answer
  'numberOut', // flags
  'handle',
  'handleOut', // the delegated credential
])
const displayName = foreign.declare('gss_display_name', ['handle', 'bufferOut', 'handle'])
const displayStatus = foreign.declare('gss_display_status', [
  'number',
  'number',
  'handle',
  'numberInOut',
  'bufferOut',
])
const sign = foreign.declare('gss_get_mic', ['handle', 'number', 'buffer', 'bufferOut'])
const verify = foreign.declare('gss_verify_mic', ['handle', 'buffer', 'buffer', 'handle'])

/** GSS_C_GSS_CODE. */
const MAJOR_TEXT = 1
/** GSS_S_CONTINUE_NEEDED. */
const CONTINUE_NEEDED = 1

/** By the number that the other half gave them. */
const contexts = new Map<number, [Handle]>()

for await (const line of createInterface({ input: process.stdin })) {
  // Written by the other half of this acceptor.
  const answer = answerTo(JSON.parse(line) as AcceptorRequest)
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

function answerTo(request: AcceptorRequest): AcceptorAnswer {
  const context = contexts.get(request.context) ?? [noHandle]
  contexts.set(request.context, context)
  switch (request.kind) {
    case 'accept':
      return acceptToken(context, request)
    case 'sign': {
      const code: Partial<BufferDescriptor> = {}
      sign(context[0], 0, lend(request.message), code)
      return { kind: 'signed', code: taken(code) }
    }
    case 'verify': {
      const status = verify(context[0], lend(request.message), lend(request.code), null)
      return { kind: 'verified', isGood: status.major === 0 }
    }
    default:
      return request satisfies never
  }
}

function acceptToken(
  context: [Handle],
  { token, binding }: AcceptorRequest & { kind: 'accept' },
): AcceptorAnswer {
  const [name, delegated] = [[noHandle], [noHandle]]
  const flags = [0]
  const output: Partial<BufferDescriptor> = {}
  const status = accept(
    context,
    null,
    lend(token),
    binding === undefined ? null : foreign.lendBindings(bytesOf(binding)),
    name,
    null,
    output,
    flags,
    null,
    delegated,
  )
  const answer = taken(output)
  if (isFailure(status)) return { kind: 'refused', reason: textOf(status) }
  return {
    kind: 'accepted',
    token: answer,
    isComplete: (status.major & CONTINUE_NEEDED) === 0,
    user: nameOf(name[0]),
    flags: flags[0] ?? 0,
    isDelegated: typeof delegated[0] === 'bigint' && delegated[0] !== noHandle,
  }
}

function nameOf(name: Handle | null | undefined): string {
  if (typeof name !== 'bigint' || name === noHandle) return ''
  const text: Partial<BufferDescriptor> = {}
  displayName(name, text, null)
  // gss-ntlmssp counts the end of the text as a part of it.
  return Buffer.from(foreign.take(text)).toString().replace(/\0$/u, '')
}

function textOf({ major }: Status): string {
  const text: Partial<BufferDescriptor> = {}
  displayStatus(major, MAJOR_TEXT, null, [0], text)
  return Buffer.from(foreign.take(text)).toString()
}

function bytesOf(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64')
}

function lend(base64: string): BufferDescriptor {
  return foreign.lend(bytesOf(base64))
}

function taken(buffer: Partial<BufferDescriptor>): string {
  return Buffer.from(foreign.take(buffer)).toString('base64')
}
