import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fingerprintOf } from '../../../src/access/certificates/certificate-header.ts'
import { createAuthority, type Issued } from '../../support/certificates.ts'
import { sluice } from '../../support/command-line.ts'
import { httpsCall } from '../../support/https.ts'
import { projectFolder, startProject } from '../../support/project.ts'

const authority = createAuthority()
const clients = createAuthority('Acme Clients CA')
const own = authority.issue({ subject: '/CN=flows', names: 'DNS:localhost', usage: 'serverAuth' })
const shop = clients.issue({ subject: '/O=Acme/CN=shop' })
const forged = createAuthority('Acme Clients CA').issue({ subject: '/O=Acme/CN=shop' })
const fingerprint = ({ certificate }: Issued) => fingerprintOf(new X509Certificate(certificate))

const files = {
  'server.crt': own.certificate,
  'server.key': own.key,
  'sluice.yaml': 'tls: { certificate: server.crt, key: server.key }\n',
  'flows/orders.yaml':
    'steps:\n  - endpoint: { path: /orders }\n  - set: { body: { caller: "${trigger.caller.id}", headers: "${trigger.headers}" } }\n',
  'flows/strict.yaml':
    'steps:\n  - endpoint: { path: /strict, access: { scheme: certificate } }\n  - log: fine\n',
}
const pinned = `type: client\ncertificates: [{ fingerprint: "${new X509Certificate(shop.certificate).fingerprint256}" }]\n`
const orders = (url: string, options: Parameters<typeof httpsCall>[2] = {}) =>
  httpsCall(authority, `${url}/http/orders`, { body: '{}', ...options })

describe('client certificates by own TLS', () => {
  it('let a client in, which is asked for one and need not have one', async (t) => {
    const { url, log } = await startProject(t, { ...files, 'security-material/shop.yaml': pinned })
    const known = await orders(url, { as: shop })
    assert.deepEqual([known.status, known.body['caller']], [200, 'oauth_client_shop'])
    const unknown = await orders(url, { as: forged })
    assert.deepEqual([unknown.status, unknown.body['code']], [401, 'access.certificate'])
    assert.match(log.join(''), new RegExp(`no client has the certificate ${fingerprint(forged)}`))
    assert.equal((await orders(url)).body['code'], 'access.missing')
    assert.equal((await orders(url, { as: shop, maxVersion: 'TLSv1.2' })).status, 200)
  })

  it('count by subject and issuer only where the chain leads to tls.clientCa', async (t) => {
    const named = 'type: client\ncertificates: [{ subject: "CN=shop, O=Acme", issuer: CN=Acme Clients CA }]\n'
    const project = { ...files, 'ca.crt': clients.certificate, 'security-material/shop.yaml': named }
    const { url, log } = await startProject(t, project, {
      environment: { SLUICE_TLS_CLIENT_CA: 'ca.crt' },
    })
    assert.equal((await orders(url, { as: shop })).status, 200)
    assert.equal((await orders(url, { as: forged })).body['code'], 'access.certificate')
    assert.match(log.join(''), /but its chain does not lead to \\?"tls.clientCa\\?"/)
    const without = await startProject(t, project)
    assert.deepEqual(
      without.app.project.problems.map(({ code, severity, message }) => `${code} ${severity} ${message}`),
      [
        'client/certificate warning certificates by names are not taken: the setting "tls.clientCa" is missing',
      ],
    )
    assert.equal((await orders(without.url, { as: shop })).body['code'], 'access.certificate')
  })

  it('are not asked for until a client has one, and then from the next connection on', async (t) => {
    const { url, folder, logged } = await startProject(t, files)
    assert.equal((await orders(url, { as: shop })).body['code'], 'access.missing')
    const made = await sluice(
      t,
      ['client', 'create', 'shop', '--certificate', 'shop.crt'],
      {},
      { folder: (writeFileSync(join(folder, 'shop.crt'), shop.certificate), folder) },
    )
    assert.equal(made.code, 0, made.stderr)
    await logged(/client \\"shop\\" was added/)
    assert.equal((await orders(url, { as: shop })).status, 200)
  })

  it('are not taken from a session that began before they were asked for', async (t) => {
    const { url, folder, logged } = await startProject(t, files)
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 10 })
    t.after(() => agent.destroy())
    const options = { as: shop, agent, maxVersion: 'TLSv1.2' } as const
    assert.equal((await orders(url, options)).status, 401)
    assert.equal((await orders(url, options)).status, 401)
    writeFileSync(join(folder, 'security-material.yaml'), '')
    const made = await sluice(
      t,
      ['client', 'create', 'shop', '--certificate', 'shop.crt'],
      {},
      { folder: (writeFileSync(join(folder, 'shop.crt'), shop.certificate), folder) },
    )
    assert.equal(made.code, 0, made.stderr)
    await logged(/client \\"shop\\" was added/)
    assert.equal((await orders(url, options)).status, 200)
  })

  it('of a proxy count only in its header, which never enters a flow', async (t) => {
    const { url } = await startProject(
      t,
      { ...files, 'security-material/shop.yaml': pinned },
      {
        environment: {
          SLUICE_ACCESS_TRUSTED_PROXIES: '127.0.0.1,::1',
          SLUICE_ACCESS_CERTIFICATE_HEADER: 'x-forwarded-client-cert',
        },
      },
    )
    const headers = { 'x-forwarded-client-cert': `Hash=${fingerprint(shop)};Subject="CN=shop"` }
    const { status, body } = await orders(url, { headers })
    assert.deepEqual([status, body['caller']], [200, 'oauth_client_shop'])
    assert.equal(body['headers']['x-forwarded-client-cert'], undefined)
    assert.equal((await orders(url, { as: shop })).body['code'], 'access.missing')
  })

  it('sent by a stranger as a header is neither believed nor shown to the flow', async (t) => {
    const { url } = await startProject(t, { ...files, 'security-material/shop.yaml': pinned })
    const headers = { 'x-forwarded-client-cert': `Hash=${fingerprint(shop)}`, 'x-arr-clientcert': 'x' }
    assert.equal((await orders(url, { headers })).status, 401)
    const { body } = await orders(url, { as: shop, headers })
    assert.deepEqual(
      Object.keys(body['headers']).filter((name) => name.includes('cert')),
      [],
    )
  })

  it('get a token that is good only with it', async (t) => {
    const { url } = await startProject(t, { ...files, 'security-material/shop.yaml': pinned })
    const answer = await httpsCall(authority, `${url}/oauth2/token`, {
      as: shop,
      body: 'grant_type=client_credentials&client_id=shop',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    assert.equal(answer.status, 200, answer.text)
    const headers = { authorization: `Bearer ${answer.body['access_token']}` }
    assert.equal((await orders(url, { as: shop, headers })).status, 200)
    assert.equal((await orders(url, { headers })).status, 401)
    assert.equal((await orders(url, { as: forged, headers })).status, 401)
    const strict = (options: object) => httpsCall(authority, `${url}/http/strict`, { body: '{}', ...options })
    assert.equal((await strict({ as: shop })).status, 200)
    const refused = await strict({ as: shop, headers })
    assert.deepEqual([refused.status, refused.body['code']], [401, 'access.scheme'])
    assert.equal(refused.headers['www-authenticate'], 'Certificate')
  })
})

