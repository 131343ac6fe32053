import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { Body } from '../core/body.ts'
import type { Context } from '../core/context.ts'
import type { Answer, OutgoingRequest, ReceiverAnswer } from '../core/http.ts'
import type { Grant } from '../core/kinds.ts'
import type { Credential, CredentialReference, Send } from '../core/services.ts'
import type { Clock, World } from '../core/world.ts'
import { Addresses, type Address } from './address.ts'
import { discard } from './answer-stream.ts'
import { exchange } from './client.ts'
import { withoutNames } from './credential-query.ts'
import {
  becomesGet,
  isRedirect,
  redirectTarget,
  tooOften,
  usedUp,
  withoutBodyHeaders,
  withoutReceiverHeaders,
} from './redirect.ts'
import { notAllowed, notRenewed, refusedAnswer, setByCredential, type Refusal } from './refusal.ts'
import { Throttles } from './throttle.ts'
import { appendQuery } from './url-text.ts'
import { judge, lacksScope, LOOKED_INTO, refusalBeyondLimit, type Verdict } from './verdict.ts'

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
  readonly request: OutgoingRequest
  readonly context: Context
  address: Address
  method: string
  headers: readonly string[]
  body: Body | null
  /** What a credential added to the query so far: `name=value&...`, encoded. */
  added: string
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
  private readonly throttles: Throttles

  constructor(world: World, { userAgent }: SendSetting) {
    this.clock = world.clock
    this.throttles = new Throttles(world.clock)
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
        request,
        context,
        address: this.addresses.resolve(request.url, credential?.baseUrl, credential?.name),
        method: request.method,
        headers: request.headers,
        body: request.body,
        added: '',
      }
      if (request.followRedirects > 0) return this.following(hop, credential)
      return this.once(hop, credential).then((answer) => received(answer, hop))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private async following(hop: Hop, reached: Credential | undefined): Promise<ReceiverAnswer> {
    const most = hop.request.followRedirects
    let credential = reached
    for (let followed = 0; ; followed++) {
      const answer = await this.once(hop, credential)
      if (!isRedirect(answer.status, answer.headers)) return received(answer, hop)
      discard(answer)
      if (followed >= most) throw tooOften(hop.address, answer.status, most)
      if (!this.follow(hop, answer, credential)) credential = undefined
    }
  }

  /** One hop. The promises are few on purpose: this is where most of a run's time is spent. */
  private once(hop: Hop, credential: Credential | undefined): Promise<Answer> {
    if (credential === undefined) return this.plain(hop)
    if (!credential.allows(hop.address.url)) throw notAllowed(credential, hop.address)
    const grant = credential.authorizer.authorize(hop.context, hop.request.tenant)
    return grant instanceof Promise
      ? grant.then((granted) => this.authorized(granted, hop, credential))
      : this.authorized(grant, hop, credential)
  }

  /** Turns to where the answer says. False: it is another origin, which no credential may reach. */
  private follow(hop: Hop, answer: Answer, credential: Credential | undefined): boolean {
    const { status } = answer
    const next = redirectTarget(answer, hop.address, { credential: credential?.name, added: hop.added })
    const sameOrigin = next.origin === hop.address.origin
    if (becomesGet(status, hop.method)) {
      hop.method = 'GET'
      hop.body = null
      hop.headers = withoutBodyHeaders(hop.headers)
    } else if (hop.body && !hop.body.repeatable) throw usedUp(hop.address, status)
    if (!sameOrigin) hop.headers = withoutReceiverHeaders(hop.headers)
    hop.address = next
    return sameOrigin
  }

  private plain(hop: Hop): Promise<Answer> {
    hop.context.used(undefined, hop.address.host)
    const headers = hop.headers.concat(this.defaults(hop.request, NONE))
    return this.exchange(hop, hop.address.path, headers, 0, this.dispatcher)
  }

  private authorized(grant: Grant, hop: Hop, credential: Credential): Promise<Answer> {
    return this.exchangeWith(grant, hop, credential).then(
      (answer) => {
        const verdict = judge(answer, grant)
        return verdict === 'taken' ? answer : this.refused(answer, verdict, grant, hop, credential)
      },
      (error: unknown) => {
        const answer = refusalBeyondLimit(error, grant)
        if (answer === undefined || hop.request.accepts?.(answer.status) === true) throw error
        return this.refused(answer, 'status', grant, hop, credential)
      },
    )
  }

  /** The receiver refused the grant: once more with another one, if there is one and the body can be sent again. */
  private async refused(
    answer: Answer,
    verdict: Verdict,
    grant: Grant,
    hop: Hop,
    credential: Credential,
  ): Promise<Answer> {
    const accepted = hop.request.accepts?.(answer.status) === true
    const failed = (why: Refusal) => {
      if (accepted) return answer
      discard(answer)
      throw refusedAnswer(answer, verdict, hop.address, credential, grant, why)
    }
    if (lacksScope(answer.headers)) return failed('scope')
    if (verdict === 'final') return failed('final')
    if (!grant.reject()) return failed('vain')
    if (hop.body && !hop.body.repeatable) return failed('stream')
    const renewed = await this.renew(answer, hop, credential)
    if (renewed === grant) return failed('same')
    discard(answer)
    const { last, again } = await this.onceMore(renewed, hop, credential)
    if (again === 'taken') renewed.accepted?.()
    else if (again !== 'final' && !lacksScope(last.headers)) renewed.reject()
    if (again === 'taken' || hop.request.accepts?.(last.status) === true) return last
    discard(last)
    const why = lacksScope(last.headers) ? 'scope' : 'twice'
    throw refusedAnswer(last, again, hop.address, credential, renewed, why)
  }

  private async onceMore(
    grant: Grant,
    hop: Hop,
    credential: Credential,
  ): Promise<{ last: Answer; again: Verdict }> {
    let last: Answer
    try {
      last = await this.exchangeWith(grant, hop, credential)
    } catch (error) {
      const answer = refusalBeyondLimit(error, grant)
      if (answer === undefined || hop.request.accepts?.(answer.status) === true) throw error
      return { last: answer, again: 'status' }
    }
    return { last, again: judge(last, grant) }
  }

  /** Another grant, while the refused answer waits: it goes when there is none. */
  private async renew(answer: Answer, hop: Hop, { authorizer }: Credential): Promise<Grant> {
    try {
      return await authorizer.authorize(hop.context, hop.request.tenant)
    } catch (error) {
      discard(answer)
      throw notRenewed(error, answer, hop.address)
    }
  }

  private exchangeWith(grant: Grant, hop: Hop, credential: Credential): Promise<Answer> {
    const { apiHeaders, apiQuery } = credential
    const doubled = common(hop.headers, grant.headers)
    if (doubled !== undefined) throw setByCredential(doubled, credential)
    const own = apiHeaders.length === 0 ? hop.headers : replacing(hop.headers, apiHeaders)
    const headers = own.concat(grant.headers, this.defaults(hop.request, apiHeaders))
    hop.context.used(credential.name, hop.address.host)
    return this.exchange(
      hop,
      withAdded(hop, apiQuery, grant.query),
      headers,
      grant.refuses === undefined ? 0 : LOOKED_INTO,
      credential.dispatcher ?? this.dispatcher,
    )
  }

  /** @param least bytes up to which the answer is kept in memory, whatever the request says */
  private exchange(
    { request, context, address, method, body }: Hop,
    path: string,
    headers: readonly string[],
    least: number,
    dispatcher: Dispatcher,
  ): Promise<Answer> {
    return this.throttles.run(request.throttle, address.host, context, () => {
      const stream = body !== null && body.isStream
      const bytes = body === null ? null : stream ? body.take() : body.bytes()
      const length = stream ? body.length : undefined
      return exchange(dispatcher, this.clock, {
        origin: address.origin,
        path,
        method,
        headers,
        body: bytes,
        ...(length === undefined ? undefined : { bodyLength: length }),
        until: context,
        ...(request.deadlineOf === undefined ? undefined : { deadlineOf: request.deadlineOf }),
        connectTimeout: CONNECT_TIMEOUT,
        collect: Math.max(request.collect ?? SMALL, least),
        limit: request.maxResponse,
      })
    })
  }

  private defaults({ ownUserAgent }: OutgoingRequest, apiHeaders: readonly string[]): readonly string[] {
    if (ownUserAgent === true) return NONE
    return apiHeaders.length > 0 && common(apiHeaders, this.userAgent) !== undefined ? NONE : this.userAgent
  }
}

/** The path and query with what the credential puts on it; the URL's own entries of these names go. */
function withAdded(hop: Hop, apiQuery: string, query: string): string {
  const { path } = hop.address
  if (apiQuery === '' && query === '') return path
  const added = apiQuery === '' || query === '' ? apiQuery + query : `${apiQuery}&${query}`
  if (hop.added === '') hop.added = added
  else if (!`&${hop.added}&`.includes(`&${added}&`)) hop.added += `&${added}`
  return appendQuery(withoutNames(path, added), added)
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
