import type { ProblemText } from './problem-text.ts'

/** Credentials: signed assertions, tokens of other credentials, tenants. */
export const SIGNING_PROBLEMS = {
  'credential/tenant': {
    title: 'The tenant of a credential is not possible',
    meaning:
      'With `tokenServiceUrlType: common` tokens are asked for the tenants that the credential lists, each a part of a host name; a step names one of them. What is not listed never becomes a part of an address.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
tokenServiceUrlType: common
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
tokenServiceUrlType: common
tenants: [acme, globex]
`,
  },
  'credential/assertion': {
    title: 'A signed assertion is not possible as it is described',
    meaning:
      'An assertion is signed with one key, or is the token of one other credential. Its times and its id are new in each attempt and set by the engine.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
clientAuthentication: clientSecretJwt
clientAssertion: { claims: { jti: mine } }
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
clientAuthentication: clientSecretJwt
clientAssertion: { claims: { tier: gold } }
baseUrl: https://api.example.com/
`,
  },
  'credential/key': {
    title: 'A key cannot sign what it shall sign',
    meaning:
      'Keys are PEM, a JWK, or the JSON of a service account; RSA, EC and Ed25519 keys each fit certain algorithms only.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientAuthentication: privateKeyJwt
clientAssertion: { key: '\${env:SHOP_SECRET}' }
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/token-type': {
    title: 'A type of token is not known',
    meaning: 'Token exchange (RFC 8693) names the types of tokens by short words or URNs.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
grantType: token-exchange
subjectToken: { token: '\${env:SHOP_SECRET}', type: acces_token }
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
grantType: token-exchange
subjectToken: { token: '\${env:SHOP_SECRET}', type: access_token }
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/secret-in-url': {
    title: 'A secret would go into the URL',
    meaning:
      'Addresses are written into logs on the way, so that a secret in one is read by many. Where a service takes it in no other way, `allowSecretInUrl: true` says that you know.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
clientAuthentication: query
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
clientAuthentication: query
allowSecretInUrl: true
`,
  },
  'credential/link': {
    title: 'A credential cannot be made with the token of another one',
    meaning:
      '`fromCredential` names a credential whose token is handed on. It must be there, hand out tokens, and not need this one itself; of several tenants it has several tokens, of which none can be meant.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
grantType: token-exchange
subjectToken: { fromCredential: shop_user }
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
grantType: token-exchange
subjectToken: { fromCredential: shop_user }
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
# security-material/shop_user.yaml
type: oauth2
tokenServiceUrl: https://login.example.com/oauth/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
} as const satisfies Record<string, ProblemText>
