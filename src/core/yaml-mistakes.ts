import type { Document, YAMLError } from 'yaml'
import { bracesHint } from './braces.ts'
import type { ProblemCode } from './problem-codes.ts'
import {
  CURLY_HINT,
  inQuotes,
  keyBefore,
  lineAfter,
  lineBefore,
  openingQuote,
  valueEnd,
  valueStart,
  type Range,
  type TextMistake,
  type Verdict,
} from './yaml-text.ts'

/** Says what an error of the YAML parser means in the words of people who write flows. */
export function judgeYaml(error: YAMLError, text: string, document: Document): Verdict {
  const [at] = error.pos
  const character = text[at]
  if (error.code === 'TAG_RESOLVE_FAILED') return tag(error, text)
  if (error.code === 'MULTIPLE_DOCS') return severalDocuments(at)
  if (error.code === 'TAB_AS_INDENT') return tabs(at, text)
  if (character === '{' && (text[at + 1] === '{' || text[at - 1] === '{')) return doubleBraces(at, text)
  if (character === '{' && text[at - 1] === '$') return unquotedExpression(at, text)
  if (character === '*' || error.code === 'BAD_ALIAS') return alias(at, text)
  switch (error.code) {
    case 'NON_STRING_KEY':
      return { cover: { start: at, end: at, by: '' } }
    case 'BAD_SCALAR_START':
      return badStart(at, text)
    case 'BAD_DQ_ESCAPE':
      return badEscape(at, text)
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
      return mapInLine(at, text)
    case 'MULTILINE_IMPLICIT_KEY':
      return fatal(
        at,
        at + withoutComment(lineAfter(text, at)).length,
        'this text goes on in the next line, and then a ":" follows',
        'A ":" is missing in this line, or the indentation of the next one is wrong.',
      )
    case 'BAD_INDENT':
      return badIndent(error, text)
    case 'MISSING_CHAR':
      return missing(error, text, document)
    default:
      return unexpected(error, text)
  }
}

function fatal(start: number, end: number, message: string, hint?: string): Verdict {
  const text = message.charAt(0).toLowerCase() + message.slice(1)
  return { mistake: mistake({ start, end }, 'yaml/syntax', text, hint) }
}

function mistake(range: Range, code: ProblemCode, message: string, hint?: string): TextMistake {
  const { start, end } = range
  return { code, message, ...(hint !== undefined && { hint }), start, end }
}

/** A mistake that ends with the value: the rest can be read. */
function ofValue(range: Range, code: ProblemCode, message: string, hint: string): Verdict {
  const { start, end } = range
  return { mistake: mistake(range, code, message, hint), cover: { start, end, by: 'x' } }
}

