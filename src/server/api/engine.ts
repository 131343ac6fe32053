import { Type } from '@sinclair/typebox'
import { operation, type Operation } from './operation.ts'
import { cursorOf, limitOf, PAGE, placeOf } from './paging.ts'
import { AuditEntry, PageOf, Reload, Status, Thing, Time, Wanted } from './schemas.ts'

const Maybe = Type.Optional

export const engineOperations: readonly Operation[] = [
  operation({
    id: 'getStatus',
    method: 'GET',
    path: '/status',
    role: 'sluice.viewer',
    tag: 'engine',
    summary: 'The engine, and what is not well',
    result: Status,
    handle: ({ engine: { control } }) => ({ ...control.status(), health: control.health() }),
  }),
  operation({
    id: 'reload',
    event: 'reload',
    method: 'POST',
    path: '/reload',
    role: 'sluice.operator',
    tag: 'engine',
    summary: 'Reads flows, scripts and parameters again',
    description:
      'What is different and sound takes over; a file with mistakes leaves the version before in force.',
    result: Reload,
    handle: ({ engine, actor }) => engine.onBehalfOf(actor).reload(),
  }),
  operation({
    id: 'listAudit',
    method: 'GET',
    path: '/audit',
    role: 'sluice.viewer',
    tag: 'audit',
    summary: 'Who did what, the newest first',
    query: Thing({
      what: Maybe(Wanted('Events; `*` stands for any text: `role.*`.')),
      who: Maybe(Wanted('Who; `*` stands for any text.')),
      object: Maybe(Wanted('Client, flow, credential or run.')),
      outcome: Maybe(Wanted('done, refused or failed.')),
      since: Maybe(Time('Entries from then on')),
      until: Maybe(Time('Entries from before')),
      ...PAGE,
    }),
    result: PageOf(AuditEntry),
    async handle({ engine, query }) {
      const { limit: _limit, cursor, ...search } = query
      const limit = limitOf(query)
      const before = placeOf(cursor, { at: 'number', number: 'number' })
      const found = await engine.audit({ ...search, limit: limit + 1, ...(before && { before }) })
      const items = found.slice(0, limit)
      const { at, number } = items.at(-1) ?? { at: 0, number: 0 }
      return { items, ...(found.length > limit && { next: cursorOf({ at, number }) }) }
    },
  }),
]
