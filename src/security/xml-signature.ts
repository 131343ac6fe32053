import type { KeyObject } from 'node:crypto'
import type { Xml } from './xml.ts'

/** What signs an element. */
export interface XmlSigner {
  /** A private RSA key. */
  readonly key: KeyObject
  readonly algorithm: XmlAlgorithm
  /** PEM; it goes along, so that the other side need not know it. */
  readonly certificate: string | undefined
}

/** Named as for JWTs. */
export const XML_ALGORITHMS = ['RS256', 'RS512'] as const
export type XmlAlgorithm = (typeof XML_ALGORITHMS)[number]

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
 * An element with its own signature in it, by exclusive canonicalization. The rest of it stays byte for byte.
 * @param element has an attribute `ID`
 * @param before the element within it that the signature stands behind
 * @returns it, and the value of the signature alone
 * @see https://www.w3.org/TR/xmldsig-core1/
 */
export async function signXml(
  element: Xml,
  before: Xml,
  { key, algorithm, certificate }: XmlSigner,
): Promise<{ xml: string; signature: string }> {
  const { SignedXml } = await import('xml-crypto')
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
