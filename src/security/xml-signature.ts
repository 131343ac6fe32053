import type { KeyObject } from 'node:crypto'
import { SignedXml } from 'xml-crypto'
import type { Xml } from './xml.ts'

/** What signs an element. */
export interface XmlSigner {
  /** A private RSA key. */
  readonly key: KeyObject
  readonly algorithm: XmlAlgorithm
  /** PEM; it goes along, so that the other side need not know it. */
  readonly certificate: string | undefined
}

export interface SignedElement {
  readonly xml: string
  /** The value of the signature alone. */
  readonly signature: string
}

/** Named as for JWTs. */
export type XmlAlgorithm = 'RS256' | 'RS512'

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
const URIS = {
  RS256: {
    signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    digest: 'http://www.w3.org/2001/04/xmlenc#sha256',
  },
  RS512: {
    signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
    digest: 'http://www.w3.org/2001/04/xmlenc#sha512',
  },
} as const satisfies Readonly<Record<XmlAlgorithm, object>>

/**
 * An element with its own signature in it, by exclusive canonicalization. The rest of it stays byte for byte. Import
 * this file where something is signed, not before: it brings a parser with it.
 * @param element has an attribute `ID`
 * @param before the element within it that the signature stands behind
 * @see https://www.w3.org/TR/xmldsig-core1/
 */
export function signXml(
  element: Xml,
  before: Xml,
  { key, algorithm, certificate }: XmlSigner,
): SignedElement {
  const { signature, digest } = URIS[algorithm]
  const signed = new SignedXml({
    privateKey: key,
    ...(certificate !== undefined && { publicCert: certificate }),
    signatureAlgorithm: signature,
    canonicalizationAlgorithm: EXCLUSIVE,
  })
  signed.addReference({ xpath: '/*', transforms: [ENVELOPED, EXCLUSIVE], digestAlgorithm: digest })
  signed.computeSignature(element, { prefix: 'ds' })
  const written = signed.getSignatureXml()
  const at = element.indexOf(before) + before.length
  return {
    xml: element.slice(0, at) + written + element.slice(at),
    signature: /SignatureValue>([^<]+)</.exec(written)![1]!,
  }
}
