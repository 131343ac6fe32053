import type { ExportDefaultDeclaration, ExportNamedDeclaration, Token } from 'acorn'
import { didYouMean } from '../../core/problem.ts'
import { Mistake } from './mistake.ts'
import type { Parsed } from './source.ts'

/** Takes the exports out, character by character, and finds the function that is wanted. @throws Mistake */
export function withoutExports(
  { text, tree, tokens }: Parsed,
  file: string,
  wanted = 'default',
): { code: string; entry: string } {
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
  if (entry === undefined) throw missingExport(file, wanted, exports)
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

/** Why there is no such function, as people are told at the flow's `function` or `file`. */
function missingExport(file: string, wanted: string, exports: ReadonlyMap<string, string>): Mistake {
  const named = [...exports.keys()].filter((name) => name !== 'default')
  const inDefault = exports.get('default')
  const list = named.map((name) => `"${name}"`).join(', ')
  const there = named.length === 0 ? 'It exports nothing.' : `It exports ${list}.`
  if (wanted === 'default')
    return new Mistake(`"${file}" has no default export`, 0, 0, {
      code: 'script/function',
      hint: `${there} Write \`export default function (message, context) { ... }\` in it${
        named.length === 0 ? '.' : ', or name a function here: `function: <name>`.'
      }`,
    })
  if (wanted === inDefault)
    return new Mistake(
      `"${wanted}" is the default export of "${file}"; it is not exported by its name`,
      0,
      0,
      { code: 'script/function', hint: 'Leave `function:` out: the default export is taken.' },
    )
  const shown = inDefault === undefined || inDefault === DEFAULT ? '' : ` ("${inDefault}")`
  const otherwise =
    inDefault === undefined ? '' : ` Without \`function:\` its default export${shown} is taken.`
  const none = inDefault === undefined ? there : 'It exports nothing by name.'
  return new Mistake(`"${file}" exports no function "${wanted}"${didYouMean(wanted, named)}`, 0, 0, {
    code: 'script/function',
    hint: `${named.length === 0 ? none : there}${otherwise}`,
  })
}
