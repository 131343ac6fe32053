import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { fingerprintOf } from '../../../src/access/certificates/certificate-header.ts'
import { TrustedProxies } from '../../../src/net/trusted-proxies.ts'
import { createAuthority, type Issued } from '../../support/certificates.ts'
import { rawCall } from '../../support/http.ts'
import { door } from '../fixture.ts'

const authority = createAuthority('Acme Clients CA')
const stranger = createAuthority('Acme Clients CA')
const shop = authority.issue({ subject: '/O=Acme/CN=shop' })
const forged = stranger.issue({ subject: '/O=Acme/CN=shop' })
const fingerprint = ({ certificate }: Issued) => fingerprintOf(new X509Certificate(certificate))
const header = ({ certificate }: Issued) => ({ 'x-ssl-client-cert': encodeURIComponent(certificate) })
const pinned = `certificates: [{ fingerprint: ${fingerprint(shop)} }]\n`
const named = 'certificates: [{ subject: "CN=shop, O=Acme", issuer: CN=Acme Clients CA }]\n'

/** A door behind a proxy on this machine; its clock is at the time of the certificates. */
async function behindProxy(
  t: TestContext,
  clients: Record<string, string>,
  { proxies = ['127.0.0.1'], trusts = [authority.certificate] } = {},
) {
  const authorities = trusts.map((pem) => new X509Certificate(pem))
  const opened = await door(t, clients, undefined, {
    proxies: new TrustedProxies(proxies),
    certificateHeader: 'x-ssl-client-cert',
    authorities: () => authorities,
  })
  opened.clock.jump(Date.now() - opened.clock.now())
  const call = (headers: Record<string, string>) =>
    opened.ask('/http/ESBMessaging.send', { headers, body: '{}' })
  return { ...opened, call, why: () => opened.log.lines.at(-1)?.text ?? '' }
}

