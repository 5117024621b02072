/** Takes in what carriers report: bytes that are durable, failures, ends of turns. */

import { failure, isFailure, type Failure } from '../job/failure.ts'
import type { Job, JobFile, Owner } from '../job/job.ts'
import { isActive, isFinal } from '../job/moves.ts'
import { eased, isTooMuch, tightened } from '../job/restraint.ts'
import { logChallenge } from './challenge-log.ts'
import type { Core } from './core.ts'
import type { Examinations } from './examinations.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { FileProgress, Report } from './order.ts'
import { retally, withoutBytes, withProgress, withTally } from './progress.ts'
import { FILES_PER_ORDER, type Turn } from './turn.ts'

type ReportOf<Kind extends Report['kind']> = Extract<Report, { kind: Kind }>

/** Turns reports into changes of jobs. */
export class Intake {
  readonly #core: Core
  readonly #housekeeping: Housekeeping
  readonly #examinations: Examinations

  constructor(core: Core, housekeeping: Housekeeping, examinations: Examinations) {
    this.#core = core
    this.#housekeeping = housekeeping
    this.#examinations = examinations
  }

  /** Many reports, one commit. */
  take(reports: readonly Report[]): void {
    const lasting = reports.filter((report) => report.kind !== 'moved')
    if (lasting.length > 0)
      this.#core.commit(() => lasting.forEach((report) => this.#takeOne(report)))
    for (const report of reports) if (report.kind === 'moved') this.#moved(report)
  }

