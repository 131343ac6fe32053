import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Answer } from '../core/http.ts'
import type { Logger } from '../core/services.ts'
import type { Clock, World } from '../core/world.ts'
import { exchange } from '../net/client.ts'
import { parseRetryAfter } from '../net/retry-after.ts'
import { SHORTEST_SECRET } from '../security/redaction.ts'
import { describeBreakdown, describeRejection, type TokenFailure } from './token-failure.ts'
import { buildTokenRequest, type TokenRequestSettings } from './token-request.ts'
import { judgeTokenAnswer, type IssuedToken, type LifetimeDefaults } from './token-response.ts'

export interface TokenFetchSettings {
  readonly name: string
  readonly request: TokenRequestSettings
  readonly defaults: LifetimeDefaults
  /** ms; 0: no limit of its own. */
  readonly connectTimeout: number
  /** ms; 0: no limit of its own. */
  readonly readTimeout: number
  /** Words of the scope that were asked for. */
  readonly scopes: readonly string[]
}

/** A token, and when it was asked for: its lifetime counts from there. */
export interface FetchedToken extends IssuedToken {
  /** Monotonic ms. */
  readonly askedTicks: number
  /** Epoch ms. */
  readonly askedAt: number
}

const ATTEMPTS = 3
/** ms before the second attempt; doubles. */
const FIRST_WAIT = 1000
/** Bytes. */
const LARGEST_ANSWER = 1024 * 1024

/**
 * Asks the token service, up to three times where that may help, and tells each attempt to the log. Rejects only
 * when it is called off.
 */
export async function fetchToken(
  settings: TokenFetchSettings,
  setting: { readonly world: World; readonly log: Logger },
  until: Cancellation,
): Promise<FetchedToken | TokenFailure> {
  const { world, log } = setting
  const { name } = settings
  for (let attempt = 1; ; attempt++) {
    const outcome = await askOnce(settings, world, until)
    if (outcome.kind === 'token') {
      log.info(
        {
          credential: name,
          attempt,
          status: outcome.status,
          lifetime: `${Math.round(outcome.lifetime / 1000)}s`,
        },
        'token obtained',
      )
      warnOfNarrowScope(settings, outcome, log)
      return outcome
    }
    const wait = waitBefore(attempt, outcome, world.random())
    const again = !outcome.rejected && attempt < ATTEMPTS && world.clock.ticks() + wait < until.deadline
    log.warn(
      {
        credential: name,
        attempt,
        ...(outcome.details.receiver?.status !== undefined && { status: outcome.details.receiver.status }),
        code: outcome.code,
        reason: outcome.message,
        ...(again && { again: `in ${Math.round(wait)} ms` }),
      },
      again ? 'token request failed; it is tried again' : 'token request failed',
    )
    if (!again) return outcome
    await pause(world.clock, wait, until)
  }
}

function waitBefore(attempt: number, failure: TokenFailure, chance: number): number {
  return failure.retryAfter ?? FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + chance / 2)
}

async function askOnce(
  settings: TokenFetchSettings,
  world: World,
  until: Cancellation,
): Promise<(FetchedToken & { status: number }) | TokenFailure> {
  const { name, request: wanted } = settings
  const host = wanted.url.host
  const askedTicks = world.clock.ticks()
  const askedAt = world.clock.now()
  let answer: Answer
  try {
    answer = await exchange(world.dispatcherFor(), world.clock, {
      ...buildTokenRequest(wanted),
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
    { status: answer.status, headers: answer.headers, body: answer.body as Buffer },
    settings.defaults,
  )
  if (judged.kind === 'token') return { ...judged, askedTicks, askedAt, status: answer.status }
  const retryAfter = judged.why === 'busy' ? retryAfterOf(answer, world.clock.now()) : undefined
  const secret = wanted.clientSecret?.reveal()
  return describeRejection(
    name,
    host,
    wanted,
    { ...judged, ...(retryAfter !== undefined && { retryAfter }) },
    (text) =>
      secret === undefined || secret.length < SHORTEST_SECRET ? text : text.replaceAll(secret, '[secret]'),
  )
}

/** A date counts from the answer's own `Date`, where it has one. */
function retryAfterOf({ headers }: Answer, now: number): number | undefined {
  const said = Date.parse(headers['date'] ?? '')
  return parseRetryAfter(headers['retry-after'], Number.isNaN(said) ? now : said)
}

function warnOfNarrowScope(settings: TokenFetchSettings, token: IssuedToken, log: Logger): void {
  if (token.scope === undefined) return
  const granted = new Set(token.scope.split(/[\s,]+/))
  const lacking = settings.scopes.filter((word) => !granted.has(word))
  if (lacking.length === 0) return
  log.warn(
    { credential: settings.name, granted: token.scope, lacking: lacking.join(' ') },
    'the token service granted less scope than was asked for',
  )
}

/** Resolves after `ms`, or rejects when it is called off before. */
function pause(clock: Clock, ms: number, until: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    if (until.cancelled) return reject(until.cancelled)
    const release = until.onCancel((reason: Failure) => {
      timer.cancel()
      reject(reason)
    })
    const timer = clock.after(ms, () => {
      release()
      resolve()
    })
  })
}
