import { simple } from 'acorn-walk'
import type { AnyNode, Identifier } from 'acorn'
import type { ScriptMistake } from '../../core/services.ts'
import { MISSING } from '../missing.ts'
import type { Parsed } from './source.ts'

/** What is odd about a script that can run. */
export function findWarnings({ tree }: Parsed, form: 'body' | 'module'): ScriptMistake[] {
  if (form === 'body' && tree.body.every(({ type }) => type === 'EmptyStatement'))
    return [
      {
        code: 'script/empty',
        message: 'the script is empty: it does nothing',
        hint: 'Write what it changes (`message.body.total = 1`), or take the step out.',
        offset: 0,
        length: 0,
      },
    ]
  return missingNames(tree)
}

/**
 * Names of browsers and Node that a script uses and that are not there. In doubt there is no warning: a name that
 * is declared anywhere in the script, or asked for with `typeof`, is left alone.
 */
function missingNames(tree: AnyNode): ScriptMistake[] {
  const used = new Map<string, Identifier>()
  const known = new Set<string>()
  simple(tree, {
    Identifier: (node) => {
      if (!used.has(node.name)) used.set(node.name, node)
    },
    VariablePattern: (node: Identifier) => void known.add(node.name),
    UnaryExpression: ({ operator, argument }) => {
      if (operator === 'typeof' && argument.type === 'Identifier') known.add(argument.name)
    },
  } as Parameters<typeof simple>[1])
  return [...used.values()]
    .filter(({ name }) => Object.hasOwn(MISSING, name) && !known.has(name))
    .toSorted((a, b) => a.start - b.start)
    .map(({ name, start, end }) => ({
      code: 'script/name',
      message: `"${name}" is not there in scripts`,
      hint: MISSING[name]!,
      offset: start,
      length: end - start,
    }))
}
