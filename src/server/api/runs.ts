import { Type } from '@sinclair/typebox'
import type { RunStatus } from '../../core/stores.ts'
import { ApiRefusal, Bytes, operation, type Operation } from './operation.ts'
import { cursorOf, limitOf, PAGE, placeOf } from './paging.ts'
import { Cancellation, Name, PageOf, Run, RunDetail, Snapshot, Thing, Time, Wanted } from './schemas.ts'
import type { RunSearch } from './managed-engine.ts'

const params = Thing({ run: Name('Id of the run.') })
const tag = 'runs'
const Maybe = Type.Optional

const Search = Thing({
  flow: Maybe(Wanted('Names of flows; `*` stands for any text.')),
  status: Maybe(
    Type.Array(
      Type.Union(
        ['PROCESSING', 'COMPLETED', 'FAILED', 'RETRY', 'CANCELLED', 'DISCARDED', 'ABANDONED'].map((status) =>
          Type.Literal(status),
        ),
      ),
      { description: 'Statuses.', maxItems: 100 },
    ),
  ),
  code: Maybe(Wanted('Codes of failures; `*` stands for any text.')),
  credential: Maybe(Wanted('Credentials that were used.')),
  host: Maybe(Wanted('Hosts that were talked to.')),
  correlationId: Maybe(Type.String({ maxLength: 300 })),
  header: Maybe(Wanted('Searchable headers, `name=value`; all must fit.')),
  text: Maybe(Type.String({ description: 'In a log line or the failure.', minLength: 1, maxLength: 300 })),
  since: Maybe(Time('Runs that started then or later')),
  until: Maybe(Time('Runs that started before')),
  ...PAGE,
})

/** Before a run, or, where the time was up, before a moment. */
function placeOfRuns(cursor: string | undefined) {
  return placeOf<{ run: 'string' } | { at: 'number' }>(cursor, { run: 'string' }, { at: 'number' })
}

export const runOperations: readonly Operation[] = [
  operation({
    id: 'listRuns',
    method: 'GET',
    path: '/runs',
    role: 'sluice.viewer',
    tag,
    summary: 'Runs of the message log, the newest first',
    description:
      'A run has to fit everything that is given. A run is there once it has ended, or is older than a second. A search that takes long answers with what it found so far, maybe nothing, and `next`.',
    query: Search,
    result: PageOf(Run),
    async handle({ engine, query }) {
      const limit = limitOf(query)
      const place = placeOfRuns(query.cursor)
      const { runs, reached } = await engine.runs(searchOf(query, place, limit + 1))
      const items = runs.slice(0, limit)
      const next =
        runs.length > limit ? { run: items.at(-1)!.id } : reached === undefined ? undefined : { at: reached }
      return { items, ...(next && { next: cursorOf(next) }) }
    },
  }),
  operation({
    id: 'showRun',
    method: 'GET',
    path: '/runs/{run}',
    role: 'sluice.viewer',
    tag,
    summary: 'A run with its steps, lines and the names of its attachments',
    params,
    result: RunDetail,
    handle: ({ engine, params }) => engine.run(params.run),
  }),
  operation({
    id: 'listSnapshots',
    method: 'GET',
    path: '/runs/{run}/snapshots',
    role: 'sluice.operator',
    tag,
    summary: 'What the levels debug and trace kept after each step: headers, properties, payloads',
    params,
    result: Thing({ items: Type.Array(Snapshot) }),
    async handle({ engine, params }) {
      const items = await engine.snapshots(params.run)
      return items && { items }
    },
  }),
  operation({
    id: 'getAttachment',
    method: 'GET',
    path: '/runs/{run}/attachments/{name}',
    role: 'sluice.operator',
    tag,
    summary: 'The content of an attachment',
    description: 'The first one of this name; `NAME#2` is the second one.',
    params: Thing({ run: Name('Id of the run.'), name: Name('Name of the attachment.') }),
    bytes: true,
    async handle({ engine, params }) {
      const found = await engine.attachment(params.run, params.name)
      return found && new Bytes(found.content, found.contentType, found.name)
    },
  }),
  operation({
    id: 'cancelRun',
    event: 'run.cancelled',
    method: 'POST',
    path: '/runs/{run}/cancel',
    role: 'sluice.operator',
    tag,
    summary: 'Cancels a run that is going on',
    description:
      'It ends as CANCELLED as soon as its step lets it. 404: there is no such run, or it has ended.',
    params,
    result: Cancellation,
    handle: ({ engine, params, actor }) => engine.onBehalfOf(actor).cancelRun(params.run),
  }),
]

type Query = (typeof Search)['static']

function searchOf(query: Query, place: ReturnType<typeof placeOfRuns>, limit: number): RunSearch {
  const { flow, status, code, credential, host, correlationId, header, text, since } = query
  const until = place && 'at' in place ? Math.min(place.at, query.until ?? Infinity) : query.until
  return {
    limit,
    ...(flow && { flows: flow }),
    ...(status && { statuses: status as RunStatus[] }),
    ...(code && { codes: code }),
    ...(credential && { credentials: credential }),
    ...(host && { hosts: host }),
    ...(correlationId !== undefined && { correlationId }),
    ...(header && { headers: header.map(headerOf) }),
    ...(text !== undefined && { text }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(place && 'run' in place && { before: place.run }),
  }
}

function headerOf(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new ApiRefusal(400, 'request.invalid', `"header" is name=value; got "${text}"`)
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}
