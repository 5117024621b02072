import assert from 'node:assert/strict'
import { test } from 'node:test'

import { encodeBase64 } from '../base64.ts'
import { formatHex } from '../hex.ts'
import type { MechanismContext, MechanismStep } from '../mechanism.ts'
import { NtlmAcceptor } from '../ntlm/acceptor.ts'
import { NtlmContext } from '../ntlm/context.ts'
import { NtlmInitiator } from '../ntlm/initiator.ts'
import { computeNtHash } from '../ntlm/password-keys.ts'
import { NtlmSessionSecurity } from '../ntlm/session-security.ts'
import { hex, v31, v32, v51Binding } from '../ntlm/vectors.suite.ts'
import { Secret } from '../secret.ts'
import { nodeHashes, testWorld } from '../world.suite.ts'
import { SpnegoAcceptor } from './acceptor.ts'
import { SpnegoInitiator } from './initiator.ts'
import { mechanismIds } from './mechanism-ids.ts'
import type { NegotiableContext, NegotiableMechanism } from './negotiable.ts'
import { PretendAcceptor, PretendInitiator } from './pretend-kerberos.suite.ts'
import {
  decodeNegTokenResp,
  encodeMechTypeList,
  encodeNegTokenInit,
  encodeNegTokenResp,
  type NegTokenResp,
} from './tokens.ts'
import { v41, v42 } from './vectors.suite.ts'

const { kerberos, microsoftKerberos, negoEx, ntlm } = mechanismIds

/** NTLM with the input of V32. */
const ntlmInitiator: NegotiableMechanism = {
  id: ntlm,
  async open() {
    const identity = { user: 'User', domain: 'Domain', password: Secret.fromText('Password') }
    const targetName = 'HTTP/server.domain.example'
    return new NtlmContext(
      new NtlmInitiator(
        { identity, targetName, channelBinding: v51Binding, integrity: true },
        testWorld({
          settings: { workstation: 'COMPUTER' },
          randomBytes: [new Uint8Array(8).fill(0xaa), new Uint8Array(16).fill(0x55)],
        }),
      ),
    )
  },
}

const ntHash = computeNtHash(new TextEncoder().encode('Password'))

const ntlmAcceptor: NegotiableMechanism = {
  id: ntlm,
  async open() {
    return new NtlmContext(
      new NtlmAcceptor(
        {
          names: {
            nbComputerName: 'SERVER',
            nbDomainName: 'DOMAIN',
            dnsComputerName: 'server.domain.example',
            dnsDomainName: 'domain.example',
          },
          ntHashOf: () => ntHash,
          accepts: ['v2'],
          hasTimestamp: true,
          hasSessionSecurity: true,
          bindingPolicy: 'require',
          channelBinding: v51Binding,
        },
        testWorld({ randomBytes: [hex('0123456789abcdef')] }),
      ),
    )
  },
}

function kerberosInitiator(key = 'key', id: string = kerberos): NegotiableMechanism {
  return { id, open: async () => new PretendInitiator(key, 'alice@REALM') }
}

function kerberosAcceptor(key = 'key', id: string = kerberos): NegotiableMechanism {
  return { id, open: async () => new PretendAcceptor(key) }
}

/** Lets both sides talk until neither has anything to say; a token may be changed on its way. */
async function negotiate(
  initiator: MechanismContext,
  acceptor: MechanismContext,
  change: (token: Uint8Array, leg: number) => Uint8Array = (token) => token,
): Promise<{ readonly tokens: readonly Uint8Array[]; readonly isComplete: boolean }> {
  const tokens: Uint8Array[] = []
  const sides = [initiator, acceptor]
  const complete = [false, false]
  let token: Uint8Array | undefined
  for (let leg = 0; leg < 12; leg++) {
    const step: MechanismStep | undefined = await sides[leg % 2]?.step(token)
    complete[leg % 2] = step?.complete ?? false
    if (step?.token === undefined) break
    tokens.push(step.token)
    token = change(step.token, leg)
  }
  return { tokens, isComplete: complete.every(Boolean) }
}

function texts(tokens: readonly Uint8Array[]): readonly string[] {
  return tokens.map(encodeBase64)
}

test('NTLM alone is negotiated token by token as in V41, with mechListMIC (A284, A285)', async () => {
  const { tokens, isComplete } = await negotiate(
    new SpnegoInitiator([ntlmInitiator], true),
    new SpnegoAcceptor([ntlmAcceptor]),
  )
  assert.deepEqual(texts(tokens), texts(Object.values(v41)))
  assert.ok(isComplete)
})

test('NTLM as second choice is negotiated token by token as in V42, MIC requested (A282)', async () => {
  const { tokens, isComplete } = await negotiate(
    new SpnegoInitiator([kerberosInitiator(), ntlmInitiator], false),
    new SpnegoAcceptor([ntlmAcceptor]),
  )
  assert.deepEqual(texts(tokens), texts(Object.values(v42)))
  assert.ok(isComplete)
})

