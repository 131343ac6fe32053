import { Type, type Static } from '@sinclair/typebox'
import {
  Choice,
  Duration,
  Expression,
  Flag,
  Keys,
  ListOf,
  MapOf,
  OneOrMore,
  Optional,
  SecretText,
  Text,
  Value,
  Whole,
} from '../core/schema.ts'
import type { ReachOptions } from '../security/reach.ts'
import { clientAssertion, hasSource } from './assertion-options.ts'
import { isAssertionGrant, readGrantType } from './grants.ts'
import { grantOptions } from './oauth2-grant-options.ts'
import { lifeOptions } from './oauth2-life-options.ts'
import { serviceOptions } from './oauth2-service-options.ts'
import { tokenIn, type Placement } from './placed-secret.ts'
import type { ClientAuthentication } from './token-request.ts'

/** Where a token goes. @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
export const BEARER: Placement = { in: 'header', name: 'authorization', prefix: 'Bearer ' }

const SECOND = 1000
const MINUTE = 60 * SECOND

const parameterMap = (description: string) => Optional(MapOf(Value({ description }), { description }))

export const oauth2Options = Type.Object({
  ...serviceOptions,
  grantType: Optional(
    Text({
      description:
        'How the token is asked for: client_credentials, password, refresh_token, jwt-bearer, saml2-bearer, token-exchange, a name of the service itself, or none (no `grant_type` is sent).',
      default: 'client_credentials',
      examples: ['password', 'account_credentials', 'none'],
    }),
  ),
  method: Optional(
    Choice(['POST', 'GET'], {
      description: 'Of the token request; with GET all parameters go into the query.',
      default: 'POST',
    }),
  ),
  grantTypeIn: Optional(
    Choice(['body', 'query'], {
      description: 'Where `grant_type` goes. Where `contentType` is none, the query is the default.',
      default: 'body',
    }),
  ),
  clientId: Optional(
    Text({ description: 'Id of the client; needed unless `clientAuthentication` is none.' }),
  ),
  clientSecret: Optional(
    OneOrMore(SecretText({ description: 'Secret of the client.' }), {
      description:
        'Secret of the client; while it is replaced a list of two, the new one first: the one that works is used.',
      examples: ['${env:IM_SECRET}', ['${file:/run/secrets/im-new}', '${file:/run/secrets/im}']],
    }),
  ),
  clientAuthentication: Optional(
    Choice(['header', 'body', 'query', 'privateKeyJwt', 'clientSecretJwt', 'bearer', 'certificate', 'none'], {
      description:
        'How the client proves who it is: id and secret in a Basic header, the body or the query (with `allowSecretInUrl`); a JWT signed with a private key or with the secret (`clientAssertion`), as a parameter, or with bearer as `Authorization: Bearer` of the token request; a client certificate (`tls`); or none, with `clientId` alone as a parameter.',
      default: 'header',
    }),
  ),
  clientAssertion,
  basicEncoding: Optional(
    Choice(['form', 'raw'], {
      description:
        'How id and secret stand in the Basic header: form-encoded as RFC 6749 says, or as they are for services that expect that.',
      default: 'form',
    }),
  ),
  authScheme: Optional(
    Text({
      description: 'The word before id and secret in the header, where it is not Basic.',
      default: 'Basic',
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
      examples: ['ID'],
    }),
  ),
  basicAuth: Optional(
    Keys(
      {
        username: Text({ description: 'Name of the user.' }),
        password: SecretText({ description: 'Password of the user.' }),
      },
      {
        description:
          'A user for the Basic header of the token request, beside the client: id and secret then go into the body (the tokenServiceUser of BTP destinations).',
      },
    ),
  ),
  ...grantOptions,
  contentType: Optional(
    Choice(['application/x-www-form-urlencoded', 'application/json', 'none'], {
      description: 'How parameters are sent; none means an empty body.',
      default: 'application/x-www-form-urlencoded',
    }),
  ),
  scope: Optional(
    Value({
      description:
        'What the token shall allow: a text, a list of words, or a map (also as JSON text) for services that take an object in a JSON request.',
      examples: ['im.read im.write', { userId: 'svc', companyId: 'acme', userType: 'admin' }],
    }),
  ),
  scopeSeparator: Optional(Text({ description: 'Between the words of a list.', default: ' ' })),
  audience: Optional(
    Text({ description: 'For whom the token shall be.', examples: ['https://api.example.com/'] }),
  ),
  resource: Optional(
    OneOrMore(
      Text({ description: 'An absolute URI without fragment.', examples: ['https://api.example.com/'] }),
      {
        description: 'What the token shall be for, as RFC 8707 says; several are repeated.',
        examples: ['https://api.example.com/'],
      },
    ),
  ),
  parameterNames: Optional(
    Keys(
      {
        grantType: Optional(Text({ description: 'In place of grant_type.', default: 'grant_type' })),
        clientId: Optional(Text({ description: 'In place of client_id.', default: 'client_id' })),
        clientSecret: Optional(Text({ description: 'In place of client_secret.', default: 'client_secret' })),
        scope: Optional(Text({ description: 'In place of scope.', default: 'scope' })),
        username: Optional(Text({ description: 'In place of username.', default: 'username' })),
        password: Optional(Text({ description: 'In place of password.', default: 'password' })),
        refreshToken: Optional(Text({ description: 'In place of refresh_token.', default: 'refresh_token' })),
      },
      { description: 'What the service calls its parameters, where that is not as RFC 6749 says.' },
    ),
  ),
  parameters: Optional(
    Keys(
      {
        body: parameterMap('Further parameters of the body; lists repeat, maps go as JSON.'),
        query: parameterMap('Further parameters of the query.'),
        headers: parameterMap('Further headers.'),
      },
      { description: 'What the service wants besides, up to 20 of each.' },
    ),
  ),
  connectTimeout: Optional(
    Duration({
      description: 'For the connection to the token service, 0 to 60 s; 0 means no limit of its own.',
      default: '10s',
      minimum: 0,
      maximum: 60 * SECOND,
    }),
  ),
  readTimeout: Optional(
    Duration({
      description: 'For the answer of the token service, 0 to 600 s; 0 means no limit of its own.',
      default: '10s',
      minimum: 0,
      maximum: 600 * SECOND,
    }),
  ),
  retry: Optional(
    Keys(
      {
        attempts: Optional(
          Whole({ description: 'Attempts, the first one included.', default: 3, minimum: 1, maximum: 10 }),
        ),
        delay: Optional(
          Duration({
            description: 'Before the second attempt; half to all of it, by chance.',
            default: '1s',
            minimum: 100,
            maximum: MINUTE,
          }),
        ),
        factor: Optional(
          Whole({
            description: 'Each further wait is so many times longer.',
            default: 2,
            minimum: 1,
            maximum: 10,
          }),
        ),
      },
      {
        description:
          'How a token request that found no service, or a busy one, is tried again: network errors, time-outs, 408, 425, 429 and 5xx; all attempts together within 30 s, or within one connectTimeout and readTimeout where that is longer. `Retry-After` of the service wins over the delay. A refusal is never tried again.',
      },
    ),
  ),
  warm: Optional(
    Flag({
      description: 'The first token is fetched when the engine starts, not when the first request needs it.',
      default: false,
    }),
  ),
  response: Optional(
    Keys(
      {
        format: Optional(
          Choice(['json', 'form', 'text'], {
            description: 'What the answer is: JSON, `a=b&c=d`, or a text.',
            default: 'json',
          }),
        ),
        token: Optional(
          Expression({
            description: 'Where the token is, over `body`, `headers` and `status`.',
            default: 'body.access_token',
            examples: ['body.data.token', 'headers["x-auth-token"]'],
          }),
        ),
        expiresIn: Optional(
          Expression({ description: 'Where its lifetime is.', default: 'body.expires_in' }),
        ),
        expiresAt: Optional(
          Expression({
            description:
              'Where the moment of its end is, for services that tell no lifetime: a date and time, or an epoch in s or ms.',
            examples: ['body.expiration'],
          }),
        ),
        unit: Optional(
          Choice(['s', 'ms'], { description: 'Of a number for the lifetime or the end.', default: 's' }),
        ),
        success: Optional(
          Expression({
            description: 'Must be true, for services that refuse with status 200.',
            examples: ['body.ok == true', 'body.errcode == null'],
          }),
        ),
      },
      {
        description:
          'Where things are in an answer that is not as RFC 6749 says. Expressions stand bare, without `${}`.',
      },
    ),
  ),
  tokenIn: tokenIn(BEARER),
  invalidateOn: Optional(
    ListOf(Type.Integer({ minimum: 400, maximum: 599 }), {
      description:
        'Statuses of a receiver that mean that the token is no longer good: it is renewed, and the request sent once more.',
      default: [401],
      examples: [[401, 403]],
    }),
  ),
  invalidateWhen: Optional(
    Expression({
      description:
        "The same for what the status alone does not tell: an expression over `body` (JSON of at most 64 KiB, else null), `headers` and `status` of the receiver's answer.",
      examples: ['body.errors[0].code in [601, 602]'],
    }),
  ),
  ...lifeOptions,
})

export type OAuth2Options = Static<typeof oauth2Options> & Pick<ReachOptions, 'tls'>

/** As written; or what the other fields tell. */
export function clientAuthenticationOf(given: OAuth2Options): ClientAuthentication {
  const { clientAuthentication, basicAuth, clientAssertion: assertion, clientId, clientSecret } = given
  if (clientAuthentication !== undefined) return clientAuthentication
  if (basicAuth) return 'body'
  if (assertion) return clientSecret && !hasSource(assertion) ? 'clientSecretJwt' : 'privateKeyJwt'
  const { kind } = readGrantType(given.grantType)
  if (hasCertificate(given) && clientSecret === undefined && clientId !== undefined) return 'certificate'
  const open = kind === 'none' || kind === 'token-exchange'
  const proven = isAssertionGrant(kind) || (open && clientId === undefined)
  return proven && clientSecret === undefined ? 'none' : 'header'
}

export function isJwt(how: ClientAuthentication): how is 'privateKeyJwt' | 'clientSecretJwt' | 'bearer' {
  return how === 'privateKeyJwt' || how === 'clientSecretJwt' || how === 'bearer'
}

/** A client certificate is sent to the token service, whatever it is for. */
export function hasCertificate({ tls = {} }: Pick<OAuth2Options, 'tls'>): boolean {
  return tls.certificate !== undefined || tls.pkcs12 !== undefined
}
