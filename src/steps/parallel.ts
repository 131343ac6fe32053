import { Body } from '../core/body.ts'
import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import { defineOwn, typeName } from '../core/json.ts'
import { defineStep, type Run } from '../core/kinds.ts'
import { loadBody } from '../core/loading.ts'
import { Message } from '../core/message.ts'
import { Choice, Keys, MapOf, Optional, Steps } from '../core/schema.ts'
import { letGo } from '../net/answer-stream.ts'

interface Way {
  readonly name: string
  readonly run: Run
}

export const parallel = defineStep({
  name: 'parallel',
  summary: 'Runs several branches at once, each with a message of its own.',
  description:
    'Every branch begins with a copy of the message. Afterwards the body is a map: the name of each branch, and the body that it ended with; nothing else of a branch leaves it. With `join: all` the first failure ends the other branches and fails the step; with `join: first` the first branch that succeeds ends the others, and the step fails only when all have failed.',
  composite: true,
  options: Keys({
    branches: MapOf(Steps({ description: 'The steps of the branch.' }), {
      description: 'Steps by the name of the branch.',
    }),
    join: Optional(Choice(['all', 'first'], { description: 'What is waited for.', default: 'all' })),
  }),
  examples: [
    {
      title: 'Ask two systems at once',
      yaml: 'steps:\n  - endpoint: { path: /offers, access: public }\n  - parallel:\n      branches:\n        price:\n          - http: { url: "https://prices.example.com/${body.sku}" }\n        stock:\n          - http: { url: "https://stock.example.com/${body.sku}" }\n  - set: { body: { price: "${body.price.amount}", stock: "${body.stock.count}" } }\n',
    },
  ],
  explain: ({ branches, join = 'all' }) => ({
    text:
      join === 'all'
        ? 'runs branches at once, and waits for all of them'
        : 'runs branches at once, until the first has succeeded',
    details: [
      'Each branch begins with a copy of the message.',
      join === 'all'
        ? 'The first failure ends the other branches and fails the step.'
        : 'The others are ended then; the step fails only when all have failed.',
      'Afterwards the body is a map: the name of each branch, and the body that it ended with.',
    ],
    parts: Object.entries(branches).map(([name, steps]) => ({ title: `branch ${name}`, steps })),
  }),
  async prepare({ branches, join = 'all' }, deployment) {
    const names = Object.keys(branches)
    if (names.length === 0)
      deployment.problem({
        code: 'flow/parallel',
        message: '"branches" is empty; nothing would run',
        hint: 'Write the steps of each branch below its name.',
        at: ['branches'],
      })
    const ways = await Promise.all(
      names.map(async (name): Promise<Way> => ({ name, run: await deployment.steps(branches[name]!) })),
    )
    const load: Load = (body, context) =>
      loadBody(body, deployment.services.limits.body, deployment.world.clock, context)
    return {
      readsBody: true,
      leaves: 'body',
      ownMessages: true,
      async run(message, context) {
        const result = await (join === 'all' ? all : first)(ways, message, context, load)
        message.body = Body.ofJson(result)
      },
    }
  },
})

/** Reads a streamed body into memory while there is time. */
type Load = (body: Body, context: Context) => Promise<void>

type Join = (ways: readonly Way[], message: Message, context: Context, load: Load) => Promise<unknown>

const all: Join = async (ways, message, context, load) => {
  const branch = context.branch()
  let failure: Failure | undefined
  try {
    const ends = await Promise.all(
      ways.map((way) =>
        follow(way, message, branch.fork({}), load).catch((thrown: unknown) => {
          failure ??= context.cancelled ?? Failure.from(thrown)
          branch.cancel(new Failure('flow.cancelled', 'another branch failed'))
          return null
        }),
      ),
    )
    if (failure) throw failure
    const result: Record<string, unknown> = {}
    ways.forEach(({ name }, i) => defineOwn(result, name, ends[i]))
    return result
  } finally {
    branch.end()
  }
}

const first: Join = async (ways, message, context, load) => {
  const branch = context.branch()
  const failures: Failure[] = []
  let result: Record<string, unknown> | undefined
  try {
    await Promise.all(
      ways.map(async (way) => {
        try {
          const end = await follow(way, message, branch.fork({}), load)
          if (result) return
          result = {}
          defineOwn(result, way.name, end)
          branch.cancel(new Failure('flow.cancelled', 'another branch was first'))
        } catch (thrown) {
          failures.push(Failure.from(thrown))
        }
      }),
    )
    if (result) return result
    throw context.cancelled ?? failures[0]!
  } finally {
    branch.end()
  }
}

/** One branch with a message of its own; what its body is in the end. */
async function follow({ name, run }: Way, message: Message, context: Context, load: Load): Promise<unknown> {
  const own = new Message(message.body)
  Object.assign(own.headers, message.headers)
  Object.assign(own.properties, message.properties)
  own.response = message.response
  try {
    await run(own, context)
    if (own.body.isStream) await load(own.body, context)
  } catch (thrown) {
    letGo(own.body)
    throw thrown
  }
  const value = own.body.value()
  if (typeName(value) !== 'bytes') return value
  throw new Failure('body.invalid', `the branch "${name}" ends with bytes, which cannot stand in a map`, {
    hint: 'Let the branch end with JSON or text.',
    reply: 500,
  })
}
