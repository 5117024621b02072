/** Samba's winbind without a domain: who judges NTLM for Squid, by the password of one user. */

import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Daemon, isRoot, makeFolder, NOBODY, removeFolder } from './daemon.ts'
import { whyMissing, type Needs } from './installed.ts'
import { NTLM_DOMAIN, sambaUser, USER } from './people.ts'

/** What winbind needs. */
export const winbindNeeds: Needs = {
  winbindd: 'winbind',
  ntlm_auth: 'winbind',
  // The folder is named for the processor.
  '/usr/lib/*/libnss_wrapper.so': 'libnss-wrapper',
}

/** Why there is no winbind here; `false` when there can be one. */
export const cannotJudgeNtlm: string | false =
  whyMissing(winbindNeeds) || (isRoot ? false : 'winbind runs as root only')

/** The user's number; nobody on this machine has it, nss_wrapper invents it. */
const UID = 61_001

/** A winbind in a process of its own; it and its folder are gone when it is disposed. */
export class Winbind implements AsyncDisposable {
  readonly #folder: string
  readonly #daemon: Daemon

  private constructor(folder: string, daemon: Daemon) {
    this.#folder = folder
    this.#daemon = daemon
  }

  static async start(): Promise<Winbind> {
    const folder = makeFolder('winbind')
    try {
      configure(folder)
      const args = ['-F', '--no-process-group', '-s', join(folder, 'smb.conf'), '-l', folder]
      const privileged = join(folder, 'state', 'winbindd_privileged')
      const command = { program: 'winbindd', args, env: surroundings(folder) }
      const serves = (): boolean => existsSync(join(privileged, 'pipe'))
      const daemon = await Daemon.start(command, serves)
      // Squid's helpers, which are nobody, are to judge answers to challenges of their own.
      chownSync(privileged, 0, NOBODY)
      return new Winbind(folder, daemon)
    } catch (error) {
      removeFolder(folder)
      throw error
    }
  }

  /** A script that is Samba's `ntlm_auth` for this winbind, and takes its arguments. @returns its path */
  get helper(): string {
    return join(this.#folder, 'ntlm_auth.sh')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    removeFolder(this.#folder)
  }
}

function surroundings(folder: string): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: 'libnss_wrapper.so',
    NSS_WRAPPER_PASSWD: join(folder, 'passwd'),
    NSS_WRAPPER_GROUP: join(folder, 'group'),
    SELFTEST_WINBINDD_SOCKET_DIR: join(folder, 'sockets'),
  }
}

function configure(folder: string): void {
  for (const name of ['private', 'lock', 'state', 'cache', 'run', 'rpc', 'sockets']) {
    mkdirSync(join(folder, name))
    chmodSync(join(folder, name), 0o755)
  }
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  write('smb.conf', smbConf(folder))
  write('private/smbpasswd', sambaUser(UID))
  chmodSync(join(folder, 'private', 'smbpasswd'), 0o600)
  write('passwd', passwdOf('root', 0) + passwdOf('nobody', NOBODY) + passwdOf(USER, UID))
  write('group', `root:x:0:\nnogroup:x:${NOBODY}:\n${USER}:x:${UID}:\n`)
  const variables = Object.entries(surroundings(folder)).map(([name, value]) => `${name}=${value}`)
  const samba = `--configfile=${join(folder, 'smb.conf')} --domain=${NTLM_DOMAIN}`
  write('ntlm_auth.sh', `#!/bin/sh\nexec env ${variables.join(' ')} ntlm_auth ${samba} "$@"\n`)
  chmodSync(join(folder, 'ntlm_auth.sh'), 0o755)
}

function passwdOf(name: string, uid: number): string {
  return `${name}:x:${uid}:${uid}::/nonexistent:/usr/sbin/nologin\n`
}

function smbConf(folder: string): string {
  return `[global]
  server role = standalone server
  workgroup = LULLGROUP
  netbios name = ${NTLM_DOMAIN}
  interfaces = lo
  bind interfaces only = yes
  disable netbios = yes
  private dir = ${folder}/private
  lock directory = ${folder}/lock
  state directory = ${folder}/state
  cache directory = ${folder}/cache
  pid directory = ${folder}/run
  ncalrpc dir = ${folder}/rpc
  winbindd socket directory = ${folder}/sockets
  log file = ${folder}/log.%m
  passdb backend = smbpasswd:${folder}/private/smbpasswd
  rpc start on demand helpers = no
  ntlm auth = ntlmv2-only
`
}
