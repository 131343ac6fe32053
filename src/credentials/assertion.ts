import { createHash, X509Certificate, type KeyObject } from 'node:crypto'
import type { Cancellation } from '../core/context.ts'
import type { CredentialSetting, LentToken } from '../core/kinds.ts'
import { Secret } from '../core/secret.ts'
import { readCertificateChain } from '../security/certificate-chain.ts'
import { signJwt, type JwtHeader } from '../security/jwt.ts'
import { readSigningKey, usualAlgorithm } from '../security/signing-key.ts'
import { audiencesOf } from './assertion-audience.ts'
import { USUAL_LIFETIME, type AssertionOptions } from './assertion-options.ts'
import { createSamlAssertion, describeSaml, encodeSaml, isXml } from './saml-assertion.ts'
import type { AssertionFormat } from './saml-options.ts'

/** What stands in an assertion unless its options say otherwise. */
export interface AssertionDefaults {
  readonly format: AssertionFormat
  readonly issuer: string | undefined
  readonly subject: string | undefined
  /** Address of the token service, where it is written in the credential. */
  readonly tokenUrl: URL | undefined
  /** Whose metadata tells that address. */
  readonly serviceIssuer: string | undefined
  /** Signs where there is no key. */
  readonly sharedSecret: Secret | undefined
  /** It goes along as the token itself, many times: no id, and no audience unless one is written. */
  readonly isToken?: true
}

export interface MadeAssertion {
  readonly assertion: Secret
  /** Epoch ms; where it was signed here. */
  readonly endsAt?: number
  /** It is another credential's token. */
  readonly borrowed?: LentToken
}

/**
 * What makes a new assertion each time: services take each one once, so that an attempt may not send the one of the
 * attempt before (unless it is the token itself). Call it on options that were checked.
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-3
 */
export function createAssertion(
  given: AssertionOptions,
  defaults: AssertionDefaults,
  { world, redact, borrow }: Pick<CredentialSetting, 'world' | 'redact' | 'borrow'>,
): (until: Cancellation, tokenUrl: URL) => Promise<MadeAssertion> {
  if (given.fromCredential) {
    const { name } = given.fromCredential
    return async (until) => {
      const borrowed = await borrow(name, until)
      return { assertion: borrowed.token, borrowed }
    }
  }
  if (given.token) {
    const ready = { assertion: encodedToken(given.token) }
    return () => Promise.resolve(ready)
  }
  const lifetime = given.lifetime ?? USUAL_LIFETIME
  if ((given.format ?? defaults.format) === 'saml2') {
    const write = createSamlAssertion(given, defaults)
    return async (_until, tokenUrl) => {
      const { xml, signature } = await write({
        now: world.clock.now(),
        lifetime,
        id: world.newId(),
        tokenUrl,
      })
      const assertion = encodeSaml(xml, given.encoding)
      for (const text of [assertion, signature]) redact(text)(lifetime)
      return { assertion: new Secret(assertion) }
    }
  }
  const { key, header } = signerOf(given, defaults)
  const fixed = {
    ...given.claims,
    iss: given.issuer ?? defaults.issuer,
    sub: given.subject ?? defaults.subject,
  }
  const backdate = given.backdate ?? 0
  return async (_until, tokenUrl) => {
    const iat = Math.floor((world.clock.now() - backdate) / 1000)
    const exp = iat + Math.floor(lifetime / 1000)
    const aud = audienceOf(given, defaults, tokenUrl)
    const claims = { ...fixed, aud, iat, exp, ...(!defaults.isToken && { jti: world.newId() }) }
    const assertion = await signJwt(header, claims, key)
    redact(assertion)(lifetime)
    return { assertion: new Secret(assertion), endsAt: exp * 1000 }
  }
}

/** For people: `RS256, keyId key-1, audience https://...`; no secret. */
export function describeAssertion(given: AssertionOptions, defaults: AssertionDefaults): string {
  if (given.fromCredential) return `the token of ${given.fromCredential.name}`
  if (given.token) return '[secret]'
  if ((given.format ?? defaults.format) === 'saml2') return describeSaml(given, defaults)
  const { header } = signerOf(given, defaults)
  const audience = audienceOf(given, defaults, defaults.tokenUrl)
  const { alg, kid } = header
  const issuer = given.issuer ?? defaults.issuer
  const subject = given.subject ?? defaults.subject
  return [
    alg,
    ...(kid === undefined ? [] : [`keyId ${kid}`]),
    ...(given.certificate === undefined ? [] : ['with a certificate']),
    ...(issuer === undefined ? [] : [`issuer ${issuer}`]),
    ...(subject === undefined || subject === issuer || subject === defaults.issuer
      ? []
      : [`subject ${subject}`]),
    ...(audience === undefined ? [] : [`audience ${[audience].flat().join(', ')}`]),
  ].join(', ')
}

/** XML that somebody else signed goes along as RFC 7522 says; anything else as it stands. */
function encodedToken(token: Secret): Secret {
  const text = token.reveal()
  return isXml(text) ? new Secret(encodeSaml(text.trim())) : token
}

function signerOf(
  given: AssertionOptions,
  { sharedSecret }: AssertionDefaults,
): { key: KeyObject | Uint8Array; header: JwtHeader } {
  const typ = given.typ ?? 'JWT'
  if (!given.key) {
    const key = Buffer.from(sharedSecret?.reveal() ?? '', 'utf8')
    return { key, header: { alg: given.algorithm ?? 'HS256', typ, ...kid(given.keyId) } }
  }
  const read = readSigningKey(given.key.reveal(), given.passphrase?.reveal())
  if (!('key' in read)) throw new Error('the key was not checked')
  const alg = given.algorithm ?? (usualAlgorithm(read.key) as string)
  return { key: read.key, header: { alg, typ, ...kid(given.keyId ?? read.keyId), ...certificateOf(given) } }
}

function kid(keyId: string | undefined): { kid?: string } {
  return keyId === undefined ? {} : { kid: keyId }
}

/** @see https://www.rfc-editor.org/rfc/rfc7515#section-4.1.6 */
function certificateOf({
  certificate,
  passphrase,
  x5t = 'sha256',
  x5c,
}: AssertionOptions): Partial<JwtHeader> {
  const chain = certificate === undefined ? [] : readCertificateChain(certificate, passphrase?.reveal())
  if (typeof chain === 'string' || chain.length === 0) return {}
  const bytes = chain.map((pem) => new X509Certificate(pem).raw)
  const thumbprint = (algorithm: 'sha1' | 'sha256') =>
    createHash(algorithm).update(bytes[0]!).digest('base64url')
  return {
    ...((x5t === 'sha1' || x5t === 'both') && { x5t: thumbprint('sha1') }),
    ...((x5t === 'sha256' || x5t === 'both') && { 'x5t#S256': thumbprint('sha256') }),
    ...(x5c === true && { x5c: bytes.map((der) => der.toString('base64')) }),
  }
}

/** One stands alone; undefined: there is none. */
function audienceOf(
  given: AssertionOptions,
  defaults: AssertionDefaults,
  tokenUrl: URL | undefined,
): string | string[] | undefined {
  const all = audiencesOf(given, defaults, tokenUrl)
  return all.length > 1 ? all : all[0]
}
