import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { neededKey, readSigningKey, usualAlgorithm } from '../../src/security/signing-key.ts'
import { certificateOf, ed25519, p256, p384, p521, pemOf, rsa } from '../support/keys.ts'

const PASSPHRASE = 'open-sesame-0123'
const rsaPem = pemOf(rsa)
const good: [title: string, text: string, passphrase?: string | undefined, keyId?: string][] = [
  ['PKCS#8', rsaPem],
  ['PKCS#1', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' })],
  ['EC', p256.privateKey.export({ type: 'sec1', format: 'pem' })],
  [
    'encrypted PKCS#8',
    rsa.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: PASSPHRASE,
    }),
    PASSPHRASE,
  ],
  [
    'encrypted PKCS#1',
    rsa.privateKey.export({
      type: 'pkcs1',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: PASSPHRASE,
    }),
    PASSPHRASE,
  ],
  ['line ends written as \\n, as in variables', rsaPem.replaceAll('\n', '\\n')],
  ['line ends that became spaces', rsaPem.replaceAll('\n', ' ')],
  ['a certificate before it', certificateOf(rsa) + rsaPem],
  ['a JWK', JSON.stringify({ ...p384.privateKey.export({ format: 'jwk' }), kid: 'k1' }), undefined, 'k1'],
  [
    'the file of a service account',
    JSON.stringify({ type: 'service_account', private_key: rsaPem, private_key_id: 'id1' }, null, 2),
    undefined,
    'id1',
  ],
  ['a passphrase that is not needed', rsaPem, PASSPHRASE],
]
for (const [title, text, passphrase, keyId] of good) {
  test(`a private key: ${title}`, () => {
    const read = readSigningKey(text, passphrase)
    assert.ok('key' in read, JSON.stringify(read))
    assert.equal(read.key.type, 'private')
    assert.equal(read.keyId, keyId)
  })
}

const encrypted = good[3]![1]
const bad: [title: string, text: string, passphrase: string | undefined, message: string][] = [
  [
    'nothing of the kind',
    'a-secret-0123456789',
    undefined,
    'holds no private key; wanted is PEM: -----BEGIN PRIVATE KEY-----',
  ],
  ['a certificate', certificateOf(rsa), undefined, 'holds a certificate, and no private key'],
  [
    'a public key',
    rsa.publicKey.export({ type: 'spki', format: 'pem' }),
    undefined,
    'holds a public key, and no private key',
  ],
  [
    'a public JWK',
    JSON.stringify(rsa.publicKey.export({ format: 'jwk' })),
    undefined,
    'is JSON without a private key in it',
  ],
  ['broken JSON', '{ "private_key": ', undefined, 'begins like JSON, but is none'],
  ['a broken JWK', '{ "kty": "EC", "d": "AA" }', undefined, 'is a JWK that cannot be read'],
  ['no passphrase', encrypted, undefined, 'is encrypted'],
  ['a wrong passphrase', encrypted, 'sesame', 'does not open the key'],
  [
    'a key that was cut',
    rsaPem.replace(/\n.{64}\n/, '\n'),
    undefined,
    'holds a private key that cannot be read',
  ],
  [
    'the format of OpenSSH',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    undefined,
    'is a key in the format of OpenSSH',
  ],
]
for (const [title, text, passphrase, message] of bad) {
  test(`no private key: ${title}`, () => {
    const read = readSigningKey(text, passphrase)
    assert.ok('message' in read)
    assert.equal(read.message, message)
    assert.ok(read.hint)
    assert.doesNotMatch(JSON.stringify(read), /sesame|a-secret|MII/)
  })
}

test('each key has its usual algorithm, and the others that fit it', () => {
  const cases = [
    [rsa, 'RS256', ['PS256', 'RS512']],
    [p256, 'ES256', []],
    [p384, 'ES384', []],
    [p521, 'ES512', []],
    [ed25519, 'EdDSA', []],
  ] as const
  const all = ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const
  for (const [{ privateKey }, usual, others] of cases) {
    assert.equal(usualAlgorithm(privateKey), usual)
    const fitting = all.filter((algorithm) => neededKey(algorithm, privateKey) === undefined)
    assert.deepEqual(new Set(fitting), new Set([usual, ...others]))
  }
})

test('keys that no service takes are told', () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const strange = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
  const exchange = generateKeyPairSync('x25519').privateKey
  const said = [short, strange, exchange].map((key) => {
    const usual = usualAlgorithm(key)
    return typeof usual === 'string' ? usual : usual.message
  })
  assert.deepEqual(said, [
    'is an RSA key of 1024 bits; services take 2048 bits and more',
    'is an EC key of the curve secp256k1, which no algorithm here signs with',
    'is a key of the type x25519, which no algorithm here signs with',
  ])
})
