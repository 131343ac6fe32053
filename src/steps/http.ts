import { Failure } from '../core/failure.ts'
import type { ReceiverAnswer } from '../core/http.ts'
import { typeName } from '../core/json.ts'
import { defineStep, type Deployment } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { limitOf } from '../core/time-limit.ts'
import { letGo } from '../net/answer-stream.ts'
import { COMPRESSED } from '../net/content-encoding.ts'
import { decodedAnswer, isEncoded } from '../net/decoded-answer.ts'
import { isRedirect } from '../net/redirect.ts'
import { prepareHeaders, prepareSavedHeaders } from '../net/request-headers.ts'
import { statusFailure, unfollowedRedirect } from '../net/status-failure.ts'
import { wantedCredential } from '../net/wanted-credential.ts'
import { preparePayload } from './http-body.ts'
import { MAX_REDIRECTS, options } from './http-options.ts'
import { preparePaging } from './http-paginate.ts'
import { methodOf, prepareUrl, sendsMessage } from './http-request.ts'
import { prepareTenant } from './http-tenant.ts'
import { prepareThrottle } from './http-throttle.ts'
import { PagedCall, type PagedSetting } from './paged-call.ts'

/** ms, where the step has no `timeout`. */
const TIMEOUT = 60_000
/** Bytes of an answer that goes into a property, or is a page. */
const KEPT_LIMIT = 40 * 1024 * 1024
/** Bytes of a decoded answer up to which it is kept in memory. */
const SMALL = 64 * 1024

export const http = defineStep({
  name: 'http',
  summary: 'Sends a request to a receiver and takes its answer.',
  description:
    'The answer replaces the body and its content type. An answer of 64 KB or less is read at once, a larger one is streamed: it goes into the next request or the reply without being kept in memory. A compressed answer is decoded. A status of 400 or more fails the step, and so does a redirect that is not followed, unless `acceptStatus` names it. With `paginate` the body becomes a stream of items: pages are fetched as items are taken; `timeout` and `retry` of the step are those of each page.',
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
    {
      title: 'Go through all pages, with at most 10 requests a second',
      yaml: 'steps:\n  - timer: { cron: "0 2 * * *" }\n  - http:\n      url: https://api.example.com/items\n      paginate:\n        items: body.items\n        page: { param: page, size: 100, sizeParam: per_page, total: body.total }\n      throttle: { rate: 10, per: 1s }\n  - forEach:\n      concurrency: 16\n      steps:\n        - http: { method: PUT, url: "https://store.example.com/items/${body.id}" }\n',
    },
    {
      title: 'Send a file as a form does',
      yaml: 'steps:\n  - endpoint: { path: /documents, access: public }\n  - http:\n      url: https://api.example.com/documents\n      contentType: multipart/form-data\n      body:\n        kind: invoice\n        file: { content: "${body}", contentType: application/pdf, filename: invoice.pdf }\n',
    },
  ],
  prepare(given, deployment) {
    const { into, paginate } = given
    const credential = given.credential && wantedCredential(given.credential, deployment)
    const url = prepareUrl(given, credential?.info, deployment)
    const headers = prepareHeaders(
      given.headers ?? {},
      { withCredential: given.credential !== undefined, encodings: paginate ? COMPRESSED : 'identity' },
      deployment,
    )
    const payload = preparePayload(given, headers.contentType, deployment)
    const saved = prepareSavedHeaders(given.saveHeaders ?? [], deployment)
    const accepts = prepareStatuses(given.acceptStatus ?? [])
    if (into !== undefined) checkInto(into, deployment)
    const paging = paginate && preparePaging({ ...given, paginate }, deployment)
    const tenantOf = prepareTenant(given, credential?.info, deployment)
    const throttle = given.throttle && prepareThrottle(given.throttle, given.credential?.name, deployment)
    const method = methodOf(given)
    const { step, services, world } = deployment
    const timeout = step.timeout ?? TIMEOUT
    const kept = into !== undefined || paging !== undefined
    const limit = given.maxResponse ?? (kept ? KEPT_LIMIT : Infinity)
    const fixed = {
      method,
      followRedirects: given.followRedirects === true ? MAX_REDIRECTS : 0,
      maxResponse: limit,
      accepts,
      ownUserAgent: headers.userAgent,
      ...(kept && { collect: Infinity }),
      ...(throttle && { throttle }),
    }
    const decoding = { collect: kept ? Infinity : SMALL, limit }
    const { send } = services
    const { clock } = world

    /** The answer as the flow may take it, decoded. */
    const checked = (answer: ReceiverAnswer): ReceiverAnswer | Promise<ReceiverAnswer> => {
      const { status, headers } = answer
      if (status >= 300 && !accepts(status)) {
        const failure = isRedirect(status, headers)
          ? unfollowedRedirect(method, answer)
          : status >= 400
            ? statusFailure(method, answer, given.credential?.name, clock.now())
            : undefined
        if (failure) {
          letGo(answer.body)
          throw failure
        }
      }
      return isEncoded(answer) ? decodedAnswer(answer, decoding) : answer
    }

    const take = (answer: ReceiverAnswer, message: Message, body = answer.body): void => {
      if (into === undefined) {
        letGo(message.body)
        message.body = body
      } else message.properties[into] = propertyOf(answer)
      message.response = { status: answer.status, headers: answer.headers, url: answer.url }
      for (const name of saved)
        message.setHeader(name, Object.hasOwn(answer.headers, name) ? answer.headers[name] : undefined)
    }

    const paged: PagedSetting | undefined = paging && {
      paging,
      id: step.id,
      timeout,
      retry: step.retry && { ...step.retry, on: step.retry.on.map(String) },
      world,
      ask: (request, deadlineOf, context) =>
        send({ ...fixed, ...request, deadlineOf }, credential?.reference, context).then(checked),
    }

    return {
      readsBody: (kept || step.retry !== undefined || payload.recodes) && sendsMessage(given),
      ...(into === undefined && { leaves: paging ? ('items' as const) : ('body' as const) }),
      run(message, context) {
        const deadlineOf = limitOf(context.deadline, timeout, clock.ticks())
        const list = headers.evaluate(message, context)
        const type = payload.typeOf ? payload.typeOf(message, context) : payload.type
        const sent = payload.body(message, context, type)
        const sentType = type ?? sent?.contentType
        if (sentType !== undefined) list.push('content-type', sentType)
        const tenant = tenantOf?.(message, context)
        const request = {
          url: url(message, context),
          headers: list,
          body: sent,
          ...(tenant !== undefined && { tenant }),
        }
        if (paged) {
          const parts = { type, value: payload.value?.evaluate(message, context) }
          return new PagedCall(paged, request, parts, message, context)
            .first()
            .then(({ answer, body }) => take(answer, message, body))
        }
        return send({ ...fixed, ...request, deadlineOf }, credential?.reference, context).then((answer) => {
          const plain = checked(answer)
          return plain instanceof Promise
            ? plain.then((decoded) => take(decoded, message))
            : take(plain, message)
        })
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
