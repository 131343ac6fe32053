import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { Body } from '../core/body.ts'
import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Answer, OutgoingRequest, ReceiverAnswer } from '../core/http.ts'
import type { Grant } from '../core/kinds.ts'
import type { Credential, CredentialReference, Send } from '../core/services.ts'
import type { Clock, World } from '../core/world.ts'
import { Addresses, type Address } from './address.ts'
import { exchange } from './client.ts'
import {
  becomesGet,
  isRedirect,
  redirectTarget,
  withoutBodyHeaders,
  withoutReceiverHeaders,
} from './redirect.ts'
import { notAllowed, refusedAnswer, setByCredential, type Refusal } from './refusal.ts'
import { appendQuery } from './url-text.ts'

/** Bytes up to which an answer is kept in memory, where a request does not say. */
const SMALL = 64 * 1024
/** ms */
const CONNECT_TIMEOUT = 10_000

export interface SendSetting {
  /** Sent where a request has no `user-agent` of its own. */
  readonly userAgent: string
}

const NONE: readonly string[] = []

/** One request, as it changes from hop to hop. */
interface Hop {
  address: Address
  method: string
  headers: readonly string[]
  body: Body | null
}

/**
 * The sender of the steps: resolves the URL, lets the credential only to its hosts, renews once after a refusal,
 * follows redirects where asked to.
 */
export function createSend(world: World, setting: SendSetting): Send {
  const sender = new Sender(world, setting)
  return (request, credential, context) => sender.send(request, credential, context)
}

class Sender {
  private readonly clock: Clock
  private readonly dispatcher: Dispatcher
  private readonly userAgent: readonly string[]
  private readonly addresses = new Addresses()

  constructor(world: World, { userAgent }: SendSetting) {
    this.clock = world.clock
    this.dispatcher = world.dispatcherFor()
    this.userAgent = ['user-agent', userAgent]
  }

