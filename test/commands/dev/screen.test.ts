import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Screen } from '../../../src/commands/dev/screen.ts'

/** A terminal that knows the sequences that the screen uses. */
class Cells {
  columns = 20
  #lines = ['']
  #row = 0
  #column = 0

  readonly write = (text: string): void => {
    for (const [piece] of text.matchAll(/\x1b\[(\d*)[AJ]|[^]/gu)) {
      if (piece === '\r') this.#column = 0
      else if (piece === '\n') this.#down()
      else if (piece.endsWith('A') && piece.length > 1) this.#row -= Number(piece.slice(2, -1))
      else if (piece === '\x1b[J') {
        this.#lines.length = this.#row + 1
        this.#lines[this.#row] = this.#lines[this.#row]!.slice(0, this.#column)
      } else this.#put(piece)
    }
  }

  get text(): string {
    return this.#lines.join('\n')
  }

  narrow(columns: number): void {
    const text = this.text
    this.columns = columns
    this.#lines = ['']
    this.#row = 0
    this.#column = 0
    this.write(text)
  }

  #down(): void {
    this.#row++
    this.#column = 0
    this.#lines[this.#row] ??= ''
  }

  #put(piece: string): void {
    if (this.#column === this.columns) this.#down()
    const line = this.#lines[this.#row]!
    this.#lines[this.#row] =
      line.slice(0, this.#column).padEnd(this.#column) + piece + line.slice(this.#column + 1)
    this.#column++
  }
}

function setUp(live = true) {
  const cells = new Cells()
  const terminal = { columns: () => cells.columns, rows: () => 6 }
  return { cells, screen: new Screen(cells.write, live ? terminal : undefined, (line) => line) }
}

test('lines that stay go above the lines that are drawn again', () => {
  const { cells, screen } = setUp()
  screen.show(['going', 'status'])
  screen.print('one\n')
  screen.print('two')
  assert.equal(cells.text, 'one\ntwo\ngoing\nstatus')
  screen.show(['status'])
  assert.equal(cells.text, 'one\ntwo\nstatus')
  screen.show([])
  assert.equal(cells.text, 'one\ntwo\n')
})

test('a line that is drawn again is cut to the width, and no more are drawn than there is room for', () => {
  const { cells, screen } = setUp()
  screen.show(['a', 'b', 'c', 'd', 'x'.repeat(30)])
  assert.equal(cells.text, `b\nc\nd\n${'x'.repeat(18)}…`)
})

test('a terminal that has become narrower has broken the lines: they go all the same', () => {
  const { cells, screen } = setUp()
  screen.print('one\n')
  screen.show(['0123456789abcdef'])
  cells.narrow(10)
  assert.equal(cells.text, 'one\n0123456789\nabcdef')
  screen.print('two\n')
  assert.equal(cells.text, 'one\ntwo\n01234567…')
})

test('while it is held nothing is drawn, and afterwards all is there again', () => {
  const { cells, screen } = setUp()
  screen.show(['status'])
  screen.hold(true)
  assert.equal(cells.text, '')
  screen.show(['other'])
  assert.equal(cells.text, '')
  screen.hold(false)
  assert.equal(cells.text, 'other')
})

test('the same lines are not drawn twice', () => {
  const written: string[] = []
  const screen = new Screen(
    (text) => written.push(text),
    { columns: () => 80, rows: () => 24 },
    (line) => line,
  )
  screen.show(['status'])
  screen.show(['status'])
  assert.equal(written.length, 1)
})

test('where there is no terminal, only lines that stay are written, and nothing once it is closed', () => {
  const { cells, screen } = setUp(false)
  screen.show(['status'])
  screen.print('one\n')
  screen.close()
  screen.print('two\n')
  assert.equal(cells.text, 'one\n')
})
