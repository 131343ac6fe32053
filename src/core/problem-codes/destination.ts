import type { ProblemText } from './problem-text.ts'

/** Destinations of SAP BTP in place of credentials. */
export const DESTINATION_PROBLEMS = {
  'destination/duplicate': {
    title: 'A property of a destination is there twice',
    meaning: 'Of two values for one property nobody can tell which one is meant; Java would take the last.',
    wrong: `# security-material/shop_api.properties
URL=https://api.example.com
URL=https://api.example.org
`,
    right: `# security-material/shop_api.properties
URL=https://api.example.com
`,
    onlyTold: 'a file of properties is no YAML',
  },
  'destination/missing': {
    title: 'A destination lacks something',
    meaning:
      'Without its URL, its authentication or what that needs, nothing can be called. An exported destination leaves secrets out: they come from `override`.',
    wrong: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
`,
    right: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: NoAuthentication
`,
  },
  'destination/file': {
    title: 'The file of a destination cannot be read',
    meaning:
      '`file` names a destination as it was exported, relative to the file of the credential: properties, or JSON with one destination.',
    wrong: `# security-material/shop_api.yaml
type: destination
file: shop_api.properties
`,
    right: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
override:
  clientSecret: \${env:SHOP_SECRET}
`,
  },
  'destination/value': {
    title: 'A property of a destination has no possible value',
    meaning:
      'Destinations are made of texts, and some take certain words only. A time-out that is too large counts as 10 seconds, as on BTP.',
    wrong: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  tokenService.addClientCredentialsInBody: maybe
override:
  clientSecret: \${env:SHOP_SECRET}
`,
    right: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  tokenService.addClientCredentialsInBody: false
override:
  clientSecret: \${env:SHOP_SECRET}
`,
  },
  'destination/type': {
    title: 'A destination is not of the type HTTP',
    meaning:
      'An http step calls HTTP destinations; RFC, MAIL, LDAP and TCP destinations lead to systems that speak otherwise.',
    wrong: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  Type: MAIL
override:
  clientSecret: \${env:SHOP_SECRET}
`,
    right: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  Type: HTTP
override:
  clientSecret: \${env:SHOP_SECRET}
`,
  },
  'destination/unsafe': {
    title: 'A destination turns verification off',
    meaning:
      'Without verified certificates and names anybody on the way could read the token and the secret. It is refused, as everywhere here.',
    wrong: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  TrustAll: true
override:
  clientSecret: \${env:SHOP_SECRET}
`,
    right: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  HostnameVerifier: Strict
override:
  clientSecret: \${env:SHOP_SECRET}
`,
  },
  'destination/keystore': {
    title: 'A key store or trust store of a destination cannot be read',
    meaning:
      'Certificates and keys are read as PEM or PKCS#12, from the folder `keystores` beside the credential. The help gives the command that converts the store.',
    wrong: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  TrustStoreLocation: acme.jks
override:
  clientSecret: \${env:SHOP_SECRET}
`,
    right: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
override:
  clientSecret: \${env:SHOP_SECRET}
`,
  },
  'destination/user': {
    title: 'A destination passes on who is logged in',
    meaning:
      'Such a destination carries the identity of a person at a browser into the call. A flow has nobody there: take a destination for a technical user.',
    wrong: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2JWTBearer
  tokenServiceURL: https://login.example.com/token
  clientId: acme
`,
    right: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
override:
  clientSecret: \${env:SHOP_SECRET}
`,
  },
  'destination/unused': {
    title: 'A property of a destination is not used',
    meaning:
      'Nothing here asks for it; it is told in case it is a slip. Properties for other programs (`HTML5.*`, `WebIDE*`, `sap-*`) are passed over.',
    wrong: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  scopes: read
override:
  clientSecret: \${env:SHOP_SECRET}
`,
    right: `# security-material/shop_api.yaml
type: destination
properties:
  URL: https://api.example.com
  Authentication: OAuth2ClientCredentials
  tokenServiceURL: https://login.example.com/token
  clientId: acme
  scope: read
override:
  clientSecret: \${env:SHOP_SECRET}
`,
  },
} as const satisfies Record<string, ProblemText>
