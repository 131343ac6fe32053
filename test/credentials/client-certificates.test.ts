import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { failureOf, sender, testWorld } from '../net/fixture.ts'
import { createAuthority, lockedKey, pkcs12Of } from '../support/certificates.ts'
import { TestCaller } from '../support/credentials.ts'
import { projectWith } from '../support/files.ts'
import { setUpMaterial } from '../support/material.ts'
import { startMtlsService, startStrictServer } from '../support/mtls-service.ts'

const PASSPHRASE = 'passphrase-0123456789'
const authority = createAuthority()
const acme = authority.issue({ subject: '/O=Acme/CN=acme' })
const globex = authority.issue({ subject: '/O=Globex/CN=globex' })
const stranger = createAuthority('Other CA').issue({ subject: '/CN=stranger' })

async function setUp(t: TestContext, options: Parameters<typeof startMtlsService>[2] = {}) {
  const service = await startMtlsService(t, authority, options)
  const project = projectWith(t, { 'ca.pem': authority.certificate })
  const put = (files: Record<string, string | Buffer>) => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(project, name), content)
  }
  put({ 'acme.crt': acme.certificate, 'acme.key': acme.key })
  const world = testWorld(t)
  const setup = setUpMaterial(t, { world, projectFolder: project, environment: { PASSPHRASE } })
  const PEM = 'certificate: "${file:acme.crt}", key: "${file:acme.key}"'
  const oauth2 = (tls: string, lines = '') =>
    setup.file(
      `type: oauth2\ntokenServiceUrl: ${service.origin}/token\nbaseUrl: ${service.origin}/api/\nclientId: acme\nretry: { attempts: 1 }\ntls: { ca: "\${file:ca.pem}", ${tls} }\n${lines}`,
    )
  const call = () => sender(t, world)({ url: 'items' }, setup.material.reference('x'))
  return { ...setup, service, put, oauth2, call, PEM, project }
}

test('certificate authentication: client_id in the body, the certificate for the token service only', async (t) => {
  const { material, service, oauth2, call, PEM } = await setUp(t, { optional: true })
  assert.deepEqual(material.load([oauth2(PEM)]), [])
  await call()
  assert.deepEqual(
    service.seen.map(({ line, client, body }) => [line, client, body]),
    [
      ['POST /token', 'acme', 'grant_type=client_credentials&client_id=acme'],
      ['GET /api/items', undefined, ''],
    ],
  )
  assert.equal(service.seen[0]!.headers['authorization'], undefined)
  assert.equal(service.seen[1]!.headers['authorization'], 'Bearer token-number-1')
  const { settings } = material.reports(() => [])[0]!
  assert.equal(settings['clientAuthentication'], 'certificate')
  assert.match(
    settings['client certificate']!,
    /^CN=acme, O=Acme, until \d{4}-\d\d-\d\d, for the token service$/,
  )
})

test('a trust store in PKCS#12 says whom to trust; a wrong passphrase and one without use are told', async (t) => {
  const { material, service, file, put, call } = await setUp(t, { optional: true })
  const store = pkcs12Of({ ...acme, certificate: acme.certificate + authority.certificate }, PASSPHRASE)
  put({ 'trust.p12': store })
  const text = (tls: string) => file(`type: none\nbaseUrl: ${service.origin}/api/\ntls: { ${tls} }\n`)
  const said = (tls: string) => material.check([text(tls)]).map(({ message }) => message)
  assert.deepEqual(material.load([text('ca: "${file:trust.p12}", caPassphrase: "${env:PASSPHRASE}"')]), [])
  await call()
  assert.equal(service.seen.length, 1)
  assert.deepEqual(said('ca: "${file:trust.p12}"'), [
    '"tls.ca" is a PKCS#12 file that does not open without a passphrase',
  ])
  assert.deepEqual(said('ca: "${file:ca.pem}", caPassphrase: "${env:PASSPHRASE}"'), [
    '"tls.caPassphrase" has no use: "tls.ca" is no PKCS#12 file',
  ])
})

test('useForApi: the receiver sees the certificate, too', async (t) => {
  const { material, service, oauth2, call, PEM } = await setUp(t)
  assert.deepEqual(material.load([oauth2(`${PEM}, useForApi: true`)]), [])
  await call()
  assert.deepEqual(
    service.seen.map(({ client }) => client),
    ['acme', 'acme'],
  )
})

test('two credentials with certificates of their own never share a connection', async (t) => {
  const { material, service, oauth2, call, put, PEM, file } = await setUp(t)
  put({ 'globex.crt': globex.certificate, 'globex.key': globex.key })
  const { text } = oauth2(`${PEM}, useForApi: true`)
  material.load([file(text), file(text.replaceAll('acme.', 'globex.'), 'y')])
  await call()
  await sender(t, testWorld(t))({ url: 'items' }, material.reference('y'))
  await call()
  assert.deepEqual(
    service.seen.map(({ line, client }) => `${line} ${client}`),
    [
      'POST /token acme',
      'GET /api/items acme',
      'POST /token globex',
      'GET /api/items globex',
      'GET /api/items acme',
    ],
  )
})

