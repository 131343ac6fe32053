import type { ASTNode } from '@marcbachmann/cel-js'
import type { Context } from '../core/context.ts'
import { FAILURES, type Failure } from '../core/failure.ts'
import type { Message } from '../core/message.ts'
import { guess, nearest } from '../core/problem.ts'
import { extentOf, type Compilation, type Compiled } from './compilation.ts'
import { FUNCTIONS, GROUPS } from './functions.ts'

type Read = (message: Message, context: Context) => unknown

/** Variables that always have the same members. */
export const RECORDS: Readonly<Record<string, Readonly<Record<string, Read>>>> = {
  response: {
    status: (message) => message.response?.status ?? null,
    headers: (message) => message.response?.headers ?? null,
    url: (message) => message.response?.url ?? null,
  },
  run: {
    id: (_, context) => context.run.id,
    correlationId: (_, context) => context.run.correlationId,
    attempt: (_, context) => context.run.attempt,
    startedAt: (_, context) => new Date(context.run.startedAt).toISOString(),
  },
  error: {
    code: (_, context) => context.error?.code ?? null,
    message: (_, context) => context.error?.message ?? null,
    status: (_, context) => (context.error ? statusOf(context.error) : null),
    step: (_, context) => context.error?.step ?? null,
  },
}

const READERS: Readonly<Record<string, Read>> = {
  body: (message) => message.body.value(),
  headers: (message) => message.allHeaders(),
  properties: (message) => message.properties,
  param: (_, context) => context.parameters,
  trigger: (_, context) => context.trigger.data,
  response: (message) => message.response,
  run: (message, context) => recordOf('run', message, context),
  error: (message, context) => (context.error ? recordOf('error', message, context) : null),
  item: (_, context) => context.item ?? null,
  index: (_, context) => context.index ?? null,
  status: (message) => message.response?.status ?? null,
}

/** What the receiver answered, or what a `fail` step said. */
function statusOf(failure: Failure): number | null {
  if (failure.receiver) return failure.receiver.status ?? null
  return failure.code !== 'flow.failed' && Object.hasOwn(FAILURES, failure.code) ? null : failure.reply
}

function recordOf(name: string, message: Message, context: Context): Record<string, unknown> {
  const record: Record<string, unknown> = {}
  for (const [key, read] of Object.entries(RECORDS[name]!)) record[key] = read(message, context)
  return record
}

/** Why a variable that there is elsewhere is not here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  item: 'is only there inside forEach',
  index: 'is only there inside forEach',
  error: 'is only there in onError and catch',
  status: 'is only there in credentials; a flow has it as response.status',
  variable: 'is not there yet: persisted variables come with a later version',
}

const OTHER_WORDS: Readonly<Record<string, string>> = {
  header: 'headers',
  property: 'properties',
  exchangeProperty: 'properties',
  payload: 'body',
  params: 'param',
  parameter: 'param',
  parameters: 'param',
  vars: 'variable',
}

/** A bare name: an iteration variable or one of the variables. */
export function compileVariable(node: ASTNode & { op: 'id' }, compilation: Compilation): Compiled {
  const name = node.args
  const slot = compilation.scope.lastIndexOf(name)
  if (slot >= 0) return compilation.varying((_, __, frame) => frame.slots[slot], new Set([name]))
  const read = useVariable(name, compilation)
  return read ? compilation.varying(read, new Set([name])) : unknownVariable(name, node, compilation)
}

/** Notes that a variable is used; undefined where it is not there. */
export function useVariable(name: string, compilation: Compilation): Read | undefined {
  const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined
  if (!read || !compilation.setting.variables.has(name)) return undefined
  compilation.uses.add(name)
  return read
}

/** What other languages call it: `header` for `headers`. */
export function meantVariable(name: string): string | undefined {
  return Object.hasOwn(OTHER_WORDS, name) ? OTHER_WORDS[name] : undefined
}

function unknownVariable(name: string, node: ASTNode, compilation: Compilation): Compiled {
  const { variables } = compilation.setting
  const extent = extentOf(node)
  const elsewhere = ELSEWHERE[name]
  if (Object.hasOwn(ELSEWHERE, name)) {
    return compilation.mistake('expression/not-here', `"${name}" ${elsewhere}`, extent)
  }
  if (Object.hasOwn(READERS, name)) {
    return compilation.mistake('expression/not-here', `"${name}" is not there in this place`, extent)
  }
  if (GROUPS.has(name)) {
    const functions = [...FUNCTIONS.keys()].filter((key) => key.startsWith(`${name}.`)).join(', ')
    return compilation.mistake(
      'expression/unknown-variable',
      `"${name}" is no variable but a group of functions: ${functions}`,
      extent,
    )
  }
  const known = [...variables, ...compilation.scope]
  const meant = meantVariable(name) ?? nearest(name, known)
  return compilation.mistake(
    'expression/unknown-variable',
    `there is no variable "${name}"${guess(meant)}`,
    extent,
    meant === undefined
      ? (hintFor(name, node, compilation) ?? `There are: ${known.join(', ')}. Text is in quotes: "${name}".`)
      : undefined,
  )
}

function hintFor(name: string, node: ASTNode, { text }: Compilation): string | undefined {
  if (name === 'message') return 'The message is at hand as body, headers and properties.'
  if (name === 'env')
    return 'Expressions do not see the environment: use param.x, with a parameter of the flow.'
  if (FUNCTIONS.has(name)) return `The function is called with brackets: ${FUNCTIONS.get(name)!.signature}.`
  if (/^\s*:/.test(text.slice(node.end)) && /[{,]\s*$/.test(text.slice(0, node.start))) {
    return `A key of a map is in quotes: {"${name}": ...}.`
  }
  return undefined
}
