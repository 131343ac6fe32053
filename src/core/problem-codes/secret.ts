import type { ProblemText } from './problem-text.ts'

/** The secrets of credentials: where they are, what is odd about them, how old they are. */
export const SECRET_PROBLEMS = {
  'credential/literal-secret': {
    title: 'A secret is written in clear',
    meaning:
      'Whoever can read the file, or the version control that it is in, has the secret. A credential refers to it: `${env:NAME}` or `${file:/path}`. So do entries of `apiHeaders`, `apiQuery` and `parameters` that go by the name of a secret (`x-api-key`, `token`, `client_secret`). Under `--dev` it is a warning only.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: the-key-itself
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/reference': {
    title: 'A reference of a credential is none',
    meaning:
      'In a credential `${}` holds a reference: `${env:NAME}`, `${file:/path}` or `${param:name}`. A credential does not see messages.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'credential/rotate': {
    title: 'A secret is older than it may become',
    meaning:
      '`rotateAfter` says how old the secret may become, `secretSince` since when it is in use. It still works; make a new one at the service before somebody else makes you.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
rotateAfter: 90d
secretSince: 2024-01-15
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
rotateAfter: 90d
secretSince: 2026-11-30
`,
    onlyTold: 'the right one grows old, too',
  },
  'credential/secret': {
    title: 'A secret cannot be sent as it is, or there are too many',
    meaning:
      'A secret in a header is one line of ASCII; a space or line end comes from copying. While a client secret is replaced two of them are used, not more: each wrong one counts at the service like an attack.',
    wrong: `# .env
SHOP_KEY="abc def"
# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_KEY}
baseUrl: https://api.example.com/
`,
    right: `# .env
SHOP_KEY="abcdef"
# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_KEY}
baseUrl: https://api.example.com/
`,
  },
  'credential/secret-since': {
    title: 'The age of a secret is not known',
    meaning:
      'With `rotateAfter` stands `secretSince`, the day on which the secret was made. It is not in the future.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
rotateAfter: 3650d
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
rotateAfter: 3650d
secretSince: 2026-08-30
`,
  },
  'credential/token': {
    title: 'A token begins with the word "Bearer"',
    meaning: 'The word is put before the token by itself; twice, it is refused by the receiver.',
    wrong: `# .env
SHOP_TOKEN="Bearer abcdef"
# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_TOKEN}
baseUrl: https://api.example.com/
`,
    right: `# .env
SHOP_TOKEN="abcdef"
# security-material/shop_api.yaml
type: bearer
token: \${env:SHOP_TOKEN}
baseUrl: https://api.example.com/
`,
  },
  'credential/token-in': {
    title: 'It is not clear where a token or key goes',
    meaning: '`tokenIn` says in which header, query parameter or cookie, and its name.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
tokenIn: { in: query }
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_SECRET}
tokenIn: { in: query, name: key }
baseUrl: https://api.example.com/
`,
  },
  'credential/unset': {
    title: 'A credential refers to a value that is not there',
    meaning:
      'The variable or file of a reference is not there on this machine, so flows with this credential do not start here. It is a warning, because it is right on the machine of who only writes the flow; `sluice check --secrets` makes an error of it.',
    wrong: `# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_KEY}
baseUrl: https://api.example.com/
`,
    right: `# .env
SHOP_KEY=abcdef
# security-material/shop_api.yaml
type: apiKey
key: \${env:SHOP_KEY}
baseUrl: https://api.example.com/
`,
  },
  'credential/username': {
    title: 'A user name holds a ":"',
    meaning:
      'A Basic authorization is `user:password`; the first colon ends the user name, so no receiver could read it.',
    wrong: `# security-material/shop_api.yaml
type: basic
username: "acme:orders"
password: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
    right: `# security-material/shop_api.yaml
type: basic
username: acme-orders
password: \${env:SHOP_SECRET}
baseUrl: https://api.example.com/
`,
  },
  'secret/file': {
    title: 'The file of the encrypted secrets has a mistake',
    meaning:
      'The file is written by `sluice secret`, a line for each secret, and ends with a mark. A line that is none of it, a conflict of a merge or a missing end means that something was lost on the way; it is never guessed at.',
    wrong: `# security-material/secrets.yaml
recipients:
secrets:
  hello: world
...
`,
    right: `$ sluice check
`,
  },
  'secret/key': {
    title: 'The key of the encrypted secrets cannot be used',
    meaning:
      'The key comes from the variable `SLUICE_SECRET_KEY` or from a file (`secret.keyFile`, else `data/age.key`) that only its owner may read.',
    wrong: `$ SLUICE_SECRET_KEY=nonsense sluice check
`,
    right: `$ sluice check
`,
    onlyTold: 'it takes an encrypted secret that a credential refers to',
  },
} as const satisfies Record<string, ProblemText>
