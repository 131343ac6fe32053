import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import * as oauth from 'oauth4webapi'
import { Agent, fetch as undiciFetch } from 'undici'
import { createAuthority } from '../../support/certificates.ts'
import { startProject } from '../../support/project.ts'

const authority = createAuthority()
const own = authority.issue({
  subject: '/CN=flows',
  names: 'DNS:localhost,IP:127.0.0.1',
  usage: 'serverAuth',
})
const shop = authority.issue({ subject: '/CN=shop' })
const files = {
  'server.crt': own.certificate,
  'server.key': own.key,
  'ca.crt': authority.certificate,
  'shop.crt': shop.certificate,
  'shop.key': shop.key,
  'sluice.yaml': 'tls: { certificate: server.crt, key: server.key }\n',
  'flows/orders.yaml':
    'steps:\n  - endpoint: { path: /orders }\n  - set: { body: { caller: "${trigger.caller.id}" } }\n',
  'security-material/shop.yaml': `type: client\ncertificates: [{ fingerprint: "${new X509Certificate(shop.certificate).fingerprint256}" }]\n`,
}
const run = promisify(execFile)

const shown = async (t: TestContext) => {
  const { url, folder } = await startProject(t, files)
  const at = (name: string) => join(folder, name)
  return {
    url,
    at,
    show: ['-s', '--cacert', at('ca.crt'), '--cert', at('shop.crt'), '--key', at('shop.key')],
  }
}

describe('clients of others with a certificate', () => {
  it('curl calls with it, and gets a token by it', async (t) => {
    const { url, at, show } = await shown(t)
    const call = async (...args: string[]) =>
      JSON.parse((await run('curl', args)).stdout) as Record<string, string>
    const orders = `${url}/http/orders`
    assert.equal((await call(...show, '-d', '{}', orders))['caller'], 'oauth_client_shop')
    const form = ['-d', 'client_id=shop', '-d', 'grant_type=client_credentials']
    const { access_token: token } = await call(...show, ...form, `${url}/oauth2/token`)
    writeFileSync(at('header'), `authorization: Bearer ${token}`)
    const bearer = ['-H', `@${at('header')}`, '-d', '{}', orders]
    assert.equal((await call(...show, ...bearer))['caller'], 'oauth_client_shop')
    const alone = ['-s', '--cacert', at('ca.crt'), ...bearer]
    assert.equal((await call(...alone))['code'], 'access.token')
  })

  it('oauth4webapi discovers that it may ask so (tls_client_auth)', async (t) => {
    const { url } = await startProject(t, files)
    const dispatcher = new Agent({
      connect: { ca: authority.certificate, cert: shop.certificate, key: shop.key },
    })
    t.after(() => dispatcher.close())
    const custom = {
      [oauth.customFetch]: (address: string, options: object) =>
        undiciFetch(address, { ...options, dispatcher }) as unknown as Promise<Response>,
    }
    const issuer = new URL(url)
    const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...custom })
    const server = await oauth.processDiscoveryResponse(issuer, found)
    assert.ok(server.token_endpoint_auth_methods_supported?.includes('tls_client_auth'))
    assert.equal(server.tls_client_certificate_bound_access_tokens, true)
    const client = { client_id: 'shop', use_mtls_endpoint_aliases: false }
    const answer = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.TlsClientAuth(),
      new URLSearchParams(),
      custom,
    )
    const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, answer)
    const reply = await oauth.protectedResourceRequest(
      token,
      'POST',
      new URL(`${url}/http/orders`),
      new Headers(),
      '{}',
      custom,
    )
    assert.deepEqual(await reply.json(), { caller: 'oauth_client_shop' })
  })
})
