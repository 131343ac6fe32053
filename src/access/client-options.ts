import { Type, type Static } from '@sinclair/typebox'
import { DEFAULT_ROLE } from '../core/access.ts'
import {
  Choice,
  Duration,
  Flag,
  Keys,
  ListOf,
  MapOf,
  OneOrMore,
  Optional,
  Text,
  Value,
} from '../core/schema.ts'
import { certificatesOption } from './certificates/certificate-options.ts'

/** Secrets that a client may have at once: the old one goes on until the new one is everywhere. */
export const MAX_SECRETS = 2

/** ms that a token may be good, but for one without an end. */
export const LONGEST_LIFETIME = 86_400_000

/** What the file of a client holds: the only place where its keys are written down. */
export const clientSchema = Keys({
  type: Choice(['client'], { description: 'A system that may call the endpoints of this engine.' }),
  description: Optional(Text({ description: 'For people.' })),
  clientId: Optional(
    Text({ description: "What it calls itself; the file's name when left out.", examples: ['shop'] }),
  ),
  secretHash: Optional(
    OneOrMore(Text({ description: 'What `sluice client create` or `rotate` made of a secret.' }), {
      description: 'The hash of its secret; a list of two while the secret is replaced.',
    }),
  ),
  apiKeyHash: Optional(
    OneOrMore(Text({ description: 'What `sluice client api-key` made of an API key.' }), {
      description: 'The hash of its API key; a list of two while the key is replaced.',
    }),
  ),
  jwks: Optional(
    Keys(
      {
        keys: ListOf(
          MapOf(Value({ description: 'A member of the key.' }), { description: 'A public key (JWK).' }),
          {
            description: 'Its public keys; several while a key is replaced.',
          },
        ),
      },
      {
        description:
          'The keys that it signs assertions with instead of sending a secret (`private_key_jwt`); `sluice client create --public-key` writes them.',
      },
    ),
  ),
  certificates: certificatesOption,
  roles: Optional(
    ListOf(Text({ description: 'A role.' }), {
      description: `The roles that it has; ${DEFAULT_ROLE} when left out.`,
      default: [DEFAULT_ROLE],
      examples: [['orders.write']],
    }),
  ),
  tokenLifetime: Optional(
    Type.Union(
      [
        Duration({ description: 'How long a token is good.', minimum: 60_000, maximum: LONGEST_LIFETIME }),
        Choice(['untilNext'], { description: 'A token is good until the client asks for the next one.' }),
      ],
      {
        description:
          'How long its tokens are good, 1m to 1d; `untilNext`: until it asks for the next one, which ends the one before.',
        default: '60m',
      },
    ),
  ),
  enabled: Optional(
    Flag({ description: 'Whether it gets tokens and may call; its tokens end at once.', default: true }),
  ),
})

export type ClientOptions = Static<typeof clientSchema>

/** For pages and editors. */
export const clientKind = {
  name: 'client',
  summary: 'A system that calls endpoints of this engine: its secret as a hash, and its roles.',
  description:
    'It is no credential for requests of flows. `sluice client create` writes the file; it is read again as soon as it changes, and a removed role, a disabled or a removed client is refused with its next request. [The guide](../../guide/access.md) tells how a client gets a token and calls.',
  options: clientSchema,
  examples: [
    {
      title: 'A shop that may write orders, with tokens of ten minutes',
      yaml: `type: client\ndescription: The web shop\nclientId: shop\nsecretHash: $scrypt$ln=14,r=8,p=1$vT5v3nSVqAzFdTSCmBpEhg$Ps8jzvAyWyWLhNyjFvQSV8oPBkMyyLl7qFUUkdmBTqI\nroles: [orders.write]\ntokenLifetime: 10m\n`,
    },
    {
      title: 'A system that signs with a key of its own and has no secret',
      yaml: 'type: client\njwks:\n  keys:\n    - kty: EC\n      crv: P-256\n      x: MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\n      y: 4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\nroles: [orders.write]\n',
    },
  ],
}
