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
} as const satisfies Record<string, ProblemText>
