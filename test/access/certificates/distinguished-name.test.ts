import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { nameOfCertificate, readName } from '../../../src/access/certificates/distinguished-name.ts'
import { createAuthority } from '../../support/certificates.ts'

describe('names of certificates', () => {
  it('are the same from either end, with other spaces and other names of types', () => {
    const name = readName('CN=shop, O=Acme, C=DE')
    for (const other of ['C=DE,O=Acme,CN=shop', 'cn = shop,o=Acme , c=DE', '2.5.4.3=shop,O="Acme",C=DE'])
      assert.equal(readName(other), name, other)
    assert.equal(readName('E=a@b.example,CN=x'), readName('CN=x, emailAddress=a@b.example'))
  })

  it('are others where a value, a type or their number differs', () => {
    const name = readName('CN=shop, O=Acme')
    for (const other of [
      'CN=Shop, O=Acme',
      'CN=shop, OU=Acme',
      'CN=shop',
      'CN=shop, O=Acme, O=Acme',
      'CN=shop\\, O\\=Acme',
    ])
      assert.notEqual(readName(other), name, other)
  })

  it('are none without types or values', () => {
    for (const text of ['', 'shop', 'CN=', 'CN=shop,,O=Acme', '/O=Acme/CN=shop'])
      assert.equal(readName(text), undefined, text)
  })

  it('are found in certificates as people write them', () => {
    const authority = createAuthority()
    for (const [subject, written] of [
      ['/C=DE/O=Acme/CN=shop', 'CN=shop, O=Acme, C=DE'],
      ['/O=Acme, Inc./CN=a\\+b', 'CN=a\\+b, O="Acme, Inc."'],
      ['/O=Acme/CN=shop, CN=admin', 'O=Acme, CN=shop\\, CN\\=admin'],
      ['/O=Acme/CN=a+OU=b', 'CN=a+OU=b, O=Acme'],
      ['/CN=line\nO=Acme', undefined],
    ] as const) {
      const { certificate } = authority.issue({ subject })
      const found = nameOfCertificate(new X509Certificate(certificate).subject)
      if (written !== undefined) assert.equal(found, readName(written), subject)
      else assert.notEqual(found, readName('CN=line, O=Acme'))
    }
  })
})
