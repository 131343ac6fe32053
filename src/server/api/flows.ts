import { Type } from '@sinclair/typebox'
import { parseDuration, sayDuration } from '../../core/duration.ts'
import { LONGEST_LEVEL, whyStopped, type RunReport } from '../../core/control.ts'
import type { LogLevel } from '../../core/flow.ts'
import { ApiRefusal, operation, type Operation } from './operation.ts'
import { PAGE, pageByName } from './paging.ts'
import { Flow, FlowLevel, Level, Name, PageOf, RunResult, TextMap, Thing } from './schemas.ts'

const params = Thing({ flow: Name('Name of the flow; `/` in it as `%2F`.') })
const tag = 'flows'

const Message = Thing(
  {
    body: Type.Optional(Type.String({ description: 'The body of the message.' })),
    encoding: Type.Optional(
      Type.Union([Type.Literal('text'), Type.Literal('base64')], {
        description: 'How `body` is written.',
        default: 'text',
      }),
    ),
    headers: Type.Optional(TextMap('Headers of the message; `content-type` says what its body is.')),
    parameters: Type.Optional(TextMap("Other values of the flow's parameters, for this run.")),
  },
  { examples: [{ body: '{"qty":1}', headers: { 'content-type': 'application/json' } }] },
)

export const flowOperations: readonly Operation[] = [
  operation({
    id: 'listFlows',
    method: 'GET',
    path: '/flows',
    role: 'sluice.viewer',
    tag,
    summary: 'Flows, by name',
    query: Thing(PAGE),
    result: PageOf(Flow),
    handle: ({ engine, query }) => pageByName(engine.control.flows(), query),
  }),
  operation({
    id: 'showFlow',
    method: 'GET',
    path: '/flows/{flow}',
    role: 'sluice.viewer',
    tag,
    summary: 'A flow',
    params,
    result: Flow,
    handle: ({ engine, params }) => engine.control.flows().find(({ name }) => name === params.flow),
  }),
  operation({
    id: 'runFlow',
    event: 'flow.run',
    method: 'POST',
    path: '/flows/{flow}/runs',
    role: 'sluice.operator',
    tag,
    summary: 'Runs a flow now, whatever its trigger',
    description:
      'The answer comes when the run has ended, also where it failed: `status` says how. A caller that hangs up cancels the run.',
    params,
    body: Message,
    takesMessage: true,
    conflict: 'The flow does not run: it is broken, disabled or stopped.',
    result: RunResult,
    async handle({ engine, params, body, actor, gone }) {
      const { body: text, encoding = 'text', headers = {}, parameters = {} } = body
      const bytes = text === undefined ? undefined : bytesOf(text, encoding)
      const request = { headers: lowerCased(headers), parameters, ...(bytes && { body: bytes }) }
      const report = await engine.onBehalfOf(actor).run(params.flow, request, gone)
      if (report?.id === undefined && report?.failure?.code === 'request.invalid')
        throw new ApiRefusal(400, 'request.invalid', report.failure.message)
      if (report) return readable(report)
      const why = whyStopped(params.flow, engine.control.flows())
      if (why !== undefined) throw new ApiRefusal(409, 'flow.stopped', why)
      return undefined
    },
  }),
  operation({
    id: 'setLevel',
    event: 'flow.level',
    method: 'PUT',
    path: '/flows/{flow}/level',
    role: 'sluice.operator',
    tag,
    summary: 'Sets what the message log keeps of its runs, for a time',
    params,
    body: Thing(
      {
        level: Level,
        for: Type.String({ description: 'How long: `30m`, `2h`; a day at the most.', examples: ['30m'] }),
      },
      { examples: [{ level: 'debug', for: '30m' }] },
    ),
    result: FlowLevel,
    handle({ engine, params, body, actor }) {
      const duration = parseDuration(body.for)
      if (duration === undefined || duration <= 0 || duration > LONGEST_LEVEL)
        throw new ApiRefusal(
          400,
          'request.invalid',
          `"for" is a time like 30m or 2h, ${sayDuration(LONGEST_LEVEL)} at the most`,
        )
      return engine.onBehalfOf(actor).setLevel(params.flow, { level: body.level as LogLevel, duration })
    },
  }),
  operation({
    id: 'resetLevel',
    event: 'flow.level',
    method: 'DELETE',
    path: '/flows/{flow}/level',
    role: 'sluice.operator',
    tag,
    summary: 'Gives a flow the level of its file back',
    params,
    result: FlowLevel,
    handle: ({ engine, params, actor }) => engine.onBehalfOf(actor).setLevel(params.flow, { duration: 0 }),
  }),
]

/** @throws ApiRefusal 400 where it is no base64 */
function bytesOf(text: string, encoding: 'text' | 'base64'): Uint8Array {
  if (encoding === 'text') return Buffer.from(text, 'utf8')
  const bare = text.replace(/[\t\n\r ]+/g, '')
  const bytes = Buffer.from(bare, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== bare.replace(/={1,2}$/, ''))
    throw new ApiRefusal(400, 'request.invalid', '"body" is no base64, as "encoding" says')
  return bytes
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** A body that is text as it is, anything else in base64. */
function readable({ reply, ...report }: RunReport): object {
  if (!reply) return report
  const bytes = Buffer.from(reply.body)
  const text = bytes.toString('utf8')
  const isText = !text.includes('\0') && Buffer.from(text, 'utf8').equals(bytes)
  return {
    ...report,
    reply: {
      ...reply,
      body: isText ? text : bytes.toString('base64'),
      encoding: isText ? 'text' : 'base64',
    },
  }
}
