import type { ProblemText } from './problem-text.ts'

/** Signing keys: how senders sign their requests to endpoints. */
export const SIGNATURE_PROBLEMS = {
  'signature/scheme': {
    title: 'It is not clear how a sender signs',
    meaning:
      '`scheme` says all of it for GitHub, Stripe and Slack; for another sender `header` says where the signature stands, and `algorithm`, `encoding`, `prefix`, `timestamp` and `signs` the rest. The body is always signed.',
    wrong: `# security-material/shop-webhook.yaml
type: signingKey
secret: \${env:SHOP_SECRET}
`,
    right: `# security-material/shop-webhook.yaml
type: signingKey
secret: \${env:SHOP_SECRET}
header: X-Shop-Signature
`,
  },
  'signature/unknown': {
    title: 'There is no such signing key',
    meaning:
      '`access: { signature: NAME }` names a file of the security material with `type: signingKey`. The secret stands there, by reference, and never in a flow.',
    wrong: `steps:
  - endpoint: { path: /github, access: { signature: github } }
  - log: an event
`,
    right: `# flows/orders.yaml
steps:
  - endpoint: { path: /github, access: { signature: github } }
  - log: an event
# security-material/github.yaml
type: signingKey
scheme: github
secret: \${env:SHOP_SECRET}
`,
  },
} as const satisfies Record<string, ProblemText>