test('the optimistic token is dropped when the server selects another mechanism (A282)', async () => {
  const dropped = new PretendInitiator('key', 'alice@REALM')
  const hopeful = { id: kerberos, open: async () => dropped }
  const acceptor = new SpnegoAcceptor([ntlmAcceptor])
  const { tokens, isComplete } = await negotiate(
    new SpnegoInitiator([hopeful, ntlmInitiator], true),
    acceptor,
  )
  assert.ok(isComplete)
  assert.ok(dropped.isClosed)
  assert.equal(acceptor.selected, ntlm)
  assert.deepEqual(texts(tokens.slice(1)), texts(Object.values(v42).slice(1)))
})

test('the signatures over the list of Windows are those of V43', () => {
  const list = encodeMechTypeList([microsoftKerberos, kerberos, negoEx, ntlm])
  assert.equal(
    formatHex(list),
    '302e06092a864882f71201020206092a864886f712010202060a2b06010401823702021e' +
      '060a2b06010401823702020a',
  )
  const key = new Uint8Array(16).fill(0x55)
  for (const [side, signature] of [
    ['client', '010000009cc5a498f4c5e61c00000000'],
    ['server', '010000006494eaecfede45c200000000'],
  ] as const) {
    const security = new NtlmSessionSecurity(0xe288_8235, key, side, nodeHashes)
    assert.equal(formatHex(security.sign(list)), signature, side)
  }
})

test('Kerberos as first choice of both needs one token from each side and no MIC (A284)', async () => {
  for (const offered of [kerberos, microsoftKerberos]) {
    const { tokens, isComplete } = await negotiate(
      new SpnegoInitiator([kerberosInitiator('key', offered), ntlmInitiator], true),
      new SpnegoAcceptor([kerberosAcceptor(), ntlmAcceptor]),
    )
    assert.ok(isComplete)
    assert.equal(tokens.length, 2)
    const last = decodeNegTokenResp(tokens[1] ?? hex(''))
    assert.equal(last.negState, 'accept-completed')
    assert.equal(last.mechListMic, undefined)
    // A283: the server echoes the identifier that the client used.
    assert.equal(last.supportedMech, offered)
  }
})

test('Kerberos as second choice is signed for by both sides (A284)', async () => {
  const { tokens, isComplete } = await negotiate(
    new SpnegoInitiator([{ ...ntlmInitiator, id: negoEx }, kerberosInitiator()], false),
    new SpnegoAcceptor([kerberosAcceptor()]),
  )
  assert.ok(isComplete)
  const signed = tokens
    .slice(1)
    .filter((token) => decodeNegTokenResp(token).mechListMic !== undefined)
  assert.equal(signed.length, 2)
})

/** The token with one of its fields changed. */
function altered(token: Uint8Array, changes: Partial<NegTokenResp>): Uint8Array {
  return encodeNegTokenResp({ ...decodeNegTokenResp(token), ...changes })
}

test('a list that was shortened on its way is noticed by the signature over it (A284)', async () => {
  const both = new SpnegoAcceptor([kerberosAcceptor(), ntlmAcceptor])
  const shortened = encodeNegTokenInit({ mechTypes: [ntlm] })
  await assert.rejects(
    negotiate(
      new SpnegoInitiator([kerberosInitiator(), ntlmInitiator], false),
      both,
      (token, leg) => (leg === 0 ? shortened : token),
    ),
    { code: 'ERR_SPNEGO_MIC', reason: 'refused' },
  )
})

test('SpnegoInitiator refuses an acceptor whose signature is wrong (A284)', async () => {
  const wrong = hex('01000000000000000000000000000000')
  await assert.rejects(
    negotiate(
      new SpnegoInitiator([ntlmInitiator], true),
      new SpnegoAcceptor([ntlmAcceptor]),
      (token, leg) => (leg === 3 ? altered(token, { mechListMic: wrong }) : token),
    ),
    { code: 'ERR_SPNEGO_MIC' },
  )
})

test('SpnegoInitiator is content with old servers that sign nothing for NTLM (A287)', async () => {
  const client = new SpnegoInitiator([ntlmInitiator], true)
  await client.step(undefined)
  await client.step(v41.challenge)
  const last = await client.step(encodeNegTokenResp({ negState: 'accept-completed' }))
  assert.deepEqual(last, { complete: true })
})

test('SpnegoInitiator takes a last token that leaves out the state (RFC 4178 §4.2.2)', async () => {
  const client = new SpnegoInitiator([ntlmInitiator], true)
  await client.step(undefined)
  await client.step(v41.challenge)
  const { mechListMic } = decodeNegTokenResp(v41.accept)
  assert.ok(mechListMic !== undefined)
  assert.deepEqual(await client.step(encodeNegTokenResp({ mechListMic })), { complete: true })
})

