import type { ProblemText } from './problem-text.ts'

/** Credentials of the type oauth2: how their tokens are asked for. */
export const OAUTH2_PROBLEMS = {
  'credential/client-id': {
    title: 'A client id holds a ":"',
    meaning:
      'With `basicEncoding: raw` the id goes into the Basic header as it is, and the first colon ends it there.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientSecret: \${env:SHOP_SECRET}
clientId: "acme:shop"
basicEncoding: raw
clientAuthentication: header
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientSecret: \${env:SHOP_SECRET}
clientId: "acme:shop"
basicEncoding: form
clientAuthentication: header
baseUrl: https://api.example.com/
`,
  },
  'credential/content-type': {
    title: 'A token request without a body has something in its body',
    meaning: 'With `contentType: none` no body is sent, so nothing of the request can stand in it.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
contentType: none
parameters: { body: { company: acme } }
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
contentType: none
parameters: { query: { company: acme } }
baseUrl: https://api.example.com/
`,
  },
  'credential/grant-type': {
    title: 'A grant is not possible',
    meaning:
      'In this version tokens are asked for by `client_credentials`. Grants that need a person at a browser are no way for flows.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
grantType: authorization_code
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
grantType: client_credentials
baseUrl: https://api.example.com/
`,
  },
  'credential/missing-field': {
    title: 'A field of the client is missing',
    meaning: 'How the client authenticates says which fields it needs.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/parameter': {
    title: 'A parameter of the token request is not possible',
    meaning:
      'Parameters that have a field of their own are not free, names and values of headers have their form, and there are 20 at most.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
parameters: { query: { grant_type: client_credentials } }
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
grantTypeIn: query
baseUrl: https://api.example.com/
`,
  },
  'credential/pasted': {
    title: 'A text was probably copied with something around it',
    meaning:
      'It begins or ends with white space, or holds typographic quotes. It is sent as it is, and a service that refuses it says only that the client is not known.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientSecret: \${env:SHOP_SECRET}
clientId: " acme"
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientSecret: \${env:SHOP_SECRET}
clientId: acme
baseUrl: https://api.example.com/
`,
  },
  'credential/scope': {
    title: 'A scope is not possible',
    meaning:
      'A scope is words with spaces between them, or, for some services, JSON as one text. Curly quotes and JSON that is none are found here, because a service answers them with no more than "invalid_scope".',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
scope: '{"userId": "svc", "companyId": acme}'
contentType: application/json
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
scope: '{"userId": "svc", "companyId": "acme"}'
contentType: application/json
baseUrl: https://api.example.com/
`,
  },
  'credential/token-request': {
    title: 'Things of the token request do not go together',
    meaning:
      'A GET has no body, one header cannot hold two authorizations, and each parameter has a name of its own.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
method: GET
parameters: { body: { company: acme } }
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
method: GET
parameters: { query: { company: acme } }
baseUrl: https://api.example.com/
`,
  },
  'credential/unused-field': {
    title: 'A field is never used',
    meaning:
      'The secret of a client that authenticates with none is never sent. Either the secret or `clientAuthentication: none` is a mistake.',
    wrong: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientSecret: \${env:SHOP_SECRET}
clientAuthentication: none
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: acme
clientAuthentication: none
baseUrl: https://api.example.com/
`,
  },
} as const satisfies Record<string, ProblemText>
