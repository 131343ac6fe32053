import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clientSchema } from '../../src/access/client-options.ts'
import { newClientText } from '../../src/access/client-text.ts'
import { readClient } from '../../src/access/client-file.ts'
import { readPlainClient } from '../../src/access/plain-client.ts'
import { readDocument } from '../../src/core/document.ts'
import { checkShape } from '../../src/core/shape.ts'
import { HASH } from './fixture.ts'

const file = 'security-material/shop.yaml'
const KEY = `$sha256$${'a'.repeat(43)}`

function byYaml(text: string) {
  const { document, problems } = readDocument(file, text)
  const { value, problems: found } = document
    ? checkShape(clientSchema, document, { subject: 'a client' })
    : { value: undefined, problems: [] }
  return { value, raw: document?.value, problems: [...problems, ...found] }
}

const lines = [
  'type: client',
  '# a comment with "marks": [x] & more',
  '',
  'clientId: web-shop.v2@example.com',
  `secretHash: ${HASH}`,
  `secretHash:\n  - ${HASH}\n  - ${HASH}`,
  `apiKeyHash: ${KEY}`,
  `apiKeyHash:\n  - ${KEY}`,
  'roles: [orders.write, ESBMessaging.send, a/b-c_d]',
  'roles: []',
  'tokenLifetime: 10m',
  'tokenLifetime: untilNext',
  'tokenLifetime: 24h',
  'enabled: false',
  'enabled: true',
  'description: The web shop (Berlin), since 2026.',
]

describe('files of clients that are read line by line', () => {
  it('say the same as their YAML', () => {
    for (const one of lines)
      for (const other of lines) {
        const text = `${[...new Set(['type: client', one, other])].join('\n')}\n`
        const plain = readPlainClient({ file, text })
        const { value, raw, problems } = byYaml(text)
        if (problems.length > 0) assert.equal(plain, undefined, text)
        else {
          assert.ok(plain, text)
          assert.deepEqual({ ...plain.options }, { ...(value as object) }, text)
          assert.deepEqual({ ...(plain.document.value as object) }, { ...(raw as object) }, text)
        }
      }
  })

  it('are those that the commands write', () => {
    for (const made of [
      {
        clientId: 'shop',
        description: 'The web shop',
        hash: HASH,
        roles: ['a', 'b.c'],
        tokenLifetime: '10m',
      },
      { clientId: 'a@b.c', description: undefined, apiKeyHash: KEY, roles: [], tokenLifetime: undefined },
    ])
      assert.ok(readPlainClient({ file, text: newClientText(made) }), JSON.stringify(made))
  })

  it('are read as YAML as soon as a word may mean something else there', () => {
    for (const line of [
      'clientId: true',
      'clientId: null',
      'clientId: 12',
      'clientId: "shop"',
      'clientId: shop # mine',
      'clientId: shop: 1',
      'clientId: a!b|c',
      'clientId:  shop',
      ' clientId: shop',
      'clientId: *shop',
      'roles: [a,b]',
      'roles: [a, null]',
      'roles: [a:b]',
      'roles: [1]',
      'roles:\n  - a',
      'description: a: b',
      'description: a #b',
      'description: é',
      'description: >\n  a',
      'tokenLifetime: 10',
      'tokenLifetime: 10s',
      'tokenLifetime: 48h',
      'tokenLifetime: 1h30m',
      'enabled: yes',
      'enabled: "true"',
      'unknown: 1',
      'type: client',
      'jwks: { keys: [] }',
      'secretHash:',
      `secretHash:\n- ${HASH}`,
      `secretHash: ${HASH}\r`,
      '---',
      '\tclientId: shop',
    ])
      assert.equal(readPlainClient({ file, text: `type: client\n${line}\n` }), undefined, line)
    for (const text of ['', '\n', 'type: client', 'type: issuer\n', '\uFEFFtype: client\n'])
      assert.equal(readPlainClient({ file, text }), undefined, text)
  })

  it('have their mistakes where they stand', () => {
    const text = `type: client\n# note\nsecretHash: $scrypt$x\nroles: [orders.write]\n`
    const { client, problems } = readClient({ file, text })
    assert.equal(client, undefined)
    assert.deepEqual(
      problems.map(({ code, line, column }) => [code, line, column]),
      [['client/secret', 3, 13]],
    )
  })
})
