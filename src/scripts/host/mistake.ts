import type { ScriptMistake, ScriptMistakeCode } from '../../core/services.ts'

/** A mistake in a script: offset and length are in its text. */
export class Mistake extends Error {
  readonly offset: number
  readonly length: number
  private readonly code: ScriptMistakeCode
  private readonly hint: string | undefined

  constructor(
    message: string,
    offset: number,
    length: number,
    { code = 'script/mistake', hint }: { code?: ScriptMistakeCode; hint?: string | undefined } = {},
  ) {
    super(message)
    this.offset = offset
    this.length = length
    this.code = code
    this.hint = hint
  }

  /** @param text of the script */
  data(text: string): ScriptMistake {
    const { code, message, offset, length } = this
    const hint = this.hint ?? usualHint(message, text, offset)
    return { code, message, ...(hint === undefined ? {} : { hint }), offset, length }
  }
}

/** What to do about a mistake in the language itself, where its message leaves that open. */
function usualHint(message: string, text: string, offset: number): string | undefined {
  if (/[“”„‘’]/.test(text[offset] ?? '')) return 'Write straight quotes: " or \'.'
  if (/^Unexpected end of input|got '<eof>'$/.test(message))
    return 'A bracket or brace that was opened is not closed.'
  if (/^(Invalid or unexpected token|Unterminated string)/.test(message) && /["']/.test(text[offset] ?? ''))
    return 'Close the text with the quote that opens it, on the same line; a text of several lines stands in backquotes (`).'
  if (/has already been declared$/.test(message))
    return 'Choose another name; or leave out `const` or `let` to set the one that is there.'
  return undefined
}
