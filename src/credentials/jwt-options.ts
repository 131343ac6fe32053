import { Type, type Static } from '@sinclair/typebox'
import {
  Choice,
  Duration,
  ListOf,
  MapOf,
  OneOrMore,
  Optional,
  SecretText,
  Text,
  Value,
} from '../core/schema.ts'
import { KEY_ALGORITHMS } from '../security/signing-key.ts'
import { claimFields, keyFields, SECRET_ALGORITHMS } from './assertion-options.ts'
import { BEARER } from './oauth2-options.ts'
import { tokenIn } from './placed-secret.ts'

const SECOND = 1000
const claims = 'Further claims, as the receiver wants them.'
const { backdate, typ, lifetime } = claimFields

export const jwtOptions = Type.Object({
  ...keyFields,
  secret: Optional(
    SecretText({
      description: 'In place of a key: what both sides know, for HS256 to HS512.',
      examples: ['${env:SHARED_SECRET}'],
    }),
  ),
  algorithm: Optional(
    Choice([...KEY_ALGORITHMS, ...SECRET_ALGORITHMS], {
      description: 'How it is signed; left out: what fits the key, and HS256 with a `secret`.',
    }),
  ),
  issuer: Optional(
    Text({
      description: 'Claim `iss`: who signs, as the receiver knows it.',
      examples: ['57246542-96fe-1a63-e053-0824d011072a'],
    }),
  ),
  subject: Optional(Text({ description: 'Claim `sub`.', examples: ['ACME.SLUICE'] })),
  audience: Optional(
    OneOrMore(Text({ description: 'A name, or an address.' }), {
      description: 'Claim `aud`: for whom it is. Left out: there is none.',
      examples: ['appstoreconnect-v1'],
    }),
  ),
  lifetime,
  backdate,
  claims: Optional(MapOf(Value({ description: claims }), { description: claims })),
  typ,
  refreshBefore: Optional(
    Duration({
      description: 'So long before its end the next one is signed (at most half of its life).',
      default: '60s',
      minimum: 0,
      maximum: 600 * SECOND,
    }),
  ),
  tokenIn: tokenIn(BEARER),
  invalidateOn: Optional(
    ListOf(Type.Integer({ minimum: 400, maximum: 599 }), {
      description:
        'Statuses of a receiver that mean that the JWT is no longer good: a new one is signed, and the request sent once more.',
      default: [401],
      examples: [[401, 403]],
    }),
  ),
})

export type JwtOptions = Static<typeof jwtOptions>
