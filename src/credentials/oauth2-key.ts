import { createHash, createHmac, randomBytes } from 'node:crypto'
import { Secret } from '../core/secret.ts'
import { encodeSaml, isXml } from './saml-assertion.ts'
import { oauth2Options, type OAuth2Options } from './oauth2-options.ts'

/** Not part of what shapes a token: the client's secret, and when and how patiently it is asked for. */
const NOT_IN_KEY: ReadonlySet<string> = new Set([
  'clientSecret',
  'allowSecretInUrl',
  'revocationUrl',
  'warm',
  'retry',
  'connectTimeout',
  'readTimeout',
  'refreshBefore',
  'exclusive',
])

/** Behind another Cloud Connector the same address is another token service. */
const OF_THE_WAY = 'cloudConnector'

/** Nothing can be told from what is made with it, outside of this process. */
const keyOfKeys = randomBytes(32)

/** The same for settings that get the same token. In place of a secret stands that there is one. */
export function keyOf(given: OAuth2Options, fingerprint = fingerprintOf): string {
  const shaping = Object.entries(given).filter(
    ([field]) =>
      field === OF_THE_WAY || (Object.hasOwn(oauth2Options.properties, field) && !NOT_IN_KEY.has(field)),
  )
  // Another refresh token may be another user's.
  const user = given.refreshToken && fingerprint(given.refreshToken.reveal())
  return JSON.stringify([user, ...shaping.toSorted(([a], [b]) => (a < b ? -1 : 1))])
}

/** All secrets of the options, however deep. */
function secretsOf(given: unknown): Secret[] {
  if (given instanceof Secret) return [given]
  if (typeof given !== 'object' || given === null) return []
  return Object.values(given).flatMap(secretsOf)
}

/** What must not be seen anywhere: all secrets of the options, the keys inside of JSON, and XML as it is sent. */
export function secretTexts(given: object): string[] {
  return secretsOf(given).flatMap((secret) => {
    const text = secret.reveal()
    return [
      text,
      ...(text === text.trim() ? [] : [text.trim()]),
      ...(isXml(text) ? [encodeSaml(text.trim())] : []),
      ...keysInJson(text),
    ]
  })
}

/** Of a JWK, or of the file of a service account. */
function keysInJson(text: string): string[] {
  if (!text.trimStart().startsWith('{')) return []
  try {
    const { d, private_key: pem } = JSON.parse(text) as Record<string, unknown>
    return [d, pem].filter((value) => typeof value === 'string')
  } catch {
    return []
  }
}

/** All secrets that a request with this client secret is made of, as one; undefined where there is none. */
export function joinedSecret(given: OAuth2Options, clientSecret: Secret | undefined): Secret | undefined {
  const texts = textsOf(given, clientSecret)
  return texts.length === 0 ? undefined : new Secret(fingerprintOf(JSON.stringify(texts)))
}

/** As `keyOf`, the same in every process. */
export function lastingKey(name: string, given: OAuth2Options): string {
  return digestOf(JSON.stringify([name, keyOf(given, digestOf)]))
}

/** As `joinedSecret`, the same in every process: it is kept only where a secret may be. */
export function lastingSecret(given: OAuth2Options, clientSecret: Secret | undefined): string {
  return digestOf(JSON.stringify(textsOf(given, clientSecret)))
}

function textsOf(given: OAuth2Options, clientSecret: Secret | undefined): string[] {
  const { clientSecret: _, ...others } = given
  const secrets = [...(clientSecret ? [clientSecret] : []), ...secretsOf(others)]
  // A token may be bound to the certificate that it was got with.
  const certificate = given.tls?.certificate === undefined ? [] : [given.tls.certificate]
  return [...secrets.map((one) => one.reveal()), ...certificate]
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function fingerprintOf(text: string): string {
  return createHmac('sha256', keyOfKeys).update(text).digest('base64')
}