test('SpnegoInitiator ends where the peer misbehaves, each with its own code', async () => {
  const first = { negState: 'accept-incomplete', supportedMech: ntlm } as const
  for (const [why, responses, code] of [
    ['it rejects', [{ negState: 'reject' }], 'ERR_SPNEGO_REJECTED'],
    ['it selects what was not offered', [{ supportedMech: negoEx }], 'ERR_SPNEGO_MECHANISM'],
    [
      'it is done before it proved itself',
      [{ negState: 'accept-completed', supportedMech: kerberos }],
      'ERR_SPNEGO_INCOMPLETE',
    ],
    [
      'it signs before there is a key',
      [{ ...first, mechListMic: hex('00') }],
      'ERR_SPNEGO_MIC_EARLY',
    ],
  ] as const satisfies readonly (readonly [string, readonly NegTokenResp[], string])[]) {
    const client = new SpnegoInitiator([kerberosInitiator(), ntlmInitiator], true)
    await client.step(undefined)
    await assert.rejects(
      async () => {
        for (const response of responses) await client.step(encodeNegTokenResp(response))
      },
      { code },
      why,
    )
  }
})

test('SpnegoInitiator refuses an end before a second choice was signed for (A284)', async () => {
  const client = new SpnegoInitiator([{ ...ntlmInitiator, id: negoEx }, kerberosInitiator()], false)
  const server = new SpnegoAcceptor([kerberosAcceptor()])
  await assert.rejects(
    negotiate(client, server, (token, leg) =>
      leg === 3
        ? encodeNegTokenResp({
            negState: 'accept-completed',
            responseToken: decodeNegTokenResp(token).responseToken ?? hex(''),
          })
        : token,
    ),
    { code: 'ERR_SPNEGO_MIC_MISSING' },
  )
})

test('SpnegoInitiator answers a request for a MIC on its first choice', async () => {
  const client = new SpnegoInitiator([kerberosInitiator()], true)
  const peer = new PretendAcceptor('key')
  const list = encodeMechTypeList([kerberos])
  await client.step(undefined)
  const hello = await new PretendInitiator('key', 'alice@REALM').step(undefined)
  const { token: responseToken } = await peer.step(hello.token)
  assert.ok(responseToken !== undefined)
  const step = await client.step(
    encodeNegTokenResp({ negState: 'request-mic', supportedMech: kerberos, responseToken }),
  )
  const answer = decodeNegTokenResp(step.token ?? hex(''))
  assert.equal(answer.negState, 'accept-incomplete')
  assert.ok(await peer.verify(list, answer.mechListMic ?? hex('')))
  const mechListMic = await peer.sign(list)
  const end = await client.step(encodeNegTokenResp({ negState: 'accept-completed', mechListMic }))
  assert.deepEqual(end, { complete: true })
})

test('SpnegoAcceptor takes raw NTLM and raw Kerberos, and answers raw (A288)', async () => {
  const raw = await ntlmInitiator.open()
  const acceptor = new SpnegoAcceptor([kerberosAcceptor(), ntlmAcceptor])
  const { isComplete, tokens } = await negotiate(raw, acceptor)
  assert.ok(isComplete)
  assert.deepEqual(tokens, [v32.negotiate, v32.challenge, v32.authenticate])
  const direct = await negotiate(
    new PretendInitiator('key', 'alice@REALM'),
    new SpnegoAcceptor([kerberosAcceptor()]),
  )
  assert.ok(direct.isComplete)
})

test('SpnegoAcceptor refuses when nothing is common', async () => {
  const acceptor = new SpnegoAcceptor([kerberosAcceptor()])
  await assert.rejects(acceptor.step(encodeNegTokenInit({ mechTypes: [ntlm, negoEx] })), {
    code: 'ERR_SPNEGO_MECHANISM',
  })
  await assert.rejects(new SpnegoAcceptor([kerberosAcceptor()]).step(v31.negotiate), {
    code: 'ERR_SPNEGO_MECHANISM',
  })
})

test('signing begins anew once both sides have signed the list (A286)', async () => {
  const contexts: NegotiableContext[] = []
  const kept = (mechanism: NegotiableMechanism): NegotiableMechanism => ({
    id: mechanism.id,
    async open() {
      const context = await mechanism.open()
      contexts.push(context)
      return context
    },
  })
  const initiator = new SpnegoInitiator([kept(ntlmInitiator)], true)
  await negotiate(initiator, new SpnegoAcceptor([kept(ntlmAcceptor)]))
  const message = hex('aabbcc')
  const fresh = new NtlmSessionSecurity(
    0xe288_8235,
    new Uint8Array(16).fill(0x55),
    'client',
    nodeHashes,
  )
  const signature = await initiator.sign(message)
  assert.deepEqual(signature, fresh.sign(message))
  assert.ok(await contexts[1]?.verify(message, signature))
})

test('SpnegoInitiator lets go of a context that opens after it was closed', async () => {
  const late = new PretendInitiator('key', 'alice@REALM')
  const { promise, resolve } = Promise.withResolvers<NegotiableContext>()
  const client = new SpnegoInitiator([{ id: kerberos, open: () => promise }], true)
  const step = client.step(undefined)
  client.close()
  resolve(late)
  await step.catch(() => undefined)
  assert.ok(late.isClosed)
})
