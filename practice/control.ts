import type { Credit } from './incentive.ts'
import { apiError, count, json, onlyMethod, type Call, type Reply, type Service } from './http.ts'
import type { Counts, Outage, TokenBook } from './tokens.ts'

/** How to make the partner behave as partners sometimes do. */
export interface PartnerControl {
  /** The APIs refuse the tokens handed out so far: of one client, or of all. */
  revoke(client?: string): void
  /** The APIs refuse every token, fresh ones too, until told otherwise. */
  refuse(on: boolean): void
  /** The token services fail so; undefined ends it. */
  fail(outage: Outage | undefined): void
  deleteClient(client: string): void
  restoreClient(client: string): void
  /** All tokens handed out, for tests that look for them where they must not be. Not told over HTTP. */
  tokens(): readonly string[]
  /** Credits that were written. */
  readonly credits: readonly Credit[]
}

export function createControl(books: readonly TokenBook[], credits: readonly Credit[]): PartnerControl {
  return {
    revoke: (client) => books.forEach((book) => book.revoke(client)),
    refuse: (on) => books.forEach((book) => (book.refusing = on)),
    fail: (outage) => books.forEach((book) => (book.outage = outage)),
    deleteClient: (client) => books.find((book) => book.clients.includes(client))?.deleteClient(client),
    restoreClient: (client) => books.find((book) => book.clients.includes(client))?.restoreClient(client),
    tokens: () => books.flatMap((book) => book.issued),
    credits,
  }
}

/** The same over HTTP, for a person with curl. */
export function createControlService(control: PartnerControl, books: readonly TokenBook[]): Service {
  const clients = () => books.flatMap((book) => book.clients)
  const counts = (): Record<string, Counts> =>
    Object.fromEntries(books.flatMap((book) => book.clients.map((id) => [id, book.counts(id)])))
  return {
    handle(call) {
      const { pathname, searchParams } = call.url
      if (pathname === '/control') return onlyMethod(call, 'GET') ?? json({ clients: counts() })
      if (pathname === '/control/revoke') {
        const client = searchParams.get('client') ?? undefined
        const wrong =
          onlyMethod(call, 'POST') ?? (client === undefined ? undefined : known(client, clients()))
        if (wrong) return wrong
        control.revoke(client)
        return json({ revoked: client ?? 'all' })
      }
      if (pathname === '/control/refuse') return onlyMethod(call, 'PUT', 'DELETE') ?? refuse(call, control)
      if (pathname === '/control/outage') return onlyMethod(call, 'PUT', 'DELETE') ?? fail(call, control)
      const client = /^\/control\/clients\/([^/]+)$/.exec(pathname)?.[1]
      if (client === undefined) return undefined
      return (
        onlyMethod(call, 'PUT', 'DELETE') ?? known(client, clients()) ?? changeClient(call, control, client)
      )
    },
  }
}

function refuse(call: Call, control: PartnerControl): Reply {
  const on = call.method === 'PUT'
  control.refuse(on)
  return json({ refusing: on })
}

function fail(call: Call, control: PartnerControl): Reply {
  if (call.method === 'DELETE') {
    control.fail(undefined)
    return json({ outage: null })
  }
  const status = count(call, 'status', 503)
  const times = count(call, 'times', 1)
  const retryAfter = count(call, 'retryAfter', 0)
  if (typeof status !== 'number') return status
  if (typeof times !== 'number') return times
  if (typeof retryAfter !== 'number') return retryAfter
  if (status < 400 || status > 599 || times < 1)
    return apiError(400, 'invalid_query', '"status" is 400 to 599, and "times" at least 1')
  const outage = { status, times, ...(retryAfter > 0 && { retryAfter }) }
  control.fail(outage)
  return json({ outage })
}

function changeClient(call: Call, control: PartnerControl, client: string): Reply {
  if (call.method === 'DELETE') {
    control.deleteClient(client)
    return json({ deleted: client })
  }
  control.restoreClient(client)
  return json({ restored: client })
}

function known(client: string, clients: readonly string[]): Reply | undefined {
  return clients.includes(client)
    ? undefined
    : apiError(404, 'not_found', `there is no such client; there are ${clients.join(', ')}`)
}
