/** Puts a service together: the only place that names concrete implementations. */

import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { LullError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import {
  HostedCarriers,
  processHost,
  threadHost,
  type StartHost,
} from '../carrier/hosted-carriers.ts'
import { noHost } from '../carrier/no-host.ts'
import { systemClock } from '../carrier/system-clock.ts'
import { systemRandom } from '../carrier/system-random.ts'
import type { Home } from '../client/home.ts'
import { currentUser, homeFolder } from '../client/who.ts'
import { Engine } from '../engine/engine.ts'
import type { JobStore } from '../engine/ports/job-store.ts'
import { VaultError, type Vault } from '../engine/ports/vault.ts'
import type { Caller } from '../engine/access.ts'
import type { Owner } from '../job/job.ts'
import { nativeStatus } from '../native/native.ts'
import { peerCredentials } from '../native/peer-credentials.ts'
import { systemCalls } from '../native/system.ts'
import type { Dispatch } from '../rpc/dispatch.ts'
import { acquireLock, type Lock } from '../store/lock.ts'
import { openJobStore } from '../store/sqlite-job-store.ts'
import { keySources } from '../vault/key-sources.ts'
import { rotate, type RotationProgress } from '../vault/rotate.ts'
import { unavailableVault } from '../vault/unavailable-vault.ts'
import { openVault } from '../vault/vault.ts'
import { version } from '../version.ts'
import { certificateStores } from './certificate-stores.ts'
import { CodeWatch } from './code-watch.ts'
import { engineSettings, readConfig, type Config } from './config.ts'
import { policyReader, withMachinePolicy } from './machine-policy.ts'
import { fileLog } from './file-log.ts'
import { handlers } from './handlers.ts'
import { carrierSettings } from './proxy-config.ts'
import { prepareHomeFolder } from './home-folder.ts'
import { networkAddresses } from './network-addresses.ts'
import { costSource } from './network-cost.ts'
import { SystemNetwork } from './network-monitor.ts'
import { Renewal } from './renewal.ts'
import { settle } from './settle.ts'
import { masterKeyView, networkView, stateCounts, type HomeVault } from './status.ts'

/** A service without its socket. */
export interface ComposedService {
  readonly engine: Engine
  readonly dispatch: Dispatch<Caller>
  readonly log: Log
  /** Who this process is. */
  readonly self: Caller
  readonly identify: (socket: Socket) => Caller | undefined
  /** Tells clients who find nobody at the socket whether somebody comes. */
  announce(isComing: boolean): void
  /** Everything synced and committed, the queue closed, the home free for another service. */
  stop(): Promise<void>
}

/** What the composition leaves to its user. */
export interface ComposeOptions {
  /** Called when a client asks the service to stop. */
  readonly stopRequested: () => void
  /** Whether somebody will answer at the socket: clients wait for that until `announce` says otherwise. */
  readonly isComing?: boolean
  /** Called when the service should begin anew, because its code was replaced; absent where it cannot. */
  readonly renewalRequested?: () => void
}

/**
 * Opens the home and starts the engine.
 *
 * @throws {LullError} `ERR_SERVICE_LOCKED` when another service holds this home, `ERR_CONFIG`, and the store's own
 */
export function compose(
  home: Home,
  { stopRequested, renewalRequested, isComing = false }: ComposeOptions,
): ComposedService {
  prepareHomeFolder(home.folder)
  const lock = lockHome(home, isComing)
  try {
    const file = readConfig(home.config)
    const log = fileLog(home.log, { debug: file.debug ?? false })
    const config = withPolicy(file, log)
    const store = openJobStore(home.queue)
    const { vault, problem } = openHomeVault(home, log)
    const host = config.carrierProcesses === true ? processHost : threadHost
    const renewal = new Renewal({
      code: new CodeWatch(),
      isIdle: () => carriers.isIdle,
      begin: renewalRequested,
      log,
    })
    const start: StartHost = (events, settings) =>
      renewal.leavesWork() ? noHost(events, settings) : host(events, settings)
    const carriers = new HostedCarriers(start, carrierSettings(config), () => {
      settle()
      renewal.consider()
    })
    const world = {
      store,
      vault,
      certificates: certificateStores({
        env: process.env,
        platform: process.platform,
        homeFolder: homeFolder(),
        serviceFolder: home.folder,
      }),
      carriers,
      network: systemNetwork(config, log),
      clock: systemClock,
      random: systemRandom,
      log,
    }
    const engine = new Engine(
      world,
      engineSettings(config),
      process.platform === 'win32' ? 'win32' : 'posix',
    )
    const started = new Date().toISOString()
    const stopping = new AbortController()
    const methods = handlers(engine, {
      status: () => ({
        pid: process.pid,
        version,
        home: home.folder,
        carriers: carriers.processIds,
        started,
        native: nativeStatus(),
        states: stateCounts(engine),
        network: networkView(engine),
        masterKey: masterKeyView({ vault, problem }, store),
        code: renewal.consider(),
      }),
      rotate: () => rotateVault(vault, store, stopping.signal),
      stop: stopRequested,
    })
    const broken = (error: unknown): void => {
      log.write('error', 'A call met a defect', {
        error: error instanceof Error ? error.stack : String(error),
      })
    }
    engine.start()
    log.write('info', 'The service started', { version, pid: process.pid, jobs: engine.count() })
    return {
      engine,
      dispatch: { handlers: methods, batch: (work) => engine.batch(work), broken },
      log,
      self: selfCaller(),
      identify,
      announce: (comes) => lock.announce(comes),
      async stop() {
        renewal[Symbol.dispose]()
        stopping.abort(new LullError('ERR_SERVICE_STOPPED', 'Cannot go on: the service stops'))
        await engine.stop()
        store.close()
        vault.close()
        log.write('info', 'The service stopped')
        lock[Symbol.dispose]()
      },
    }
  } catch (error) {
    lock.announce(false)
    lock[Symbol.dispose]()
    throw error
  }
}

/** What the machine says about authentication counts where it says something (A58). */
function withPolicy(file: Config, log: Log): Config {
  const policy = policyReader()(log)
  return { ...file, authentication: withMachinePolicy(file.authentication ?? {}, policy, log) }
}

/** The vault of a home; one that cannot be used costs the jobs with credentials, and no others (N139). */
function openHomeVault(home: Home, log: Log): HomeVault {
  const places = {
    keyFile: join(home.folder, 'master.key'),
    credentialsFolder: process.env['CREDENTIALS_DIRECTORY'],
  }
  try {
    const vault = openVault(keySources(places), { random: systemRandom, log })
    if (vault.isRotating) {
      log.write(
        'warn',
        'A rotation of the master key has not ended: older keys are kept until it has',
      )
    }
    return { vault, problem: undefined }
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    log.write('error', 'Credentials cannot be used', { code: error.code, reason: error.message })
    return { vault: unavailableVault(error), problem: error }
  }
}

/** Rotates the master key; others have their turn between the portions. */
async function rotateVault(
  vault: Vault,
  store: JobStore,
  signal: AbortSignal,
): Promise<RotationProgress> {
  const steps = rotate(vault, store.sealedRecords)
  for (;;) {
    const step = steps.next()
    if (step.done === true) {
      store.scrub()
      return step.value
    }
    await setImmediate()
    signal.throwIfAborted()
  }
}

/** The network as the engine watches it. */
function systemNetwork({ metered = 'auto' }: Config, log: Log): SystemNetwork {
  return new SystemNetwork({
    listen: () => systemCalls().networkNews,
    addresses: networkAddresses,
    cost: costSource(metered, log),
    clock: systemClock,
    log,
  })
}

function lockHome(home: Home, isComing: boolean): Lock {
  const lock = acquireLock(home.lock, isComing)
  if (!('heldBy' in lock)) return lock
  const holder =
    lock.heldBy === undefined ? 'another process' : `the process with id ${lock.heldBy}`
  throw new LullError(
    'ERR_SERVICE_LOCKED',
    `Cannot start a second service in ${home.folder}: ${holder} holds it`,
  )
}

/** The user id of the administrator. */
const ROOT = 0

/** This process's user. */
function selfCaller(): Caller {
  const owner: Owner = currentUser()
  return { owner, administrator: owner.id === String(ROOT) }
}

/**
 * Who is at the other end of a local connection. A personal service serves its own user and the administrator; where
 * the system cannot tell who it is, the socket's folder has already kept everybody else out.
 */
function identify(socket: Socket): Caller | undefined {
  const self = selfCaller()
  const peer = peerCredentials(socket)
  if (peer === undefined || String(peer.uid) === self.owner.id) return self
  return peer.uid === ROOT
    ? { owner: { id: String(ROOT), name: 'root' }, administrator: true }
    : undefined
}
