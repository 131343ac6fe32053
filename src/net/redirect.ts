import { Failure } from '../core/failure.ts'
import { readAddress, type Address } from './address.ts'

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

/**
 * Where a redirect leads.
 * @param guarded the request carries a credential: https must stay https
 * @throws Failure `receiver.redirect`
 */
export function redirectTarget(location: string, from: Address, status: number, guarded: boolean): Address {
  const broken = (what: string, hint: string) =>
    new Failure('receiver.redirect', `"${from.host}" redirected ${what}`, {
      receiver: { status, host: from.host },
      hint,
    })
  const url = URL.parse(location, from.url)
  if (!url) throw broken('to something that is no URL', 'Ask the operator of the receiver.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw broken(`to "${url.protocol}"`, 'Only https and http are followed.')
  if (url.username !== '' || url.password !== '')
    throw broken(`to a URL with a user name at "${url.host}"`, 'Such redirects are not followed.')
  if (guarded && from.url.protocol === 'https:' && url.protocol === 'http:')
    throw broken(
      `from https to http at "${url.host}"`,
      'A request with a credential is not sent on without TLS. Use the final URL in the flow.',
    )
  return readAddress(url.href)
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
