import { forBraces } from '../core/braces.ts'
import type { ExpressionMistake } from './setting.ts'

/** Text as it stands, or what stands between `${` and `}`, with where that begins. */
export type ScannedPart =
  | { readonly text: string }
  | { readonly expression: string; readonly offset: number; readonly length: number }

export interface ScannedTemplate {
  readonly parts: readonly ScannedPart[]
  readonly mistakes: readonly ExpressionMistake[]
}

const NEXT_OPENING = /\$\$\{|\$\{|\{\{\s*[A-Za-z_][\w.-]*\s*\}\}/g

/** Takes a text with `${}` apart. `$${` is a literal `${`. */
export function parseTemplate(text: string): ScannedTemplate {
  const parts: ScannedPart[] = []
  const mistakes: ExpressionMistake[] = []
  let pending = ''
  let done = 0
  while (done < text.length) {
    NEXT_OPENING.lastIndex = done
    const opening = NEXT_OPENING.exec(text)
    if (!opening) break
    const [found] = opening
    const at = opening.index
    pending += text.slice(done, at)
    done = at + found.length
    if (found === '$${') pending += '${'
    else if (found !== '${') {
      mistakes.push(mustache(found, at))
      pending += found
    } else {
      const end = endOfExpression(text, done)
      if (typeof end !== 'number') {
        mistakes.push(end.quote === undefined ? unclosed(text, at) : unclosedQuote(text, end.quote))
        return { parts, mistakes }
      }
      if (pending !== '') parts.push({ text: pending })
      pending = ''
      parts.push({ expression: text.slice(done, end), offset: done, length: end - done })
      done = end + 1
    }
  }
  pending += text.slice(done)
  if (pending !== '') parts.push({ text: pending })
  return { parts, mistakes }
}

/** The offset of the closing brace; a text that is not closed, or nothing, hides it. */
function endOfExpression(text: string, start: number): number | { readonly quote?: number } {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const c = text[i]!
    if (c === '{') depth++
    else if (c === '}') {
      if (depth-- === 0) return i
    } else if (c === '"' || c === "'") {
      const end = endOfQuote(text, i, c)
      if (end === undefined) return { quote: i }
      i = end
    } else if (c === '/' && text[i + 1] === '/') {
      const end = text.indexOf('\n', i)
      if (end < 0) return {}
      i = end
    }
  }
  return {}
}

/** The offset of the last quote of a text that begins at `start`. */
export function endOfQuote(text: string, start: number, quote: string): number | undefined {
  const fence = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote
  for (let i = start + fence.length; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text.startsWith(fence, i)) return i + fence.length - 1
    else if (fence.length === 1 && (text[i] === '\n' || text[i] === '\r')) return undefined
  }
  return undefined
}

function unclosed(text: string, at: number): ExpressionMistake {
  const line = text.slice(at).split('\n', 1)[0]!
  return {
    code: 'expression/unterminated',
    severity: 'error',
    message: '"${" has no "}"',
    hint: /\/\/[^\n]*\}/.test(line)
      ? 'What follows "//" is a comment up to the end of the line, the "}" included.'
      : 'Close it; a literal "${" is written "$${".',
    offset: at,
    length: 2,
  }
}

function unclosedQuote(text: string, at: number): ExpressionMistake {
  return {
    code: 'expression/syntax',
    severity: 'error',
    message: 'the text that begins here has no closing quote',
    hint: text.includes('\n', at)
      ? 'A text in quotes ends on its line; write \\n for a line end in it.'
      : `Close it with ${text[at]}.`,
    offset: at,
    length: 1,
  }
}

function mustache(found: string, offset: number): ExpressionMistake {
  const name = found.slice(2, -2).trim()
  return {
    code: 'value/braces',
    severity: 'error',
    message: `"${found}" is not replaced by anything`,
    hint: `Write \${${forBraces(name)}}; the literal text is \${"${found}"}.`,
    offset,
    length: found.length,
  }
}
