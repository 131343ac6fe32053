import { sign, type BinaryLike, type KeyLike, type KeyObject } from 'node:crypto'
import { SignedXml, type SignatureAlgorithm } from 'xml-crypto'
import type { Xml } from './xml.ts'

/** What signs an element. */
export interface XmlSigner {
  /** A private RSA or EC key. */
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
export type XmlAlgorithm = 'RS256' | 'RS512' | 'ES256' | 'ES384' | 'ES512'

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
const MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
const SHA512 = 'http://www.w3.org/2001/04/xmlenc#sha512'
const URIS = {
  RS256: {
    signature: `${MORE}rsa-sha256`,
    digest: SHA256,
  },
  RS512: {
    signature: `${MORE}rsa-sha512`,
    digest: SHA512,
  },
  ES256: { signature: `${MORE}ecdsa-sha256`, digest: SHA256 },
  ES384: { signature: `${MORE}ecdsa-sha384`, digest: SHA512 },
  ES512: { signature: `${MORE}ecdsa-sha512`, digest: SHA512 },
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
  if (algorithm.startsWith('ES')) signed.SignatureAlgorithms[signature] = ecdsa(signature)
  signed.addReference({ xpath: '/*', transforms: [ENVELOPED, EXCLUSIVE], digestAlgorithm: digest })
  signed.computeSignature(element, { prefix: 'ds' })
  const written = signed.getSignatureXml()
  const at = element.indexOf(before) + before.length
  return {
    xml: element.slice(0, at) + written + element.slice(at),
    signature: /SignatureValue>([^<]+)</.exec(written)![1]!,
  }
}

/**
 * Both numbers of the signature one after the other, as XML has it. xml-crypto brings RSA only.
 * @param uri ends with the hash: `ecdsa-sha256`
 * @see https://www.rfc-editor.org/rfc/rfc4051#section-2.3.6
 */
function ecdsa(uri: string): new () => SignatureAlgorithm {
  const hash = uri.slice(uri.lastIndexOf('-') + 1)
  return class {
    getAlgorithmName = (): string => uri
    getSignature: SignatureAlgorithm['getSignature'] = (text: BinaryLike, key: KeyLike) =>
      sign(hash, Buffer.from(text as string), { key: key as KeyObject, dsaEncoding: 'ieee-p1363' }).toString(
        'base64',
      )
    verifySignature: SignatureAlgorithm['verifySignature'] = () => {
      throw new Error('signatures are only made here')
    }
  }
}
