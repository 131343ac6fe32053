import { Type, type Static } from '@sinclair/typebox'
import type { Body } from '../core/body.ts'
import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import { headerText } from '../core/header.ts'
import type { ReceiverAnswer } from '../core/http.ts'
import { typeName } from '../core/json.ts'
import { defineStep, type Deployment } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import {
  Choice,
  CredentialName,
  Flag,
  Keys,
  ListOf,
  OneOrMore,
  Optional,
  Size,
  Template,
  Templates,
  Text,
  Value,
  Whole,
} from '../core/schema.ts'
import { letGo } from '../net/answer-stream.ts'
import { isRedirect } from '../net/redirect.ts'
import { isMultipart, requestBody, tokenField } from '../net/request-body.ts'
import { prepareHeaders, prepareSavedHeaders } from '../net/request-headers.ts'
import { statusFailure, unfollowedRedirect } from '../net/status-failure.ts'
import { checkUrl } from '../net/url-check.ts'
import { encodeName, urlText, withQuery } from '../net/url-text.ts'
import { wantedCredential } from '../net/wanted-credential.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'MERGE', 'QUERY'] as const
/** They send the message's body where the step has none of its own. */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'MERGE', 'QUERY'])
/** Bytes of an answer that goes into a property. */
const INTO_LIMIT = 40 * 1024 * 1024
const MAX_REDIRECTS = 10

const options = Keys({
  url: Template({
    description:
      "Where to; absolute, or relative to the credential's `baseUrl`. Each `${}` is encoded as one path segment or query value, except one that the URL begins with.",
    examples: ['https://api.example.com/orders/${body.id}', 'orders'],
  }),
  method: Optional(
    Choice(METHODS, {
      description:
        "GET when left out, POST when there is a `body`. POST, PUT and PATCH without `body` send the message's.",
    }),
  ),
  query: Optional(
    Templates({
      description: 'Query entries by name; values are encoded, null leaves an entry out, a list repeats it.',
      examples: [{ $filter: "status eq 'OPEN'", $top: 100 }],
    }),
  ),
  headers: Optional(
    Templates({
      description:
        'Headers of the request by name; null leaves one out. No authorization: that is what `credential` is for.',
    }),
  ),
  body: Optional(
    Value({
      description: 'Body of the request: a map or list is sent as JSON (or as form fields), text as it is.',
    }),
  ),
  contentType: Optional(
    Template({
      description: 'Content type of the request; made of the body when left out.',
      examples: ['application/x-www-form-urlencoded'],
    }),
  ),
  credential: Optional(
    CredentialName({
      description:
        'Name in the security material. The engine gets the token, renews it and puts it on the request.',
    }),
  ),
  acceptStatus: Optional(
    OneOrMore(
      Type.Union([
        Whole({ description: 'A status.', minimum: 300, maximum: 599 }),
        Text({ description: 'A class of them.', pattern: '^[345]xx$' }),
      ]),
      {
        description: 'Statuses that do not fail the step, beside those below 300.',
        examples: [[404, 409, '5xx']],
      },
    ),
  ),
  followRedirects: Optional(
    Flag({
      description: `Goes where the receiver points to, up to ${MAX_REDIRECTS} times; the credential only within its origin.`,
      default: false,
    }),
  ),
  maxResponse: Optional(
    Size({
      description:
        'A larger answer fails the step. 40MB with `into`; no limit of its own for one that is only passed on.',
    }),
  ),
  into: Optional(
    Text({
      description:
        'Name of the property that takes the answer; the body stays. The body takes it when left out.',
      pattern: '^[^\\s.]+$',
    }),
  ),
  saveHeaders: Optional(
    ListOf(Text({ description: 'Name of a header.' }), {
      description: "Headers of the answer to keep among the message's.",
    }),
  ),
})

