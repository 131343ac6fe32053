import type { Cancellation } from '../core/context.ts'
import type { Answer } from '../core/http.ts'
import type { Secret } from '../core/secret.ts'
import type { World } from '../core/world.ts'
import { exchange } from '../net/client.ts'
import { parseRetryAfter } from '../net/retry-after.ts'
import type { Discovery } from './discovery.ts'
import { describeBreakdown, describeRejection, type TokenFailure } from './token-failure.ts'
import { askWithProof } from './proven-request.ts'
import {
  buildTokenRequest,
  type Field,
  type Proven,
  type TokenRequest,
  type TokenRequestSettings,
} from './token-request.ts'
import {
  judgeTokenAnswer,
  type AnswerReading,
  type IssuedToken,
  type LifetimeDefaults,
} from './token-response.ts'

export interface TokenExchangeSettings {
  readonly name: string
  readonly reading: AnswerReading
  readonly defaults: LifetimeDefaults
  /** ms; 0: no limit of its own. */
  readonly connectTimeout: number
  /** ms; 0: no limit of its own. */
  readonly readTimeout: number
  /** Takes live secrets out of the service's words. */
  hide(text: string): string
  /** Where the service is; undefined where the requests say it. */
  readonly discovery?: Discovery | undefined
}

/** A token, and when it was asked for: its lifetime counts from there. */
export interface FetchedToken extends IssuedToken {
  readonly status: number
  /** It was got with this one. */
  readonly secret: Secret | undefined
  /** Monotonic ms. */
  readonly askedTicks: number
  /** Epoch ms. */
  readonly askedAt: number
  /** Not asked for now, but kept since then. */
  readonly takenOver?: true
}

/** Bytes. */
const LARGEST_ANSWER = 1024 * 1024

/**
 * Asks the token service once. Rejects only when it is called off.
 * @param note gets the request as it goes out, for those who tell what it is made of
 */
export async function askForToken(
  given: TokenRequestSettings,
  settings: TokenExchangeSettings,
  world: World,
  until: Cancellation,
  note?: (request: TokenRequest) => void,
): Promise<FetchedToken | TokenFailure> {
  const { discovery } = settings
  const found = discovery ? await discovery.locate(until) : { token: given.url }
  if (!('token' in found)) return found
  const wanted = { ...given, url: found.token }
  const outcome = await ask(wanted, settings, world, until, note)
  if (outcome.kind === 'failure' && isNowhere(outcome)) discovery?.doubt()
  return outcome
}

/** There is no token service at this address. */
function isNowhere({ said, rejected }: TokenFailure): boolean {
  return said === undefined ? !rejected : [404, 405, 410].includes(said.status)
}

async function ask(
  wanted: TokenRequestSettings,
  settings: TokenExchangeSettings,
  world: World,
  until: Cancellation,
  note: ((request: TokenRequest) => void) | undefined,
): Promise<FetchedToken | TokenFailure> {
  const { refresh, names } = wanted
  const askWith = (fields: readonly Field[], on: Cancellation) =>
    askWithProof(wanted, on, settings.name, (proven) =>
      send(wanted, { ...proven, fields: [...fields, ...proven.fields] }, settings, world, on, note),
    )
  if (refresh === undefined) return askWith([], until)
  return refresh.ask(until, (newest, toTheEnd) => askWith([[names.refreshToken, newest]], toTheEnd))
}

async function send(
  wanted: TokenRequestSettings,
  fresh: Omit<Proven, 'borrowed'>,
  settings: TokenExchangeSettings,
  world: World,
  until: Cancellation,
  note?: (request: TokenRequest) => void,
): Promise<FetchedToken | TokenFailure> {
  const request = buildTokenRequest(wanted, fresh.fields, fresh.bearer)
  note?.(request)
  const { name } = settings
  const { host } = wanted.url
  const askedTicks = world.clock.ticks()
  const askedAt = world.clock.now()
  let answer: Answer
  try {
    answer = await exchange(world.dispatcherFor(), world.clock, {
      ...request,
      until,
      ...(settings.connectTimeout > 0 && { connectTimeout: settings.connectTimeout }),
      ...(settings.readTimeout > 0 && { readTimeout: settings.readTimeout }),
      collect: Infinity,
      limit: LARGEST_ANSWER,
    })
  } catch (thrown) {
    if (until.cancelled) throw until.cancelled
    return describeBreakdown(name, host, thrown)
  }
  const judged = judgeTokenAnswer(
    { status: answer.status, headers: answer.headers, body: answer.body as Buffer, askedAt },
    settings.defaults,
    settings.reading,
    settings.hide,
  )
  const { secret } = wanted
  if (judged.kind === 'token') return { ...judged, askedTicks, askedAt, status: answer.status, secret }
  const retryAfter = judged.why === 'busy' ? retryAfterOf(answer, world.clock.now()) : undefined
  return describeRejection(name, host, wanted, {
    ...judged,
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** A date counts from the answer's own `Date`, where it has one. A wait of 0 is none: our own waits hold. */
function retryAfterOf({ headers }: Answer, now: number): number | undefined {
  const said = Date.parse(headers['date'] ?? '')
  return parseRetryAfter(headers['retry-after'], Number.isNaN(said) ? now : said) || undefined
}
