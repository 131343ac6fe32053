import { simple } from 'acorn-walk'
import type { AnyNode, CatchClause, Node, Program, Token } from 'acorn'
import { type Compiled, type CompileReply, type CompileRequest } from '../protocol.ts'
import { withoutExports } from './exports.ts'
import { EXPORTS_NOTHING, NO_IMPORT } from './foreign.ts'
import { Mistake } from './mistake.ts'
import { checkNatively, parseScript, type Parsed } from './source.ts'
import { findUses } from './uses.ts'
import { findWarnings } from './warnings.ts'
import { wrap } from './wrap.ts'

const VM2_STATE = 'VM2_INTERNAL_STATE_DO_NOT_USE_OR_PROGRAM_WILL_FAIL'

/** Reads a script and checks everything that can be checked without running it. */
export function compile(request: CompileRequest): CompileReply {
  try {
    return compileScript(request)
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    return { mistakes: [error.data(request.text)] }
  }
}

function compileScript({ file, text, form, function: wanted }: CompileRequest): CompileReply {
  const parsed = parseScript(text, form)
  refuseForeign(parsed, form)
  const { code, entry } =
    form === 'module' ? withoutExports(parsed, file, wanted) : { code: parsed.text, entry: '' }
  const compiled: Compiled = {
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
  return { compiled, warnings: findWarnings(parsed, form) }
}

function isWord(token: Token, text: string, word: string): boolean {
  return token.end - token.start === word.length && text.startsWith(word, token.start)
}

/** A script stands alone: it imports nothing. */
function refuseForeign({ tree, tokens, text }: Parsed, form: 'body' | 'module'): void {
  const refuse = (node: Node, message: string, hint: string): never => {
    throw new Mistake(message, node.start, lengthOf(node, tokens), { hint })
  }
  const foreign = (node: Node, what: string) => refuse(node, `"${what}" is not there in scripts`, NO_IMPORT)
  const exported = (node: Node) => {
    if (form === 'body') refuse(node, ...EXPORTS_NOTHING)
  }
  simple(tree as AnyNode, {
    ImportDeclaration: (node) => foreign(node, 'import'),
    ImportExpression: (node) => foreign(node, 'import()'),
    MetaProperty: (node) => {
      if (node.meta.name === 'import') foreign(node, 'import.meta')
    },
    ExportAllDeclaration: (node) => foreign(node, 'export ... from'),
    ExportNamedDeclaration: (node) => {
      if (node.source) foreign(node, 'export ... from')
      exported(node)
    },
    ExportDefaultDeclaration: exported,
    CallExpression: (node) => {
      if (
        node.callee.type === 'Identifier' &&
        node.callee.name === 'require' &&
        !/\b(function|const|let|var)\s+require\b/.test(text)
      )
        foreign(node.callee, 'require')
    },
    Identifier: (node) => {
      if (node.name === VM2_STATE) refuse(node, `"${node.name}" is reserved`, 'Choose another name.')
    },
  })
}

/** Of its first word, for marking. */
function lengthOf(node: Node, tokens: readonly Token[]): number {
  const first = tokens.find((token) => token.start === node.start)
  return first === undefined ? node.end - node.start : first.end - first.start
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
