import { execFileSync } from 'node:child_process'
import { verify, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignedXml } from 'xml-crypto'

const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion:Assertion'

/** What tests look at in an element. */
export interface XmlElement {
  readonly nodeType: number
  readonly nodeValue: string | null
  readonly namespaceURI: string | null
  readonly localName: string
  readonly textContent: string
  readonly childNodes: ArrayLike<XmlElement>
  readonly attributes: ArrayLike<{ readonly name: string; readonly value: string }>
  getAttribute(name: string): string | null
  getElementsByTagNameNS(namespace: string, name: string): ArrayLike<XmlElement>
}

// Its types bring those of browsers with them, for all files.
const { DOMParser } = createRequire(import.meta.url)('@xmldom/xmldom') as {
  DOMParser: new () => { parseFromString(xml: string, type: string): { documentElement: XmlElement } }
}

export function parseXml(xml: string): XmlElement {
  return new DOMParser().parseFromString(xml, 'text/xml').documentElement
}

/** All elements of this local name. */
export function elements(root: XmlElement, name: string): XmlElement[] {
  return Array.from(root.getElementsByTagNameNS('*', name))
}

/** An element as nested lists: its local name, its attributes without declarations, its content. */
export function outline(element: XmlElement): unknown[] {
  const attributes = Array.from(element.attributes).filter(({ name }) => !name.startsWith('xmlns'))
  return [
    element.localName,
    ...(attributes.length === 0
      ? []
      : [Object.fromEntries(attributes.map(({ name, value }) => [name, value]))]),
    ...Array.from(element.childNodes).map((node) => (node.nodeType === 1 ? outline(node) : node.nodeValue)),
  ]
}

/** Whether an assertion has a good signature over the whole of it, by xml-crypto. */
export function isSigned(xml: string, key: KeyObject): boolean {
  const [signature] = elements(parseXml(xml), 'Signature')
  if (!signature) return false
  const signed = new SignedXml({ publicCert: key.export({ type: 'spki', format: 'pem' }) })
  if (key.asymmetricKeyType === 'ec') knowEcdsa(signed)
  signed.loadSignature(String(signature))
  try {
    return signed.checkSignature(xml) && signed.getSignedReferences().length === 1
  } catch {
    return false
  }
}

/** xml-crypto brings RSA only. */
function knowEcdsa(signed: SignedXml): void {
  for (const hash of ['sha256', 'sha384', 'sha512']) {
    const uri = `http://www.w3.org/2001/04/xmldsig-more#ecdsa-${hash}`
    signed.SignatureAlgorithms[uri] = class {
      getAlgorithmName = () => uri
      getSignature = (() => '') as never
      verifySignature = ((material: string, key: KeyObject, value: string) =>
        verify(
          hash,
          Buffer.from(material),
          { key, dsaEncoding: 'ieee-p1363' } as never,
          Buffer.from(value, 'base64'),
        )) as never
    }
  }
}

/** The same by xmlsec1, which shares no code with us; undefined where it is not installed. */
export function isSignedByXmlsec(xml: string, key: KeyObject): boolean | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-saml-'))
  try {
    const [document, pem] = [join(folder, 'assertion.xml'), join(folder, 'key.pem')]
    writeFileSync(document, xml)
    writeFileSync(pem, key.export({ type: 'spki', format: 'pem' }))
    const given = ['--verify', '--pubkey-pem', pem, '--id-attr:ID', ASSERTION, document]
    execFileSync('xmlsec1', given, { stdio: 'ignore' })
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
