import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { fingerprintOf, readCertificateHeader } from '../../../src/access/certificates/certificate-header.ts'
import { createAuthority } from '../../support/certificates.ts'

const authority = createAuthority()
const pem = authority.issue({ subject: '/O=Acme, Inc./CN=shop' }).certificate
const certificate = new X509Certificate(pem)
const hash = fingerprintOf(certificate)
const base64 = certificate.raw.toString('base64')
const other = fingerprintOf(new X509Certificate(authority.certificate))

describe('a header with a certificate', () => {
  const forms: [string, string][] = [
    [
      'Envoy, with the certificate',
      `Hash=${hash};Cert="${encodeURIComponent(pem)}";Subject="CN=shop,O=\\"Acme, Inc.\\"";URI=`,
    ],
    [
      'Envoy, with several names',
      `By=x;By=y;Hash=${hash};Cert="${encodeURIComponent(pem)}";URI=spiffe://a;URI=spiffe://b;DNS=a.example;DNS=b.example`,
    ],
    ['Envoy, with a chain', `Hash=${hash};Chain="${encodeURIComponent(pem + authority.certificate)}"`],
    ['nginx, $ssl_client_escaped_cert', encodeURIComponent(pem)],
    [
      'AWS, with + and / as they are',
      encodeURIComponent(pem).replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '='),
    ],
    ['nginx, $ssl_client_cert, lines joined by spaces', pem.trim().replaceAll('\n', ' ')],
    ['Azure and Cloud Foundry, DER in base64', base64],
    ['Traefik, a chain', `${base64},${new X509Certificate(authority.certificate).raw.toString('base64')}`],
    ['RFC 9440', `:${base64}:`],
  ]
  for (const [what, text] of forms)
    it(`is read: ${what}`, () => {
      const read = readCertificateHeader(text)
      assert.ok(!('why' in read))
      assert.equal(read.fingerprint, hash)
      assert.equal(read.certificate?.subject, certificate.subject)
    })

  it('is read where Envoy tells the hash alone', () => {
    assert.deepEqual(readCertificateHeader(`By=x;Hash=${hash.toUpperCase()};Subject="CN=shop"`), {
      fingerprint: hash,
      certificate: undefined,
    })
  })

  it('holds none where it is cut, no certificate, or says two things', () => {
    for (const text of [
      '',
      'hello',
      'Subject="CN=shop"',
      'Hash=abc',
      `Hash=${other};Cert="${encodeURIComponent(pem)}"`,
      `Hash=${hash};Cert="nonsense"`,
      base64.slice(0, 200),
      encodeURIComponent(pem).slice(0, 300),
      '%E0%A4%A',
      'A'.repeat(100_000),
    ])
      assert.ok('why' in readCertificateHeader(text), text.slice(0, 60))
  })

  const mine = `By=x;Hash=${hash};Subject="CN=shop";URI=spiffe://a`
  const forged: [name: string, why: RegExp][] = [
    [`;Hash=${other}`, /says "hash" more than once/],
    [`;hAsH = ${other}`, /says "hash" more than once/],
    [`;Subject="CN=admin"`, /says "subject" more than once/],
    [`,Hash=${other}`, /more than one element/],
    [`,By=x;Hash=${other};Subject="CN=admin"`, /more than one element/],
    [`;Cert="${encodeURIComponent(authority.certificate)}"`, /another hash/],
    [`;Chain="${encodeURIComponent(authority.certificate)}"`, /another hash/],
  ]
  for (const [name, why] of forged)
    it(`is not believed where a name in a certificate looks like more of the header: ${name.slice(0, 40)}`, () => {
      for (const text of [mine + name, `${mine}${name};DNS=a.example`, `${mine};DNS=a${name}`]) {
        const read = readCertificateHeader(text)
        assert.match('why' in read ? read.why : 'believed', why)
      }
    })
})
