import { Type, type TSchema } from '@sinclair/typebox'

/** What the management API speaks of; other keys are refused where they come in, and never go out. */
export const Thing = <Properties extends Record<string, TSchema>>(
  properties: Properties,
  about: { description?: string; examples?: readonly object[] } = {},
) => Type.Object(properties, { additionalProperties: false, ...about })

export const Time = (description: string) => Type.Number({ description: `${description} (epoch ms)` })
export const Name = (description: string) => Type.String({ description, minLength: 1, maxLength: 300 })
export const Texts = (description: string) => Type.Array(Type.String(), { description })
/** Of a query: so many as one search takes. */
export const Wanted = (description: string) =>
  Type.Array(Type.String({ maxLength: 300 }), { description, maxItems: 100 })
export const TextMap = (description: string) => Type.Record(Type.String(), Type.String(), { description })
const Count = (description: string) => Type.Integer({ description, minimum: 0 })
const Maybe = Type.Optional

export const Level = Type.Union(
  ['none', 'info', 'debug', 'trace'].map((level) => Type.Literal(level)),
  { description: 'What the message log keeps of runs.' },
)

/** A page of a list. */
export const PageOf = <Item extends TSchema>(item: Item) =>
  Thing({
    items: Type.Array(item),
    next: Maybe(
      Type.String({ description: 'The `cursor` of the next page; left out: this is the last one.' }),
    ),
  })

export const Problem = Type.Object({
  code: Type.String(),
  severity: Type.String(),
  message: Type.String(),
  hint: Maybe(Type.String()),
  file: Type.String(),
  line: Type.Integer(),
  column: Type.Integer(),
})

export const Status = Thing({
  pid: Type.Integer(),
  version: Type.String(),
  startedAt: Time('When it was started'),
  listen: Maybe(Type.String({ description: 'Address of the endpoints.' })),
  management: Maybe(Type.String()),
  dataFolder: Type.String(),
  ready: Type.Boolean(),
  notReady: Texts('Why it is not ready.'),
  health: Type.Object({}, { description: 'As `/health` tells it.', additionalProperties: true }),
})

export const Reload = Thing({
  changed: Texts('Flows that run in a new version.'),
  added: Texts('Flows that are new.'),
  removed: Texts('Flows that are gone.'),
  broken: Type.Array(Thing({ flow: Type.String(), file: Type.String(), running: Type.Boolean() })),
  unchanged: Count('Flows that are as they were.'),
  restart: Texts('Settings that take effect with the next start.'),
  problems: Type.Array(Problem),
})

export const FlowLevel = Thing({
  flow: Type.String(),
  level: Level,
  own: Level,
  until: Maybe(Time('Until when another level than its own holds')),
})

export const Flow = Thing({
  name: Type.String(),
  file: Type.String(),
  version: Type.String(),
  description: Maybe(Type.String()),
  state: Type.Union(['running', 'stopped', 'disabled', 'broken'].map((state) => Type.Literal(state))),
  reason: Maybe(Type.String({ description: 'Why it does not run, or not well.' })),
  trigger: Maybe(Thing({ kind: Type.String(), summary: Type.String() })),
  next: Maybe(Time('When its timer fires next')),
  route: Maybe(
    Type.Object({ methods: Texts('Methods.'), path: Type.String() }, { additionalProperties: true }),
  ),
  parameters: Type.Record(Type.String(), Type.Unknown()),
  credentials: Texts('Names of the credentials that it uses.'),
  logLevel: Level,
  ownLogLevel: Level,
  logLevelUntil: Maybe(Time('Until when `logLevel` holds')),
  running: Count('Runs that are going on.'),
  waiting: Count('Messages that wait for their turn.'),
  problems: Type.Array(Problem),
  steps: Type.Array(
    Thing({
      id: Type.String(),
      kind: Type.String(),
      line: Type.Integer(),
      parent: Type.Integer({ description: 'Number of the step it stands in; -1 at the top.' }),
      description: Maybe(Type.String()),
    }),
  ),
})

export const Failure = Type.Object(
  { code: Type.String(), message: Type.String(), hint: Maybe(Type.String()), step: Maybe(Type.String()) },
  { additionalProperties: true, description: 'Why a run failed.' },
)

export const RunResult = Thing({
  id: Maybe(Type.String({ description: 'Left out: it was not let in, and there is no record of it.' })),
  flow: Type.String(),
  status: Type.String(),
  duration: Type.Number({ description: 'ms' }),
  failure: Maybe(Failure),
  reply: Maybe(
    Thing({
      status: Type.Integer(),
      headers: TextMap('Headers of the message at the end.'),
      body: Type.String({ description: 'Text, or base64 as `encoding` says.' }),
      encoding: Type.Union([Type.Literal('text'), Type.Literal('base64')]),
    }),
  ),
})

