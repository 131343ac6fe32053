import { DATE_FUNCTIONS } from './dates.ts'
import type { FunctionKind } from './function-kind.ts'
import { MACROS, METHODS } from './methods.ts'
import { NUMBER_FUNCTIONS } from './number-functions.ts'
import { TEXT_FUNCTIONS } from './text-functions.ts'

const GENERAL_FUNCTIONS: readonly FunctionKind[] = [
  {
    name: 'coalesce',
    signature: 'coalesce(a, b, ...)',
    summary: 'The first argument that is not null; those after it are not evaluated.',
    example: { expression: 'coalesce(null, "none")', result: 'none' },
    least: 1,
    most: 32,
  },
  {
    name: 'has',
    signature: 'has(x.y)',
    summary: 'Whether a map has that member, also when it is null. Takes x["y"], too.',
    example: { expression: 'has({"a": null}.a)', result: 'true' },
    least: 1,
    most: 1,
  },
  {
    name: 'uuid',
    signature: 'uuid()',
    summary: 'A new UUID (version 7: later ones sort after earlier ones).',
    example: { expression: 'uuid()', result: '019aa7d2-5c00-7000-8000-000000000001' },
    least: 0,
    most: 0,
    changes: true,
    bind: (site) => () => site.setting.world.newId(),
  },
]

function byName(kinds: readonly FunctionKind[]): ReadonlyMap<string, FunctionKind> {
  return new Map(kinds.map((kind) => [kind.name, kind]))
}

/** Functions by name; those of a group as `base64.encode`. */
export const FUNCTIONS = byName([
  ...GENERAL_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...DATE_FUNCTIONS,
])

export const METHODS_BY_NAME = byName(METHODS)
export const MACROS_BY_NAME = byName(MACROS)

/** Names before the dot of functions such as `base64.encode`. */
export const GROUPS: ReadonlySet<string> = new Set(
  [...FUNCTIONS.keys()].filter((name) => name.includes('.')).map((name) => name.split('.')[0]!),
)

/** Every function, method and macro, for the docs. */
export const functionReference: readonly Pick<FunctionKind, 'name' | 'signature' | 'summary' | 'example'>[] =
  [...FUNCTIONS.values(), ...METHODS, ...MACROS]
