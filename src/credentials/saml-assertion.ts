import { readCertificateChain } from '../security/certificate-chain.ts'
import { readSigningKey } from '../security/signing-key.ts'
import type { SignedElement, XmlAlgorithm, XmlSigner } from '../security/xml-signature.ts'
import { xmlElement, xmlText, type Xml } from '../security/xml.ts'
import type { AssertionDefaults } from './assertion.ts'
import { addressOf, audiencesOf } from './assertion-audience.ts'
import type { AssertionOptions } from './assertion-options.ts'
import { authnContextOf, nameIdFormatOf, usualXmlAlgorithm } from './saml-options.ts'

const NAMESPACE = 'urn:oasis:names:tc:SAML:2.0:assertion'
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const SECOND = 1000
/** ms that the other side's clock may be behind. */
const SKEW = 60 * SECOND

/** When one was made, how long it is good for (ms), what it is told apart by, and where it goes. */
export interface Making {
  readonly now: number
  readonly lifetime: number
  readonly id: string
  readonly tokenUrl: URL
}

/**
 * What writes and signs a new SAML assertion each time. Call it on options that were checked.
 * @see https://www.rfc-editor.org/rfc/rfc7522#section-3
 */
export function createSamlAssertion(
  given: AssertionOptions,
  defaults: AssertionDefaults,
): (making: Making) => Promise<SignedElement> {
  const signer = samlSigner(given)
  const issuer = element('Issuer', {}, xmlText(given.issuer ?? defaults.issuer ?? ''))
  const nameId = element(
    'NameID',
    { Format: nameIdFormatOf(given.nameIdFormat), NameQualifier: given.nameQualifier },
    xmlText(given.subject ?? defaults.subject ?? ''),
  )
  const context = given.authnContext === 'none' ? undefined : authnContextOf(given.authnContext)
  const attributes = attributeStatement(given.attributes ?? {})
  return async ({ now, lifetime, id, tokenUrl }) => {
    const audiences = audiencesOf(given, defaults, tokenUrl).map((text) =>
      element('Audience', {}, xmlText(text)),
    )
    const recipient = given.recipient ?? addressOf(tokenUrl)
    const { signXml } = await import('../security/xml-signature.ts')
    const [made, end] = [instant(now), instant(now + lifetime)]
    const confirmation = { NotOnOrAfter: end, Recipient: recipient }
    const assertion = element(
      'Assertion',
      { 'xmlns:saml2': NAMESPACE, ID: `_${id}`, IssueInstant: made, Version: '2.0' },
      issuer,
      element(
        'Subject',
        {},
        nameId,
        element('SubjectConfirmation', { Method: BEARER }, element('SubjectConfirmationData', confirmation)),
      ),
      element(
        'Conditions',
        { NotBefore: instant(now - SKEW), NotOnOrAfter: end },
        element('AudienceRestriction', {}, ...audiences),
      ),
      context === undefined
        ? undefined
        : element(
            'AuthnStatement',
            { AuthnInstant: made, SessionIndex: `_${id}` },
            element('AuthnContext', {}, element('AuthnContextClassRef', {}, xmlText(context))),
          ),
      attributes,
    )
    return signXml(assertion, issuer, signer)
  }
}

/** For people: `RS256, with a certificate, recipient https://...`. */
export function describeSaml(given: AssertionOptions, defaults: AssertionDefaults): string {
  const { algorithm, certificate } = samlSigner(given)
  const audience = audiencesOf(given, defaults, defaults.tokenUrl)
  const attributes = Object.keys(given.attributes ?? {})
  return [
    `SAML, ${algorithm}`,
    ...(certificate === undefined ? [] : ['with a certificate']),
    `issuer ${given.issuer ?? defaults.issuer}`,
    `subject ${given.subject ?? defaults.subject}`,
    `audience ${audience.join(', ')}`,
    ...(given.recipient === undefined ? [] : [`recipient ${given.recipient}`]),
    ...(attributes.length === 0 ? [] : [`attributes ${attributes.join(', ')}`]),
  ].join(', ')
}

/** XML as it goes into a request. @see https://www.rfc-editor.org/rfc/rfc7522#section-2.1 */
export function encodeSaml(xml: string, encoding: 'base64url' | 'base64' = 'base64url'): string {
  return Buffer.from(xml, 'utf8').toString(encoding)
}

/** Whether a text is XML, and not its base64. */
export function isXml(text: string): boolean {
  return text.trimStart().startsWith('<')
}

function samlSigner(given: AssertionOptions): XmlSigner {
  const passphrase = given.passphrase?.reveal()
  const read = readSigningKey(given.key?.reveal() ?? '', passphrase)
  if (!('key' in read)) throw new Error('the key was not checked')
  const chain = given.certificate === undefined ? [] : readCertificateChain(given.certificate, passphrase)
  return {
    key: read.key,
    algorithm: (given.algorithm ?? usualXmlAlgorithm(read.key)) as XmlAlgorithm,
    certificate: typeof chain === 'string' ? undefined : chain[0],
  }
}

/** Their values say that they are texts: some services look for that. */
function attributeStatement(attributes: Readonly<Record<string, readonly string[]>>): Xml | undefined {
  const type = {
    'xmlns:xs': 'http://www.w3.org/2001/XMLSchema',
    'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
    'xsi:type': 'xs:string',
  }
  const written = Object.entries(attributes).map(([name, values]) =>
    element(
      'Attribute',
      { Name: name },
      ...values.map((value) => element('AttributeValue', type, xmlText(value))),
    ),
  )
  return written.length === 0 ? undefined : element('AttributeStatement', {}, ...written)
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  ...content: readonly (Xml | undefined)[]
): Xml {
  return xmlElement(`saml2:${name}`, attributes, ...content)
}

/** Epoch ms as SAML writes it, in UTC; whole seconds. */
function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
