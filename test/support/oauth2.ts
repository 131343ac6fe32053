import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import type { Authorizer, Grant } from '../../src/core/kinds.ts'
import { Secret } from '../../src/core/secret.ts'
import type { StoredTokens } from '../../src/core/stores.ts'
import { oauth2, type OAuth2Options } from '../../src/credentials/oauth2.ts'
import { SHORTEST_SECRET } from '../../src/security/redaction.ts'
import { createTokensInMemory } from '../../src/store/tokens-in-memory.ts'
import { ManualClock } from './clock.ts'
import { startService, TestCaller, TestLog, testWorld, type TestService } from './credentials.ts'

export const SECRET = 'manager-secret-0123456789'
export const SECOND = 1000

export interface OAuth2Setup {
  readonly clock: ManualClock
  readonly log: TestLog
  readonly service: TestService
  readonly authorizer: Authorizer
  readonly storedTokens: StoredTokens
  /** Texts that are redacted now. */
  readonly redacted: Set<string>
  /** Texts that were let go of, and how long (ms) they were still good for. */
  readonly redactedFor: Map<string, number>
  readonly get: () => Promise<Grant>
}

/**
 * An oauth2 authorizer before a service that says what a test wants; tokens are numbered where it says nothing.
 * @param shared another one, whose clock, log and service this one has
 */
export async function setUpOAuth2(
  t: TestContext,
  answer: TestService['answer'] = numbered(3600),
  options: Partial<OAuth2Options> = {},
  random = 0.5,
  shared?: OAuth2Setup,
): Promise<OAuth2Setup> {
  const clock = shared?.clock ?? new ManualClock()
  const log = shared?.log ?? new TestLog()
  const service = shared?.service ?? (await startService(t, answer))
  const storedTokens = shared?.storedTokens ?? createTokensInMemory(() => clock.now())
  const redacted = shared?.redacted ?? new Set<string>()
  const redactedFor = shared?.redactedFor ?? new Map<string, number>()
  const authorizer = oauth2.prepare(
    {
      tokenServiceUrl: service.url,
      clientId: 'client',
      clientSecret: [new Secret(SECRET)],
      ...options,
    } as never,
    { name: 'im_write', description: undefined, baseUrl: undefined, allowedHosts: [] },
    {
      world: testWorld(t, clock, () => random),
      log,
      storedTokens,
      borrow: () => Promise.reject(new Error('there is no other credential')),
      redact(text) {
        redacted.add(text)
        return (ms = 0) => {
          redacted.delete(text)
          redactedFor.set(text, ms)
        }
      },
      hide: (text) =>
        [...redacted]
          .filter((secret) => secret.length >= SHORTEST_SECRET)
          .reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text),
    },
  )
  t.after(() => authorizer.stop?.())
  return {
    clock,
    log,
    service,
    authorizer,
    storedTokens,
    redacted,
    redactedFor,
    get: async () => authorizer.authorize(new TestCaller()),
  }
}

/** An oauth2 authorizer before a service that is somebody else's. */
export function authorizerFor(t: TestContext, clock: ManualClock, options: Partial<OAuth2Options>) {
  const log = new TestLog()
  const authorizer = oauth2.prepare(
    options as never,
    { name: 'foreign', description: undefined, baseUrl: undefined, allowedHosts: [] },
    {
      world: testWorld(t, clock),
      log,
      storedTokens: createTokensInMemory(),
      borrow: () => Promise.reject(new Error('there is no other credential')),
      redact: () => () => {},
      hide: (text) => text,
    },
  )
  t.after(() => authorizer.stop?.())
  return { authorizer, log, get: async (): Promise<Grant> => authorizer.authorize(new TestCaller()) }
}

export function numbered(lifetime: number): TestService['answer'] {
  return (_asked, count) => ({ body: { access_token: `token-number-${count}`, expires_in: lifetime } })
}

export function tokenOf(grant: Grant): string {
  return grant.headers[1]!
}

export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof Failure)
    return error
  }
  throw new Error('it did not fail')
}

/** A gate that an answer of the service waits at. */
export function gate() {
  let open!: () => void
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { open, passed }
}
