import type { Body } from '../core/body.ts'
import type { Context } from '../core/context.ts'
import type { Path } from '../core/document.ts'
import { Failure } from '../core/failure.ts'
import { headerText } from '../core/header.ts'
import { typeName } from '../core/json.ts'
import type { Deployment } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import type { CredentialInfo } from '../core/services.ts'
import { parseTemplate } from '../expression/scan.ts'
import { readAddress } from '../net/address.ts'
import { notAllowed } from '../net/refusal.ts'
import { isMultipart, requestBody, tokenField } from '../net/request-body.ts'
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
  if (mistake || info?.allows === undefined || origin === undefined) return
  const address = readAddress(origin)
  if (info.allows(address.url)) return
  const { message, hint = '' } = notAllowed({ name: info.name, hosts: info.hosts ?? [] }, address)
  deployment.problem({ code: 'credential/host', message, hint, at: ['url'] })
}

/** Of a request; the body's own where it says nothing. */
export interface ContentType {
  /** It is always this one. */
  readonly constant: string | undefined
  /** Undefined: see `constant`. */
  readonly evaluate: Evaluate<string | undefined> | undefined
}

/** @param header the name under which it is written among the headers */
export function prepareContentType(
  { contentType, headers }: RequestOptions,
  header: string | undefined,
  deployment: Deployment,
): ContentType {
  if (header !== undefined && contentType !== undefined)
    deployment.problem({
      code: 'flow/header-twice',
      message: `the content type is there twice: as \`contentType\` and as the header "${header}"`,
      hint: 'Take one of them out.',
      at: ['headers', header],
      on: 'key',
    })
  const at = contentType === undefined ? ['headers', header ?? ''] : ['contentType']
  const written = contentType ?? (header === undefined ? undefined : headers?.[header])
  if (written === undefined || written === null) return { constant: undefined, evaluate: undefined }
  const template = deployment.value(written, at)
  if (template.constant)
    return { constant: constantType(template.constant.value, at, deployment), evaluate: undefined }
  return {
    constant: undefined,
    evaluate: (message, context) => headerText('content-type', template.evaluate(message, context)),
  }
}

function constantType(value: unknown, at: Path, deployment: Deployment): string | undefined {
  try {
    return headerText('content-type', value)
  } catch (error) {
    const { message, hint = '' } = Failure.from(error)
    deployment.problem({ code: 'flow/header-value', message, hint, at })
    return undefined
  }
}

/** What is sent for a message; a constant body is made once. */
export function prepareBody(
  given: RequestOptions,
  contentType: ContentType,
  deployment: Deployment,
): (message: Message, context: Context, type: string | undefined) => Body | null {
  if (given.body === undefined) return sendsMessage(given) ? (message) => message.body : () => null
  checkNoTokenRequest(given.body, ['body'], deployment)
  const template = deployment.value(given.body, ['body'])
  if (typeName(given.body) === 'map' && isMultipart(given.contentType ?? contentType.constant ?? '')) {
    deployment.problem({
      code: 'flow/multipart',
      message: 'a map cannot be sent as multipart in this version',
      hint: 'Send JSON or form fields; or build the whole body as text, with its boundaries.',
      at: given.contentType === undefined ? ['body'] : ['contentType'],
    })
    return () => null
  }
  if (template.constant && contentType.evaluate === undefined) {
    const always = requestBody(template.constant.value, contentType.constant)
    return () => always
  }
  return (message, context, type) => requestBody(template.evaluate(message, context), type)
}

function checkNoTokenRequest(
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
