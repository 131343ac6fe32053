import { readStore } from './destination-stores.ts'
import type { Translation } from './destination-translation.ts'

/** A proof that is named: whether a credential can show it. What is wrong with an unusable one is told. */
export type Proof = 'usable' | 'unusable'
/** In place of a proof that cannot be used, which is told: the rest is checked, and nothing more is said of the proof. */
export const UNCHECKED = 'none'

/**
 * The key store of a destination as the client certificate of a credential: PEM (certificates and key in one file) or
 * PKCS#12, from the folder of key stores. Undefined where it names none.
 * @param prefix of the properties: `tokenService.` or nothing
 */
export function keyStore(destination: Translation, prefix: '' | 'tokenService.'): Proof | undefined {
  const property = `${prefix}KeyStoreLocation` as const
  const password = `${prefix}KeyStorePassword`
  const store = readStore(destination, property)
  destination.read(password)
  if (!store) return undefined
  if (store.kind === 'unusable') return 'unusable'
  for (const field of store.kind === 'pkcs12' ? ['pkcs12'] : ['certificate', 'key'])
    destination.set(['tls', field], store.reference, property)
  destination.copy(password, 'tls', 'passphrase')
  return 'usable'
}

const URN = 'urn:ietf:params:oauth:client-assertion-type:'

/** Who shows a user of the token service shows no assertion. */
export function refuseAssertion(destination: Translation): void {
  const isNamed = destination.read('clientAssertion.destinationName') !== undefined
  const isTyped = destination.read('clientAssertion.type') !== undefined
  if (!isNamed && !isTyped) return
  const property = isNamed ? 'clientAssertion.destinationName' : 'clientAssertion.type'
  destination.mistake(
    'destination/unused',
    property,
    `"${property}" is not used: "tokenServiceUser" is there, and wins`,
    'Take one of them out: "override": { tokenServiceUser: null } for the assertion.',
    'warning',
  )
}

/** The token of another destination as the client's assertion. Undefined where none is named. */
export function clientAssertion(destination: Translation): Proof | undefined {
  const type = destination.read('clientAssertion.type')
  const name = destination.read('clientAssertion.destinationName')
  if (type === undefined && name === undefined) return undefined
  const isSaml = type === `${URN}saml2-bearer`
  if (type !== undefined && type !== `${URN}jwt-bearer` && !isSaml) {
    destination.mistake(
      'destination/value',
      'clientAssertion.type',
      `"clientAssertion.type" is "${type}"; ${URN}jwt-bearer or ${URN}saml2-bearer is wanted`,
    )
    return 'unusable'
  }
  if (name === undefined) {
    destination.mistake(
      'destination/missing',
      'clientAssertion.type',
      '"clientAssertion.destinationName" is missing; it says which destination makes the assertion',
      'Add it to "override": the name of the credential that the other destination is here.',
    )
    return 'unusable'
  }
  destination.set(['clientAssertion', 'fromCredential'], name, 'clientAssertion.destinationName')
  if (isSaml) destination.set(['clientAssertion', 'type'], type, 'clientAssertion.type')
  return 'usable'
}
