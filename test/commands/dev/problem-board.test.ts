import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemBoard } from '../../../src/commands/dev/problem-board.ts'
import type { Problem } from '../../../src/core/problem.ts'

const problem = (file: string, message: string, line = 1): Problem => ({
  code: 'key/unknown',
  severity: 'error',
  message,
  file,
  line,
  column: 1,
})

test('a problem is told once, also where it moves to another line', () => {
  const board = new ProblemBoard()
  assert.deepEqual(board.take('flows', [problem('a', 'one')]).added.length, 1)
  assert.deepEqual(board.take('flows', [problem('a', 'one')]), { added: [], mended: [] })
  assert.deepEqual(board.take('flows', [problem('a', 'one', 7)]), { added: [], mended: [] })
  assert.equal(board.current[0]!.line, 7)
})

test('a second mistake of the same words is another problem', () => {
  const board = new ProblemBoard()
  board.take('flows', [problem('a', 'one')])
  const { added } = board.take('flows', [problem('a', 'one'), problem('a', 'one', 9)])
  assert.deepEqual(
    added.map(({ line }) => line),
    [9],
  )
})

test('what is gone is mended, with how many are left; one in the place of another is not', () => {
  const board = new ProblemBoard()
  board.take('flows', [problem('a', 'one'), problem('a', 'two'), problem('b', 'one')])
  assert.deepEqual(board.take('flows', [problem('a', 'two')]).mended, [
    { file: 'a', gone: 1, left: 1 },
    { file: 'b', gone: 1, left: 0 },
  ])
  assert.deepEqual(board.take('flows', [problem('a', 'three')]).mended, [])
})

test('those from elsewhere stay, and what two tell is one', () => {
  const board = new ProblemBoard()
  board.take('flows', [problem('a', 'one')])
  board.take('credentials', [problem('c', 'one'), problem('a', 'one')])
  assert.deepEqual(
    board.current.map(({ file }) => file),
    ['a', 'c'],
  )
  board.take('flows', [])
  assert.equal(board.current.length, 2)
})
