import { isBigInteger } from '../core/json.ts'
import type { ExpressionSetting } from './setting.ts'
import { isDate, nameOf, printDate, textOf } from './values.ts'

/** UTF-16 units in the expression's text. */
export interface Extent {
  readonly offset: number
  readonly length: number
}

/** What goes wrong in an evaluation, before it becomes a failure with its place in the file. */
export class Flaw extends Error {
  readonly hint: string | undefined
  readonly extent: Extent

  constructor(message: string, hint: string | undefined, extent: Extent) {
    super(message)
    this.hint = hint
    this.extent = extent
  }
}

/** By the first word of what is expected. */
const IN_PLACE_OF_NULL: Readonly<Record<string, string>> = { text: '""', number: '0', list: '[]', map: '{}' }

/** One call or operator of an expression: checks what it is given and says what is wrong with it, and where. */
export class Site {
  /** As shown: `upper`, `+`. */
  readonly name: string
  readonly setting: ExpressionSetting
  readonly own: Extent
  private readonly operands: readonly Extent[]
  private readonly parameters: readonly string[]
  /** Notes a warning about the text; only while it is compiled. */
  readonly warn: (message: string, hint: string, operand: number) => void

  constructor(
    name: string,
    setting: ExpressionSetting,
    own: Extent,
    operands: readonly Extent[],
    parameters: readonly string[],
    warn: (message: string, hint: string, extent: Extent) => void,
  ) {
    this.name = name
    this.setting = setting
    this.own = own
    this.operands = operands
    this.parameters = parameters
    this.warn = (message, hint, operand) => warn(message, hint, operands[operand] ?? own)
  }

  /** @param operand number of the operand that is wrong; the whole call when left out */
  fail(message: string, hint?: string, operand?: number): never {
    throw new Flaw(message, hint, (operand === undefined ? undefined : this.operands[operand]) ?? this.own)
  }

  /** @param expected `text`, `number`, `list`, ...: with an article when shown */
  unfit(expected: string, value: unknown, operand: number, hint?: string): never {
    const parameter = this.parameters[operand]
    const as =
      parameter === '.'
        ? ' before the dot'
        : this.parameters.length > 1 && parameter
          ? ` as "${parameter}"`
          : ''
    const substitute = IN_PLACE_OF_NULL[/^\w+/.exec(expected)![0]]
    this.fail(
      `"${this.name}" takes a ${expected}${as}, not ${nameOf(value)}`,
      value === null && substitute !== undefined
        ? `coalesce(x, ${substitute}) stands in for what is missing.`
        : hint,
      operand,
    )
  }

  text(value: unknown, operand: number): string {
    return typeof value === 'string'
      ? value
      : this.unfit('text', value, operand, 'string(x) makes text of a value.')
  }

  number(value: unknown, operand: number): number {
    if (typeof value === 'number') return value
    if (isBigInteger(value)) return this.tooBig(operand)
    return this.unfit('number', value, operand, 'number(x) makes a number of a text.')
  }

  list(value: unknown, operand: number): readonly unknown[] {
    return Array.isArray(value) ? value : this.unfit('list', value, operand)
  }

  tooBig(operand?: number): never {
    return this.fail(
      `"${this.name}" cannot calculate with an integer beyond 2^53`,
      'Such an integer stays exact as long as it is only passed on or written into text: string(x).',
      operand,
    )
  }

  /** The text, if it is not longer than a body may be. */
  bounded(text: string): string {
    const { bodyLimit } = this.setting
    if (text.length * 3 > bodyLimit && Buffer.byteLength(text) > bodyLimit) this.tooLong()
    return text
  }

  tooLong(): never {
    return this.fail(
      `"${this.name}" would make a text of more than ${this.setting.bodyLimit} bytes`,
      'The limit is limits.body.',
    )
  }

  /** A number that JSON can write. */
  finite(value: number): number {
    return Number.isFinite(value)
      ? value
      : this.fail(`the result of "${this.name}" is too large for a number`)
  }

  /** A value as it stands in a text. */
  textOf(value: unknown, operand: number): string {
    try {
      return (
        textOf(value) ??
        this.fail(
          'bytes cannot be written into a text',
          'base64.encode(x) makes text of bytes. A body is bytes when its content type is neither JSON nor text.',
          operand,
        )
      )
    } catch (error) {
      if (error instanceof SyntaxError) this.fail(`the value is ${error.message}`, undefined, operand)
      throw error
    }
  }

  /** A value as it may stand in a list or map: JSON. */
  storable(value: unknown, operand: number): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (isDate(value)) return printDate(value)
    if (value instanceof Uint8Array) {
      this.fail('bytes cannot stand in a list or map', 'base64.encode(x) makes text of bytes.', operand)
    }
    return value
  }
}
