import type { Static, TObject } from '@sinclair/typebox'
import {
  Choice,
  CredentialName,
  Duration,
  Flag,
  Keys,
  MapOf,
  OneOrMore,
  Optional,
  SecretText,
  Text,
  Value,
} from '../core/schema.ts'
import { KEY_ALGORITHMS } from '../security/signing-key.ts'
import { ASSERTION_FORMATS, samlFields, type AssertionFormat } from './saml-options.ts'

const SECOND = 1000
/** @see https://www.rfc-editor.org/rfc/rfc7523#section-2.2 */
const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:'
const claims = 'Further claims, such as the scope where a service reads it there.'

/** ms */
export const USUAL_LIFETIME = 300 * SECOND

/** @see https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const

export const keyFields = {
  key: Optional(
    SecretText({
      description:
        'Private key that it is signed with: PEM (PKCS#8, PKCS#1, EC, also encrypted), a JWK, a PKCS#12 file, or the JSON file of a service account.',
      examples: ['${file:keys/client.pem}'],
    }),
  ),
  passphrase: Optional(
    SecretText({
      description: 'Of an encrypted key, or of the PKCS#12 file.',
      examples: ['${env:KEY_PASSPHRASE}'],
    }),
  ),
  keyId: Optional(
    Text({
      description: 'Which of its keys the service shall look at: `kid` of the header.',
      examples: ['key-2026'],
    }),
  ),
  certificate: Optional(
    Text({
      description:
        'Certificate of the key (PEM, or the same PKCS#12 file), where the service knows the key by its thumbprint.',
      examples: ['${file:keys/client.crt}'],
    }),
  ),
  x5t: Optional(
    Choice(['sha256', 'sha1', 'both', 'none'], {
      description:
        'Which thumbprint of the certificate goes into the header: `x5t#S256`, `x5t`, both or none.',
      default: 'sha256',
    }),
  ),
  x5c: Optional(
    Flag({
      description: 'The certificate itself goes into the header, with those that stand behind it.',
      default: false,
    }),
  ),
}

export const claimFields = {
  issuer: Optional(
    Text({
      description: 'Claim `iss`, or the Issuer of SAML; left out: the `clientId`.',
      examples: ['acme'],
    }),
  ),
  audience: Optional(
    OneOrMore(Text({ description: 'The address of the service, or a name.' }), {
      description:
        'Claim `aud`, or the Audience of SAML: `tokenUrl` stands for the address of the token service, `issuer` for the `issuer` of the credential; or a text that the service wants.',
      default: 'tokenUrl',
      examples: ['tokenUrl', 'issuer', 'https://login.example.com/'],
    }),
  ),
  subject: Optional(
    Text({
      description:
        'Claim `sub`, or the NameID of SAML: who the token is for; of a client left out, its `clientId`.',
      examples: ['acme'],
    }),
  ),
  lifetime: Optional(
    Duration({
      description: 'From its making to its end; each attempt gets a new one.',
      default: '5m',
      minimum: 10 * SECOND,
      maximum: 3600 * SECOND,
    }),
  ),
  backdate: Optional(
    Duration({
      description:
        'Claim `iat` lies so long in the past, for services whose clock is behind; `exp` counts from there.',
      default: '0s',
      minimum: 0,
      maximum: 300 * SECOND,
      examples: ['60s'],
    }),
  ),
  claims: Optional(MapOf(Value({ description: claims }), { description: claims })),
  typ: Optional(
    Text({
      description: 'The header `typ`, where it is another one.',
      default: 'JWT',
      examples: ['client-authentication+jwt'],
    }),
  ),
}

const takenFields = {
  token: Optional(
    SecretText({
      description: 'A token that somebody else made and keeps new.',
      examples: ['${file:/var/run/secrets/tokens/service-account}'],
    }),
  ),
  fromCredential: Optional(
    CredentialName({
      description: 'The credential (of the type oauth2 or jwt) whose token is taken.',
      examples: ['corporate_login'],
    }),
  ),
}

const assertionFields = {
  format: Optional(
    Choice(ASSERTION_FORMATS, {
      description: 'jwt, or saml2: a signed XML. Left out: what the grant is given for; of a client jwt.',
    }),
  ),
  ...keyFields,
  algorithm: Optional(
    Choice([...KEY_ALGORITHMS, ...SECRET_ALGORITHMS], {
      description:
        'How it is signed; left out: what fits the key. HS256 to HS512 are for clientSecretJwt, where HS256 is the default.',
    }),
  ),
  ...claimFields,
  ...samlFields,
  ...takenFields,
}

/** What may be said of anything that is signed here. */
export type AssertionOptions = Static<TObject<typeof assertionFields>>

/** `client_assertion_type` of this format. */
export function clientAssertionType(format: AssertionFormat): string {
  return `${CLIENT_ASSERTION_TYPE}${format}-bearer`
}

/** What it is made from; one of them. */
export const SOURCES = ['key', 'token', 'fromCredential'] as const

/** Whether it says what to sign with, or to take. */
export function hasSource(given: AssertionOptions): boolean {
  return SOURCES.some((name) => given[name] !== undefined)
}

/** The grant itself: what the token is given for. */
export const assertion = Optional(
  Keys(assertionFields, {
    description:
      'With the grants jwt-bearer and saml2-bearer: the signed JWT or SAML assertion that the token is given for. `sub` of a JWT is left out unless it is written.',
  }),
)

const exchanged = (description: string) =>
  Optional(
    Keys(
      {
        ...takenFields,
        type: Optional(
          Text({
            description:
              'What it is: access_token, id_token, refresh_token, jwt, saml1, saml2, or a URN of the service. Left out: access_token with `fromCredential`, else jwt.',
            examples: ['id_token'],
          }),
        ),
      },
      { description },
    ),
  )

export const subjectToken = exchanged('With the grant token-exchange: for whom the token shall be.')
export const actorToken = exchanged(
  'With the grant token-exchange: who acts for the subject, where that is somebody else.',
)

/** With it a client proves who it is. */
export const clientAssertion = Optional(
  Keys(
    {
      ...assertionFields,
      type: Optional(
        Text({
          description: '`client_assertion_type`; left out: the URN of the `format`.',
        }),
      ),
      sendClientId: Optional(
        Flag({
          description: '`client_id` goes along as a parameter; with bearer only where this says so.',
          default: true,
        }),
      ),
    },
    {
      description:
        'With `clientAuthentication` privateKeyJwt, clientSecretJwt or bearer: the signed JWT (or, with `format`, SAML assertion) that takes the place of the secret.',
    },
  ),
)