test('a PKCS#12 file and one in base64; a locked key with its passphrase; line ends that a variable lost', async (t) => {
  const { material, service, oauth2, call, put, project } = await setUp(t)
  const p12 = pkcs12Of(acme, PASSPHRASE)
  put({
    'acme.p12': p12,
    'acme.p12.base64': p12.toString('base64'),
    'locked.key': lockedKey(acme, PASSPHRASE),
    'one-line.key': acme.key.replaceAll('\n', '\\n'),
    'one-line.crt': acme.certificate.replaceAll('\n', '\\n'),
  })
  assert.ok(project)
  const ways = [
    'pkcs12: "${file:acme.p12}", passphrase: "${env:PASSPHRASE}"',
    'pkcs12: "${file:acme.p12.base64}", passphrase: "${env:PASSPHRASE}"',
    'certificate: "${file:acme.crt}", key: "${file:locked.key}", passphrase: "${env:PASSPHRASE}"',
    'certificate: "${file:one-line.crt}", key: "${file:one-line.key}"',
  ]
  for (const way of ways) {
    material.load([])
    assert.deepEqual(material.load([oauth2(`${way}, useForApi: true`)]), [])
    await call()
  }
  assert.deepEqual(new Set(service.seen.map(({ client }) => client)), new Set(['acme']))
  assert.equal(service.seen.filter(({ line }) => line === 'GET /api/items').length, ways.length)
})

test('key, passphrase and PKCS#12 are redacted', async (t) => {
  const { material, oauth2, put, redactor } = await setUp(t)
  const p12 = pkcs12Of(acme, PASSPHRASE)
  put({ 'acme.p12': p12, 'locked.key': lockedKey(globex, PASSPHRASE), 'globex.crt': globex.certificate })
  material.load([oauth2('pkcs12: "${file:acme.p12}", passphrase: "${env:PASSPHRASE}"')])
  assert.equal(redactor.text(`${PASSPHRASE} and ${p12.toString('base64')}`), '[secret] and [secret]')
  const told = JSON.stringify(material.reports(() => []))
  assert.doesNotMatch(told, new RegExp(PASSPHRASE))
  assert.ok(!told.includes(p12.toString('base64').slice(0, 40)))
})

test('a changed certificate counts for the next request, and the token is asked for anew', async (t) => {
  const { material, service, oauth2, call, put, PEM } = await setUp(t)
  const file = oauth2(`${PEM}, useForApi: true`)
  material.load([file])
  await call()
  put({ 'acme.crt': globex.certificate, 'acme.key': globex.key })
  material.load([file])
  await call()
  assert.deepEqual(
    service.seen.map(({ line, client }) => `${line} ${client}`),
    ['POST /token acme', 'GET /api/items acme', 'POST /token globex', 'GET /api/items globex'],
  )
})

test('type certificate: the receiver sees the certificate, and nothing else is sent', async (t) => {
  const { material, service, file, call, PEM } = await setUp(t)
  const text = `type: certificate\nbaseUrl: ${service.origin}/api/\ntls: { ca: "\${file:ca.pem}", ${PEM} }\n`
  assert.deepEqual(material.load([file(text)]), [])
  await call()
  assert.equal(service.seen[0]!.client, 'acme')
  assert.equal(service.seen[0]!.headers['authorization'], undefined)
  assert.equal(material.explanation('x')!.sends, 'a client certificate, in the TLS handshake')
})

test('a certificate beside a password: both go to the receiver', async (t) => {
  const { material, service, file, call, PEM } = await setUp(t)
  material.load([
    file(
      `type: basic\nusername: acme\npassword: "\${env:PASSPHRASE}"\nbaseUrl: ${service.origin}/\ntls: { ca: "\${file:ca.pem}", ${PEM} }\n`,
    ),
  ])
  await call()
  assert.equal(service.seen[0]!.client, 'acme')
  assert.match(service.seen[0]!.headers['authorization']!, /^Basic /)
  assert.match(material.explanation('x')!.sends!, /; also a client certificate$/)
})

test('serverName: the name that the certificate must have, of the token service only', async (t) => {
  const { material, service, oauth2, call, PEM } = await setUp(t, {
    names: 'DNS:login.internal,IP:127.0.0.1',
  })
  material.load([oauth2(`${PEM}, useForApi: true, serverName: login.internal`)])
  await call()
  assert.deepEqual(
    service.seen.map(({ serverName }) => serverName || undefined),
    ['login.internal', undefined],
  )
  material.load([oauth2(`${PEM}, serverName: another.internal`, 'scope: other\n')])
  assert.match((await failureOf(call())).message, /the certificate of "127\.0\.0\.1:\d+" is for another name/)
})

test('TLS refusals in words: no certificate, one of a stranger', async (t) => {
  const { material, file, put, call } = await setUp(t)
  const own = authority.issue({ subject: '/CN=strict', names: 'IP:127.0.0.1', usage: 'serverAuth' })
  const origin = await startStrictServer(t, own, authority)
  const text = `type: none\nbaseUrl: ${origin}/\ntls: { ca: "\${file:ca.pem}" }\n`
  material.load([file(text)])
  const without = await failureOf(call())
  assert.match(without.message, /^"127\.0\.0\.1:\d+" refused the TLS handshake \(ERR_SSL_/)
  assert.match(without.hint!, /wants a client certificate \(tls\.certificate/)
  put({ 'acme.crt': stranger.certificate, 'acme.key': stranger.key })
  const shown = 'certificate: "${file:acme.crt}", key: "${file:acme.key}"'
  material.load([file(text.replace('none', 'certificate').replace(' }', `, ${shown} }`))])
  const foreign = await failureOf(call())
  assert.match(foreign.message, /does not know who issued the client certificate \(ERR_SSL_/)
  assert.match(foreign.hint!, /sluice credential show/)
})

test('credential test tells which certificate was ready', async (t) => {
  const { material, oauth2, PEM } = await setUp(t)
  material.load([oauth2(PEM)])
  const steps = await material.reference('x').current().authorizer.test!(new TestCaller(), {
    tryOthers: false,
  })
  assert.equal(steps[0]!.ok, true)
  assert.match(steps[0]!.asked.certificate!, /^CN=acme, O=Acme, until \d{4}-\d\d-\d\d$/)
})
