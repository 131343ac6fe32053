import type { Translation } from './destination-translation.ts'

/**
 * The key store of a destination as the client certificate of a credential: PEM (certificates and key in one file) or
 * PKCS#12, from the folder of key stores. Returns whether it names one.
 * @param prefix of the properties: `tokenService.` or nothing
 */
export function keyStore(destination: Translation, prefix: '' | 'tokenService.'): boolean {
  const property = `${prefix}KeyStoreLocation`
  const store = destination.read(property)
  const password = `${prefix}KeyStorePassword`
  if (store === undefined) {
    destination.read(password)
    return false
  }
  const reference = `\${file:${destination.keystores}/${store}}`
  if (/\.(p12|pfx)$/i.test(store)) {
    destination.set(['tls', 'pkcs12'], reference, property)
    destination.copy(password, 'tls', 'passphrase')
  } else if (/\.(pem|crt|cer)$/i.test(store)) {
    destination.set(['tls', 'certificate'], reference, property)
    destination.set(['tls', 'key'], reference, property)
    destination.copy(password, 'tls', 'passphrase')
  } else {
    destination.read(password)
    const name = store.replace(/\.\w+$/, '')
    destination.mistake(
      'destination/keystore',
      property,
      `the key store "${store}" is neither PKCS#12 (.p12, .pfx) nor PEM (.pem)`,
      `Convert it: keytool -importkeystore -srckeystore ${store} -destkeystore ${name}.p12 -deststoretype PKCS12, put that into ${destination.keystores}, and name it in "override".`,
    )
  }
  return true
}

const URN = 'urn:ietf:params:oauth:client-assertion-type:'

/** Who shows a user of the token service shows no assertion. */
export function refuseAssertion(destination: Translation): false {
  const isNamed = destination.read('clientAssertion.destinationName') !== undefined
  const isTyped = destination.read('clientAssertion.type') !== undefined
  if (!isNamed && !isTyped) return false
  const property = isNamed ? 'clientAssertion.destinationName' : 'clientAssertion.type'
  destination.mistake(
    'destination/unused',
    property,
    `"${property}" is not used: "tokenServiceUser" is there, and wins`,
    'Take one of them out: "override": { tokenServiceUser: null } for the assertion.',
    'warning',
  )
  return false
}

/** The token of another destination as the client's assertion. Returns whether there is one. */
export function clientAssertion(destination: Translation): boolean {
  const type = destination.read('clientAssertion.type')
  const name = destination.read('clientAssertion.destinationName')
  if (type === undefined && name === undefined) return false
  const isSaml = type === `${URN}saml2-bearer`
  if (type !== undefined && type !== `${URN}jwt-bearer` && !isSaml) {
    destination.mistake(
      'destination/value',
      'clientAssertion.type',
      `"clientAssertion.type" is "${type}"; ${URN}jwt-bearer or ${URN}saml2-bearer is wanted`,
    )
    return true
  }
  if (name === undefined) {
    destination.mistake(
      'destination/missing',
      'clientAssertion.type',
      '"clientAssertion.destinationName" is missing; it says which destination makes the assertion',
      'Add it to "override": the name of the credential that the other destination is here.',
    )
    return true
  }
  destination.set(['clientAssertion', 'fromCredential'], name, 'clientAssertion.destinationName')
  if (isSaml) destination.set(['clientAssertion', 'type'], type, 'clientAssertion.type')
  return true
}
