import { hash, randomBytes } from 'node:crypto'
import { jwtVerify } from 'jose/jwt/verify'
import { sayDuration } from '../core/duration.ts'
import type { Clock } from '../core/world.ts'
import { signJwt } from '../security/jwt.ts'
import { boundIn, confirmationOf } from './certificates/confirmation.ts'
import type { Client } from './client-file.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { TokenRecords } from './token-records.ts'
import { VerifiedTokens } from './verified-tokens.ts'

/** Characters that roles may take in a JWT; it has them twice, and has to fit into the header of a request. */
export const LONGEST_ROLES = 2500
/** Characters of the longest token that is looked at. */
const LONGEST = 8192

export interface IssuedToken {
  readonly token: string
  /** s; 0: until the next one. */
  readonly expiresIn: number
  readonly roles: readonly string[]
}

/** What a token says, once it is known to be ours. */
interface Claims {
  readonly clientId: string
  readonly generation: string
  readonly roles: readonly string[]
  readonly narrowed: boolean
  /** SHA-256 of the certificate that has to come along, hex; undefined: none has to. @see https://www.rfc-editor.org/rfc/rfc8705#section-3 */
  readonly boundTo?: string | undefined
  /** Of a JWT. */
  readonly jti: string | undefined
  /** Epoch ms. */
  readonly issuedAt: number
  readonly expiresAt: number | null
}

/** A token that is good now. */
export interface LiveToken extends Claims {
  readonly client: Client
}

/** Why a token is not good, for the log. */
export interface BadToken {
  readonly why: string
}

export interface TokensSetting {
  readonly keys: SigningKeys
  readonly records: TokenRecords
  readonly clock: Clock
  readonly issuer: () => string
  readonly audience: () => string
  /** Stands in tokens as `zid`, where it is wanted. */
  readonly zone?: () => string
  ofId(clientId: string): Client | undefined
}

/** The access tokens of this engine: makes them, and tells whether one is good. Roles are those that the client has when it is asked. */
export class Tokens {
  readonly #setting: TokensSetting
  readonly #verified = new VerifiedTokens<Claims>()

  constructor(setting: TokensSetting) {
    this.#setting = setting
  }

  /**
   * @param roles those that were asked for; all that the client has when left out
   * @param boundTo SHA-256 of the certificate that has to come along with it, hex
   */
  async issue(
    client: Client,
    format: 'jwt' | 'opaque',
    roles: readonly string[] | undefined,
    boundTo?: string,
  ): Promise<IssuedToken> {
    const lifetime = client.tokenLifetime
    const granted = roles ?? client.roles
    this.#setting.records.endLasting(client.clientId)
    const limits = { narrowed: roles !== undefined, boundTo }
    const token =
      format === 'opaque' || lifetime === 'untilNext'
        ? this.#issueOpaque(client, granted, limits)
        : await this.#issueJwt(client, lifetime, granted, limits)
    return { token, expiresIn: lifetime === 'untilNext' ? 0 : Math.floor(lifetime / 1000), roles: granted }
  }

  /** At once for those that were seen before. */
  look(token: string): LiveToken | BadToken | Promise<LiveToken | BadToken> {
    if (token.length > LONGEST) return { why: `it is longer than ${LONGEST} characters` }
    const known = token.includes('.') ? this.#verified.get(token) : this.#findOpaque(markOf(token))
    if (known) return this.#standing(known, token)
    if (token.split('.').length !== 3) return { why: 'it is none of this engine, or it has ended' }
    return this.#verify(token)
  }

  /** Ends a token; on disk when it resolves. */
  async end(token: string, { jti, expiresAt }: LiveToken): Promise<void> {
    if (jti === undefined) await this.#setting.records.end(markOf(token))
    else await this.#setting.records.revoke(jti, expiresAt!)
  }

