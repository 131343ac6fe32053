import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { test } from 'node:test'
import { terminalOf } from '../src/terminal.ts'
import { settle } from './support/clock.ts'

function setUp({ input = true, output = true, kind = 'xterm' } = {}) {
  const modes: boolean[] = []
  const stdin = Object.assign(new PassThrough(), {
    isTTY: input,
    setRawMode: (on: boolean) => modes.push(on),
  })
  const stdout = Object.assign(new EventEmitter(), { isTTY: output, columns: 80, rows: 24 })
  const sent: [number, string][] = []
  const process = Object.assign(new EventEmitter(), {
    pid: 7,
    kill: (pid: number, signal: string) => sent.push([pid, signal]),
  })
  const terminal = terminalOf(
    stdin as unknown as ReadStream,
    stdout as unknown as WriteStream,
    process,
    () => {},
    kind,
  )
  return { terminal, stdin, process, modes, sent }
}

test('keys come one by one, sequences whole, until they are let go; then the terminal is as it was', async () => {
  const { terminal, stdin, modes } = setUp()
  const pressed: string[] = []
  const release = terminal!.takeKeys!({ pressed: (key) => pressed.push(key), left() {}, back() {} })
  stdin.write('rä\x1b[A\x1bOB\x1b')
  await settle()
  assert.deepEqual(pressed, ['r', 'ä', '\x1b[A', '\x1bOB', '\x1b'])
  release()
  assert.deepEqual(modes, [true, false])
  stdin.write('x')
  await settle()
  assert.equal(pressed.length, 5)
})

test('before the process is stopped the terminal is as it was; when it goes on, keys come again, once', async () => {
  const { terminal, stdin, process, modes, sent } = setUp()
  const told: string[] = []
  const release = terminal!.takeKeys!({
    pressed: (key) => told.push(key),
    left: () => told.push('left'),
    back: () => told.push('back'),
  })
  terminal!.suspend()
  process.emit('SIGTSTP')
  assert.deepEqual(modes, [true, false])
  assert.deepEqual(sent, [
    [0, 'SIGTSTP'],
    [7, 'SIGSTOP'],
  ])
  process.emit('SIGCONT')
  process.emit('SIGCONT')
  stdin.write('x')
  await settle()
  assert.deepEqual(told, ['left', 'back', 'back', 'x'])
  release()
  assert.equal(process.listenerCount('SIGTSTP') + process.listenerCount('SIGCONT'), 0)
  assert.equal(modes.at(-1), false)
})

test('there is none where standard output is no terminal, or one that cannot draw; no keys without an input', () => {
  assert.equal(setUp({ output: false }).terminal, undefined)
  assert.equal(setUp({ kind: 'dumb' }).terminal, undefined)
  assert.equal(setUp({ input: false }).terminal!.takeKeys, undefined)
})
