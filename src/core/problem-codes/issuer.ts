import type { ProblemText } from './problem-text.ts'

/** Issuers: token services of others whose tokens endpoints take. */
export const ISSUER_PROBLEMS = {
  'issuer/url': {
    title: 'An address of an issuer cannot be used',
    meaning:
      '`issuer`, `jwksUri` and `discovery` are https URLs (http on this machine only): who could change the keys on the way could make tokens.',
    wrong: `# security-material/keycloak.yaml
type: issuer
issuer: http://login.example.com/realms/shop
audience: flows
`,
    right: `# security-material/keycloak.yaml
type: issuer
issuer: https://login.example.com/realms/shop
audience: flows
`,
  },
  'issuer/audience': {
    title: 'Nothing tells which tokens of an issuer are for this engine',
    meaning:
      'An issuer makes tokens for many applications; one that was made for another application must not open an endpoint here. `audience` says what the `aud` of tokens for this engine is. Where tokens have none (Amazon Cognito), `clients` names the clients whose tokens are taken; for XSUAA there is `audienceFromRoles` with `rolePrefix`.',
    wrong: `# security-material/entra.yaml
type: issuer
issuer: https://login.example.com/tenant/v2.0
`,
    right: `# security-material/entra.yaml
type: issuer
issuer: https://login.example.com/tenant/v2.0
audience: api://flows
`,
  },
  'issuer/taken': {
    title: 'Two files have the same issuer',
    meaning: 'A token tells its issuer, and by that its file is found; there is one for each issuer.',
    wrong: `# security-material/one.yaml
type: issuer
issuer: https://login.example.com
audience: api://flows
# security-material/two.yaml
type: issuer
issuer: https://login.example.com
audience: api://orders
`,
    right: `# security-material/one.yaml
type: issuer
issuer: https://login.example.com
audience: [api://flows, api://orders]
`,
  },
  'issuer/role': {
    title: 'A text is no role',
    meaning:
      'A role is one word of letters, digits and `_ . : / -`; it is what `access` of an endpoint names. `roles` of an issuer are those that each caller with its tokens has.',
    wrong: `# security-material/ias.yaml
type: issuer
issuer: https://shop.accounts.example.com
audience: 0b7d3f6a-0000-4000-8000-000000000000
roles: [write orders]
`,
    right: `# security-material/ias.yaml
type: issuer
issuer: https://shop.accounts.example.com
audience: 0b7d3f6a-0000-4000-8000-000000000000
roles: [orders.write]
`,
  },
  'issuer/claim': {
    title: 'What a claim has to say is no plain value',
    meaning:
      '`requiredClaims` names claims with their values: a text, a number, true or false, or a list of which one is enough. Claims inside others are named by the way to them: `act.sub`.',
    wrong: `# security-material/keycloak.yaml
type: issuer
issuer: https://login.example.com/realms/shop
audience: flows
requiredClaims: { act: { sub: shop } }
`,
    right: `# security-material/keycloak.yaml
type: issuer
issuer: https://login.example.com/realms/shop
audience: flows
requiredClaims: { act.sub: shop }
`,
  },
} as const satisfies Record<string, ProblemText>