  send(
    request: OutgoingRequest,
    reference: CredentialReference | undefined,
    context: Context,
  ): Promise<ReceiverAnswer> {
    try {
      const credential = reference?.current()
      const hop: Hop = {
        address: this.addresses.resolve(request.url, credential?.baseUrl),
        method: request.method,
        headers: request.headers,
        body: request.body,
      }
      if (request.followRedirects > 0) return this.following(hop, credential, request, context)
      return this.once(hop, credential, request, context).then((answer) => received(answer, hop))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private async following(
    hop: Hop,
    reached: Credential | undefined,
    request: OutgoingRequest,
    context: Context,
  ): Promise<ReceiverAnswer> {
    let credential = reached
    for (let followed = 0; ; followed++) {
      const answer = await this.once(hop, credential, request, context)
      if (!isRedirect(answer.status, answer.headers)) return received(answer, hop)
      discard(answer)
      if (followed >= request.followRedirects) throw tooOften(hop, answer.status, request.followRedirects)
      if (!this.follow(hop, answer, credential !== undefined)) credential = undefined
    }
  }

  /** One hop. The promises are few on purpose: this is where most of a run's time is spent. */
  private once(
    hop: Hop,
    credential: Credential | undefined,
    request: OutgoingRequest,
    context: Context,
  ): Promise<Answer> {
    if (credential === undefined) return this.plain(hop, request, context)
    if (!credential.allows(hop.address.url)) throw notAllowed(credential, hop.address)
    const grant = credential.authorizer.authorize(context)
    return grant instanceof Promise
      ? grant.then((granted) => this.authorized(granted, hop, credential, request, context))
      : this.authorized(grant, hop, credential, request, context)
  }

  /** Turns to where the answer says. False: it is another origin, which no credential may reach. */
  private follow(hop: Hop, answer: Answer, guarded: boolean): boolean {
    const { status } = answer
    const next = redirectTarget(answer.headers['location']!, hop.address, status, guarded)
    const sameOrigin = next.origin === hop.address.origin
    if (becomesGet(status, hop.method)) {
      hop.method = 'GET'
      hop.body = null
      hop.headers = withoutBodyHeaders(hop.headers)
    } else if (hop.body && !hop.body.repeatable) throw notRepeatable(hop.address.host, status)
    if (!sameOrigin) hop.headers = withoutReceiverHeaders(hop.headers)
    hop.address = next
    return sameOrigin
  }

  private plain(hop: Hop, request: OutgoingRequest, context: Context): Promise<Answer> {
    context.used(undefined, hop.address.host)
    const headers = hop.headers.concat(this.defaults(request, NONE))
    return this.exchange(hop, hop.address.path, headers, request, context)
  }

  private authorized(
    grant: Grant,
    hop: Hop,
    credential: Credential,
    request: OutgoingRequest,
    context: Context,
  ): Promise<Answer> {
    return this.exchangeWith(grant, hop, credential, request, context).then((answer) =>
      isRefusal(answer.status, grant)
        ? this.refused(answer, grant, hop, credential, request, context)
        : answer,
    )
  }

  /** The receiver refused the grant: once more with another one, if there is one and the body can be sent again. */
  private async refused(
    answer: Answer,
    grant: Grant,
    hop: Hop,
    credential: Credential,
    request: OutgoingRequest,
    context: Context,
  ): Promise<Answer> {
    const accepted = request.accepts?.(answer.status) === true
    const failed = (why: Refusal) => {
      if (accepted) return answer
      discard(answer)
      throw refusedAnswer(answer.status, hop.address, credential, grant, why)
    }
    if (lacksScope(answer)) return failed('scope')
    if (!grant.refusedBy.includes(answer.status) || !grant.reject()) return failed('final')
    if (hop.body && !hop.body.repeatable) return failed('stream')
    const renewed = await this.renew(answer, credential, context)
    if (renewed === grant) return failed('same')
    discard(answer)
    const last = await this.exchangeWith(renewed, hop, credential, request, context)
    const again = isRefusal(last.status, renewed)
    if (!again) renewed.accepted?.()
    else if (!lacksScope(last)) renewed.reject()
    if (accepted || !again) return last
    discard(last)
    throw refusedAnswer(last.status, hop.address, credential, renewed, lacksScope(last) ? 'scope' : 'twice')
  }

  /** Another grant, while the refused answer waits: it goes when there is none. */
  private async renew(answer: Answer, { authorizer }: Credential, context: Context): Promise<Grant> {
    try {
      return await authorizer.authorize(context)
    } catch (error) {
      discard(answer)
      throw error
    }
  }

  private exchangeWith(
    grant: Grant,
    hop: Hop,
    credential: Credential,
    request: OutgoingRequest,
    context: Context,
  ): Promise<Answer> {
    const { apiHeaders, apiQuery } = credential
    const doubled = common(hop.headers, grant.headers)
    if (doubled !== undefined) throw setByCredential(doubled, credential)
    const own = apiHeaders.length === 0 ? hop.headers : replacing(hop.headers, apiHeaders)
    const headers = own.concat(grant.headers, this.defaults(request, apiHeaders))
    let { path } = hop.address
    if (apiQuery !== '') path = appendQuery(path, apiQuery)
    if (grant.query !== '') path = appendQuery(path, grant.query)
    context.used(credential.name, hop.address.host)
    return this.exchange(hop, path, headers, request, context)
  }

  private exchange(
    { address, method, body }: Hop,
    path: string,
    headers: readonly string[],
    request: OutgoingRequest,
    context: Context,
  ): Promise<Answer> {
    const stream = body !== null && body.isStream
    const bytes = body === null ? null : stream ? body.take() : body.bytes()
    const length = stream ? body.length : undefined
    return exchange(this.dispatcher, this.clock, {
      origin: address.origin,
      path,
      method,
      headers,
      body: bytes,
      ...(length === undefined ? undefined : { bodyLength: length }),
      until: context,
      ...(request.deadlineOf === undefined ? undefined : { deadlineOf: request.deadlineOf }),
      connectTimeout: CONNECT_TIMEOUT,
      collect: request.collect ?? SMALL,
      limit: request.maxResponse,
    })
  }

  private defaults({ ownUserAgent }: OutgoingRequest, apiHeaders: readonly string[]): readonly string[] {
    if (ownUserAgent === true) return NONE
    return apiHeaders.length > 0 && common(apiHeaders, this.userAgent) !== undefined ? NONE : this.userAgent
  }
}

function received({ status, headers, body, length }: Answer, { address }: Hop): ReceiverAnswer {
  const type = headers['content-type']
  return {
    status,
    headers,
    url: address.url.href,
    body: (body instanceof Readable
      ? Body.ofStream(body, type, length)
      : Body.ofBytes(body, type)
    ).answeredBy(address.host),
  }
}

/** Lets go of an answer that nobody reads. */
function discard({ body }: Answer): void {
  if (body instanceof Readable) body.destroy()
}

function isRefusal(status: number, grant: Grant): boolean {
  return status === 401 || grant.refusedBy.includes(status)
}

/** The token is good, but not for this. @see https://www.rfc-editor.org/rfc/rfc6750#section-3.1 */
function lacksScope({ headers }: Answer): boolean {
  return /\berror\s*=\s*"?insufficient_scope\b/i.test(headers['www-authenticate'] ?? '')
}

/** A name that is in both lists. */
function common(own: readonly string[], others: readonly string[]): string | undefined {
  for (let i = 0; i < others.length; i += 2) {
    const name = others[i]!
    for (let j = 0; j < own.length; j += 2)
      if (own[j]!.length === name.length && own[j]!.toLowerCase() === name.toLowerCase()) return own[j]
  }
  return undefined
}

/** Both lists; of a name that is in both the one of `others`. */
function replacing(own: readonly string[], others: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < own.length; i += 2)
    if (common([own[i]!, ''], others) === undefined) kept.push(own[i]!, own[i + 1]!)
  kept.push(...others)
  return kept
}

function tooOften({ address }: Hop, status: number, limit: number): Failure {
  return new Failure(
    'receiver.redirect',
    `redirected more than ${limit} times, at last by "${address.host}"`,
    {
      receiver: { status, host: address.host },
      hint: 'The receiver may redirect in a circle; call the final URL.',
    },
  )
}

function notRepeatable(host: string, status: number): Failure {
  return new Failure(
    'receiver.redirect',
    `"${host}" redirected the request, whose body was a stream and is used up`,
    {
      receiver: { status, host },
      hint: 'Call the final URL, or let a step look at the body first, so that it is kept in memory.',
    },
  )
}
