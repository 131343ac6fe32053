import type { DestinationProperties } from '../core/findable.ts'
import { hasSecretName } from './secret-names.ts'

/** Tokens that are given for a token. */
const PROOF = /^tokenService\.body\.(refresh_token|subject_token|actor_token|(client_)?assertion)$/
/** Secrets that exports leave out. */
const LEFT_OUT = ['clientSecret', 'tokenServicePassword', 'Password']
/** Stores that always have a password where they are PKCS#12. */
const STORES = ['KeyStore', 'tokenService.KeyStore', 'TrustStore']
/** Addresses, with where parameters of theirs have a place of their own. */
const ADDRESSES = { URL: 'URL.queries.', tokenServiceURL: 'tokenServiceURL.queries.' } as const

/** What takes the place of secrets. */
export interface SecretReferences {
  /** Properties with other values than the destination has: references, and addresses without their secrets. */
  readonly instead: DestinationProperties
  /** References for secrets that the destination does not have, should it need them. */
  readonly assumed: DestinationProperties
  /** What was taken out: texts that nobody may see. */
  readonly secrets: readonly string[]
}

/**
 * References to variables for all secrets of a destination.
 * @param prefix of the variables: `JAM_` makes `JAM_CLIENT_SECRET`
 */
export function secretReferences(properties: DestinationProperties, prefix: string): SecretReferences {
  const instead: Record<string, string> = {}
  const assumed: Record<string, string> = {}
  const secrets: string[] = []
  const taken = new Set<string>()
  const reference = (property: string): string => {
    const variable = prefix + variableOf(property)
    let free = variable
    for (let count = 2; taken.has(free); count++) free = `${variable}_${count}`
    taken.add(free)
    return `\${env:${free}}`
  }
  const replace = (property: string, value: string): void => {
    if (isReference(value)) return
    instead[property] = reference(property)
    secrets.push(value)
  }
  for (const property of LEFT_OUT)
    if (properties[property] === undefined) assumed[property] = reference(property)
  for (const store of STORES)
    if (
      properties[`${store}Password`] === undefined &&
      /\.(p12|pfx)$/i.test(properties[`${store}Location`] ?? '')
    )
      assumed[`${store}Password`] = reference(`${store}Password`)
  for (const [property, value] of Object.entries(properties))
    if (hasSecretName(property) || PROOF.test(property)) replace(property, value)
  for (const [address, prefixOfQueries] of Object.entries(ADDRESSES)) {
    const text = properties[address] ?? ''
    const { kept, taken: parameters } = parted(text)
    if (parameters.length === 0) continue
    instead[address] = kept
    for (const [name, value, written] of parameters) {
      replace(prefixOfQueries + name, value)
      secrets.push(written)
    }
  }
  return { instead, assumed, secrets }
}

/** An address without the parameters of its query that hold secrets, and these. */
function parted(address: string): { kept: string; taken: [name: string, value: string, written: string][] } {
  const at = address.indexOf('?')
  if (at < 0) return { kept: address, taken: [] }
  const taken: [string, string, string][] = []
  const rest = address
    .slice(at + 1)
    .split('&')
    .filter((pair) => {
      const [[name, value] = ['', '']] = new URLSearchParams(pair)
      const isSecret = value !== '' && !isReference(value) && isSecretParameter(name)
      if (isSecret) taken.push([name, value, pair.slice(pair.indexOf('=') + 1)])
      return !isSecret
    })
  return { kept: address.slice(0, at) + (rest.length > 0 ? `?${rest.join('&')}` : ''), taken }
}

function isSecretParameter(name: string): boolean {
  return hasSecretName(name) || PROOF.test(`tokenService.body.${name}`)
}

function isReference(value: string): boolean {
  return /(?<!\$)\$\{(?!param:)/.test(value)
}

/** `tokenService.KeyStorePassword` is `TOKEN_SERVICE_KEY_STORE_PASSWORD`. */
function variableOf(property: string): string {
  return property
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replace(/_$/, '')
    .toUpperCase()
}
