import type { TestContext } from 'node:test'
import { readDocument } from '../../src/core/document.ts'
import type { Context } from '../../src/core/context.ts'
import type { Retry } from '../../src/core/flow.ts'
import { toText } from '../../src/core/json.ts'
import type { Deployment, PreparedStep, ProblemReport, Template } from '../../src/core/kinds.ts'
import type { Message } from '../../src/core/message.ts'
import type { CredentialInfo, CredentialReference, Send } from '../../src/core/services.ts'
import { checkShape } from '../../src/core/shape.ts'
import type { World } from '../../src/core/world.ts'
import { compileExpression } from '../../src/expression/compile.ts'
import { compileParts, compileTemplate } from '../../src/expression/template.ts'
import { Egress, type EgressSetting } from '../../src/net/egress.ts'
import { createSend } from '../../src/net/send.ts'
import { http } from '../../src/steps/http.ts'
import { testWorld } from '../net/fixture.ts'

const VARIABLES = new Set(['body', 'headers', 'properties', 'param', 'trigger', 'response', 'run'])

export interface Prepared {
  readonly step: PreparedStep
  readonly problems: readonly ProblemReport[]
}

/** Prepares an http step written in YAML, as the engine does. */
export async function prepareHttp(
  t: TestContext,
  yaml: string,
  setting: {
    credentials?: readonly CredentialReference[]
    infos?: readonly CredentialInfo[]
    send?: Send
    /** ms; the step's own. */
    timeout?: number
    retry?: Retry
    world?: Partial<World>
    egress?: EgressSetting
  } = {},
): Promise<Prepared> {
  const { document } = readDocument('flows/test.yaml', yaml)
  const shape = checkShape(http.options, document!, { subject: 'http' })
  if (shape.problems.length > 0) throw new Error(shape.problems.map(({ message }) => message).join('\n'))
  const world = testWorld(t, setting.world)
  const problems: ProblemReport[] = []
  const compile = {
    variables: VARIABLES,
    bodyLimit: 1_000_000,
    world,
    place: () => ({ file: '', line: 1, column: 1 }),
  }
  const infos = new Map(
    [
      ...(setting.infos ?? []),
      ...(setting.credentials ?? []).map((credential) => {
        const { name, type, baseUrl } = credential.current()
        return { name, type, baseUrl: baseUrl?.href, unset: [] }
      }),
    ].map((info) => [info.name, info]),
  )
  const deployment = {
    world,
    step: {
      id: 'items',
      ...(setting.timeout === undefined ? {} : { timeout: setting.timeout }),
      ...(setting.retry === undefined ? {} : { retry: setting.retry }),
    },
    services: {
      send: setting.send ?? createSend(world, { userAgent: 'sluice/test' }),
      credentials: {
        names: () => [...infos.keys()],
        info: (name: string) => infos.get(name),
        reference: (name: string) =>
          setting.credentials?.find((credential) => credential.name === name) as never,
      },
      egress: new Egress(setting.egress),
      limits: { body: 1_000_000, bodyTime: 300_000 },
    },
    problem: (report: ProblemReport) => void problems.push(report),
    template: (text: string) => compileTemplate(text, compile),
    expression: (text: string) => compileExpression(text, compile),
    parts: (text: string) => compileParts(text, compile).parts,
    text: (text: string) => {
      const { evaluate } = compileTemplate(text, compile)
      return (message: Message, context: Context) => toText(evaluate(message, context))
    },
    value,
  } as unknown as Deployment

  function value(written: unknown): Template {
    if (typeof written === 'string') return compileTemplate(written, compile)
    if (typeof written !== 'object' || written === null)
      return { evaluate: () => written, constant: { value: written } }
    const entries = Object.entries(written).map(([key, entry]) => [key, value(entry)] as const)
    const constant = entries.every(([, entry]) => entry.constant)
    const evaluate = (message: Message, context: Context) => {
      const values = entries.map(([key, entry]) => [key, entry.evaluate(message, context)] as const)
      return Array.isArray(written) ? values.map(([, item]) => item) : Object.fromEntries(values)
    }
    return { evaluate, ...(constant ? { constant: { value: written } } : {}) }
  }

  return { step: await http.prepare(shape.value as never, deployment), problems }
}
