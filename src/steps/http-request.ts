import type { Context } from '../core/context.ts'
import type { Deployment } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import type { CredentialInfo } from '../core/services.ts'
import { parseTemplate } from '../expression/scan.ts'
import { readAddress } from '../net/address.ts'
import { notAllowed } from '../net/refusal.ts'
import { tokenField } from '../net/request-body.ts'
import { certainOrigin, checkUrl, type UrlPart } from '../net/url-check.ts'
import { encodeName, urlText, withQuery } from '../net/url-text.ts'

/** They send the message's body where the step has none of its own. */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'MERGE', 'QUERY'])

/** What an http step says of its request. */
export interface RequestOptions {
  readonly url: string
  readonly method?: string
  readonly query?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly contentType?: string
  readonly credential?: { readonly name: string }
}

type Evaluate<T> = (message: Message, context: Context) => T

export function methodOf({ method, body }: RequestOptions): string {
  return method ?? (body === undefined ? 'GET' : 'POST')
}

/** Whether the request carries the message's body. */
export function sendsMessage(given: RequestOptions): boolean {
  return given.body === undefined && WITH_BODY.has(methodOf(given))
}

/** @param info of the step's credential, where there is one */
export function prepareUrl(
  given: RequestOptions,
  info: CredentialInfo | undefined,
  deployment: Deployment,
): Evaluate<string> {
  const parts = deployment.parts(given.url, ['url'])
  if (info !== undefined || given.credential === undefined)
    checkAddress(parseTemplate(given.url).parts, info, deployment)
  checkNoTokenRequest(given.url, ['url'], deployment)
  checkNoTokenRequest(given.query, ['query'], deployment)
  const url = urlText(parts)
  const query = Object.entries(given.query ?? {}).map(([name, value]) => ({
    name: encodeName(name),
    value: deployment.value(value, ['query', name]),
  }))
  if (query.length === 0) return url
  if (query.every(({ value }) => value.constant) && parts.every((part) => typeof part === 'string')) {
    const whole = withQuery(parts.join('').trim(), query, undefined as never, undefined as never)
    return () => whole
  }
  return (message, context) => withQuery(url(message, context), query, message, context)
}

function checkAddress(
  parts: readonly UrlPart[],
  info: CredentialInfo | undefined,
  deployment: Deployment,
): void {
  const mistake = checkUrl(parts, info?.baseUrl ?? { credential: info?.name })
  if (mistake) deployment.problem({ code: 'flow/url', at: ['url'], ...mistake })
  const origin = certainOrigin(parts)
  if (mistake || origin === undefined) return
  const address = readAddress(origin)
  const refused = deployment.services.egress.refusal(address.url)
  if (refused) deployment.problem({ code: 'flow/egress', ...refused, at: ['url'] })
  if (refused || info?.allows === undefined || info.allows(address.url)) return
  const { message, hint = '' } = notAllowed({ name: info.name, hosts: info.hosts ?? [] }, address)
  deployment.problem({ code: 'credential/host', message, hint, at: ['url'] })
}

/** Reports a request that asks a token service for a token. */
export function checkNoTokenRequest(
  written: unknown,
  at: ['url'] | ['query'] | ['body'],
  deployment: Deployment,
): void {
  const field = tokenField(written)
  if (field === undefined) return
  deployment.problem({
    code: 'flow/token-request',
    message: `a flow does not ask for tokens itself ("${field}")`,
    hint: 'Describe the token service in a file of security-material/ (type: oauth2) and name it here: `credential: <name>`.',
    at: typeof written === 'string' ? at : [...at, field],
    ...(typeof written === 'string' ? {} : { on: 'key' as const }),
  })
}
