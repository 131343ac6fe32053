import { Failure } from '../core/failure.ts'
import type { Answer } from '../core/http.ts'
import { readAddress, type Address } from './address.ts'
import { holdsEntry, withoutEntries } from './credential-query.ts'

/** What goes with a method that carries a body, and with none else. */
const OF_BODY: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-location',
])
/** What is for one receiver only. */
const OF_RECEIVER: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie'])

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Whether a status sends the client elsewhere, when there is a `location`. */
export function isRedirect(status: number, headers: Readonly<Record<string, string>>): boolean {
  return REDIRECTS.has(status) && Object.hasOwn(headers, 'location')
}

/** What went along with the request that was redirected. */
export interface Sent {
  /** Name of the credential; undefined: none. */
  readonly credential: string | undefined
  /** What credentials added to the query on the way so far: `name=value&...`, encoded. */
  readonly added: string
}

/**
 * Where a redirect leads: without a fragment, and without what a credential had added to the query, which receivers
 * often repeat in the target.
 * @throws Failure `receiver.redirect`
 */
export function redirectTarget(
  { status, headers }: Answer,
  from: Address,
  { credential, added }: Sent,
): Address {
  const broken = (what: string, hint: string) =>
    new Failure('receiver.redirect', `"${from.host}" redirected ${what}`, {
      receiver: { status, host: from.host },
      hint,
    })
  const url = locationOf(headers, from.url)
  if (!url) throw broken('to something that is no URL', 'Ask the operator of the receiver.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw broken(`to "${url.protocol}"`, 'Only https and http are followed.')
  if (url.username !== '' || url.password !== '')
    throw broken(
      `to a URL with a user name at "${url.host}"`,
      'Such redirects are not followed. Use the final URL in the flow, and name a credential for it.',
    )
  const guarded = credential !== undefined
  if (guarded && from.url.protocol === 'https:' && url.protocol === 'http:')
    throw broken(
      `from https to http at "${url.host}"`,
      'A request with a credential is not sent on without TLS. Use the https address of the target in the flow, or ask the operator of the receiver for one.',
    )
  url.hash = ''
  url.search = withoutEntries(url.search, added)
  const address = readAddress(url.href)
  if (guarded && address.origin !== from.origin && holdsEntry(address.path, added))
    throw broken(
      `to "${url.host}", and its target repeats what the credential "${credential}" added to the query`,
      'That does not go to another host. Use the final URL in the flow.',
    )
  return address
}

/** The target of a redirect, as a client reads it: bytes beyond ASCII are UTF-8. Null: it is no URL. */
export function locationOf(headers: Answer['headers'], base: URL | string): URL | null {
  const location = headers['location'] ?? ''
  const isAscii = !/[\x80-\xff]/.test(location)
  return URL.parse(isAscii ? location : Buffer.from(location, 'latin1').toString('utf8'), base)
}

/** Whether the next request is a GET without a body. @see https://fetch.spec.whatwg.org/#http-redirect-fetch */
export function becomesGet(status: number, method: string): boolean {
  return status === 303
    ? method !== 'GET' && method !== 'HEAD'
    : (status === 301 || status === 302) && method === 'POST'
}

export function withoutBodyHeaders(headers: readonly string[]): string[] {
  return without(headers, OF_BODY)
}

export function withoutReceiverHeaders(headers: readonly string[]): string[] {
  return without(headers, OF_RECEIVER)
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2)
    if (!names.has(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!)
  return kept
}

export function tooOften({ host }: Address, status: number, limit: number): Failure {
  return new Failure('receiver.redirect', `redirected more than ${limit} times, at last by "${host}"`, {
    receiver: { status, host },
    hint: 'The receiver may redirect in a circle; call the final URL.',
  })
}

export function usedUp({ host }: Address, status: number): Failure {
  return new Failure(
    'receiver.redirect',
    `"${host}" redirected the request, whose body was a stream and is used up`,
    {
      receiver: { status, host },
      hint: 'Call the final URL, or let a step look at the body first, so that it is kept in memory.',
    },
  )
}
