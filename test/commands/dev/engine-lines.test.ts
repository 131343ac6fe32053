import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printEngineLine } from '../../../src/commands/dev/engine-lines.ts'

const at = new Date(2026, 10, 21, 12, 0, 5).getTime()
const line = (entry: object) => `${JSON.stringify({ level: 40, time: at, ...entry })}\n`

test('a line of the log has its time, a mark for its level, its text, further fields and a hint', () => {
  assert.equal(
    printEngineLine(line({ msg: 'the disk is slow', records: 3, flow: 'a', hint: 'Look.' }), {
      color: false,
      columns: 80,
    }),
    '12:00:05 ! the disk is slow  records=3\n           Look.\n',
  )
  assert.match(printEngineLine(line({ level: 50, msg: 'no' }), { color: false, columns: 80 }), /✗ no\n$/)
  assert.match(printEngineLine(line({ level: 30, msg: 'yes' }), { color: false, columns: 80 }), /· yes\n$/)
})

test('an error is shown with its stack', () => {
  const text = printEngineLine(line({ level: 50, msg: 'a fault', err: { stack: 'Error: x\n    at y' } }), {
    color: false,
    columns: 80,
  })
  assert.equal(text, '12:00:05 ✗ a fault\n           Error: x\n               at y\n')
})

test('what is no line of the log stays as it is; control characters do not reach the terminal', () => {
  assert.equal(printEngineLine('plain\n', { color: false, columns: 80 }), 'plain\n')
  assert.equal(printEngineLine('[1]\n', { color: false, columns: 80 }), '[1]\n')
  assert.doesNotMatch(
    printEngineLine(line({ msg: 'a\x1b[2J', x: 'b\x07' }), { color: true, columns: 80 }),
    /\x1b\[2J|\x07/,
  )
})

test('what is longer than the terminal goes on below', () => {
  const text = printEngineLine(
    line({ msg: 'one two three four five six seven eight', a: 'b'.repeat(20), hint: 'do '.repeat(30) }),
    { color: false, columns: 60 },
  )
  assert.equal(text.split('\n')[1], `           a=${'b'.repeat(20)}`)
  for (const shown of text.split('\n')) assert.ok(shown.length <= 60, shown)
})
