import { Environment, ParseError, type ASTNode } from '@marcbachmann/cel-js'
import { endOfQuote } from './scan.ts'
import type { ExpressionMistake } from './setting.ts'

const environment = new Environment({ limits: { maxAstNodes: 20_000, maxDepth: 250 } })

/** Expression text as a tree, or its first syntax mistake. */
export function parseExpression(text: string): ASTNode | ExpressionMistake {
  if (/^(\s|\/\/[^\n]*(\n|$))*$/.test(text)) {
    return {
      code: 'expression/empty',
      severity: 'error',
      message: 'there is no expression',
      offset: 0,
      length: text.length,
    }
  }
  try {
    return environment.parse(text).ast
  } catch (error) {
    if (error instanceof ParseError) return mistakeOf(error, text)
    if (error instanceof RangeError)
      return syntaxMistake('the expression is nested too deeply', 0, text.length)
    throw error
  }
}

function syntaxMistake(message: string, offset: number, length: number, hint?: string): ExpressionMistake {
  return {
    code: 'expression/syntax',
    severity: 'error',
    message,
    ...(hint !== undefined && { hint }),
    offset,
    length,
  }
}

function mistakeOf(error: ParseError, text: string): ExpressionMistake {
  const { start, end } = error.range ?? { start: 0, end: text.length }
  const used = text.trimEnd().length
  const habit = HABITS.find(({ at }) => at(text, start))
  if (habit) return syntaxMistake(habit.message, start, Math.max(1, end - start), habit.hint)
  if (start >= used) return endsTooEarly(error, text, used)
  const found = `"${text.slice(start, Math.max(end, start + 1))}"`
  const describe = MESSAGES[error.code]
  const { message, hint } = describe
    ? describe(found)
    : { message: lowerFirst(error.summary), hint: undefined }
  return syntaxMistake(message, start, end - start, hint)
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

function endsTooEarly(error: ParseError, text: string, used: number): ExpressionMistake {
  const open = error.code === 'expected_token' ? lastOpenBracket(text) : undefined
  if (open === undefined) return syntaxMistake('the expression ends too early', used, 0)
  const bracket = text[open]!
  return syntaxMistake(`"${bracket}" has no "${CLOSING[bracket]}"`, open, 1)
}

/** Offset of the innermost bracket that is not closed. */
function lastOpenBracket(text: string): number | undefined {
  const open: number[] = []
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (c === '"' || c === "'") i = endOfQuote(text, i, c) ?? text.length
    else if (Object.hasOwn(CLOSING, c)) open.push(i)
    else if (c === ')' || c === ']' || c === '}') open.pop()
  }
  return open.at(-1)
}

const MESSAGES: Readonly<Record<string, (found: string) => { message: string; hint?: string }>> = {
  unexpected_character: (found) => ({ message: `${found} is not expected here` }),
  unexpected_token: (found) => ({ message: `a value is expected here, not ${found}` }),
  expected_token: (found) => ({ message: `${found} is not expected here` }),
  reserved_identifier: (found) => ({ message: `${found} is a reserved word` }),
  unterminated_string: () => ({ message: 'the text that begins here has no closing quote' }),
  unterminated_triple_quoted_string: () => ({ message: 'the text that begins here has no closing quotes' }),
  newline_in_string: () => ({
    message: 'a text in quotes ends on its line',
    hint: 'Write \\n, or put the text in three quotes: """...""".',
  }),
  invalid_escape_sequence: (found) => ({
    message: `${found} is no escape`,
    hint: 'A backslash is written \\\\, or the text as r"...", where a backslash is a backslash.',
  }),
  limit_exceeded: () => ({ message: 'the expression is too long, or nested too deeply' }),
  invalid_macro_argument: (found) => ({
    message: `the name of a variable is expected here, not ${found}`,
    hint: 'As in list.map(x, x.name).',
  }),
}

interface Habit {
  readonly at: (text: string, start: number) => boolean
  readonly message: string
  readonly hint: string
}

function startsWith(pattern: RegExp, before = 0): Habit['at'] {
  const sticky = new RegExp(pattern, 'y')
  return (text, start) => {
    sticky.lastIndex = Math.max(0, start - before)
    return sticky.test(text)
  }
}

/** What people write who come from other languages. */
const HABITS: readonly Habit[] = [
  { at: startsWith(/[“”„‟«»‘’‚]/), message: 'a curly quote is no quote', hint: 'Write " or \'.' },
  { at: startsWith(/\$?\$\{/), message: '"${" inside an expression', hint: 'Leave "${" and "}" out.' },
  { at: startsWith(/[!=]==/, 2), message: 'there is no "===" and no "!=="', hint: 'Write == or !=.' },
  { at: startsWith(/=>/), message: 'there are no functions with "=>"', hint: 'Write list.map(x, x.name).' },
  { at: startsWith(/=/), message: '"=" compares nothing', hint: 'Write ==.' },
  { at: startsWith(/&(?!&)/), message: '"&" is not known', hint: 'Write &&.' },
  { at: startsWith(/\|(?!\|)/), message: '"|" is not known', hint: 'Write ||.' },
  { at: startsWith(/\?\?/, 1), message: 'there is no "??"', hint: 'Write coalesce(a, b).' },
  {
    at: startsWith(/\?\./, 1),
    message: 'there is no "?."',
    hint: 'A member of null is null: write a.b.',
  },
  { at: startsWith(/`/), message: 'a back quote is no quote', hint: 'Write " or \'.' },
  { at: startsWith(/and\b/i), message: '"and" is not known', hint: 'Write &&.' },
  { at: startsWith(/or\b/i), message: '"or" is not known', hint: 'Write ||.' },
  {
    at: (text, start) => text[start] === '}' && /\{\s*[\w.-]+\s*$/.test(text.slice(0, start)),
    message: 'a map has keys and values: {"key": value}',
    hint: 'A variable stands without braces.',
  },
  {
    at: (text, start) => /(^|[^\w.])not\s+$/i.test(text.slice(0, start)),
    message: '"not" is not known',
    hint: 'Write !x.',
  },
  {
    at: startsWith(/in\.\w/),
    message: '"in" is no variable',
    hint: 'The message is at hand as body, headers and properties.',
  },
  {
    at: (text, start) => text[start] === ':' && /^\s*date$/.test(text.slice(0, start)),
    message: '"date:" is not known',
    hint: 'Write formatDate(now(), "yyyy-MM-dd").',
  },
  {
    at: (text, start) =>
      /\.\s*$/.test(text.slice(0, start)) && /^(in|true|false|null)\b/.test(text.slice(start)),
    message: 'this word cannot stand after a dot',
    hint: 'Write it in brackets: x["in"].',
  },
]

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
