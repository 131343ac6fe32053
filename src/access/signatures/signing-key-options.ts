import type { Static } from '@sinclair/typebox'
import { Choice, Duration, Keys, OneOrMore, Optional, SecretText, Text } from '../../core/schema.ts'

/** Secrets that a key may have at once: the old one goes on until the sender has the new one. */
export const MAX_SECRETS = 2

/** What the file of a signing key holds: the only place where its keys are written down. */
export const signingKeySchema = Keys({
  type: Choice(['signingKey'], { description: 'How a sender signs its requests to an endpoint.' }),
  description: Optional(Text({ description: 'For people.' })),
  secret: OneOrMore(SecretText({ description: 'What both sides know.' }), {
    description: 'What it signs with; a list of two while the secret is replaced.',
  }),
  scheme: Optional(
    Choice(['github', 'stripe', 'slack'], {
      description: 'How this service signs; what follows is for other senders.',
    }),
  ),
  header: Optional(
    Text({ description: 'The header with the signature.', examples: ['X-Shopify-Hmac-Sha256'] }),
  ),
  algorithm: Optional(
    Choice(['sha256', 'sha384', 'sha512', 'sha1'], {
      description: 'Of the HMAC; sha1 is for old senders only.',
      default: 'sha256',
    }),
  ),
  encoding: Optional(
    Choice(['hex', 'base64'], { description: 'How the signature is written.', default: 'hex' }),
  ),
  prefix: Optional(
    Text({ description: 'What stands before the signature in the header.', examples: ['sha256='] }),
  ),
  timestamp: Optional(
    Text({
      description: 'The header with the time of the request (s since 1970), which is signed, too.',
      examples: ['X-Timestamp'],
    }),
  ),
  signs: Optional(
    Text({
      description:
        'What is signed: `{body}`, `{timestamp}` and `{name of a header}` with text between them; `{body}`, or `{timestamp}.{body}` where there is a timestamp, when left out.',
      examples: ['{webhook-id}.{timestamp}.{body}'],
    }),
  ),
  tolerance: Optional(
    Duration({
      description: 'How old a request may be, where its time is signed; also how far in the future.',
      default: '5m',
      minimum: 1000,
      maximum: 86_400_000,
    }),
  ),
})

export type SigningKeyOptions = Static<typeof signingKeySchema>

/** For pages and editors. */
export const signingKeyKind = {
  name: 'signingKey',
  summary: 'How a sender signs its requests (webhooks): the secret, and where the signature stands.',
  description:
    'An endpoint with `access: { signature: NAME }` takes requests that are signed with it (HMAC over the body) and no others. It is no credential for requests of flows. [The guide](../../guide/access.md) tells more.',
  options: signingKeySchema,
  examples: [
    {
      title: 'Webhooks of GitHub',
      yaml: 'type: signingKey\nscheme: github\nsecret: ${env:GITHUB_WEBHOOK_SECRET}\n',
    },
    {
      title: 'Webhooks of Stripe, none older than two minutes, while the secret is replaced',
      yaml: 'type: signingKey\nscheme: stripe\nsecret: ["${env:STRIPE_SECRET}", "${env:STRIPE_SECRET_BEFORE}"]\ntolerance: 2m\n',
    },
    {
      title: 'Another sender, with the time signed',
      yaml: 'type: signingKey\nsecret: ${env:SHOP_WEBHOOK_SECRET}\nheader: X-Shop-Signature\nalgorithm: sha512\nencoding: base64\ntimestamp: X-Shop-Time\n',
    },
  ],
}
