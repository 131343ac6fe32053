import type { DescribedEndpoint } from './openapi.ts'

/** RFC 9457, with what Sluice adds. */
export const PROBLEM = {
  type: 'object',
  description: 'Why there is no result (RFC 9457).',
  required: ['title', 'status'],
  properties: {
    title: { type: 'string', description: 'The same for every problem of this code.' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'About this request.' },
    code: { type: 'string', description: 'The kind of problem; stable.' },
    run: { type: 'string', description: 'Id under which the message log has the run.' },
    id: { type: 'string', description: 'Id under which the log of the engine has a refused call.' },
    errors: {
      type: 'array',
      description: 'Places in the body that do not fit its schema.',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string', description: 'JSON pointer into the body.' },
          detail: { type: 'string' },
        },
      },
    },
  },
  examples: [
    {
      title: 'The body does not fit the schema',
      status: 400,
      detail: '"#/qty" must be integer',
      code: 'body.schema',
      errors: [{ pointer: '#/qty', detail: 'must be integer' }],
    },
  ],
} as const

const RETRY = { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } }
const RUN = { 'Sluice-Run': { description: 'Id of the run.', schema: { type: 'string' } } }
const CHALLENGE = { 'WWW-Authenticate': { description: 'How to authorize.', schema: { type: 'string' } } }
const ANY = { '*/*': {} }

/** What a caller may get, by status. */
export function answersOf(
  { route, replies }: DescribedEndpoint,
  takesBody: boolean,
): Readonly<Record<string, object>> {
  const closed = route.access !== 'public'
  const answers: Record<string, object> = {
    200: { description: 'The message at the end of the flow.', headers: RUN, content: ANY },
    204: { description: 'The flow is done; its message is empty.', headers: RUN },
    400: problem('The request is not as it should be.'),
    500: problem('The flow failed.'),
    502: problem('A receiver or its credential failed.'),
    503: problem('There is no room for the message now, or the flow is not running.', RETRY),
    504: problem('A receiver or the flow took too long.'),
  }
  if (closed) {
    answers[401] = problem('No authorization, or one that is not good.', CHALLENGE)
    answers[403] = problem('The caller lacks the role.', CHALLENGE)
  }
  if (takesBody) {
    answers[408] = problem('The body did not arrive in time.')
    answers[413] = problem('The body is too large.')
    if (route.contentTypes) answers[415] = problem('The content type is not taken.')
  }
  if (closed || route.limited) answers[429] = problem('Too many calls.', RETRY)
  for (const status of replies)
    answers[status] ??=
      status === 304
        ? { description: 'As the flow says.', headers: RUN }
        : { description: 'As the flow says.', headers: RUN, content: ANY }
  return answers
}

function problem(description: string, headers?: object): object {
  return {
    description,
    ...(headers && { headers }),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}
