import type { Translation } from './destination-translation.ts'

/** A key store or trust store that a destination names. */
export interface DestinationStore {
  /** `unusable`: neither of them, which is told. */
  readonly kind: 'pem' | 'pkcs12' | 'unusable'
  /** `${file:security-material/keystores/acme.p12}` */
  readonly reference: string
}

/** The store that a property names, in the folder of stores beside the credential; undefined where it names none. */
export function readStore(
  destination: Translation,
  property: 'TrustStoreLocation' | 'KeyStoreLocation' | 'tokenService.KeyStoreLocation',
): DestinationStore | undefined {
  const store = destination.read(property)
  if (store === undefined) return undefined
  const reference = `\${file:${destination.keystores}/${store}}`
  if (/\.(p12|pfx)$/i.test(store)) return { kind: 'pkcs12', reference }
  if (/\.(pem|crt|cer|key)$/i.test(store)) return { kind: 'pem', reference }
  const isTrust = property === 'TrustStoreLocation'
  const converted = `${store.replace(/\.\w+$/, '')}.${isTrust ? 'pem' : 'p12'}`
  destination.mistake(
    'destination/keystore',
    property,
    `the ${isTrust ? 'trust' : 'key'} store "${store}" is neither PKCS#12 (.p12, .pfx) nor PEM (.pem)`,
    `${
      isTrust
        ? `Write its certificates as PEM: keytool -list -rfc -keystore ${store} > ${converted}`
        : `Convert it: keytool -importkeystore -srckeystore ${store} -destkeystore ${converted} -deststoretype PKCS12`
    }, put that into ${destination.keystores}, and name it in "override": { ${property}: ${converted} }.`,
  )
  return { kind: 'unusable', reference }
}