describe('sluice client with certificates', () => {
  const project = (t: TestContext) => {
    const folder = projectFolder(t, {
      ...files,
      'shop.crt': shop.certificate,
      'next.crt': clients.issue({ subject: '/CN=next' }).certificate,
      'old.crt': clients.issue({ subject: '/CN=old', days: -1 }).certificate,
      'nothing.crt': 'nothing',
    })
    const run = (...args: string[]) => sluice(t, ['client', ...args], {}, { folder })
    const text = () => readFileSync(join(folder, 'security-material/shop.yaml'), 'utf8')
    return { run, text }
  }

  it('makes a client of a certificate, and no secret', async (t) => {
    const { run, text } = project(t)
    const made = await run('create', 'shop', '--certificate', 'shop.crt', '--role', 'orders.write')
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stdout, /certificate {2}CN=shop, O=Acme, until \d{4}-/)
    assert.match(made.stdout, /curl -s --cert <file> --key <file>/)
    assert.doesNotMatch(made.stdout, /secret/)
    assert.equal(
      text(),
      `type: client\nclientId: shop\ncertificates:\n  - fingerprint: ${fingerprint(shop)}\n    subject: CN=shop, O=Acme\nroles: [orders.write]\n`,
    )
    assert.match((await run('show', 'shop')).stdout, /certificate +CN=shop, O=Acme \([0-9a-f]{16}…\)/)
    const [told] = JSON.parse((await run('list', '--json')).stdout)
    assert.deepEqual(told.certificates, [{ fingerprint: fingerprint(shop), subject: 'CN=shop, O=Acme' }])
  })

  it('takes another one beside it, and takes the old one away', async (t) => {
    const { run, text } = project(t)
    await run('create', 'shop')
    assert.match((await run('certificate', 'shop', 'shop.crt')).stdout, /is known by the certificate CN=shop/)
    assert.match(text(), /secretHash/)
    assert.match((await run('certificate', 'shop', 'shop.crt')).stdout, /has this certificate already/)
    assert.match(
      (await run('certificate', 'shop', 'next.crt')).stdout,
      /The one before goes on until: .*--finish/,
    )
    assert.equal(text().match(/fingerprint/g)?.length, 2)
    assert.match((await run('certificate', 'shop', '--finish')).stdout, /newest certificate only/)
    assert.match(text(), /subject: CN=next/)
    await run('certificate', 'shop', 'shop.crt', '--now')
    assert.deepEqual(text().match(/subject: .*/g), ['subject: CN=shop, O=Acme'])
  })

  it('says why a file is not taken', async (t) => {
    const { run } = project(t)
    for (const [file, reason] of [
      ['away.crt', /there is no file "away.crt"/],
      ['nothing.crt', /"nothing.crt" holds no certificate/],
      ['old.crt', /the certificate in "old.crt" has expired/],
      ['server.crt', /is not for clients/],
    ] as const) {
      const { code, stderr } = await run('create', 'shop', '--certificate', file)
      assert.equal(code, 1)
      assert.match(stderr, reason)
    }
    assert.equal((await run('create', 'shop', '--certificate', 'shop.crt', '--api-key')).code, 2)
    assert.equal((await run('certificate', 'shop')).code, 2)
  })
})
