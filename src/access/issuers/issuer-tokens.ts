import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import { sayDuration } from '../../core/duration.ts'
import type { Caller } from '../../core/access.ts'
import type { Logger } from '../../core/services.ts'
import { boundIn } from '../certificates/confirmation.ts'
import { NamedFiles } from '../named-files.ts'
import { VerifiedTokens } from '../verified-tokens.ts'
import { claimAt, rolesIn, saysOneOf, wordsOf, type TokenClaims } from './claims.ts'
import { readIssuer, type Issuer } from './issuer-file.ts'
import { KeySet, KeysUnavailable, type KeyWorld } from './key-set.ts'

/** s that clocks may differ. */
const TOLERANCE = 60
/** Characters of the longest token that is looked at. */
const LONGEST = 16_384

export type Judged =
  | {
      readonly caller: Caller
      /** SHA-256 of the certificate that has to come along, hex. */
      readonly boundTo: string | undefined
    }
  /** For the log. @property retryAfter s; whether the token is good cannot be told before */
  | { readonly why: string; readonly retryAfter?: number }

interface Verified {
  readonly caller: Caller
  readonly boundTo: string | undefined
  readonly issuer: Issuer
  readonly version: number
  /** Epoch ms. */
  readonly until: number
}

/** Access tokens of other token services: which of them are good, and what their callers may do. */
export class IssuerTokens {
  readonly files: NamedFiles<Issuer>
  readonly #world: KeyWorld
  readonly #log: Logger
  readonly #keys = new WeakMap<Issuer, KeySet>()
  readonly #verified = new VerifiedTokens<Verified>()

  constructor(world: KeyWorld, log: Logger) {
    this.#world = world
    this.#log = log
    this.files = new NamedFiles<Issuer>({
      type: 'issuer',
      log,
      read: readIssuer,
      key: ({ issuer }) => issuer,
      taken: ({ issuer }, owner) => ({
        code: 'issuer/taken',
        message: `the issuer "${issuer}" is that of ${owner.file}, too`,
        hint: 'Put both into one file; lists are possible for audience and clients.',
      }),
      same: (a, b) => JSON.stringify(a) === JSON.stringify(b),
    })
  }

  /** Asks for keys before the first token comes. */
  warm(): void {
    for (const issuer of this.files.all()) if (issuer.enabled) this.#keysOf(issuer).warm()
  }

  /**
   * At once for those that were seen before. Undefined: it is not for other issuers to say.
   * @param own the issuer of this engine
   */
  look(token: string, own: string): Judged | undefined | Promise<Judged> {
    if (this.files.size === 0) return undefined
    if (token.length > LONGEST) return { why: `it is longer than ${LONGEST} characters` }
    const known = this.#verified.get(token)
    if (known && this.#stands(known)) return known
    if (known) this.#verified.delete(token)
    const name = issuerIn(token)
    if (name === undefined || name === own) return undefined
    const issuer = this.files.get(name)
    if (!issuer) return { why: `its issuer ${JSON.stringify(name.slice(0, 200))} is not known here` }
    if (!issuer.enabled) return { why: `issuer "${issuer.name}" is disabled` }
    return this.#verify(token, issuer)
  }

  #keysOf(issuer: Issuer): KeySet {
    let keys = this.#keys.get(issuer)
    if (!keys) this.#keys.set(issuer, (keys = new KeySet(issuer, this.#world, this.#log)))
    return keys
  }

  #stands({ issuer, version, until }: Verified): boolean {
    const keys = this.#keysOf(issuer)
    keys.warm()
    return (
      this.files.get(issuer.issuer) === issuer && keys.version === version && until > this.#world.clock.now()
    )
  }

  async #verify(token: string, issuer: Issuer): Promise<Judged> {
    const { clock } = this.#world
    const keys = this.#keysOf(issuer)
    const now = clock.now()
    try {
      const { payload } = await jwtVerify(token, keys.key, {
        algorithms: issuer.algorithms,
        issuer: issuer.issuer,
        currentDate: new Date(now),
        clockTolerance: TOLERANCE,
        requiredClaims: ['exp', 'iat'],
        ...(issuer.tokenType !== undefined && { typ: issuer.tokenType }),
      })
      const judged = judge(payload, issuer)
      if ('caller' in judged) {
        const until = (payload.exp! + TOLERANCE) * 1000
        this.#verified.set(token, { ...judged, issuer, version: keys.version, until })
      }
      return judged
    } catch (error) {
      if (!(error instanceof KeysUnavailable)) return { why: reasonOf(error, issuer, now) }
      const why = `the keys of issuer "${issuer.name}" cannot be had: ${error.message}`
      return { why, retryAfter: error.retryAfter }
    }
  }
}