  #issueOpaque(client: Client, roles: readonly string[], limits: Limits): string {
    const token = randomBytes(32).toString('base64url')
    const issuedAt = this.#setting.clock.now()
    const { clientId, generation, tokenLifetime } = client
    const expiresAt = tokenLifetime === 'untilNext' ? null : issuedAt + tokenLifetime
    this.#setting.records.add(markOf(token), { clientId, generation, roles, ...limits, issuedAt, expiresAt })
    return token
  }

  #issueJwt(
    { clientId, callerId, generation }: Client,
    lifetime: number,
    roles: readonly string[],
    { narrowed, boundTo }: Limits,
  ): Promise<string> {
    const { keys, records, clock, issuer, audience, zone } = this.#setting
    const key = keys.current()
    // Whole seconds: one that is made in the second in which the ones before ended must not pass for one of them.
    const iat = Math.max(Math.floor(clock.now() / 1000), Math.ceil((records.endOf(clientId) ?? 0) / 1000))
    const claims = {
      iss: issuer(),
      sub: callerId,
      aud: audience(),
      client_id: clientId,
      iat,
      exp: iat + Math.floor(lifetime / 1000),
      jti: randomBytes(16).toString('base64url'),
      ...(roles.join(' ').length <= LONGEST_ROLES && { scope: roles.join(' '), roles }),
      client_generation: generation,
      ...(narrowed && { narrowed }),
      ...(zone && { zid: zone() }),
      ...(boundTo !== undefined && { cnf: confirmationOf(boundTo) }),
    }
    return signJwt({ alg: 'ES256', typ: 'at+jwt', kid: key.kid }, claims, key.privateKey)
  }

  #findOpaque(mark: string): Claims | undefined {
    const found = this.#setting.records.find(mark)
    return found && { ...found, jti: undefined }
  }

  async #verify(token: string): Promise<LiveToken | BadToken> {
    const { keys, clock, issuer, audience } = this.#setting
    const now = clock.now()
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = keys.ofId(kid)
          if (!key) throw new UnknownKey()
          return key.publicKey
        },
        {
          algorithms: ['ES256'],
          typ: 'at+jwt',
          issuer: issuer(),
          audience: audience(),
          currentDate: new Date(now),
          requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
        },
      )
      const claims = claimsOf(payload)
      this.#verified.set(token, claims)
      return this.#standing(claims, token)
    } catch (error) {
      return { why: reasonOf(error, now) }
    }
  }

  /** Whether it is still good, and what its client may do now. */
  #standing(claims: Claims, token: string): LiveToken | BadToken {
    const { clock, records, ofId } = this.#setting
    const { clientId, issuedAt, expiresAt, jti } = claims
    const now = clock.now()
    if (expiresAt !== null && expiresAt <= now) {
      this.#verified.delete(token)
      return { why: `it expired ${sayDuration(now - expiresAt)} ago` }
    }
    if (jti !== undefined && records.isRevoked(jti)) return { why: 'it was revoked' }
    const client = ofId(clientId)
    if (!client) return { why: `its client "${clientId}" was removed` }
    if (!client.generations.includes(claims.generation))
      return { why: `client "${client.name}" was made anew, or all its secrets or keys were replaced, since` }
    if (!client.enabled) return { why: `client "${client.name}" is disabled` }
    if (jti !== undefined && issuedAt < (records.endOf(clientId) ?? 0))
      return { why: `client "${client.name}" was disabled or removed since` }
    const roles = claims.narrowed ? claims.roles.filter((role) => client.roles.includes(role)) : client.roles
    return { ...claims, roles, client }
  }
}

/** What limits a token beside its roles and its time. */
type Limits = Pick<Claims, 'narrowed' | 'boundTo'>

class UnknownKey extends Error {}

function markOf(token: string): string {
  return hash('sha256', token, 'base64')
}

function claimsOf(payload: Readonly<Record<string, unknown>>): Claims {
  return {
    clientId: String(payload['client_id']),
    generation: String(payload['client_generation']),
    roles: (payload['roles'] as readonly string[] | undefined) ?? [],
    narrowed: payload['narrowed'] === true,
    boundTo: boundIn(payload['cnf']),
    jti: String(payload['jti']),
    issuedAt: Number(payload['iat']) * 1000,
    expiresAt: Number(payload['exp']) * 1000,
  }
}

/** In plain words and without anything of the token itself but the names of claims. */
function reasonOf(error: unknown, now: number): string {
  if (error instanceof UnknownKey) return 'it is signed with a key that this engine does not have'
  const { code, claim, payload } = error as {
    code?: string
    claim?: string
    payload?: { exp?: unknown }
  }
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return `it expired ${sayDuration(Math.max(0, now - Number(payload?.exp) * 1000))} ago`
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      if (claim === 'iss') return 'it was issued by somebody else'
      if (claim === 'aud') return 'it is meant for somebody else (aud)'
      return `its "${claim}" is missing or not as it must be`
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
      return 'it is not signed with ES256'
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return 'its signature is not that of this engine'
    default:
      return 'it is no token that can be read'
  }
}
