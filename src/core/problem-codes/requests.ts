import type { ProblemText } from './problem-text.ts'

/** Requests, replies, and what they carry. */
export const REQUEST_PROBLEMS = {
  'flow/authorization': {
    title: 'A flow sets the authorization of a request itself',
    meaning:
      'Tokens and passwords never stand in a flow: they would get into version control, logs and the message log, and nobody would renew them. A step names a credential, and the engine puts what it needs on the request.',
    wrong: `steps:
  - http:
      url: https://api.example.com/items
      headers: { authorization: "Bearer \${properties.token}" }
`,
    right: `# flows/items.yaml
steps:
  - http:
      url: https://api.example.com/items
      credential: shop_api
# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
allowedHosts: [api.example.com]
`,
  },
  'flow/body': {
    title: 'The body of a request cannot be sent as it is written',
    meaning:
      'The method takes no body, the body does not fit to its content type, or it has characters that the charset does not have.',
    wrong: `steps:
  - http:
      method: POST
      url: https://api.example.com/notes
      contentType: text/plain; charset=iso-8859-1
      body: costs 5 €
`,
    right: `steps:
  - http:
      method: POST
      url: https://api.example.com/notes
      contentType: text/plain
      body: costs 5 €
`,
  },
  'flow/charset': {
    title: 'A charset is not known',
    meaning:
      'Text cannot be written in this charset. Without one it is sent as UTF-8, which every receiver of today reads.',
    wrong: `steps:
  - http:
      method: POST
      url: https://api.example.com/notes
      contentType: text/plain; charset=utf-7
      body: hello
`,
    right: `steps:
  - http:
      method: POST
      url: https://api.example.com/notes
      contentType: text/plain
      body: hello
`,
  },
  'flow/header-name': {
    title: 'A text cannot be the name of a header',
    meaning: 'Names of headers have letters, digits and hyphens; no spaces, colons or quotes.',
    wrong: `steps:
  - http: { url: "https://api.example.com/items", headers: { order id: "7" } }
`,
    right: `steps:
  - http: { url: "https://api.example.com/items", headers: { order-id: "7" } }
`,
  },
  'flow/header-reserved': {
    title: 'A header is made by the engine',
    meaning:
      'Headers such as `host`, `content-length`, `connection` and `set-cookie` belong to the connection. A flow that sets them would break it, or they would not go out.',
    wrong: `steps:
  - http: { url: "https://api.example.com/items", headers: { host: shop } }
`,
    right: `steps:
  - http: { url: "https://api.example.com/items", headers: { x-shop: shop } }
`,
  },
  'flow/header-twice': {
    title: 'A header is there twice',
    meaning:
      'Case makes no difference in the names of headers. The content type can stand in `contentType` or among the headers, not in both.',
    wrong: `steps:
  - http:
      url: https://api.example.com/items
      headers: { Accept: text/csv, accept: application/json }
`,
    right: `steps:
  - http:
      url: https://api.example.com/items
      headers: { accept: application/json }
`,
  },
  'flow/header-value': {
    title: 'A header has a value that cannot be sent, or that does not work',
    meaning:
      'A value of a header is one line of text. Some values would make the answer unreadable, such as an encoding that the engine does not know.',
    wrong: `steps:
  - http:
      url: https://api.example.com/items
      headers: { accept-encoding: compress }
`,
    right: `steps:
  - http:
      url: https://api.example.com/items
      headers: { accept-encoding: gzip }
`,
  },
  'flow/multipart': {
    title: 'A body of several parts is not written rightly',
    meaning:
      'A map is sent as `multipart/form-data`, each of its entries a part: a value, or `{ content, contentType, filename }`. The step makes the boundary itself.',
    wrong: `steps:
  - http:
      method: POST
      url: https://api.example.com/files
      contentType: multipart/form-data; boundary=mine
      body: { name: report }
`,
    right: `steps:
  - http:
      method: POST
      url: https://api.example.com/files
      contentType: multipart/form-data
      body: { name: report }
`,
  },
  'flow/paginate': {
    title: 'It is not clear how the next page is found',
    meaning:
      'Exactly one of `next`, `link: true`, `page`, `offset` and `cursor` says how the next page is asked for, and nothing else of the step may contradict it.',
    wrong: `steps:
  - http:
      url: https://api.example.com/items
      paginate: { items: body.items }
`,
    right: `steps:
  - http:
      url: https://api.example.com/items
      paginate: { items: body.items, next: body.next }
`,
  },
  'flow/property-name': {
    title: 'A text cannot be the name of a property here',
    meaning: 'Expressions read the property as `properties.name`, so its name is one word.',
    wrong: `steps:
  - http: { url: "https://api.example.com/customers", into: the customer }
`,
    right: `steps:
  - http: { url: "https://api.example.com/customers", into: customer }
`,
  },
  'flow/throttle': {
    title: 'A throttle limits nothing, or cannot be kept',
    meaning:
      '`throttle` is `rate` with `per`, or `concurrency`, or both. `by: credential` needs a credential to count by.',
    wrong: `steps:
  - http:
      url: https://api.example.com/items
      throttle: {}
`,
    right: `steps:
  - http:
      url: https://api.example.com/items
      throttle: { rate: 10, per: 1s }
`,
  },
  'flow/token-request': {
    title: 'A flow asks for a token itself',
    meaning:
      'A client secret in a flow can be read by everybody who reads the flow, and a token in a message gets into logs and receivers. A credential asks for the token, keeps it, renews it, and no flow ever sees it.',
    wrong: `steps:
  - http:
      method: POST
      url: https://auth.example.com/token
      contentType: application/x-www-form-urlencoded
      body: { grant_type: client_credentials, client_id: shop }
`,
    right: `# flows/items.yaml
steps:
  - http: { url: items, credential: shop_api }
# security-material/shop_api.yaml
type: oauth2
tokenServiceUrl: https://auth.example.com/token
clientId: shop
clientSecret: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'flow/url': {
    title: 'An address cannot be called as it is written',
    meaning:
      'A URL is absolute, `https://host/path`, or relative to the `baseUrl` of the credential. Host and scheme are text or parameters: what a message says does not decide where a credential goes.',
    wrong: `steps:
  - http: { url: api.example.com/items }
`,
    right: `steps:
  - http: { url: "https://api.example.com/items" }
`,
  },
  'endpoint/access': {
    title: 'It is not clear who may call an endpoint',
    meaning:
      'An endpoint is for clients with the role `ESBMessaging.send`, unless `access` says otherwise: `public` for everybody who reaches the engine, `{ role: NAME }` for clients with another role, a list of roles of which one is enough. `scheme` beside a role names the ways in: `oauth2`, `basic`, `apiKey`, `certificate`.',
    wrong: `steps:
  - endpoint: { path: /orders, access: everybody }
`,
    right: `steps:
  - endpoint: { path: /orders, access: public }
`,
  },
  'endpoint/content-type': {
    title: 'A text is no content type',
    meaning:
      '`contentTypes` are those of bodies that the endpoint takes, such as `application/json` or `text/*`.',
    wrong: `steps:
  - endpoint:
      path: /orders
      access: public
      body: { contentTypes: [json] }
`,
    right: `steps:
  - endpoint:
      path: /orders
      access: public
      body: { contentTypes: [application/json] }
`,
  },
  'endpoint/cors': {
    title: 'The pages that may call an endpoint are not told rightly',
    meaning:
      '`cors: { origins }` names where pages come from, as browsers say it: scheme, host and port, with no path behind. `*` is every page, and goes with no `credentials`.',
    wrong: `steps:
  - endpoint:
      path: /orders
      cors: { origins: https://shop.example.com/ }
`,
    right: `steps:
  - endpoint:
      path: /orders
      cors: { origins: https://shop.example.com }
`,
  },
  'endpoint/rate-limit': {
    title: 'The limit of calls cannot be kept',
    meaning:
      '`rateLimit` counts by client, or by the address that a connection comes from. Where everybody may call, there are no clients.',
    wrong: `steps:
  - endpoint:
      path: /orders
      access: public
      rateLimit: { rate: 10, by: caller }
`,
    right: `steps:
  - endpoint:
      path: /orders
      access: public
      rateLimit: { rate: 10, by: address }
`,
  },
  'endpoint/schema': {
    title: 'The JSON Schema of an endpoint cannot be used as it is written',
    meaning:
      '`body: { schema }` is a JSON Schema (draft 2020-12, or draft 7 where `$schema` says so) or the name of a file of the project that holds one. Keywords that nobody knows are mistakes, because they would check nothing; so are references to other files. Patterns are RE2.',
    wrong: `steps:
  - endpoint:
      path: /orders
      access: public
      body: { schema: { type: object, require: [id] } }
`,
    right: `steps:
  - endpoint:
      path: /orders
      access: public
      body: { schema: { type: object, required: [id] } }
`,
  },
  'endpoint/path': {
    title: 'The path of an endpoint is not possible',
    meaning:
      'A path begins with `/`. `{name}` is a parameter with letters, digits and `_`, and `*` at the end stands for the rest.',
    wrong: `steps:
  - endpoint: { path: orders, access: public }
`,
    right: `steps:
  - endpoint: { path: /orders, access: public }
`,
  },
  'flow/egress': {
    title: 'A request leads where connections may not',
    meaning:
      'The setting `egress` refuses this address; addresses of this link and of cloud metadata are refused unless it names them.',
    wrong: `# flows/orders.yaml
steps:
  - http: { url: "http://169.254.169.254/latest/meta-data" }
`,
    right: `# flows/orders.yaml
steps:
  - http: { url: "https://api.example.com/latest" }
`,
  },
} as const satisfies Record<string, ProblemText>
