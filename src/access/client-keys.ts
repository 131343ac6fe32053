import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { SIGNATURE_ALGORITHMS } from './signature-algorithms.ts'

/** @see https://www.rfc-editor.org/rfc/rfc7523#section-2.2 */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Public keys that a client may have at once. */
export const MAX_KEYS = 5

/** A public key of a client. */
export interface ClientKey {
  readonly kid: string | undefined
  readonly publicKey: KeyObject
  /** What it can be signed with. */
  readonly algorithms: readonly string[]
  /** Tells it from other keys. */
  readonly mark: string
}

type Jwk = Readonly<Record<string, unknown>>

const PUBLIC = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use']
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}
/** Bits. */
const RSA = { least: 2048, most: 8192 }
const KINDS = `Possible are RSA keys of ${RSA.least} to ${RSA.most} bits, EC keys on P-256, P-384 or P-521, and Ed25519 keys.`

/** Why something is no key of a client, and what to do. */
export interface NoKey {
  readonly why: string
  readonly hint: string
}

/** Reads a JWK. @see https://www.rfc-editor.org/rfc/rfc7517 */
export function readClientKey(jwk: unknown): ClientKey | NoKey {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk))
    return { why: 'is no key', hint: 'A key is a JWK: `{ kty: EC, crv: P-256, x: ..., y: ... }`.' }
  const { kid, alg, use } = jwk as Jwk
  if (PRIVATE.some((name) => Object.hasOwn(jwk, name)))
    return {
      why: 'is not public: it has a part that is secret',
      hint: 'The private key stays with the client. Take it away here, and replace the key: who read it can sign.',
    }
  if (use !== undefined && use !== 'sig')
    return { why: 'is not for signatures ("use")', hint: 'Take the key that the client signs with.' }
  const publicKey = publicKeyOf(jwk)
  const possible = publicKey && algorithmsOf(publicKey)
  if (!possible) return { why: 'cannot be used', hint: KINDS }
  const algorithms =
    alg === undefined || isEdwards(alg, possible) ? possible : possible.filter((one) => one === alg)
  if (algorithms.length === 0)
    return { why: `cannot be used with its "alg"`, hint: `Possible for it: ${possible.join(', ')}.` }
  return { kid: typeof kid === 'string' ? kid : undefined, publicKey, algorithms, mark: markOf(publicKey) }
}

/**
 * The public keys of a file that a client hands over: PEM (also a certificate), a JWK, or a JWK Set.
 * @returns as they are written in the file of a client
 */
export function readKeyFile(text: string): readonly Jwk[] | NoKey {
  const found = text.trimStart().startsWith('{') ? keysOfJson(text) : keyOfPem(text)
  if (!Array.isArray(found)) return found
  for (const key of found) {
    const read = readClientKey(key)
    if ('why' in read) return read
  }
  return found.map((key: Jwk) =>
    Object.fromEntries(PUBLIC.filter((name) => key[name] !== undefined).map((name) => [name, key[name]])),
  )
}

function keysOfJson(text: string): readonly Jwk[] | NoKey {
  try {
    const value = JSON.parse(text) as Jwk
    if (!Object.hasOwn(value, 'keys')) return [value]
    const { keys } = value
    if (Array.isArray(keys) && keys.length > 0) return keys as Jwk[]
    return { why: 'holds no keys', hint: 'A JWK Set is `{"keys": [...]}` with a key at least.' }
  } catch {
    return { why: 'holds no JSON that can be read', hint: 'Give a JWK, a JWK Set, or PEM.' }
  }
}

function keyOfPem(text: string): readonly Jwk[] | NoKey {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    return {
      why: 'holds a private key',
      hint: 'It stays with the client. Give its public part: openssl pkey -in key.pem -pubout -out public.pem',
    }
  try {
    return [createPublicKey(text).export({ format: 'jwk' }) as Jwk]
  } catch {
    return { why: 'holds no public key', hint: `Give PEM ("BEGIN PUBLIC KEY"), a JWK or a JWK Set. ${KINDS}` }
  }
}

function publicKeyOf(key: object): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] | undefined {
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519']
  if (asymmetricKeyType === 'ec') {
    const algorithm = CURVES[asymmetricKeyDetails?.namedCurve ?? '']
    return algorithm === undefined ? undefined : [algorithm]
  }
  const bits = asymmetricKeyType === 'rsa' ? (asymmetricKeyDetails?.modulusLength ?? 0) : 0
  return bits >= RSA.least && bits <= RSA.most
    ? SIGNATURE_ALGORITHMS.filter((name) => /^[RP]S/.test(name))
    : undefined
}

/** Two names of one: RFC 9864 has made a new one. */
function isEdwards(alg: unknown, possible: readonly string[]): boolean {
  return possible.includes('EdDSA') && (alg === 'EdDSA' || alg === 'Ed25519')
}

function markOf(key: KeyObject): string {
  const content = key.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(content).digest('base64url').slice(0, 12)
}
