import { oneLine } from '../plain-text.ts'

export interface Option {
  readonly name: string
  /** A few words beside it. */
  readonly about: string
}

/** Options that are shown at once; each has a number of one digit. */
const SHOWN = 9
const UP = '\x1b[A'
const DOWN = '\x1b[B'

/** One of several is picked by its number, with the arrows, or by typing a part of its name. */
export class Choice {
  readonly #options: readonly Option[]
  readonly #question: string
  #typed = ''
  #at: number

  /** @param preferred is picked with Enter alone */
  constructor(question: string, options: readonly Option[], preferred?: string) {
    this.#question = question
    const first = options.filter(({ name }) => name === preferred)
    this.#options = [...first, ...options.filter(({ name }) => name !== preferred)]
    this.#at = 0
  }

  /** The name that was picked, `null` where none is wanted; undefined: it goes on. */
  press(key: string): string | null | undefined {
    const matches = this.#matches()
    if (key === '\x1b') return null
    if (key === '\r' || key === '\n') return matches[this.#at]?.name
    if (/^[1-9]$/.test(key) && this.#typed === '' && matches.length >= Number(key))
      return matches[Number(key) - 1]!.name
    if (key === UP) this.#at = Math.max(0, this.#at - 1)
    else if (key === DOWN) this.#at = Math.min(Math.max(0, Math.min(matches.length, SHOWN) - 1), this.#at + 1)
    else if (key === '\x7f' || key === '\b') this.#type(this.#typed.slice(0, -1))
    else if (/^[^\0-\x1f\x7f-\x9f]$/u.test(key)) this.#type(this.#typed + key)
    return undefined
  }

  lines(): string[] {
    const matches = this.#matches()
    const width = Math.max(...matches.map(({ name }) => name.length), 0)
    const more = matches.length - SHOWN
    return [
      `${this.#question} A number, or type and Enter; Esc: none.`,
      ...matches
        .slice(0, SHOWN)
        .map(
          ({ name, about }, i) =>
            `${i === this.#at ? '>' : ' '} ${i + 1}  ${oneLine(name).padEnd(width)}  ${oneLine(about)}`,
        ),
      ...(more > 0 ? [`     … and ${more} more`] : []),
      ...(matches.length === 0 ? [`     none is called like that`] : []),
      `: ${this.#typed}`,
    ]
  }

  #type(text: string): void {
    this.#typed = text
    this.#at = 0
  }

  /** Those whose name begins with what was typed come first. */
  #matches(): readonly Option[] {
    const wanted = this.#typed.toLowerCase()
    const found = this.#options.filter(({ name }) => name.toLowerCase().includes(wanted))
    if (wanted === '') return found
    const begins = ({ name }: Option): boolean => name.toLowerCase().startsWith(wanted)
    return [...found.filter(begins), ...found.filter((option) => !begins(option))]
  }
}