const RUN = {
  id: Type.String(),
  flow: Type.String(),
  trigger: Type.String(),
  status: Type.String({
    description: 'PROCESSING, COMPLETED, FAILED, RETRY, CANCELLED, DISCARDED or ABANDONED.',
  }),
  startedAt: Time('When it began'),
  duration: Maybe(Type.Number({ description: 'ms; left out while it goes on.' })),
  correlationId: Type.String(),
  caller: Maybe(Type.String()),
  calledBy: Maybe(Type.String({ description: 'Id of the run that called it.' })),
  failure: Maybe(Failure),
  credentials: Texts('Credentials that it used.'),
  hosts: Texts('Hosts that it talked to.'),
  progress: Maybe(Type.Object({ step: Type.String(), done: Count('Items.'), failed: Count('Items.') })),
}

export const Run = Thing(RUN)

const Link = Thing({
  id: Type.String(),
  flow: Type.String(),
  status: Type.String(),
  startedAt: Time('When it began'),
  duration: Maybe(Type.Number()),
})

export const Attachment = Thing({
  at: Time('When it was kept'),
  step: Type.String(),
  name: Type.String(),
  contentType: Type.String(),
  size: Count('Bytes.'),
})

export const RunDetail = Thing({
  ...RUN,
  version: Type.String(),
  file: Maybe(Type.String()),
  steps: Type.Array(
    Thing({
      index: Type.Integer(),
      id: Type.String(),
      kind: Type.String(),
      line: Maybe(Type.Integer()),
      parent: Type.Integer(),
      start: Type.Number({ description: 'ms from the start of the run.' }),
      duration: Type.Number({ description: 'ms' }),
      outcome: Type.String({ description: 'done, failed, skipped or ended.' }),
    }),
  ),
  omittedSteps: Count('Steps in the middle of a very long run whose times are not kept.'),
  searchable: TextMap('Searchable headers.'),
  lines: Type.Array(
    Thing({
      run: Type.String(),
      at: Time('When'),
      level: Type.String(),
      step: Type.String(),
      text: Type.String(),
      fields: Maybe(Type.Unknown()),
    }),
  ),
  attachments: Type.Array(Attachment),
  related: Maybe(
    Thing({
      caller: Maybe(Link),
      called: Type.Array(Link),
      calledCount: Count('Runs that it called.'),
      correlated: Count('Others of the same correlation id.'),
    }),
  ),
})

export const Snapshot = Thing({
  at: Time('When'),
  step: Type.String(),
  level: Type.String(),
  headers: Type.Unknown(),
  properties: Type.Unknown(),
  body: Maybe(Type.String()),
  contentType: Maybe(Type.String()),
})

export const Cancellation = Thing({ id: Type.String(), flow: Type.String() })

export const Credential = Thing({
  name: Type.String(),
  type: Type.String(),
  file: Type.String(),
  description: Maybe(Type.String()),
  baseUrl: Maybe(Type.String()),
  hosts: Texts('Where it may go.'),
  settings: TextMap('As its file says; secrets as `[secret]`.'),
  state: Type.Object({ status: Type.String() }, { additionalProperties: true }),
  flows: Texts('Flows that use it.'),
  unset: Texts('References without a value.'),
})

export const CredentialTest = Thing({
  name: Type.String(),
  type: Type.String(),
  file: Type.String(),
  ok: Type.Boolean(),
  problems: Type.Array(Problem),
  steps: Type.Array(
    Type.Object({ title: Type.String(), ok: Type.Boolean() }, { additionalProperties: true }),
  ),
})

export const Invalidation = Thing({
  name: Type.String(),
  type: Type.String(),
  keeps: Type.Boolean({ description: 'Whether credentials of this type keep anything.' }),
  status: Type.String({ description: 'Before it.' }),
})

export const Revoked = Thing({
  ...Invalidation.properties,
  revocation: Maybe(
    Thing({
      outcome: Type.Union(
        ['revoked', 'nothing', 'failed', 'impossible'].map((outcome) => Type.Literal(outcome)),
        { description: '`nothing`: there was no token; `impossible`: the credential does not say where.' },
      ),
      reason: Maybe(Type.String()),
      hint: Maybe(Type.String()),
    }),
  ),
})

export const Client = Thing({
  name: Type.String(),
  file: Type.String(),
  clientId: Type.String(),
  caller: Type.String({ description: 'What flows and logs see.' }),
  description: Maybe(Type.String()),
  enabled: Type.Boolean(),
  roles: Texts('Roles.'),
  secrets: Count('How many secrets it has.'),
  apiKeys: Count('How many API keys it has.'),
  tokenLifetime: Type.Union([Type.Number({ description: 'ms' }), Type.Literal('untilNext')]),
})

export const AuditEntry = Thing({
  number: Type.Integer(),
  at: Time('When'),
  what: Type.String({ description: '`role.granted`, `flow.run`, ...; `sluice audit --help` lists them.' }),
  who: Type.String(),
  address: Maybe(Type.String()),
  object: Maybe(Type.String({ description: 'Client, flow, credential or run.' })),
  outcome: Type.String({ description: 'done, refused or failed.' }),
  detail: Maybe(Type.String()),
  count: Type.Integer({ description: 'So many within a minute.' }),
})