export const http = defineStep({
  name: 'http',
  summary: 'Sends a request to a receiver and takes its answer.',
  description:
    'The answer replaces the body and its content type. An answer of 64 KB or less is read at once, a larger one is streamed: it goes into the next request or the reply without being kept in memory. A status of 400 or more fails the step, and so does a redirect that is not followed, unless `acceptStatus` names it.',
  timeout: 60_000,
  options,
  examples: [
    {
      title: 'Get with a credential',
      yaml: 'steps:\n  - timer: { every: 1h }\n  - http:\n      url: public/admin/Items\n      credential: lms_admin_OAuth2\n      query: { $top: 100 }\n',
    },
    {
      title: 'Send the message on',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - http: { method: POST, url: "https://api.example.com/orders" }\n',
    },
    {
      title: 'Look something up and keep the body',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - http: { url: "https://api.example.com/customers/${body.customer}", into: customer, acceptStatus: [404] }\n',
    },
  ],
  prepare(given, deployment) {
    const credential = given.credential && wantedCredential(given.credential, deployment)
    const url = prepareUrl(given, credential?.info.baseUrl, deployment)
    const headers = prepareHeaders(given.headers ?? {}, given.credential !== undefined, deployment)
    const contentType = prepareContentType(given, headers.contentType, deployment)
    const body = prepareBody(given, contentType, deployment)
    const saved = prepareSavedHeaders(given.saveHeaders ?? [], deployment)
    const accepts = prepareStatuses(given.acceptStatus ?? [])
    const { into } = given
    const method = methodOf(given)
    const fixed = {
      method,
      followRedirects: given.followRedirects === true ? MAX_REDIRECTS : 0,
      maxResponse: given.maxResponse ?? (into === undefined ? Infinity : INTO_LIMIT),
      accepts,
      ...(into === undefined ? {} : { collect: Infinity }),
    }
    const { send } = deployment.services
    const { clock } = deployment.world

    const check = (answer: ReceiverAnswer) => {
      const { status, headers } = answer
      if (status < 300 || accepts(status)) return
      const redirected = isRedirect(status, headers)
      if (status < 400 && !redirected) return
      letGo(answer.body)
      throw redirected
        ? unfollowedRedirect(method, answer)
        : statusFailure(method, answer, given.credential?.name, clock.now())
    }

    const take = (answer: ReceiverAnswer, message: Message): void => {
      check(answer)
      if (into === undefined) {
        letGo(message.body)
        message.body = answer.body
      } else message.properties[into] = propertyOf(answer)
      message.response = { status: answer.status, headers: answer.headers, url: answer.url }
      for (const name of saved)
        message.setHeader(name, Object.hasOwn(answer.headers, name) ? answer.headers[name] : undefined)
    }

    return {
      readsBody: into !== undefined && sendsMessage(given),
      run(message, context) {
        const list = headers.evaluate(message, context)
        const type = contentType?.(message, context)
        const sent = body(message, context, type)
        const sentType = type ?? sent?.contentType
        if (sentType !== undefined) list.push('content-type', sentType)
        const request = { ...fixed, url: url(message, context), headers: list, body: sent }
        return send(request, credential?.reference, context).then((answer) => take(answer, message))
      },
    }
  },
})

type Given = Static<typeof options>
type Evaluate<T> = (message: Message, context: Context) => T

function methodOf({ method, body }: Given): string {
  return method ?? (body === undefined ? 'GET' : 'POST')
}

function sendsMessage(given: Given): boolean {
  return given.body === undefined && WITH_BODY.has(methodOf(given))
}

function prepareUrl(given: Given, baseUrl: string | undefined, deployment: Deployment): Evaluate<string> {
  const parts = deployment.parts(given.url, ['url'])
  const unknown =
    given.credential !== undefined &&
    deployment.services.credentials.info(given.credential.name) === undefined
  const mistake = unknown ? undefined : checkUrl(parts, baseUrl ?? { credential: given.credential?.name })
  if (mistake) deployment.problem({ code: 'flow/url', at: ['url'], ...mistake })
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

/** Undefined: the body's own. */
function prepareContentType(
  { contentType, headers }: Given,
  header: string | undefined,
  deployment: Deployment,
): Evaluate<string | undefined> | undefined {
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
  if (written === undefined || written === null) return undefined
  const template = deployment.value(written, at)
  return (message, context) => headerText('content-type', template.evaluate(message, context))
}

function prepareBody(
  given: Given,
  contentType: Evaluate<string | undefined> | undefined,
  deployment: Deployment,
): (message: Message, context: Context, type: string | undefined) => Body | null {
  if (given.body === undefined) return sendsMessage(given) ? (message) => message.body : () => null
  checkNoTokenRequest(given.body, ['body'], deployment)
  if (typeName(given.body) === 'map' && isMultipart(given.contentType ?? ''))
    deployment.problem({
      code: 'flow/multipart',
      message: 'a map cannot be sent as multipart in this version',
      hint: 'Send JSON or form fields; or build the whole body as text, with its boundaries.',
      at: ['contentType'],
    })
  const template = deployment.value(given.body, ['body'])
  if (template.constant && contentType === undefined) {
    const always = requestBody(template.constant.value, undefined)
    return () => always
  }
  return (message, context, type) => requestBody(template.evaluate(message, context), type)
}

function checkNoTokenRequest(written: unknown, at: [keyof Given], deployment: Deployment): void {
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

function prepareStatuses(written: readonly (number | string)[]): (status: number) => boolean {
  const accepted = new Set(written)
  return (status) => accepted.has(status) || accepted.has(`${Math.floor(status / 100)}xx`)
}

/** An answer as a JSON value. */
function propertyOf({ body, status, url }: ReceiverAnswer): unknown {
  const { host } = new URL(url)
  const receiver = { status, host }
  let value: unknown
  try {
    value = body.value()
  } catch (error) {
    const { message, hint } = Failure.from(error)
    throw new Failure('receiver.broken', `the answer of "${host}" cannot be read: ${message}`, {
      receiver,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  if (typeName(value) !== 'bytes') return value
  throw new Failure(
    'receiver.broken',
    `the answer of "${host}" is neither JSON nor text (${body.contentType ?? 'no content type'}); it does not fit into a property`,
    { receiver, hint: 'Leave out `into`: the body takes any answer.' },
  )
}
