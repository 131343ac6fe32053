import { Type } from '@sinclair/typebox'
import {
  Choice,
  Duration,
  Expression,
  Flag,
  Keys,
  ListOf,
  MapOf,
  OneOrMore,
  Optional,
  Steps,
  Text,
  Value,
  Whole,
} from '../core/schema.ts'

/** Keys of a flow file. */
export const flowSchema = Keys({
  name: Optional(
    Text({
      description: 'Name of the flow; the path of its file without ".yaml" when left out.',
      pattern: '^[a-z0-9][a-z0-9/-]*$',
      examples: ['orders/new'],
    }),
  ),
  description: Optional(Text({ description: 'What the flow is for.' })),
  enabled: Flag({ description: 'Whether it is started.', default: true }),
  parameters: Optional(
    Value({
      description:
        'Values that an environment may override: `name: default`, or `name: { default, type, description }`.',
    }),
  ),
  steps: Steps({ description: 'What it does; the first step may be the trigger that starts it.' }),
  onError: Optional(
    Steps({
      description:
        'What to do when the flow failed; `error` tells why. A `respond` here says what the caller gets. The run stays FAILED.',
    }),
  ),
  timeout: Optional(
    Duration({
      description: 'How long a run may take; 60s behind an endpoint, 24h behind a timer.',
      minimum: 1,
    }),
  ),
  concurrency: Optional(
    Keys(
      {
        running: Optional(Whole({ description: 'Runs at once in one process.', minimum: 1 })),
        waiting: Optional(Whole({ description: 'Messages that may wait for their turn.', minimum: 0 })),
      },
      {
        description:
          'How many messages it takes at once; 100 and 1000 waiting behind an endpoint, what "overlap" says behind a timer.',
      },
    ),
  ),
  logLevel: Choice(['none', 'info', 'debug', 'trace'], {
    description: 'What the message log keeps beside the record of a run.',
    default: 'info',
  }),
  searchable: ListOf(Text({ description: 'Name of a header.' }), {
    description: 'Headers by whose values runs can be found.',
    default: [],
  }),
  onDisconnect: Choice(['cancel', 'continue'], {
    description: 'What becomes of a run whose caller has gone.',
    default: 'continue',
  }),
  labels: MapOf(Text({ description: 'Any text.' }), {
    description: 'Labels for people and tools.',
    default: {},
  }),
})

/** Keys that a step may have beside its kind. */
export const stepKeys = {
  id: Text({
    description: 'Name of the step, unique in the flow.',
    pattern: '^[A-Za-z0-9][\\w-]*$',
    examples: ['get-items'],
  }),
  description: Text({ description: 'What the step is for.' }),
  if: Expression({ description: 'The step runs only if this is true.' }),
  timeout: Duration({ description: 'How long one attempt may take.', minimum: 1 }),
  retry: Keys(
    {
      attempts: Whole({
        description: 'Attempts, the first one included.',
        default: 3,
        minimum: 2,
        maximum: 100,
      }),
      delay: Duration({ description: 'Before the second attempt.', default: '1s', minimum: 0 }),
      factor: Type.Number({
        description: 'Each further wait is so many times longer.',
        default: 2,
        minimum: 1,
      }),
      maxDelay: Duration({ description: 'No wait is longer.', default: '60s', minimum: 0 }),
      jitter: Flag({ description: 'Waits are half to all of it, by chance.', default: true }),
      on: OneOrMore(
        Type.Union([
          Whole({ description: 'A status of the receiver.', minimum: 300, maximum: 599 }),
          Text({
            description:
              '`network`, `timeout`, a class of statuses (`5xx`), or a code of a failure (`script.*`).',
            pattern:
              '^(network|timeout|[345]xx|[a-z][a-z0-9-]*(\\.[a-z0-9-]+)+|[a-z][a-z0-9-]*(\\.[a-z0-9-]+)*\\.\\*)$',
            examples: ['5xx'],
          }),
        ]),
        {
          description: 'What is worth another attempt.',
          default: ['network', 'timeout', 429, '5xx'],
        },
      ),
    },
    {
      description:
        'The step is tried again when it fails; not on by itself. A receiver that says how long to wait (`Retry-After`) is obeyed.',
    },
  ),
}

/** Those of them that a trigger may have. */
export const TRIGGER_KEYS: readonly string[] = ['id', 'description']

/** A parameter that is more than its default. */
export const parameterSchema = Keys({
  default: Optional(Value({ description: 'Its value where none is given; without it, one must be.' })),
  type: Optional(
    Choice(['text', 'number', 'boolean'], { description: "Its type; the default's when left out." }),
  ),
  description: Optional(Text({ description: 'What it is for.' })),
})

/** Words of the flow language that a later version has. */
export const LATER = {
  flowKeys: ['delivery'],
  stepKeys: [] as readonly string[],
  kinds: ['repeat', 'validate', 'convert', 'variable', 'store', 'enqueue', 'idempotent', 'queue'],
  options: {
    endpoint: ['respond', 'rateLimit', 'cors', 'schema'],
  } as Readonly<Record<string, readonly string[]>>,
}