  /** The carrier of an owner is gone: what it had in hand is void. */
  lost(owner: Owner, reason: string): void {
    this.#core.world.log.write('error', 'A carrier ended unexpectedly', {
      owner: owner.name,
      reason,
    })
    const gone = [...this.#core.turns.values()].filter((turn) => turn.owner.id === owner.id)
    this.#core.commit(() => {
      for (const turn of gone) {
        const sentence = `The carrier of the transfer ended unexpectedly: ${reason}`
        this.#end(
          turn,
          failure('E_UNEXPECTED', 'GENERAL_QUEUE_MANAGER', sentence, { severity: 'transient' }),
        )
      }
      this.#core.afterwards(() => this.#housekeeping.carrierLost(owner))
      this.#core.afterwards(() => this.#examinations.lost())
    })
  }

  #takeOne(report: Exclude<Report, { kind: 'moved' }>): void {
    switch (report.kind) {
      case 'connected':
        return this.#connected(report)
      case 'checkpoint':
        return this.#checkpoint(report)
      case 'changed':
        return this.#changed(report)
      case 'readable':
        return this.#readable(report)
      case 'failed':
        return this.#failed(report)
      case 'stopped':
        return this.#stopped(report)
      case 'renamed':
        return this.#housekeeping.renamed(report)
      case 'discarded':
        return this.#housekeeping.discarded(report)
      case 'examined':
        return this.#examinations.examined(report)
      default:
        return report satisfies never
    }
  }

  /** The turn a report is about, if it is the one that counts. */
  #turnOf({
    job,
    turn: number,
  }: {
    readonly job: string
    readonly turn: number
  }): Turn | undefined {
    const turn = this.#core.turns.get(job)
    return turn?.number === number ? turn : undefined
  }

  #connected(report: ReportOf<'connected'>): void {
    const turn = this.#turnOf(report)
    const job = this.#core.store.find(report.job)
    if (turn === undefined || turn.stopping || job?.state.kind !== 'connecting') return
    this.#core.apply(job, { kind: 'connect' })
  }

  /** Nothing of the job changes (A183). */
  #readable({ job, target, peer, scheme }: ReportOf<'readable'>): void {
    this.#core.world.log.write('warn', 'A password goes out as everybody on the way can read it', {
      job,
      target,
      peer,
      scheme,
      remedy: target === 'server' ? 'ask over https' : 'speak to the proxy over TLS',
    })
  }

  #moved(report: ReportOf<'moved'>): void {
    const turn = this.#turnOf(report)
    if (turn === undefined) return
    turn.bytesMoved = report.bytes
    const job = this.#core.store.find(report.job)
    if (job !== undefined) this.#core.publisher.publish({ kind: 'progress', job })
  }

  #checkpoint(report: ReportOf<'checkpoint'>): void {
    const turn = this.#turnOf(report)
    const job = this.#core.store.find(report.job)
    if (turn === undefined || job === undefined) return
    const changed: JobFile[] = []
    let tally = job.tally
    for (const progress of report.files) {
      const before = turn.inHand.get(progress.ordinal)
      if (before === undefined) continue
      const after = withProgress(before, progress)
      changed.push(after)
      tally = retally(tally, before, after)
      this.#remember(turn, after, progress)
    }
    this.#core.store.saveFiles(job.id, changed)
    const next = { ...withTally(job, tally), modified: this.#core.clock.now() }
    this.#core.save(next)
    this.#refill(turn, next)
  }

  #remember(turn: Turn, file: JobFile, { transferred }: FileProgress): void {
    if (transferred) turn.inHand.delete(file.ordinal)
    else turn.inHand.set(file.ordinal, file)
  }

  #refill(turn: Turn, job: Job): void {
    if (!turn.wantsFiles) return
    const { store, settings } = this.#core
    const files = store.files(job.id, {
      kinds: ['missing'],
      from: turn.next,
      limit: FILES_PER_ORDER,
    })
    if (files.length > 0) {
      const logins = this.#core.secrets.openLogins(job, files)
      if (isFailure(logins)) {
        this.#core.stopTurn(job.id)
        this.#core.apply(job, { kind: 'fail', failure: logins })
        return
      }
      this.#core.send(turn.owner, turn.order(job, { files, logins }, settings))
    }
    if (files.length < FILES_PER_ORDER) {
      turn.exhausted = true
      this.#core.send(turn.owner, { kind: 'last', job: job.id, turn: turn.number })
    }
  }

  /** Forgets the bytes of the older version first; only then may the carrier write over them. */
  #changed(report: ReportOf<'changed'>): void {
    const turn = this.#turnOf(report)
    const job = this.#core.store.find(report.job)
    const before = turn?.inHand.get(report.ordinal)
    if (turn === undefined || job === undefined || before === undefined) return
    this.#core.world.log.write('info', 'A file starts again from zero', {
      job: job.id,
      file: report.ordinal,
      reason: report.reason,
    })
    const after = withoutBytes(before, report.tagOnly)
    turn.inHand.set(report.ordinal, after)
    this.#core.store.saveFiles(job.id, [after])
    this.#core.save(withTally(job, retally(job.tally, before, after)))
    const { job: id, turn: number, ordinal } = report
    this.#core.send(turn.owner, { kind: 'restart', job: id, turn: number, ordinal })
  }

  #failed(report: ReportOf<'failed'>): void {
    const turn = this.#turnOf(report)
    if (turn !== undefined) this.#end(turn, report.failure)
  }

  #stopped(report: ReportOf<'stopped'>): void {
    const turn = this.#turnOf(report)
    if (turn !== undefined) this.#end(turn)
  }

  /** A turn is over: by failure, by stopping, or because every file is there. */
  #end(turn: Turn, reason?: Failure): void {
    const core = this.#core
    core.turns.delete(turn.job)
    const job = core.store.find(turn.job)
    if (job === undefined) return
    this.#restrain(job, turn, reason)
    if (isActive(job.state.kind) && !turn.stopping) this.#conclude(job, turn, reason)
    else this.#housekeeping.advance(job)
  }

  /** Remembers how easy the next turn of a job has to go on its servers. */
  #restrain({ id, state, tally }: Job, turn: Turn, reason: Failure | undefined): void {
    const { restraints, clock } = this.#core
    const isRefused = reason !== undefined && isTooMuch(reason)
    if (turn.restraint === 0 && !isRefused) return
    const left = eased(turn.restraint, clock.monotonic() - turn.since)
    const next = isRefused ? tightened(left, tally.bytesTransferred > turn.bytesBefore) : left
    this.#core.afterwards(() => {
      if (next === 0 || isFinal(state.kind)) restraints.delete(id)
      else restraints.set(id, next)
    })
  }

  #conclude(job: Job, turn: Turn, reason: Failure | undefined): void {
    const core = this.#core
    const activeMs = job.activeMs + (core.clock.monotonic() - turn.since)
    if (reason === undefined) {
      if (turn.inHand.size > 0) {
        const sentence = `The carrier left ${turn.inHand.size} files without a word`
        const unfinished = failure('E_UNEXPECTED', 'UNKNOWN', sentence, { severity: 'transient' })
        return this.#conclude(job, turn, unfinished)
      }
      if (job.tally.filesTransferred !== job.tally.filesTotal) {
        // Files came while the carrier was told that there are no more: the next turn takes them.
        core.apply({ ...job, activeMs }, { kind: 'yield', turn: job.turn })
        return
      }
      this.#housekeeping.advance(core.apply({ ...job, activeMs }, { kind: 'finish' }))
      return
    }
    const meant = core.network.interpret(job, turn.since, reason)
    core.world.log.write('info', 'A job could not go on', {
      job: job.id,
      symbol: meant.symbol,
      severity: meant.severity,
      sentence: meant.sentence,
    })
    logChallenge(core, job, meant)
    if (meant.severity === 'fatal') {
      core.apply({ ...job, activeMs }, { kind: 'fail', failure: meant })
      return
    }
    const spent = core.spendPatience({ ...job, activeMs })
    const jitter = core.world.random.fraction()
    core.apply(spent, { kind: 'lose', failure: meant, jitter })
  }
}
