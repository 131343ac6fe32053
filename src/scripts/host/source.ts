import { stripTypeScriptTypes } from 'node:module'
import vm from 'node:vm'
import { parse, type Comment, type Program, type Token } from 'acorn'
import { lineStarts } from '../lines.ts'
import { captured } from './captured.ts'
import { notTaken } from './foreign.ts'
import { Mistake } from './mistake.ts'

export interface Parsed {
  /** JavaScript: types are blanks. */
  readonly text: string
  readonly tree: Program
  readonly tokens: readonly Token[]
}

/** The text as JavaScript, its types stripped where there are any. @throws Mistake */
export function parseScript(text: string, form: 'body' | 'module'): Parsed {
  const plain = tryParse(text)
  if (!(plain instanceof Mistake)) return plain
  const stripped = tryStrip(text, form)
  if (stripped instanceof Mistake)
    throw (
      notTaken(stripped, text) ??
      (saysMore(stripped, plain, text) ? stripped : inFamiliarWords(plain, text, form))
    )
  const parsed = tryParse(stripped)
  if (parsed instanceof Mistake) throw inFamiliarWords(parsed, stripped, form)
  return parsed
}

/** Whether the stripper, who knows types, came further than the parser. A text that does not end says that itself. */
function saysMore(stripped: Mistake, plain: Mistake, text: string): boolean {
  return (
    stripped.offset > plain.offset && text[plain.offset] !== '}' && !plain.message.startsWith('Unterminated')
  )
}

/** V8's message, known from Node and browsers, at the parser's place, which is exact. */
function inFamiliarWords({ message, offset }: Mistake, text: string, form: 'body' | 'module'): Mistake {
  const native = form === 'body' ? checkNatively(`${NATIVE}${text}\n}})`, NATIVE.length, text) : undefined
  const [word = ''] = /^(?:[\p{ID_Continue}$]+|\S)/u.exec(text.slice(offset)) ?? []
  const said = native && native.offset <= offset ? native.message : message
  if (word === '' && /^Unexpected token/.test(said)) return new Mistake('Unexpected end of input', offset, 0)
  if (native?.offset === offset) return native
  return new Mistake(said === 'Unexpected token' ? `Unexpected token '${word}'` : said, offset, word.length)
}

const NATIVE = '(async function(){"use strict";{'

/** As vm2 will read it: the language of 2022, always strict. */
function tryParse(text: string): Parsed | Mistake {
  const tokens: Token[] = []
  const comments: Comment[] = []
  try {
    const tree = parse(text, {
      ecmaVersion: 2022,
      sourceType: 'module',
      allowReturnOutsideFunction: true,
      allowAwaitOutsideFunction: true,
      allowSuperOutsideMethod: false,
      checkPrivateFields: true,
      onToken: tokens,
      onComment: comments,
    })
    return { text, tree, tokens }
  } catch (error) {
    const { message, pos } = error as SyntaxError & { pos: number }
    return new Mistake(message.replace(/ \(\d+:\d+\)$/, ''), pos, 1)
  }
}

const WRAPPER = 'async function script(){'

function tryStrip(text: string, form: 'body' | 'module'): string | Mistake {
  const wrapped = form === 'body' ? `${WRAPPER}\n${text}\n}` : text
  try {
    const stripped = captured.withWebAssembly(() => stripTypeScriptTypes(wrapped, { mode: 'strip' }))
    return form === 'body' ? stripped.slice(WRAPPER.length + 1, -2) : stripped
  } catch (error) {
    const { message, stack } = error as Error
    return mistakeOf(message, stack, text, form === 'body' ? 1 : 0, 0)
  }
}

/** Compiles, without running. @param start where the script's own text begins */
export function checkNatively(code: string, start: number, text: string): Mistake | undefined {
  try {
    new vm.Script(code, { filename: 'script', columnOffset: 0 })
    return undefined
  } catch (error) {
    const { message, stack } = error as Error
    return mistakeOf(message, stack, text, 0, start)
  }
}

/** Node puts the line's number, the line and `^^^` before the stack; several lines it marks with `>` instead. */
function mistakeOf(
  message: string,
  stack: string | undefined,
  text: string,
  linesBefore: number,
  columnsBefore: number,
): Mistake {
  const lines = (stack ?? '').split('\n')
  const line = Number(/:(\d+)$/.exec(lines[0] ?? '')?.[1] ?? 1) - linesBefore
  const carets = lines.slice(0, 5).find((each) => /^\s*\^+\s*$/.test(each)) ?? ''
  const column = carets.search(/\^/)
  const starts = lineStarts(text)
  const known = starts[line - 1]
  if (known !== undefined && column < 0 && lines.slice(1, 4).some((each) => each.startsWith('  > ')))
    return new Mistake(message, known + /^\s*/.exec(text.slice(known))![0].length, 1)
  if (known === undefined || column < 0) return new Mistake(message, text.length, 0)
  const offset = known + column - (line === 1 ? columnsBefore : 0)
  return new Mistake(message, Math.min(Math.max(0, offset), text.length), carets.trim().length)
}
