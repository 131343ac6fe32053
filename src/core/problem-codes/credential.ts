import type { ProblemText } from './problem-text.ts'

/** Credentials: their files, their hosts, and where they are named. */
export const CREDENTIAL_PROBLEMS = {
  'credential/certificate': {
    title: 'A certificate cannot be used, or not for long',
    meaning:
      '`tls.ca` holds certificates to trust, in PEM form. A client certificate is `tls.certificate` with `tls.key` in PEM, or `tls.pkcs12`; the key must be the one of the certificate, the passphrase the one of the key, and the dates must hold: within 30 days of its end there is a warning, afterwards an error.',
    wrong: `# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
tls: { ca: certificates/ca.pem }
`,
    right: `# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/computed': {
    title: 'The name of a credential is computed',
    meaning:
      'A credential is named by the flow as it is written: what a message says must not choose whose rights are used. For each environment there is security material of its own, under the same names.',
    wrong: `# flows/orders.yaml
steps:
  - http: { url: "https://api.example.com/", credential: "\${body.system}" }
`,
    right: `# flows/orders.yaml
steps:
  - http: { url: "https://api.example.com/", credential: shop_api }
# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
allowedHosts: [api.example.com]
`,
  },
  'credential/header': {
    title: 'A header of a credential is not possible',
    meaning:
      '`apiHeaders` go out with every call. Their names have letters, digits and hyphens, their values are one line, and those that the credential or the engine makes are not free.',
    wrong: `# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
apiHeaders: { authorization: Basic }
`,
    right: `# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
apiHeaders: { x-company: acme }
`,
  },
  'credential/host': {
    title: 'A credential may not go to this host',
    meaning:
      'A credential is bound to the hosts in its `baseUrl` and `allowedHosts`, so that no flow can send a token to somebody else by mistake or on purpose.',
    wrong: `# flows/orders.yaml
steps:
  - http: { url: "https://api.example.org/orders", credential: shop_api }
# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    right: `# flows/orders.yaml
steps:
  - http: { url: "https://api.example.com/orders", credential: shop_api }
# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/name': {
    title: 'A text cannot be the name of a credential',
    meaning:
      'A file of the security material is named as its credential: a letter, then letters, digits, `_`, `.` and `-`.',
    wrong: `# security-material/shop api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/no-host': {
    title: 'A credential is not bound to a host',
    meaning:
      'It must say where it may go, by `baseUrl` or `allowedHosts`; otherwise any flow could send it anywhere.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
allowedHosts: [api.example.com]
`,
  },
  'credential/proxy': {
    title: 'A proxy has no address',
    meaning: '`proxy` is `http://host:port`, with the password as a reference where there is one, or `none`.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
proxy: socks5://proxy.example.com:1080
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
proxy: http://proxy.example.com:3128
`,
  },
  'credential/cloud-connector': {
    title: 'A credential cannot go by the Cloud Connector',
    meaning:
      "Virtual hosts of the Cloud Connector are reached through SAP's connectivity proxy only. `connectivityProxy` in `sluice.yaml` names its address, and the credential whose token it wants. Requests to it are plain http: client certificates and issuers have no place there.",
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: http://shop-virtual:8000/
cloudConnector: { carries: calls }
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://shop.example.com/
`,
  },
  'credential/query': {
    title: 'A query parameter of a credential is no text',
    meaning: 'Values of `apiQuery` are texts, numbers, or lists of them.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
apiQuery: { company: { id: acme } }
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
apiQuery: { company: acme }
`,
  },
  'credential/type': {
    title: 'A credential has no type, or not the one that is wanted',
    meaning:
      'Each file of the security material begins with its `type`; a step may ask for one by `{ name, type }`.',
    wrong: `# security-material/shop_api.yaml
type: apikey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/unknown': {
    title: 'There is no credential of this name',
    meaning:
      'A credential is a file of the security material, named as it. A flow that names one that is not there does not start.',
    wrong: `# flows/orders.yaml
steps:
  - http: { url: orders, credential: shop_apii }
# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    right: `# flows/orders.yaml
steps:
  - http: { url: orders, credential: shop_api }
# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/unreadable': {
    title: 'A file of the security material cannot be read',
    meaning:
      'It is there, but the user of the engine may not read it, it is a folder, or it is no UTF-8 text. What was in force before goes on.',
    wrong: `$ chmod 000 security-material/shop_api.yaml; sluice check
`,
    right: `$ chmod 600 security-material/shop_api.yaml; sluice check
`,
    onlyTold: 'it depends on the user',
  },
  'credential/url': {
    title: 'An address of a credential is not possible',
    meaning:
      '`baseUrl`, `tokenServiceUrl` and `revocationUrl` are absolute URLs, of https outside of this machine, without user, query (`baseUrl`) or `#`, and without a secret: addresses get into logs on the way.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: api.example.com
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/fault': {
    title: 'A fault of Sluice while a credential was prepared',
    meaning:
      'Sluice did not foresee what this file says: that is a mistake of Sluice. The other credentials are in force, and so is the version of this one before, where there was one. The log holds what is needed to mend it.',
    wrong: `# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
allowedHosts: [something.unforeseen]
`,
    right: `# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    onlyTold: 'no file is known that leads to it',
  },
  'credential/egress': {
    title: 'A credential leads where connections may not',
    meaning: 'The setting `egress` refuses the address of the token service or of `baseUrl`.',
    wrong: `# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://169.254.169.254/
`,
    right: `# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
} as const satisfies Record<string, ProblemText>
