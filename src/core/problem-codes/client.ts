import type { ProblemText } from './problem-text.ts'

/** Clients: who may call the endpoints of an engine. */
export const CLIENT_PROBLEMS = {
  'client/id': {
    title: 'The id of a client is not possible',
    meaning:
      'A client names itself by its `clientId` (the name of its file when left out). It is made of letters, digits and `_ . @ ! | -`, and no two clients have the same.',
    wrong: `# security-material/shop.yaml
type: client
clientId: web shop
secretHash: $scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA
`,
    right: `# security-material/shop.yaml
type: client
clientId: web-shop
secretHash: $scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA
`,
  },
  'client/role': {
    title: 'A text is no role',
    meaning:
      'A role is one word of letters, digits and `_ . : / -`; it is what `access` of an endpoint names.',
    wrong: `# security-material/shop.yaml
type: client
secretHash: $scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA
roles: [write orders]
`,
    right: `# security-material/shop.yaml
type: client
secretHash: $scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA
roles: [orders.write]
`,
  },
  'client/secret': {
    title: 'The secret of a client is not kept as a hash',
    meaning:
      '`secretHash` holds what `sluice client create` or `sluice client rotate` made of the secret; the secret itself is nowhere in a project. Two hashes are possible, so that the old secret goes on until the new one is everywhere.',
    wrong: `# security-material/shop.yaml
type: client
secretHash: the-secret-itself
`,
    right: `# security-material/shop.yaml
type: client
secretHash: $scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA
`,
  },
  'client/api-key': {
    title: 'The API key of a client is not kept as a hash',
    meaning:
      '`apiKeyHash` holds what `sluice client api-key` made of the key; the key itself is nowhere in a project. Two hashes are possible, so that the old key goes on until the new one is everywhere; no two clients have the same key.',
    wrong: `# security-material/shop.yaml
type: client
apiKeyHash: the-key-itself
`,
    right: `# security-material/shop.yaml
type: client
apiKeyHash: $sha256$ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs
`,
  },
  'client/key': {
    title: 'A public key of a client cannot be used',
    meaning:
      '`jwks` holds the public keys that a client signs its assertions with (`private_key_jwt`): RSA of 2048 bits or more, EC on P-256, P-384 or P-521, or Ed25519, at most five. `sluice client create --public-key FILE` and `sluice client public-key` write them from PEM, a JWK or a JWK Set. A private key never stands here.',
    wrong: `# security-material/shop.yaml
type: client
jwks:
  keys:
    - { kty: EC, crv: P-256, d: the-private-part }
`,
    right: `# security-material/shop.yaml
type: client
jwks:
  keys:
    - kty: EC
      crv: P-256
      x: MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4
      y: 4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM
`,
  },
  'client/certificate': {
    title: 'The certificate of a client is not told',
    meaning:
      'A client is known by the SHA-256 of its certificate (`fingerprint`), or by `subject` and `issuer` where the setting `tls.clientCa` names who issues such certificates (a warning where it is missing). No two clients have the same.',
    wrong: `# security-material/shop.yaml
type: client
certificates:
  - subject: CN=shop, O=Acme
`,
    right: `# security-material/shop.yaml
type: client
certificates:
  - fingerprint:
      ab837d966a21c4c5779d32cfd622e13f513e0dc5280340c3318634a10caccdf4
    subject: CN=shop, O=Acme
`,
  },
} as const satisfies Record<string, ProblemText>
