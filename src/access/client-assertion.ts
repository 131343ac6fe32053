import { hash } from 'node:crypto'
import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import type { Clock } from '../core/world.ts'
import { networkOf } from '../net/ip-address.ts'
import type { Client } from './client-file.ts'
import type { ClientKey } from './client-keys.ts'
import { SIGNATURE_ALGORITHMS } from './signature-algorithms.ts'
import type { FailedAttempts } from './failed-attempts.ts'
import type { SecretVerdict } from './secret-check.ts'
import { UsedOnce } from './used-once.ts'

/** s that clocks may differ, and that an assertion may be good at most. */
const TOLERANCE = 60
const LONGEST_LIFE = 600
/** Characters of the longest assertion that is looked at. */
const LONGEST = 8192

export interface AssertionSetting {
  readonly clock: Clock
  readonly attempts: FailedAttempts
  ofId(clientId: string): Client | undefined
  /** What an assertion that is sent to this path may be meant for. */
  audiences(path: string): readonly string[]
}

/** @property retryAfter s; it may be good then */
interface Bad {
  readonly why: string
  readonly retryAfter?: number
}

/** What an assertion says, not yet believed. */
interface Said {
  readonly alg: string
  readonly kid: string | undefined
  readonly clientId: string
}

/** Whether a client that signs instead of sending a secret is who it says (`private_key_jwt`). @see https://www.rfc-editor.org/rfc/rfc7523#section-3 */
export class ClientAssertions {
  readonly #setting: AssertionSetting
  readonly #used: UsedOnce

  constructor(setting: AssertionSetting) {
    this.#setting = setting
    this.#used = new UsedOnce(setting.clock)
  }

  /**
   * @param clientId as the form says it
   * @param path of the request
   * @param address where the request comes from
   */
  async check(
    assertion: string,
    clientId: string | undefined,
    path: string,
    address: string,
  ): Promise<SecretVerdict & { readonly clientId?: string }> {
    const { attempts, ofId } = this.#setting
    const said = read(assertion)
    if ('why' in said) return refused(said.why)
    const { clientId: id } = said
    const fail = (why: string) => ({ ...refused(why), clientId: id })
    if (clientId !== undefined && clientId !== id) return fail('client_id is another one than "sub"')
    const network = networkOf(address)
    const pause = attempts.pauseOf(network, id)
    if (pause) {
      const why = `too many wrong assertions ${pause.whose}`
      return { fits: false, retryAfter: pause.retryAfter, why, clientId: id }
    }
    const client = ofId(id)
    if (!client) {
      attempts.addUnknown(network)
      return fail('there is no such client')
    }
    const bad = await this.#judge(assertion, said, client, path)
    if (bad?.retryAfter !== undefined)
      return { fits: false, why: bad.why, retryAfter: bad.retryAfter, clientId: id }
    if (bad) {
      attempts.add(network, id)
      return fail(bad.why)
    }
    return client.enabled ? { fits: true, client } : fail(`client "${client.name}" is disabled`)
  }

  async #judge(
    assertion: string,
    { alg, kid, clientId }: Said,
    { name, keys }: Client,
    path: string,
  ): Promise<Bad | undefined> {
    if (keys.length === 0) return { why: `client "${name}" has no public key` }
    const candidates = candidatesOf(keys, alg, kid)
    if (candidates.length === 0) return { why: `client "${name}" has no key for ${alg}` }
    const { clock, audiences } = this.#setting
    const now = clock.now()
    const audience = audiences(path)
    let why = ''
    for (const { publicKey } of candidates) {
      try {
        const { payload } = await jwtVerify(assertion, publicKey, {
          algorithms: [alg],
          issuer: clientId,
          subject: clientId,
          audience: [...audience],
          clockTolerance: TOLERANCE,
          currentDate: new Date(now),
          requiredClaims: ['exp', 'jti'],
        })
        const { aud, exp, jti } = payload
        // Meant for somebody else, too: they could send it on to us.
        if ([aud].flat().some((one) => !audience.includes(one!)))
          return { why: 'the assertion is meant for others, too ("aud")' }
        if (exp! * 1000 - now > (LONGEST_LIFE + TOLERANCE) * 1000)
          return { why: `the assertion is good for more than ${LONGEST_LIFE} s ("exp")` }
        if (typeof jti !== 'string' || jti === '') return { why: 'the "jti" of the assertion is no text' }
        return this.#once(clientId, jti, (exp! + TOLERANCE) * 1000)
      } catch (error) {
        why = reasonOf(error, name)
        if ((error as { code?: string }).code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') break
      }
    }
    return { why }
  }

  #once(clientId: string, jti: string, until: number): Bad | undefined {
    const used = this.#used.use(clientId, hash('sha256', JSON.stringify([clientId, jti]), 'base64'), until)
    if (used === 'new') return undefined
    if (used === 'used') return { why: 'the assertion was used before ("jti")' }
    return { why: 'there are too many assertions that are still good', retryAfter: TOLERANCE }
  }
}

function read(assertion: string): Said | { readonly why: string } {
  if (assertion.length > LONGEST) return { why: `the assertion is longer than ${LONGEST} characters` }
  try {
    const { alg, kid } = decodeProtectedHeader(assertion)
    const { iss, sub } = decodeJwt(assertion)
    if (!SIGNATURE_ALGORITHMS.some((one) => one === alg))
      return { why: `the assertion is not signed with ${SIGNATURE_ALGORITHMS.join(', ')}` }
    if (typeof sub !== 'string' || iss !== sub)
      return { why: 'the assertion does not name the client as "iss" and "sub"' }
    return { alg: alg!, kid: typeof kid === 'string' ? kid : undefined, clientId: sub }
  } catch {
    return { why: 'the assertion is no JWT that can be read' }
  }
}

/** Those with its name; where none has it all that fit: a file made of PEM has no names. */
function candidatesOf(
  keys: readonly ClientKey[],
  alg: string,
  kid: string | undefined,
): readonly ClientKey[] {
  const fitting = keys.filter(({ algorithms }) => algorithms.includes(alg))
  const named = fitting.filter((key) => kid !== undefined && key.kid === kid)
  return named.length > 0 ? named : fitting
}

function refused(why: string) {
  return { fits: false, why } as const
}

/** In plain words and without anything of the assertion itself but the names of claims. */
function reasonOf(error: unknown, name: string): string {
  const { code, claim } = error as { code?: string; claim?: string }
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return 'the assertion has expired'
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return claim === 'aud'
        ? 'the assertion is meant for somebody else ("aud")'
        : `"${claim}" of the assertion is missing or not as it must be`
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return `the assertion is not signed with a key of client "${name}"`
    default:
      return 'the assertion cannot be read'
  }
}