/** What the token itself says, not yet believed. */
function issuerIn(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token)
    return typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}

/** What is asked of a token whose signature and times are right. */
function judge(claims: TokenClaims, issuer: Issuer): Judged {
  const client = issuer.clientClaims
    .map((name) => claimAt(claims, name))
    .find((value) => typeof value === 'string' && value !== '')
  if (typeof client !== 'string')
    return { why: `it names no client (${issuer.clientClaims.map((name) => `"${name}"`).join(', ')})` }
  const unproven = unprovenIn(claims['cnf'])
  if (unproven !== undefined) return { why: unproven }
  const own = rolesIn(claims, issuer.roleClaims, issuer.rolePrefix)
  const wrong = wrongAudience(claims, issuer, own)
  if (wrong !== undefined) return { why: wrong }
  if (issuer.clients && !issuer.clients.includes(client))
    return { why: `its client ${JSON.stringify(client.slice(0, 150))} is none of those that are taken` }
  for (const [path, wanted] of issuer.requiredClaims)
    if (!saysOneOf(claimAt(claims, path), wanted))
      return { why: `its claim "${path}" is missing or does not say what is required` }
  const id = `${issuer.name}:${client.slice(0, 150)}`
  return {
    caller: { id, roles: [...new Set([...own, ...issuer.roles])] },
    boundTo: issuer.checkCertificate ? boundIn(claims['cnf']) : undefined,
  }
}

/** Why a token is not taken that only its owner may use, where that cannot be seen here. @see https://www.rfc-editor.org/rfc/rfc7800#section-3.1 */
function unprovenIn(confirmation: unknown): string | undefined {
  if (confirmation === undefined || confirmation === null) return undefined
  if (typeof confirmation !== 'object') return 'its "cnf" cannot be read'
  const [member] = Object.keys(confirmation).filter((name) => name !== 'x5t#S256')
  if (member === undefined) return undefined
  return member === 'jkt'
    ? 'it is bound to a key of its client (DPoP), and was sent without a proof'
    : `it is bound to its client in a way that is not judged here (cnf, ${JSON.stringify(member.slice(0, 30))})`
}

/** Why it is meant for somebody else; undefined: it is not. */
function wrongAudience(
  claims: TokenClaims,
  { audience, audienceFromRoles }: Issuer,
  roles: readonly string[],
): string | undefined {
  const said = typeof claims['aud'] === 'string' ? [claims['aud']] : wordsOf(claims['aud'])
  if (audience.length === 0 || said.some((one) => audience.includes(one))) return undefined
  if (said.length > 0) return `it is meant for somebody else (aud ${JSON.stringify(said).slice(0, 300)})`
  if (audienceFromRoles && roles.length > 0) return undefined
  return audienceFromRoles
    ? 'it has neither an audience nor a role with the prefix'
    : 'it has no audience (aud)'
}

/** In plain words and without anything of the token itself but the names of claims. */
function reasonOf(error: unknown, { name, algorithms }: Issuer, now: number): string {
  const { code, claim, payload } = error as { code?: string; claim?: string; payload?: { exp?: unknown } }
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return `it expired ${sayDuration(Math.max(0, now - Number(payload?.exp) * 1000))} ago`
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return claim === 'nbf' ? 'it is not good yet (nbf)' : `its "${claim}" is missing or not as it must be`
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
      return `it is not signed with ${algorithms.join(', ')}`
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return `it is signed with a key that issuer "${name}" does not have`
    case 'ERR_JWKS_MULTIPLE_MATCHING_KEYS':
      return `it names no key, and issuer "${name}" has several`
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return `its signature is not that of issuer "${name}"`
    default:
      return 'it is no token that can be read, or its key cannot be used'
  }
}
