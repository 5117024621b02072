/** The thread of one script. It stands still while the script waits for a name; that is what it is for. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../base/error.ts'
import {
  AnswerReader,
  type CallOrder,
  type FromThread,
  type Outcome,
  type Question,
  type ThreadStart,
} from './conversation.ts'
import { VirtualMachine } from './virtual-machine.ts'

assert(parentPort !== null, 'the program of a script runs in a thread')
const port = parentPort
// Made by our own side of the same version.
const { text, limits, answers } = workerData as ThreadStart
const engine = readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'))
const reader = new AnswerReader(answers)
let tickets = 0
let machine = await start()
let loaded = machine.load(text)
tell({ kind: 'outcome', outcome: loaded })
// Orders come one at a time: the next when the one before has its outcome.
port.on('message', (order: CallOrder) => {
  void answer(order).then((outcome) => tell({ kind: 'outcome', outcome }))
})

async function answer(order: CallOrder): Promise<Outcome> {
  if (machine.isSpoilt) {
    machine.dispose()
    machine = await start()
    loaded = machine.load(text)
  }
  return loaded.ok ? machine.call(order) : loaded
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
