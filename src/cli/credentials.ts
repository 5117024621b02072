/** `lull credentials set`, `remove`, `list`: as whom a job asks. Nothing shows what was set, only that it was. */

import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import type { ClientCertificate } from '../job/certificate.ts'
import { RefusedError, type RpcClient } from '../rpc/client.ts'
import type { JobView } from '../rpc/contract.ts'
import { describePlace } from './certificate-plan.ts'
import { exitStatus, usageError } from './cli-error.ts'
import { harmless } from './columns.ts'
import { connect } from './connect.ts'
import { describeHosts } from './hosts.ts'
import { IdentityReader, isNobody, planIdentity, type Peer } from './identity.ts'
import { readScheme, strongestFirst } from './identity-plan.ts'
import type { Arguments } from './parse.ts'
import { isProxySecure } from './route-arguments.ts'
import { SecretInput } from './secret-input.ts'

/** One target and one scheme. */
interface Pair {
  readonly target: AuthTarget
  readonly scheme: SchemeName
}

/** Files per page, when the URLs of a job are looked at. */
const PAGE = 1_000

/** Runs `lull credentials set`. @returns the exit status @throws {CliError} exit status 2 when nothing is said to set */
export async function setCredentials(args: Arguments): Promise<number> {
  const plan = planIdentity(args)
  if (isNobody(plan)) {
    throw usageError('Cannot set nothing: --user, --proxy-user, --cert and others say what')
  }
  await using input = new SecretInput()
  const reader = new IdentityReader(plan, input)
  const client = await connect({ start: true })
  const job = await client.call('job.get', { id: args.operands[0] ?? '' })
  await reader.readLines()
  const { credentials, certificate, preemptiveAuthentication } = await reader.finish(
    await peersOf(client, job),
  )
  const { id } = job
  const refusals = await client.batch(
    'job.setCredentials',
    credentials.map((pair) => ({ id, ...pair })),
  )
  for (const refusal of refusals) if (refusal instanceof RefusedError) throw refusal
  if (certificate !== undefined)
    await client.call('job.setClientCertificate', { id, ...certificate })
  if (preemptiveAuthentication === true) {
    await client.call('job.setPreemptiveAuthentication', { id, enabled: true })
  }
  await show(client, job, args)
  if (job.state === 'ERROR' && !args.has('json')) {
    const short = id.slice(0, 8)
    process.stderr.write(
      `Job ${short} is in state ERROR: lull resume ${short} goes on from what it has\n`,
    )
  }
  return exitStatus.ok
}

/** Who asks for them, and whether the way there is encrypted. */
async function peersOf(
  client: RpcClient,
  { id }: JobView,
): Promise<Readonly<Record<AuthTarget, Peer>>> {
  const urls: string[] = []
  for (let from: number | null = 0; from !== null;) {
    const page: { files: readonly { remoteName: string }[]; next: number | null } =
      await client.call('job.files', { id, from, limit: PAGE })
    urls.push(...page.files.map(({ remoteName }) => remoteName))
    from = page.next
  }
  const settings = await client.call('job.getProxySettings', { id })
  return {
    server: describeHosts(urls),
    proxy: { name: settings.list ?? '', isSecure: isProxySecure(settings) },
  }
}

/** Runs `lull credentials remove`. @returns the exit status @throws {CliError} exit status 2 when nothing is named */
export async function removeCredentials(args: Arguments): Promise<number> {
  const named = [...namedPairs('server', args), ...namedPairs('proxy', args)]
  const withCertificate = args.has('all') || args.has('cert')
  const withPreemptive = args.has('all') || args.has('preemptive')
  if (named.length === 0 && !withCertificate && !withPreemptive) {
    throw usageError(
      'Cannot remove nothing: --scheme, --proxy-scheme, --cert, --preemptive or --all say what',
    )
  }
  const client = await connect({ start: true })
  const { id } = await client.call('job.get', { id: args.operands[0] ?? '' })
  const pairs = args.has('all') ? (await client.call('job.listCredentials', { id })).pairs : named
  const removed: Pair[] = []
  for (const pair of pairs) {
    const result = await client.call('job.removeCredentials', { id, ...pair })
    if (result.removed) removed.push(pair)
  }
  const certificate =
    withCertificate && (await client.call('job.removeClientCertificate', { id })).removed
  const preemptive =
    withPreemptive && (await client.call('job.getPreemptiveAuthentication', { id })).enabled
  if (preemptive) await client.call('job.setPreemptiveAuthentication', { id, enabled: false })
  if (args.has('json')) {
    const all = { id, pairs: removed, certificate, preemptive }
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
    return exitStatus.ok
  }
  const lines = [
    ...pairLines(removed),
    ...(certificate ? ['certificate'] : []),
    ...(preemptive ? ['preemptive'] : []),
  ]
  if (lines.length === 0) process.stdout.write('None of these were set\n')
  for (const line of lines) process.stdout.write(`Removed: ${line}\n`)
  return exitStatus.ok
}

function namedPairs(target: AuthTarget, args: Arguments): readonly Pair[] {
  const option = target === 'server' ? 'scheme' : 'proxy-scheme'
  const words = args.values(option).flatMap((list) => list.split(/[\s,]+/u))
  return words
    .filter((word) => word !== '')
    .map((word) => ({ target, scheme: readScheme(option, word) }))
}

/** Runs `lull credentials list`. @returns the exit status */
export async function listCredentials(args: Arguments): Promise<number> {
  const client = await connect({ start: true })
  const job = await client.call('job.get', { id: args.operands[0] ?? '' })
  await show(client, job, args)
  return exitStatus.ok
}

async function show(client: RpcClient, { id }: JobView, args: Arguments): Promise<void> {
  const { pairs } = await client.call('job.listCredentials', { id })
  const certificate = await certificateOf(client, id)
  const { enabled: preemptive } = await client.call('job.getPreemptiveAuthentication', { id })
  if (args.has('json')) {
    const all = { id, pairs, certificate: certificate ?? null, preemptive }
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
    return
  }
  const lines = [...pairLines(pairs)]
  if (certificate !== undefined) lines.push(`certificate  ${describeCertificate(certificate)}`)
  if (preemptive) lines.push('preemptive   the server is told before it asks')
  if (lines.length === 0) process.stdout.write('No credentials are set\n')
  for (const line of lines) process.stdout.write(`${line}\n`)
}

/** `server       negotiate, ntlm`. */
function pairLines(pairs: readonly Pair[]): readonly string[] {
  return (['server', 'proxy'] as const).flatMap((target) => {
    const own = pairs.filter((pair) => pair.target === target).map(({ scheme }) => scheme)
    const schemes = strongestFirst.filter((scheme) => own.includes(scheme))
    return schemes.length === 0 ? [] : [`${target.padEnd(11)}  ${schemes.join(', ')}`]
  })
}

async function certificateOf(
  client: RpcClient,
  id: string,
): Promise<ClientCertificate | undefined> {
  try {
    return await client.call('job.getClientCertificate', { id })
  } catch (error) {
    // None is set (A73).
    if (error instanceof RefusedError && error.code === 'RPC_X_BAD_STUB_DATA') return undefined
    throw error
  }
}

function describeCertificate(certificate: ClientCertificate): string {
  if ('certificateFile' in certificate) {
    const { certificateFile, keyFile } = certificate
    return harmless(keyFile === undefined ? certificateFile : `${certificateFile}, ${keyFile}`)
  }
  const { location, store } = certificate
  const name = 'hash' in certificate ? certificate.hash : certificate.name
  return harmless(`${describePlace(location, store)}/${name}`)
}