describe('a certificate that a trusted proxy passes on', () => {
  it('lets its client in, by fingerprint and by names', async (t) => {
    for (const rule of [pinned, named]) {
      const { call } = await behindProxy(t, { shop: rule })
      const { status, body } = await call(header(shop))
      assert.deepEqual([status, body], [200, { id: 'oauth_client_shop', roles: ['ESBMessaging.send'] }])
    }
  })

  it('is nothing where it does not come from a trusted proxy', async (t) => {
    const { call } = await behindProxy(t, { shop: pinned }, { proxies: ['10.0.0.1'] })
    const { status, body } = await call(header(shop))
    assert.deepEqual([status, body['code']], [401, 'access.missing'])
  })

  it('is not believed its names where somebody else issued it', async (t) => {
    const { call, why } = await behindProxy(t, { shop: named })
    const { status, body } = await call(header(forged))
    assert.deepEqual([status, body['code']], [401, 'access.certificate'])
    assert.match(why(), /says that it is that of client "shop", but it was issued by none of "tls.clientCa"/)
    const alone = await behindProxy(t, { shop: named }, { trusts: [] })
    assert.equal((await alone.call(header(shop))).status, 401)
    assert.match(alone.why(), /there is no "tls.clientCa"/)
  })

  it('is refused outside of its time, for other uses, of others, and of disabled clients', async (t) => {
    const old = authority.issue({ subject: '/CN=old', days: -1 })
    const server = authority.issue({ subject: '/CN=server', usage: 'serverAuth' })
    const off = authority.issue({ subject: '/CN=off' })
    const of = (issued: Issued) => `certificates: [{ fingerprint: ${fingerprint(issued)} }]\n`
    const { call, why } = await behindProxy(t, {
      old: of(old),
      server: of(server),
      off: `${of(off)}enabled: false\n`,
    })
    for (const [issued, reason] of [
      [old, /of client "old" has expired on/],
      [server, /of client "server" is not for clients/],
      [off, /client "off" is disabled/],
      [shop, /no client has the certificate [0-9a-f]{64}/],
    ] as const) {
      const { status, body } = await call(header(issued))
      assert.deepEqual([status, body['code']], [401, 'access.certificate'])
      assert.match(why(), reason)
    }
  })

  it('is refused where the header cannot be read or is there twice', async (t) => {
    const { call, url, why } = await behindProxy(t, { shop: pinned })
    assert.equal((await call({ 'x-ssl-client-cert': 'nonsense' })).body['code'], 'access.request')
    const { 'x-ssl-client-cert': text } = header(shop)
    const twice = `x-ssl-client-cert: ${text}\r\n`.repeat(2)
    const answer = await rawCall(
      url,
      `POST /http/ESBMessaging.send HTTP/1.1\r\nhost: x\r\n${twice}content-length: 0\r\nconnection: close\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 400 /)
    const injected = `Hash=${fingerprint(forged)};URI=spiffe://a;Hash=${fingerprint(shop)}`
    assert.equal((await call({ 'x-ssl-client-cert': injected })).body['code'], 'access.request')
    assert.match(why(), /the header x-ssl-client-cert of the proxy says "hash" more than once/)
  })

  it('gives way to a token and to an API key, which tell who calls', async (t) => {
    const { call, token } = await behindProxy(t, { shop: '', other: `${pinned}roles: [nothing]\n` })
    const bearer = { authorization: `Bearer ${await token()}` }
    const { status, body } = await call({ ...header(shop), ...bearer })
    assert.deepEqual([status, body['id']], [200, 'oauth_client_shop'])
    assert.equal((await call(header(shop))).status, 403)
    assert.equal(
      (await call({ ...header(shop), authorization: 'Bearer nonsense' })).body['code'],
      'access.token',
    )
  })

  it('ends with the next request when it is taken out of the file', async (t) => {
    const { call, write } = await behindProxy(t, { shop: pinned })
    assert.equal((await call(header(shop))).status, 200)
    write({ shop: `certificates: [{ fingerprint: ${fingerprint(forged)} }]\n` })
    assert.equal((await call(header(shop))).status, 401)
    assert.equal((await call(header(forged))).status, 200)
  })
})

describe('tokens by a certificate (RFC 8705)', () => {
  const form = { grant_type: 'client_credentials', client_id: 'shop' }

  for (const format of ['jwt', 'opaque'])
    it(`are bound to it: ${format}`, async (t) => {
      const { ask, call, token, why } = await behindProxy(t, {
        shop: pinned,
        other: `certificates: [{ fingerprint: ${fingerprint(forged)} }]\n`,
      })
      const text = await token({ client_id: 'shop', token_format: format }, header(shop))
      assert.notEqual(text, 'undefined')
      const bearer = { authorization: `Bearer ${text}` }
      assert.equal((await call({ ...bearer, ...header(shop) })).status, 200)
      assert.deepEqual((await call(bearer)).body['code'], 'access.token')
      assert.match(why(), /it is bound to a certificate, and none came along/)
      assert.equal((await call({ ...bearer, ...header(forged) })).status, 401)
      assert.match(why(), /it is bound to another certificate/)
      const told = await ask('/oauth2/introspect', {
        headers: header(shop),
        body: new URLSearchParams({ client_id: 'shop', token: text }),
      })
      const thumbprint = Buffer.from(fingerprint(shop), 'hex').toString('base64url')
      assert.deepEqual(told.body['cnf'], { 'x5t#S256': thumbprint })
    })

  it('end when the certificate is no longer that of the client', async (t) => {
    const { call, token, write, why } = await behindProxy(t, { shop: pinned })
    const bearer = { authorization: `Bearer ${await token({ client_id: 'shop' }, header(shop))}` }
    assert.equal((await call({ ...bearer, ...header(shop) })).status, 200)
    write({ shop: `certificates: [{ fingerprint: ${fingerprint(forged)} }]\n` })
    assert.equal((await call({ ...bearer, ...header(shop) })).status, 401)
    write({ shop: `certificates: [{ fingerprint: ${fingerprint(forged)} }]\n`, thief: pinned })
    assert.equal((await call({ ...bearer, ...header(shop) })).status, 401)
    assert.match(why(), /its certificate is that of another client now/)
  })

  it('are refused with another certificate, and without one', async (t) => {
    const { ask, why } = await behindProxy(t, { shop: pinned })
    const post = (headers: Record<string, string>, more = {}) =>
      ask('/oauth2/token', { headers, body: new URLSearchParams({ ...form, ...more }) })
    const foreign = await post(header(forged))
    assert.deepEqual([foreign.status, foreign.body['error']], [401, 'invalid_client'])
    assert.match(why(), /no client has the certificate/)
    assert.equal((await post(header(shop), { client_id: 'else' })).status, 401)
    assert.match(why(), /its certificate is that of client "shop"/)
    assert.equal((await post({})).status, 401)
  })

  it('are announced as long as a client has a certificate', async (t) => {
    const { ask, write } = await behindProxy(t, { shop: '' })
    const metadata = async () =>
      (await ask('/.well-known/oauth-authorization-server', { method: 'GET' })).body
    assert.equal((await metadata())['tls_client_certificate_bound_access_tokens'], undefined)
    write({ shop: pinned })
    const { token_endpoint_auth_methods_supported: methods, ...rest } = await metadata()
    assert.deepEqual((methods as string[]).slice(-2), ['tls_client_auth', 'self_signed_tls_client_auth'])
    assert.equal(rest['tls_client_certificate_bound_access_tokens'], true)
  })
})
