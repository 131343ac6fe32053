import { Type, type Static } from '@sinclair/typebox'
import { defineCredential } from '../core/kinds.ts'
import { Choice, Duration, Keys, MapOf, Optional, SecretText, Text, Value } from '../core/schema.ts'
import { checkOAuth2 } from './oauth2-check.ts'
import { readScope } from './oauth2-scope.ts'
import { placeSecret } from './placed-secret.ts'
import { fetchToken, type TokenFetchSettings } from './token-fetch.ts'
import { TokenManager } from './token-manager.ts'
import type { TokenRequestSettings } from './token-request.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const parameterMap = (description: string) => Optional(MapOf(Value({ description }), { description }))

const options = Type.Object({
  tokenServiceUrl: Text({
    description: 'Address of the token service; its own query is kept.',
    examples: ['https://acme.plateau.com/learning/oauth-api/rest/v1/token'],
  }),
  grantType: Optional(
    Text({
      description: 'How the token is asked for; client_credentials in this version.',
      default: 'client_credentials',
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
  clientSecret: Optional(SecretText({ description: 'Secret of the client.' })),
  clientAuthentication: Optional(
    Choice(['header', 'body', 'none'], {
      description:
        'Where id and secret go: a Basic header, the body, or nowhere (then `clientId` alone is sent, as a parameter).',
      default: 'header',
    }),
  ),
  basicEncoding: Optional(
    Choice(['form', 'raw'], {
      description:
        'How id and secret stand in the Basic header: form-encoded as RFC 6749 says, or as they are for services that expect that.',
      default: 'form',
    }),
  ),
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
  lifetime: Optional(
    Duration({
      description: 'Of a token whose answer does not say how long it lives.',
      default: '1h',
      minimum: SECOND,
      maximum: 366 * 24 * HOUR,
    }),
  ),
  maxLifetime: Optional(
    Duration({
      description: 'No token is kept longer, whatever its answer says.',
      default: '24h',
      minimum: SECOND,
      maximum: 366 * 24 * HOUR,
    }),
  ),
  refreshBefore: Optional(
    Duration({
      description: 'So long before its end a token is no longer handed out (at most half of its life).',
      default: '60s',
      minimum: 0,
      maximum: HOUR,
    }),
  ),
})

export type OAuth2Options = Static<typeof options>

export const oauth2 = defineCredential({
  name: 'oauth2',
  summary:
    'A token of an OAuth 2.0 token service (client credentials), fetched, kept and renewed by the engine.',
  description:
    'The token is asked for when the first request needs it, kept for as long as it lives, renewed shortly before its end, and asked for once more when a receiver refuses it. No flow, script or log ever sees it.',
  examples: [
    {
      title: 'SAP SuccessFactors Learning: JSON request, object as scope',
      yaml: `type: oauth2
description: Perform LMS calls as admin.
tokenServiceUrl: https://acme.plateau.com/learning/oauth-api/rest/v1/token
clientId: acme
clientSecret: \${env:LMS_CLIENT_SECRET}
clientAuthentication: header
contentType: application/json
scope: { userId: svc, companyId: acme, userType: admin, resourceType: learning_public_api }
baseUrl: https://acme.plateau.com/learning/odatav4/
`,
    },
    {
      title: 'SAP SuccessFactors Incentive Management: credentials in a form, one scope',
      yaml: `type: oauth2
tokenServiceUrl: https://api.sap.com/oauth/token
clientId: client_abc123def456
clientSecret: \${env:IM_CLIENT_SECRET}
clientAuthentication: body
scope: im.write
baseUrl: https://api.sap.com/successfactors/im/
`,
    },
    {
      title: 'SAP BTP Neo: everything in the URL, empty body',
      yaml: `type: oauth2
tokenServiceUrl: https://api.example.com/oauth2/apitoken/v1?grant_type=client_credentials
clientId: b4f1
clientSecret: \${file:/run/secrets/neo}
contentType: none
allowedHosts: ['*.hana.example.com']
`,
    },
  ],
  options,
  check: checkOAuth2,
  prepare(given, frame, setting) {
    const settings = fetchSettings(given, frame.name)
    const release = settings.request.clientSecret && setting.redact(settings.request.clientSecret.reveal())
    const manager = new TokenManager(
      {
        name: frame.name,
        refreshBefore: given.refreshBefore ?? MINUTE,
        patience: Math.max(30 * SECOND, settings.connectTimeout + settings.readTimeout),
        place: (token) => placeSecret({ in: 'header', name: 'authorization', prefix: 'Bearer ' }, token),
        fetch: (until) => fetchToken(settings, setting, until),
      },
      setting,
    )
    return {
      authorize: (until) => manager.authorize(until),
      state: () => manager.state(),
      stop() {
        manager.stop()
        release?.()
      },
    }
  },
  describe(given) {
    const { request } = fetchSettings(given, '')
    const { scope } = request
    return {
      tokenServiceUrl: request.url.origin + request.url.pathname,
      grantType: request.grantType,
      clientId: request.clientId,
      ...(request.clientSecret && { clientSecret: '[secret]' }),
      clientAuthentication: request.clientAuthentication,
      contentType: request.contentType,
      ...(scope !== undefined && { scope: typeof scope === 'string' ? scope : JSON.stringify(scope) }),
    }
  },
})

function fetchSettings(given: OAuth2Options, name: string): TokenFetchSettings {
  const { scope, words } = readScope(given.scope, given.scopeSeparator ?? ' ')
  const contentType = given.contentType ?? 'application/x-www-form-urlencoded'
  const request: TokenRequestSettings = {
    url: new URL(given.tokenServiceUrl),
    clientId: given.clientId ?? '',
    clientSecret: given.clientSecret,
    clientAuthentication: given.clientAuthentication ?? 'header',
    basicEncoding: given.basicEncoding ?? 'form',
    contentType,
    grantType: given.grantType ?? 'client_credentials',
    grantTypeIn: given.grantTypeIn ?? (contentType === 'none' ? 'query' : 'body'),
    scope,
    body: given.parameters?.body ?? {},
    query: given.parameters?.query ?? {},
    headers: given.parameters?.headers ?? {},
  }
  return {
    name,
    request,
    scopes: words,
    defaults: { lifetime: given.lifetime ?? HOUR, maxLifetime: given.maxLifetime ?? 24 * HOUR },
    connectTimeout: given.connectTimeout ?? 10 * SECOND,
    readTimeout: given.readTimeout ?? 10 * SECOND,
  }
}
