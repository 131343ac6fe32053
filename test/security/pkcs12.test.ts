import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isPkcs12, readPkcs12 } from '../../src/security/pkcs12.ts'
import { createAuthority, pkcs12Of } from '../support/certificates.ts'
import { certificateOf, pemOf, rsa } from '../support/keys.ts'

const PASSPHRASE = 'päss-phrase'
const authority = createAuthority()
const issued = authority.issue({ subject: '/CN=acme' })

/** A store of certificates only, in PKCS#12. */
function trustStore(t: TestContext, certificates: string, ...more: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-store-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [pem, p12] = [join(folder, 'c.pem'), join(folder, 'c.p12')]
  writeFileSync(pem, certificates)
  const args = ['pkcs12', '-export', '-nokeys', '-in', pem, '-out', p12, '-passout', `pass:${PASSPHRASE}`]
  execFileSync('openssl', [...args, ...more], { stdio: 'ignore' })
  return readFileSync(p12).toString('base64')
}

const WAYS: Readonly<Record<string, readonly string[]>> = {
  'as OpenSSL writes it': [],
  'with AES-128 and SHA-1': ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha1'],
  'with 3DES, as older tools do': [
    '-keypbe',
    'PBE-SHA1-3DES',
    '-certpbe',
    'PBE-SHA1-3DES',
    '-macalg',
    'sha1',
  ],
  'with a MAC of SHA-512': ['-macalg', 'sha512'],
  'certificates in clear': ['-certpbe', 'NONE'],
  'key and certificates in clear': ['-keypbe', 'NONE', '-certpbe', 'NONE'],
  'without a MAC': ['-nomac'],
}

for (const [way, more] of Object.entries(WAYS))
  test(`a key and its certificate are read: ${way}`, () => {
    const base64 = pkcs12Of(issued, PASSPHRASE, ...more).toString('base64')
    assert.equal(isPkcs12(base64), true)
    const read = readPkcs12(base64, PASSPHRASE)
    assert.ok(typeof read !== 'string', String(read))
    assert.equal(read.keys.length, 1)
    assert.equal(read.certificates.length, 1)
    assert.equal(new X509Certificate(read.certificates[0]!).checkPrivateKey(read.keys[0]!), true)
  })

test('a wrong passphrase, or none, opens nothing', () => {
  for (const more of [WAYS['as OpenSSL writes it']!, WAYS['without a MAC']!]) {
    const base64 = pkcs12Of(issued, PASSPHRASE, ...more).toString('base64')
    assert.equal(readPkcs12(base64, 'other'), 'locked')
    assert.equal(readPkcs12(base64, undefined), 'locked')
  }
})

test('a store that was changed is not believed', () => {
  const bytes = pkcs12Of(issued, PASSPHRASE, '-certpbe', 'NONE')
  const at = bytes.indexOf('acme')
  bytes[at] = 'b'.charCodeAt(0)
  assert.equal(readPkcs12(bytes.toString('base64'), PASSPHRASE), 'locked')
})

test('a store of certificates alone is read; the one of the key comes first where there is one', (t) => {
  const other = certificateOf(rsa)
  const store = readPkcs12(trustStore(t, authority.certificate + other), PASSPHRASE)
  assert.ok(typeof store !== 'string')
  assert.deepEqual(store.keys, [])
  const raw = (pem: string) => new X509Certificate(pem).fingerprint256
  assert.deepEqual(new Set(store.certificates.map(raw)), new Set([authority.certificate, other].map(raw)))
})

test('what is cut, no PKCS#12, or something else is told apart, and never throws', () => {
  const bytes = pkcs12Of(issued, PASSPHRASE)
  for (const length of [0, 1, 2, 10, 100, bytes.length - 1])
    assert.equal(readPkcs12(bytes.subarray(0, length).toString('base64'), PASSPHRASE), 'broken')
  assert.equal(isPkcs12(pemOf(rsa)), false)
  assert.equal(isPkcs12(rsa.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')), false)
  assert.equal(isPkcs12('MIIB'), false)
  for (let at = 0; at < bytes.length; at += 29) {
    const broken = Buffer.from(bytes)
    broken[at]! ^= 0xff
    readPkcs12(broken.toString('base64'), PASSPHRASE)
  }
})
