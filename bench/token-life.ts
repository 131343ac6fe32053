// What becomes of 10,000 calls while tokens end: none may be lost, none doubled, and tokens are asked for as seldom as can be.
import { series, type Work } from './load.ts'
import { countsOf, startReceiver, startSluice } from './systems.ts'

const CALLS = 10_000
const CONNECTIONS = 64
const NOTE = 'x'.repeat(1024 - 50)
const NONE = { least: 0, most: 0 }

interface Case {
  readonly name: string
  /** s, of each token. */
  readonly lifetime: number
  /** After so many accepted calls the receiver forgets every token. */
  readonly revokedAfter: readonly number[]
  /** Calls a second; without it as many as go. */
  readonly pace?: number
}

export interface TokenLife {
  readonly name: string
  readonly calls: number
  readonly tokens: Bounded
  /** Calls that the receiver refused with 401 and the engine sent once more. */
  readonly refused: Bounded
  /** Ids that the receiver accepted. */
  readonly accepted: number
  /** Calls without a right reply. */
  readonly lost: number
  /** Acceptances of an id that had been accepted before. */
  readonly doubled: number
  /** Replies that were not right. */
  readonly failed: number
  readonly ms: number
  /** Right replies a second. */
  readonly rate: number
  /** What is not as it should be. */
  readonly missed: readonly string[]
}

export interface Bounded {
  readonly count: number
  readonly least: number
  readonly most: number
}

const cases: readonly Case[] = [
  { name: '1800 s', lifetime: 1800, revokedAfter: [] },
  { name: '2 s', lifetime: 2, revokedAfter: [], pace: 1000 },
  { name: 'revoked', lifetime: 1800, revokedAfter: [CALLS / 2, (CALLS * 3) / 4] },
]

/** The same 10,000 calls with long-lived tokens, with short-lived ones, and with all tokens revoked twice. */
export async function measureTokenLife(): Promise<readonly TokenLife[]> {
  const lives: TokenLife[] = []
  for (const each of cases) lives.push(await measureCase(each))
  return lives
}

async function measureCase({ name, lifetime, revokedAfter, pace }: Case): Promise<TokenLife> {
  const receiver = await startReceiver({
    BENCH_TOKEN_DELAY: '50',
    BENCH_TOKEN_LIFETIME: String(lifetime),
    BENCH_REVOKE_AFTER: revokedAfter.join(','),
  })
  const ours = await startSluice(receiver)
  const { failed, lost, ms, rate } = await series(ours.port, orderOf, CALLS, CONNECTIONS, pace)
  const seen = await countsOf(receiver)
  await ours.stop()
  await receiver.stop()
  const revocations = revokedAfter.length
  const tokens = { count: seen.tokens, ...tokensExpected(ms / 1000, lifetime, revocations) }
  const refused = { count: seen.refused, least: revocations, most: revocations * CONNECTIONS }
  const { accepted, doubled } = seen
  const missed = [
    ...missedBy('token requests', tokens),
    ...missedBy('calls refused', refused),
    ...missedBy('calls accepted', { count: accepted, least: CALLS, most: CALLS }),
    ...missedBy('calls lost', { count: lost, ...NONE }),
    ...missedBy('calls doubled', { count: doubled, ...NONE }),
    ...missedBy('calls failed', { count: failed, ...NONE }),
  ]
  return { name, calls: CALLS, tokens, refused, accepted, lost, doubled, failed, ms, rate, missed }
}

function missedBy(what: string, bounded: Bounded): string[] {
  const { count, least, most } = bounded
  return count >= least && count <= most ? [] : [`${count} ${what}, expected ${range(bounded)}`]
}

/** `9 to 20` */
export function range({ least, most }: Bounded): string {
  return least === most ? String(least) : `${least} to ${most}`
}

/**
 * Token requests in so many seconds. A token is handed out until its margin (60 s or half its life) and renewed up to
 * `lead` (30 s or a quarter of its life) before that; each revocation costs one more.
 */
function tokensExpected(seconds: number, lifetime: number, revocations: number): Omit<Bounded, 'count'> {
  const longest = lifetime - Math.min(60, lifetime / 2)
  const shortest = longest - Math.min(30, lifetime / 4)
  return {
    least: Math.max(1, Math.floor(seconds / longest)) + revocations,
    most: 1 + Math.floor(seconds / shortest) + revocations,
  }
}

function orderOf(id: number): Work {
  return {
    path: '/http/order',
    body: JSON.stringify({ id: String(id), status: 'new', amount: 41, note: NOTE }),
    expect: `"id":"${id}"`,
  }
}
