import type { Terminal } from '../../terminal.ts'
import { shorten } from '../plain-text.ts'

/** Lines that stay, one below the other, and on a terminal a few below them that are drawn again and again. */
export class Screen {
  readonly #write: (text: string) => void
  readonly #terminal: Pick<Terminal, 'columns' | 'rows'> | undefined
  readonly #tone: (line: string) => string
  #live: readonly string[] = []
  /** Lengths of the lines that are drawn. */
  #drawn: readonly number[] = []
  #held = false
  #closed = false

  /** @param terminal undefined: only lines that stay @param tone paints a line that is drawn again */
  constructor(
    write: (text: string) => void,
    terminal: Pick<Terminal, 'columns' | 'rows'> | undefined,
    tone: (line: string) => string,
  ) {
    this.#write = write
    this.#terminal = terminal
    this.#tone = tone
  }

  get isLive(): boolean {
    return this.#terminal !== undefined
  }

  get columns(): number {
    return this.#terminal?.columns() ?? 200
  }

  /** Whole lines that stay. */
  print(text: string): void {
    if (text === '' || this.#closed) return
    this.#write(`${this.#erased()}${text.endsWith('\n') ? text : `${text}\n`}${this.#redrawn()}`)
  }

  /** These are the lines below from now on; without colours. */
  show(lines: readonly string[]): void {
    if (lines.length === this.#live.length && lines.every((line, i) => line === this.#live[i])) return
    this.#live = lines
    this.draw()
  }

  /** As after a change of the terminal's size. */
  draw(): void {
    const text = `${this.#erased()}${this.#redrawn()}`
    if (text !== '') this.#write(text)
  }

  /** Nothing is drawn until `draw` is called for: others use the terminal. */
  hold(on: boolean): void {
    const erased = this.#erased()
    if (erased !== '') this.#write(erased)
    this.#held = on
    if (!on) this.draw()
  }

  /** Nobody looks any more. */
  close(): void {
    this.#closed = true
    this.#drawn = []
  }

  #erased(): string {
    if (this.#drawn.length === 0) return ''
    // A terminal that has become narrower has broken the lines.
    const { columns } = this
    const rows = this.#drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columns)), 0)
    this.#drawn = []
    return `\r${rows > 1 ? `\x1b[${rows - 1}A` : ''}\x1b[J`
  }

  #redrawn(): string {
    if (!this.#terminal || this.#held || this.#closed) return ''
    const room = Math.max(1, this.#terminal.rows() - 2)
    const lines = this.#live.slice(-room).map((line) => shorten(line, this.columns - 1))
    this.#drawn = lines.map(({ length }) => length)
    return lines.map(this.#tone).join('\n')
  }
}
