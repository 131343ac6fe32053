import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import { END, defineStep, type Outcome, type Run } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { inWords, statusesInWords } from '../core/plain-words.ts'
import { Keys, ListOf, OneOrMore, Optional, Steps, Text, Whole } from '../core/schema.ts'
import { Type } from '@sinclair/typebox'

const codes = OneOrMore(
  Text({
    description: 'A code, or the first part of codes: `receiver.*`.',
    pattern: '^[a-z][a-z0-9-]*(\\.[a-z0-9-]+)*(\\.\\*)?$',
    examples: ['receiver.timeout'],
  }),
  {
    description: 'Codes of failures that are caught; every one when left out.',
    examples: [['receiver.timeout']],
  },
)

const status = OneOrMore(
  Type.Union([
    Whole({ description: 'A status.', minimum: 300, maximum: 599 }),
    Text({ description: 'A class of them.', pattern: '^[345]xx$', examples: ['5xx'] }),
  ]),
  {
    description: 'Statuses of the receiver that are caught; a failure without one is not.',
    examples: [[404, 409]],
  },
)

export const tryStep = defineStep({
  name: 'try',
  summary: 'Runs steps, and others when they fail; then the flow goes on.',
  description:
    'The first entry of `catch` that fits the failure handles it: its steps run with `error`, and the flow goes on as if nothing had failed. A failure that none fits fails the step. `finally` runs in either case. The message is as it was when the failing step began. A cancelled run is not caught.',
  composite: true,
  options: Keys({
    steps: Steps({ description: 'What may fail.' }),
    catch: Optional(
      ListOf(
        Keys({
          codes: Optional(codes),
          status: Optional(status),
          steps: Steps({ description: 'What to do then; `error` tells what happened.' }),
        }),
        { description: 'Looked at in turn; the first that fits the failure is taken.' },
      ),
    ),
    finally: Optional(Steps({ description: 'What to do in the end, whether it failed or not.' })),
  }),
  examples: [
    {
      title: 'Create what is not there',
      yaml: 'steps:\n  - endpoint: { path: /customers, access: public }\n  - try:\n      steps:\n        - http: { url: "https://api.example.com/customers/${body.id}", into: known }\n      catch:\n        - status: 404\n          steps:\n            - http: { method: POST, url: "https://api.example.com/customers" }\n',
    },
  ],
  explain: ({ steps, catch: clauses = [], finally: last }) => ({
    text: 'tries steps that may fail',
    details:
      clauses.length === 0
        ? []
        : ['A failure that is caught is handled: the flow goes on after it. Any other one fails the step.'],
    parts: [
      { title: 'tries', steps },
      ...clauses.map((clause) => ({
        title: caughtInWords(clause.codes, clause.status),
        steps: clause.steps,
      })),
      ...(last ? [{ title: 'in the end, whether it failed or not', steps: last }] : []),
    ],
  }),
  async prepare(given, deployment) {
    if (given.catch === undefined && given.finally === undefined)
      deployment.problem({
        code: 'flow/try',
        message: '"try" has neither "catch" nor "finally"; it does nothing',
        hint: 'Add `catch: [{ steps: [...] }]`, or take the steps out of it.',
      })
    const { clock } = deployment.world
    const { timeout } = deployment.step
    const attempt = await deployment.steps(given.steps)
    const clauses = await Promise.all(
      (given.catch ?? []).map(async ({ codes, status, steps }) => ({
        fits: clauseTest(codes, status?.map(String)),
        run: await deployment.steps(steps),
      })),
    )
    const last: Run | undefined = given.finally && (await deployment.steps(given.finally))

    async function attempted(message: Message, context: Context): Promise<Outcome> {
      const own = timeout === undefined ? context : context.fork({ deadline: clock.ticks() + timeout })
      try {
        return await attempt(message, own)
      } catch (thrown) {
        const failure = Failure.from(thrown)
        const over = context.cancelled !== undefined || clock.ticks() >= context.deadline
        const clause = over ? undefined : clauses.find(({ fits }) => fits(failure))
        if (!clause) throw failure
        context.log('info', `caught: ${failure.message}`, { code: failure.code, step: failure.step })
        return clause.run(message, context.fork({ error: failure }))
      }
    }

    return {
      ownTimeout: true,
      async run(message, context) {
        if (!last) return attempted(message, context)
        let outcome: Outcome
        try {
          outcome = await attempted(message, context)
        } catch (thrown) {
          if (!context.cancelled) await last(message, context)
          throw thrown
        }
        return (await last(message, context)) === END ? END : outcome
      },
    }
  },
})

function caughtInWords(
  codes: readonly string[] | undefined,
  statuses: readonly (number | string)[] | undefined,
): string {
  const kinds = codes ? ` with ${inWords(codes, 'or')}` : ''
  return `if it failed${kinds}${statuses ? `, the receiver answering ${statusesInWords(statuses)}` : ''}`
}

/** @param statuses as texts: `404`, `4xx` */
function clauseTest(
  codes: readonly string[] | undefined,
  statuses: readonly string[] | undefined,
): (failure: Failure) => boolean {
  const byCode = (code: string) =>
    codes === undefined ||
    codes.some((wanted) => wanted === code || (wanted.endsWith('.*') && code.startsWith(wanted.slice(0, -1))))
  const byStatus = (status: number | undefined) =>
    statuses === undefined ||
    (status !== undefined &&
      statuses.some((wanted) => wanted === String(status) || wanted === `${Math.floor(status / 100)}xx`))
  return ({ code, receiver }) => byCode(code) && byStatus(receiver?.status)
}
