import { Type } from '@sinclair/typebox'
import { Failure } from '../core/failure.ts'
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
import { limitOf } from '../core/time-limit.ts'
import { letGo } from '../net/answer-stream.ts'
import { encodedAnswer } from '../net/encoded-answer.ts'
import { isRedirect } from '../net/redirect.ts'
import { prepareHeaders, prepareSavedHeaders } from '../net/request-headers.ts'
import { statusFailure, unfollowedRedirect } from '../net/status-failure.ts'
import { wantedCredential } from '../net/wanted-credential.ts'
import { methodOf, prepareBody, prepareContentType, prepareUrl, sendsMessage } from './http-request.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'MERGE', 'QUERY'] as const
/** ms, where the step has no `timeout`. */
const TIMEOUT = 60_000
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
        'Name of the property that takes the answer, one word; the body stays. The body takes it when left out.',
      examples: ['customer'],
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
  timeout: TIMEOUT,
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
    const url = prepareUrl(given, credential?.info, deployment)
    const headers = prepareHeaders(given.headers ?? {}, given.credential !== undefined, deployment)
    const contentType = prepareContentType(given, headers.contentType, deployment)
    const body = prepareBody(given, contentType, deployment)
    const saved = prepareSavedHeaders(given.saveHeaders ?? [], deployment)
    const accepts = prepareStatuses(given.acceptStatus ?? [])
    const { into } = given
    if (into !== undefined) checkInto(into, deployment)
    const method = methodOf(given)
    const timeout = deployment.step.timeout ?? TIMEOUT
    const fixed = {
      method,
      followRedirects: given.followRedirects === true ? MAX_REDIRECTS : 0,
      maxResponse: given.maxResponse ?? (into === undefined ? Infinity : INTO_LIMIT),
      accepts,
      ownUserAgent: headers.userAgent,
      ...(into === undefined ? {} : { collect: Infinity }),
    }
    const { send } = deployment.services
    const { clock } = deployment.world

    const mistaken = (answer: ReceiverAnswer): Failure | undefined => {
      const { status, headers } = answer
      if (status >= 300 && !accepts(status)) {
        if (isRedirect(status, headers)) return unfollowedRedirect(method, answer)
        if (status >= 400) return statusFailure(method, answer, given.credential?.name, clock.now())
      }
      return encodedAnswer(answer)
    }

    const take = (answer: ReceiverAnswer, message: Message): void => {
      const failure = mistaken(answer)
      if (failure) {
        letGo(answer.body)
        throw failure
      }
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
        const deadlineOf = limitOf(context.deadline, timeout, clock.ticks())
        const list = headers.evaluate(message, context)
        const type = contentType.evaluate ? contentType.evaluate(message, context) : contentType.constant
        const sent = body(message, context, type)
        const sentType = type ?? sent?.contentType
        if (sentType !== undefined) list.push('content-type', sentType)
        const request = { ...fixed, url: url(message, context), headers: list, body: sent, deadlineOf }
        return send(request, credential?.reference, context).then((answer) => take(answer, message))
      },
    }
  },
})

function prepareStatuses(written: readonly (number | string)[]): (status: number) => boolean {
  const accepted = new Set(written)
  return (status) => accepted.has(status) || accepted.has(`${Math.floor(status / 100)}xx`)
}

/** Names that expressions could not read as `properties.<name>`. */
function checkInto(into: string, deployment: Deployment): void {
  if (/^[^\s.]+$/.test(into)) return
  deployment.problem({
    code: 'flow/property-name',
    message:
      into === ''
        ? '"into" is empty; the name of a property is wanted'
        : `"${into}" cannot be the name of a property here: it has ${/\s/.test(into) ? 'a space' : 'a dot'} in it`,
    hint: 'Write one word, such as `into: customer`; expressions read it as `properties.customer`.',
    at: ['into'],
  })
}

/** An answer as a JSON value. @throws Failure `receiver.broken` */
function propertyOf({ body, status, url }: ReceiverAnswer): unknown {
  const value = body.value()
  if (typeName(value) !== 'bytes') return value
  const { host } = new URL(url)
  throw new Failure(
    'receiver.broken',
    `the answer of "${host}" is neither JSON nor text (${body.contentType ?? 'no content type'}); it does not fit into a property`,
    { receiver: { status, host }, hint: 'Leave out `into`: the body takes any answer.' },
  )
}
