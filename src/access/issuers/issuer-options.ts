import type { Static } from '@sinclair/typebox'
import { Choice, Flag, Keys, ListOf, MapOf, OneOrMore, Optional, Text, Value } from '../../core/schema.ts'
import { SIGNATURE_ALGORITHMS } from '../signature-algorithms.ts'

export const USUAL_ALGORITHMS: readonly (typeof SIGNATURE_ALGORITHMS)[number][] = [
  'RS256',
  'PS256',
  'ES256',
  'EdDSA',
  'Ed25519',
]
export const USUAL_ROLE_CLAIMS = ['roles', 'scope', 'scp']
/** What issuers call the client: most of them, OpenID Connect, Okta, Entra v1; last the subject. */
export const USUAL_CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid', 'sub']

/** What the file of an issuer holds: the only place where its keys are written down. */
export const issuerSchema = Keys({
  type: Choice(['issuer'], { description: 'A token service of somebody else whose tokens are taken.' }),
  description: Optional(Text({ description: 'For people.' })),
  issuer: Text({
    description: 'What its tokens name as their issuer (`iss`), character by character.',
    examples: ['https://login.example.com/realms/shop'],
  }),
  jwksUri: Optional(
    Text({
      description: 'Where its public keys are; asked of `discovery` when left out.',
      examples: ['https://login.example.com/realms/shop/protocol/openid-connect/certs'],
    }),
  ),
  discovery: Optional(
    Text({
      description:
        'Where it tells about itself; `/.well-known/openid-configuration` under the issuer when left out.',
    }),
  ),
  audience: Optional(
    OneOrMore(Text({ description: 'What a token names as its audience (`aud`).' }), {
      description: 'For whom a token has to be made out; of a list, one is enough.',
      examples: ['api://orders'],
    }),
  ),
  audienceFromRoles: Optional(
    Flag({
      description:
        'Takes tokens without an audience, too, where they have a role with `rolePrefix` (XSUAA does so).',
      default: false,
    }),
  ),
  clients: Optional(
    OneOrMore(Text({ description: 'The id of a client.' }), {
      description:
        'Whose tokens are taken; everybody has to be named here where tokens have no audience (Cognito).',
    }),
  ),
  algorithms: Optional(
    OneOrMore(Choice(SIGNATURE_ALGORITHMS, { description: 'An algorithm.' }), {
      description: 'How its tokens may be signed.',
      default: [...USUAL_ALGORITHMS],
    }),
  ),
  tokenType: Optional(
    Text({
      description: 'The `typ` that the header of a token has to name; not looked at when left out.',
      examples: ['at+jwt'],
    }),
  ),
  roleClaims: Optional(
    OneOrMore(Text({ description: 'A claim, or the way to it: `realm_access.roles`.' }), {
      description:
        'Where roles are found: lists, or texts with spaces between them. All that are there are put together.',
      default: USUAL_ROLE_CLAIMS,
    }),
  ),
  rolePrefix: Optional(
    Text({
      description: 'What stands before each role that is meant for this engine; other ones do not count.',
      examples: ['flows!t42.'],
    }),
  ),
  roles: Optional(
    ListOf(Text({ description: 'A role.' }), {
      description: 'Roles that every caller with its tokens has, beside those of the token.',
      default: [],
    }),
  ),
  clientClaim: Optional(
    OneOrMore(Text({ description: 'A claim.' }), {
      description: 'Where the id of the client is found; the first one that is there counts.',
      default: USUAL_CLIENT_CLAIMS,
    }),
  ),
  requiredClaims: Optional(
    MapOf(Value({ description: 'The value, or a list of which one is enough.' }), {
      description: 'What claims have to say: the name of each, or the way to it, with its value.',
      examples: [{ tid: '5f0c1c2e-0000-4000-8000-000000000000', token_use: 'access' }],
    }),
  ),
  checkCertificate: Optional(
    Flag({
      description:
        'Whether a token that is bound to a certificate (`cnf`, RFC 8705) is taken only together with it. `false`: where no certificate gets here, because a proxy ends TLS and passes none on.',
      default: true,
    }),
  ),
  enabled: Optional(Flag({ description: 'Whether its tokens are taken.', default: true })),
})

export type IssuerOptions = Static<typeof issuerSchema>

/** For pages and editors. */
export const issuerKind = {
  name: 'issuer',
  summary: 'A token service of somebody else whose access tokens endpoints of this engine take.',
  description:
    'Entra ID, Keycloak, Auth0, Okta, Cognito, XSUAA, SAP IAS and others that sign their tokens (JWT). A token is taken where its issuer, signature, time, audience and required claims are right; its roles are compared with those that the endpoint wants. [The guide](../../guide/access.md) has the settings for each of them.',
  options: issuerSchema,
  examples: [
    {
      title: 'Microsoft Entra ID, tokens of version 2',
      yaml: 'type: issuer\nissuer: https://login.microsoftonline.com/5f0c1c2e-0000-4000-8000-000000000000/v2.0\naudience: 0b7d3f6a-0000-4000-8000-000000000000\nrequiredClaims:\n  tid: 5f0c1c2e-0000-4000-8000-000000000000\n',
    },
    {
      title: 'Keycloak, with roles of the realm and of a client',
      yaml: 'type: issuer\nissuer: https://login.example.com/realms/shop\naudience: flows\nroleClaims: [realm_access.roles, resource_access.flows.roles]\nrequiredClaims: { typ: Bearer }\n',
    },
    {
      title: 'Amazon Cognito, whose tokens name no audience',
      yaml: 'type: issuer\nissuer: https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI\nclients: [1example23456789]\nrolePrefix: flows/\nrequiredClaims: { token_use: access }\n',
    },
  ],
}
