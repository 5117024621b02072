/**
 * The thread of one script. It stands still while the script waits for a name; that is what it is for. It begins before
 * there is a script, while that is still on its way.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../base/error.ts'
import {
  AnswerReader,
  type FromThread,
  type Outcome,
  type Question,
  type ThreadOrder,
  type ThreadStart,
} from './conversation.ts'
import { compileEngine, type EngineModule } from './engine.ts'
import { VirtualMachine } from './virtual-machine.ts'

assert(parentPort !== null, 'the program of a script runs in a thread')
const port = parentPort
// Made by our own side of the same version.
const { limits, answers, engine: compiled } = workerData as ThreadStart
const engine = compiled ?? (await compile())
const reader = new AnswerReader(answers)
let tickets = 0
let machine = await start()
let text = ''
let loaded: Outcome = { ok: false, fault: 'invalid', reason: 'there is none', said: '' }
// Orders come one at a time: the next when the one before has its outcome.
port.on('message', (order: ThreadOrder) => {
  void answer(order).then((outcome) => tell({ kind: 'outcome', outcome }))
})

async function answer(order: ThreadOrder): Promise<Outcome> {
  if (machine.isSpoilt) {
    machine.dispose()
    machine = await start()
    loaded = machine.load(text)
  }
  if (order.kind === 'call') return loaded.ok ? machine.call(order.call) : loaded
  text = order.text
  loaded = machine.load(text)
  return loaded
}

/** As the first thread of this process. */
async function compile(): Promise<EngineModule> {
  const compiledHere = await compileEngine()
  tell({ kind: 'engine', engine: compiledHere })
  return compiledHere
}

function start(): Promise<VirtualMachine> {
  return VirtualMachine.create({ engine, limits, ask })
}

function ask(question: Question, timeoutMs: number): string {
  const ticket = ++tickets
  tell({ kind: 'question', ticket, question })
  return reader.wait(ticket, timeoutMs) ?? ''
}

function tell(message: FromThread): void {
  port.postMessage(message)
}
