import { simple } from 'acorn-walk'
import type {
  AnyNode,
  CatchClause,
  ExportDefaultDeclaration,
  ExportNamedDeclaration,
  Node,
  Program,
  Token,
} from 'acorn'
import { type Compiled, type CompileReply, type CompileRequest } from '../protocol.ts'
import { checkNatively, Mistake, parseScript, type Parsed } from './source.ts'
import { findUses } from './uses.ts'
import { wrap } from './wrap.ts'

const VM2_STATE = 'VM2_INTERNAL_STATE_DO_NOT_USE_OR_PROGRAM_WILL_FAIL'

/** Reads a script and checks everything that can be checked without running it. */
export function compile(request: CompileRequest): CompileReply {
  try {
    return { compiled: compileScript(request) }
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    return { mistakes: [{ message: error.message, offset: error.offset, length: error.length }] }
  }
}

function compileScript({ text, form, function: wanted }: CompileRequest): Compiled {
  const parsed = parseScript(text, form)
  refuseForeign(parsed, form)
  const { code, entry } =
    form === 'module' ? withoutExports(parsed, wanted) : { code: parsed.text, entry: '' }
  const compiled = {
    code,
    form,
    entry,
    async: parsed.tokens.some((token) => token.type.keyword === undefined && isWord(token, code, 'await')),
    insertions: insertionsOf(parsed.tree),
    uses: findUses(parsed, form),
  }
  const { prefix, suffix } = wrap(compiled)
  const mistake = checkNatively(prefix + code + suffix, prefix.length, text)
  if (mistake) throw mistake
  return compiled
}

function isWord(token: Token, text: string, word: string): boolean {
  return token.end - token.start === word.length && text.startsWith(word, token.start)
}

/** A script stands alone: it imports nothing. */
function refuseForeign({ tree, tokens, text }: Parsed, form: 'body' | 'module'): void {
  const refuse = (node: Node, what: string, hint: string): never => {
    throw new Mistake(`${what}; ${hint}`, node.start, lengthOf(node, tokens))
  }
  const alone = 'a script stands alone, with what the language itself has'
  simple(tree as AnyNode, {
    ImportDeclaration: (node) => refuse(node, '"import" is not there in scripts', alone),
    ImportExpression: (node) => refuse(node, '"import()" is not there in scripts', alone),
    MetaProperty: (node) => {
      if (node.meta.name === 'import') refuse(node, '"import.meta" is not there in scripts', alone)
    },
    ExportAllDeclaration: (node) => refuse(node, '"export ... from" is not there in scripts', alone),
    ExportNamedDeclaration: (node) => {
      if (node.source) refuse(node, '"export ... from" is not there in scripts', alone)
      if (form === 'body')
        refuse(
          node,
          'a script in a flow exports nothing',
          'it changes `message`; put it into a file to export a function',
        )
    },
    ExportDefaultDeclaration: (node) => {
      if (form === 'body')
        refuse(
          node,
          'a script in a flow exports nothing',
          'it changes `message`; put it into a file to export a function',
        )
    },
    CallExpression: (node) => {
      if (
        node.callee.type === 'Identifier' &&
        node.callee.name === 'require' &&
        !/\b(function|const|let|var)\s+require\b/.test(text)
      )
        refuse(node.callee, '"require" is not there in scripts', alone)
    },
    Identifier: (node) => {
      if (node.name === VM2_STATE) refuse(node, 'this name is reserved', 'choose another')
    },
  })
}

/** Of its first word, for marking. */
function lengthOf(node: Node, tokens: readonly Token[]): number {
  const first = tokens.find((token) => token.start === node.start)
  return first === undefined ? node.end - node.start : first.end - first.start
}

/** Takes the exports out, character by character, and finds the function that is wanted. @throws Mistake */
function withoutExports({ text, tree, tokens }: Parsed, wanted = 'default'): { code: string; entry: string } {
  const exports = new Map<string, string>()
  const edits: [start: number, replacement: string][] = []
  const blank = (start: number, end: number) =>
    edits.push([start, text.slice(start, end).replace(/[^\r\n\u2028\u2029]/g, ' ')])
  for (const node of tree.body) {
    if (node.type === 'ExportDefaultDeclaration')
      exports.set('default', takeDefault(node, tokens, blank, edits))
    else if (node.type === 'ExportNamedDeclaration') takeNamed(node, exports, blank)
  }
  let code = text
  for (const [start, replacement] of edits)
    code = code.slice(0, start) + replacement + code.slice(start + replacement.length)
  const entry = exports.get(wanted)
  if (entry === undefined) throw new Mistake(missingExport(wanted, [...exports.keys()]), 0, 0)
  return { code, entry }
}

/** Two characters, so that `export default` becomes a variable without moving anything. */
const DEFAULT = '$ǂ'

function takeDefault(
  node: ExportDefaultDeclaration,
  tokens: readonly Token[],
  blank: (start: number, end: number) => void,
  edits: [start: number, replacement: string][],
): string {
  const at = tokens.findIndex((token) => token.start === node.start)
  const word = tokens[at + 1]!
  const { declaration } = node
  if (
    (declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration') &&
    declaration.id
  ) {
    blank(node.start, node.start + 6)
    blank(word.start, word.end)
    return declaration.id.name
  }
  edits.push([node.start, `var ${DEFAULT}`], [word.start, '      ='])
  return DEFAULT
}

function takeNamed(
  node: ExportNamedDeclaration,
  exports: Map<string, string>,
  blank: (start: number, end: number) => void,
): void {
  if (!node.declaration) {
    blank(node.start, node.end)
    for (const { local, exported } of node.specifiers) exports.set(nameOf(exported), nameOf(local))
    return
  }
  blank(node.start, node.start + 6)
  const { declaration } = node
  if (declaration.type === 'VariableDeclaration') {
    for (const { id } of declaration.declarations) if (id.type === 'Identifier') exports.set(id.name, id.name)
  } else if (declaration.id) exports.set(declaration.id.name, declaration.id.name)
}

function nameOf(node: { type: string; name?: string; value?: unknown }): string {
  return node.name ?? String(node.value)
}

function missingExport(wanted: string, there: readonly string[]): string {
  const list = there.map((name) => `"${name}"`).join(', ')
  const has = there.length === 0 ? 'exports nothing' : `exports ${list}`
  return wanted === 'default'
    ? `the script ${has}, but no default function; write \`export default function (message, context) { ... }\`, or name one with \`function:\``
    : `the script ${has}, but no function "${wanted}"`
}

/** vm2 puts calls into `catch` clauses; columns after them are moved by that much. */
function insertionsOf(tree: Program): [number, number][] {
  const insertions: [number, number][] = []
  simple(tree as AnyNode, {
    CatchClause: (node: CatchClause) => {
      const { param, body } = node
      if (!param) return
      if (param.type === 'Identifier') {
        if (body.body.length > 0)
          insertions.push([
            body.body[0]!.start,
            `${param.name}=${VM2_STATE}.handleException(${param.name});`.length,
          ])
        return
      }
      const name = 'VM2_INTERNAL_TMPNAME'
      insertions.push([
        node.start,
        `catch(${name}){${name}=${VM2_STATE}.handleException(${name});try{throw ${name};}`.length,
      ])
    },
  })
  return insertions.sort(([a], [b]) => a - b)
}