function tag(error: YAMLError, text: string): Verdict {
  const [start, end] = error.pos
  const written = text.slice(start, end)
  const range = { start, end: Math.max(end, valueEnd(text, start)) }
  const rest = text.slice(end, range.end).trim()
  const ofMore = rest === '' ? goesOn(text, start) : /^[[{|>"']/.test(rest)
  if (ofMore)
    return {
      mistake: mistake(
        { start, end },
        'yaml/tag',
        `"${written}" is a YAML tag; tags have no meaning here`,
        'Remove it.',
      ),
      cover: { start, end, by: ' ' },
    }
  const hint = `If a text is meant, put it in quotes: ${inQuotes(text, range)}`
  return ofValue(range, 'yaml/tag', `"${written}" is read as a YAML tag, because it begins with "!"`, hint)
}

/** Whether the lines after this one are indented deeper: they belong to its value. */
function goesOn(text: string, at: number): boolean {
  const here = /^[ -]*/.exec(lineBefore(text, at))![0].length
  const next = /^[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( *)\S/.exec(text.slice(at))
  return next !== null && next[1]!.length > here
}

function severalDocuments(at: number): Verdict {
  return {
    mistake: mistake(
      { start: at, end: at + 3 },
      'yaml/several-documents',
      'a second document begins here; a file holds one',
      'Put it into a file of its own.',
    ),
    cover: { start: at, end: at, by: '' },
  }
}

function tabs(at: number, text: string): Verdict {
  return {
    mistake: mistake(
      { start: at, end: at + 1 },
      'yaml/tab',
      'a tab stands in the indentation',
      'Indent with spaces, in all lines of the file.',
    ),
    text: text.replace(/^[ \t]*\t[ \t]*/gm, (blanks) => ' '.repeat(blanks.length)),
  }
}

function doubleBraces(at: number, text: string): Verdict {
  const range = valueAround(text, text[at - 1] === '{' ? at - 1 : at, undefined)
  const name = /\{\{\s*(.*?)\s*\}\}/.exec(text.slice(range.start, range.end))?.[1] ?? 'name'
  return ofValue(range, 'value/braces', `"{{${name}}}" is not replaced here`, bracesHint(name))
}

function unquotedExpression(at: number, text: string): Verdict {
  const range = valueAround(text, at - 1, true)
  return ofValue(
    range,
    'yaml/quotes',
    '"${" between { } or [ ] needs quotes around the value',
    `Write ${inQuotes(text, range)}`,
  )
}

function alias(at: number, text: string): Verdict {
  const range = valueAround(text, at, undefined)
  const first = text[range.start]
  if (first !== '*' && first !== '&') return unexpectedText(at, text)
  const what = first === '*' ? 'alias' : 'anchor'
  return ofValue(
    range,
    'yaml/alias',
    `"${text.slice(range.start, range.end)}" is read as a YAML ${what}, because it begins with "${first}"`,
    `Put it in quotes: ${inQuotes(text, range)}`,
  )
}

function badStart(at: number, text: string): Verdict {
  const range = { start: at, end: valueEnd(text, at) }
  return ofValue(
    range,
    'yaml/quotes',
    `a text that begins with "${text[at]}" needs quotes`,
    `Write ${inQuotes(text, range)}`,
  )
}

function badEscape(at: number, text: string): Verdict {
  const range = { start: at, end: at + 2 }
  const hint = 'Double the backslash (\\\\), or put the text in single quotes, where it has no meaning.'
  return ofValue(
    range,
    'yaml/escape',
    `"${text.slice(at, at + 2)}" is no escape of a text in double quotes`,
    hint,
  )
}

function valueAround(text: string, at: number, inFlow: boolean | undefined): Range {
  const start = valueStart(text, at)
  return { start, end: valueEnd(text, start, inFlow) }
}

const LISTS = /^(steps|else|cases|catch|finally|onError)$/

/** A map or list that begins where only a text can stand: behind a key, on its line. */
function mapInLine(at: number, text: string): Verdict {
  const line = withoutComment(lineAfter(text, at))
  const range = { start: at, end: valueEnd(text, at) }
  if (/^[“”„‘’]/.test(line))
    return ofValue(range, 'yaml/curly-quotes', 'the text stands in curly quotes', CURLY_HINT)
  const [, word] = /^([^\s:]+):(?:\s|$)/.exec(line) ?? []
  const key = keyBefore(text, at)
  if (word !== undefined && key !== undefined && LISTS.test(key))
    return fatal(
      at,
      at + word.length,
      `"${key}" is a list; before "${word}" a line end and a "-" are missing`,
      `Write "${key}:" on a line of its own, and "- ${word}:" on the next.`,
    )
  if (/:$/.test(line) && goesOn(text, at))
    return fatal(
      at,
      at + line.length,
      `"${line}" begins a map on the line of ${key === undefined ? 'another key' : `"${key}"`}`,
      'Begin a new line before it, and indent it.',
    )
  if (/:(\s|$)/.test(line))
    return ofValue(
      range,
      'yaml/quotes',
      'a text with ": " in it needs quotes',
      `Write ${inQuotes(text, range)}`,
    )
  return deeper(at, text)
}

function deeper(at: number, text: string): Verdict {
  const next = /^[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*([ \t]*)/.exec(text.slice(at))
  const start = next ? at + next[0].length : at
  return fatal(
    start,
    start + withoutComment(lineAfter(text, start)).length,
    'this line is indented deeper than the one above, which has a value already',
    'Indent it like the line it belongs beside.',
  )
}

function badIndent(error: YAMLError, text: string): Verdict {
  const at = error.pos[0] + /^[ \t]*/.exec(lineAfter(text, error.pos[0]))![0].length
  const line = withoutComment(lineAfter(text, at))
  if (/^-[^\s-]/.test(line))
    return fatal(at, at + 1, 'after "-" a space is missing', `Write "- ${line.slice(1)}"`)
  if (error.message.startsWith('Flow')) return unclosed(error, text)
  return fatal(
    at,
    at + line.length,
    'this line begins in another column than the lines it should stand beside',
    'Indent lines that belong together alike.',
  )
}

function unclosed(error: YAMLError, text: string): Verdict {
  const [at] = error.pos
  const closing = /a ([}\]])$/.exec(error.message)?.[1] ?? '}'
  const opening = closing === '}' ? '{' : '['
  let depth = 0
  let start = at - 1
  for (; start >= 0; start--) {
    if (text[start] === closing) depth++
    else if (text[start] === opening && depth-- === 0) break
  }
  if (start < 0) start = at
  return fatal(
    start,
    start + 1,
    `"${opening}" has no "${closing}"`,
    `Add "${closing}", or indent the lines up to it deeper.`,
  )
}

function missing(error: YAMLError, text: string, document: Document): Verdict {
  const [at] = error.pos
  const { message } = error
  if (message.startsWith('Missing closing')) {
    const start = openingQuote(document, at) ?? at
    return fatal(
      start,
      start + 1,
      'the quote that opens here is never closed',
      'Close it, or double a quote that belongs to a text in single quotes.',
    )
  }
  if (/end with a [}\]]$/.test(message)) return unclosed(error, text)
  const word = withoutComment(lineAfter(text, at))
  const joined = /^([\w.$-]+):(?=\S)/.exec(word)
  if (message.startsWith('Implicit map keys') && joined)
    return fatal(
      at,
      at + joined[0].length,
      'after ":" a space is missing',
      `Write "${joined[1]}: ${word.slice(joined[0].length)}"`,
    )
  if (message.startsWith('Implicit map keys'))
    return fatal(at, at + word.length, `":" is missing behind "${word}"`, 'A line of a map is "key: value".')
  if (message.startsWith('Missing ,')) return fatal(at, at + 1, 'a "," is missing before this')
  return fatal(at, error.pos[1], message)
}

function unexpected(error: YAMLError, text: string): Verdict {
  const [at, end] = error.pos
  if (error.message.startsWith('Unexpected block-seq-ind on same line'))
    return fatal(at, at + 1, 'a list cannot begin on the line of its key', 'Begin a new line before "-".')
  if (error.code === 'UNEXPECTED_TOKEN') return unexpectedText(at, text)
  if (error.code === 'RESOURCE_EXHAUSTION')
    return {
      mistake: mistake(
        { start: at, end: at },
        'yaml/too-deep',
        'maps and lists are nested too deeply to be read',
      ),
    }
  return fatal(at, end, error.message)
}

function unexpectedText(at: number, text: string): Verdict {
  const line = withoutComment(lineAfter(text, at))
  const word = /^(\W|\w+)/.exec(line)?.[0] ?? ''
  if (word === '') return fatal(at, at, 'something is missing here')
  const atBegin = lineBefore(text, at).trim() === ''
  return fatal(
    at,
    at + word.length,
    `"${word}" is not expected here`,
    atBegin
      ? 'Check its indentation: it belongs to nothing above.'
      : 'If it is part of a text, put the whole text in quotes.',
  )
}

function withoutComment(line: string): string {
  return line.replace(/\s#.*$/, '').trimEnd()
}
