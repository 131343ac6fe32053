import type { KeyObject } from 'node:crypto'
import { Choice, MapOf, OneOrMore, Optional, Text } from '../core/schema.ts'
import { usualAlgorithm } from '../security/signing-key.ts'
import type { XmlAlgorithm } from '../security/xml-signature.ts'

/** What an assertion is written in. */
export const ASSERTION_FORMATS = ['jwt', 'saml2'] as const
export type AssertionFormat = (typeof ASSERTION_FORMATS)[number]

/** How SAML assertions are signed. */
export const SAML_ALGORITHMS: readonly XmlAlgorithm[] = ['RS256', 'RS512', 'ES256', 'ES384', 'ES512']

/** What fits the key; undefined: assertions cannot be signed with it. */
export function usualXmlAlgorithm(key: KeyObject): XmlAlgorithm | undefined {
  const usual = usualAlgorithm(key)
  return SAML_ALGORITHMS.find((one) => one === usual)
}

const FORMATS_1_1 = ['unspecified', 'emailAddress', 'X509SubjectName', 'WindowsDomainQualifiedName'] as const
const FORMATS_2_0 = ['persistent', 'transient', 'entity', 'kerberos'] as const
/** What a NameID may be, beside any URI. @see https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf section 8.3 */
export const NAME_ID_FORMATS: readonly string[] = [...FORMATS_1_1, ...FORMATS_2_0]

/** What only SAML assertions have. */
export const samlFields = {
  nameIdFormat: Optional(
    Text({
      description: `What the subject of a SAML assertion is: ${NAME_ID_FORMATS.join(', ')}, or a URI.`,
      default: 'unspecified',
      examples: ['emailAddress'],
    }),
  ),
  nameQualifier: Optional(
    Text({
      description: 'The domain that the subject of a SAML assertion is known in.',
      examples: ['www.successfactors.com'],
    }),
  ),
  recipient: Optional(
    Text({
      description: 'Recipient of a SAML assertion; left out: the address of the token service.',
      examples: ['https://login.example.com/oauth/token'],
    }),
  ),
  authnContext: Optional(
    Text({
      description:
        'How the subject of a SAML assertion was authenticated: a class such as PreviousSession or X509, or a URI; none: nothing is said of it.',
      default: 'unspecified',
      examples: ['PreviousSession', 'none'],
    }),
  ),
  attributes: Optional(
    MapOf(OneOrMore(Text({ description: 'A text.' }), { description: 'A text, or a list of them.' }), {
      description: 'Attributes of a SAML assertion.',
      examples: [{ api_key: 'API_KEY' }],
    }),
  ),
  encoding: Optional(
    Choice(['base64url', 'base64'], {
      description:
        'How a SAML assertion is sent: base64url as RFC 7522 says, or base64 for services that read that only.',
      default: 'base64url',
    }),
  ),
}

/** The URI of a NameID's format; undefined where it is none. */
export function nameIdFormatOf(written = 'unspecified'): string | undefined {
  if (FORMATS_1_1.some((name) => name === written))
    return `urn:oasis:names:tc:SAML:1.1:nameid-format:${written}`
  if (FORMATS_2_0.some((name) => name === written))
    return `urn:oasis:names:tc:SAML:2.0:nameid-format:${written}`
  return isUri(written) ? written : undefined
}

/** The URI of a class of authentication; undefined where it is none. */
export function authnContextOf(written = 'unspecified'): string | undefined {
  if (/^[A-Za-z0-9]+$/.test(written)) return `urn:oasis:names:tc:SAML:2.0:ac:classes:${written}`
  return isUri(written) ? written : undefined
}

function isUri(written: string): boolean {
  return /^[a-z][a-z0-9+.-]*:[^\s]+$/i.test(written)
}
