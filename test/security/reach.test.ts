import { createPrivateKey } from 'node:crypto'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { certificate, failureOf, receiver, sender, testWorld } from '../net/fixture.ts'
import { createAuthority } from '../support/certificates.ts'
import { projectWith } from '../support/files.ts'
import { setUpMaterial } from '../support/material.ts'
import { startMtlsService } from '../support/mtls-service.ts'

const PASSWORD = 'proxy-password-0123456789'

/** A proxy that leads every host to this port, and asks for a user. */
async function startProxy(t: TestContext, port: number) {
  const asked: { line: string; user: string | undefined }[] = []
  const server = createServer().on('connect', (request, socket) => {
    asked.push({ line: `CONNECT ${request.url}`, user: request.headers['proxy-authorization'] })
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    const end = () => {
      onward.destroy()
      socket.destroy()
    }
    onward.on('error', end).on('close', end)
    socket.on('error', end).on('close', end)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  return { asked, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Token service and receiver behind names that only the proxy knows, with a certificate that nobody else trusts. */
async function setUp(t: TestContext) {
  const tls = certificate(t, { name: 'DNS:idp.example.com,DNS:api.example.com' })
  const behind = await receiver(
    t,
    (request, reply) => {
      const isToken = request.url === '/token'
      reply.setHeader('content-type', 'application/json')
      reply.end(isToken ? '{"access_token":"token-behind-a-proxy","expires_in":600}' : '{"items":["behind"]}')
    },
    tls,
  )
  const proxy = await startProxy(t, behind.port)
  const project = projectWith(t, { 'ca.pem': tls.cert })
  const world = testWorld(t)
  const setup = setUpMaterial(t, {
    world,
    projectFolder: project,
    environment: { SECRET: 'client-secret-0123456789', PROXY_PASSWORD: PASSWORD },
  })
  const credential = (lines: string) =>
    setup.file(
      `type: oauth2\ntokenServiceUrl: https://idp.example.com/token\nbaseUrl: https://api.example.com/\nclientId: acme\nclientSecret: \${env:SECRET}\n${lines}`,
    )
  const call = () => sender(t, world)({ url: 'items' }, setup.material.reference('x'))
  return { ...setup, behind, proxy, project, credential, call }
}

test('proxy and certificates of a credential count for its token requests and its calls', async (t) => {
  const { material, behind, proxy, credential, call, redactor } = await setUp(t)
  const lines = `proxy: http://sluice:\${env:PROXY_PASSWORD}@${proxy.host}\ntls: { ca: "\${file:ca.pem}" }\n`
  assert.deepEqual(material.load([credential(lines)]), [])
  const { body } = await call()
  await body.load(1000)
  assert.equal(body.text(), '{"items":["behind"]}')
  const user = `Basic ${Buffer.from(`sluice:${PASSWORD}`).toString('base64')}`
  assert.deepEqual(proxy.asked, [
    { line: 'CONNECT idp.example.com:443', user },
    { line: 'CONNECT api.example.com:443', user },
  ])
  assert.deepEqual(
    behind.requests.map(({ line, headers }) => [line, headers['authorization']?.split(' ')[0]]),
    [
      ['POST /token', 'Basic'],
      ['GET /items', 'Bearer'],
    ],
  )
  assert.equal(behind.requests[1]!.headers['authorization'], 'Bearer token-behind-a-proxy')
  assert.equal(redactor.text(`via ${PASSWORD}`), 'via [secret]')
  const { settings } = material.reports(() => [])[0]!
  assert.equal(settings['proxy'], `http://${proxy.host}`)
  assert.equal(settings['tls.ca'], 'certificates of its own')
})

test('a client certificate goes through the proxy to the token service and the receiver', async (t) => {
  const authority = createAuthority()
  const names = 'DNS:idp.example.com,DNS:api.example.com'
  const service = await startMtlsService(t, authority, { names })
  const proxy = await startProxy(t, service.port)
  const { certificate: crt, key } = authority.issue({ subject: '/CN=acme' })
  const project = projectWith(t, { 'ca.pem': authority.certificate, 'acme.crt': crt, 'acme.key': key })
  const world = testWorld(t)
  const { material, file } = setUpMaterial(t, { world, projectFolder: project })
  const found = material.load([
    file(
      `type: oauth2\ntokenServiceUrl: https://idp.example.com/token\nbaseUrl: https://api.example.com/\nclientId: acme\nproxy: ${proxy.host}\ntls: { ca: "\${file:ca.pem}", certificate: "\${file:acme.crt}", key: "\${file:acme.key}", useForApi: true }\n`,
    ),
  ])
  assert.deepEqual(found, [])
  await sender(t, world)({ url: 'items' }, material.reference('x'))
  assert.deepEqual(
    service.seen.map(({ line, client }) => `${line} ${client}`),
    ['POST /token acme', 'GET /items acme'],
  )
})

test('without its certificates the proxy leads to a server that is not trusted', async (t) => {
  const { material, proxy, credential, call } = await setUp(t)
  material.load([credential(`proxy: http://${proxy.host}\nretry: { attempts: 1 }\n`)])
  const { code, message } = await failureOf(call())
  assert.equal(code, 'credential.unreachable')
  assert.match(message, /certificate/)
})

test('a credential whose proxy changes keeps its token, and calls by the new one', async (t) => {
  const { material, behind, proxy, credential, call } = await setUp(t)
  const other = await startProxy(t, behind.port)
  const tls = 'tls: { ca: "${file:ca.pem}" }\n'
  material.load([credential(`proxy: http://${proxy.host}\n${tls}`)])
  await call()
  material.load([credential(`description: moved\nproxy: ${other.host}\n${tls}`)])
  await call()
  assert.deepEqual(
    other.asked.map(({ line }) => line),
    ['CONNECT api.example.com:443'],
  )
  assert.equal(behind.requests.filter(({ line }) => line === 'POST /token').length, 1)
})

test('certificates are read again when their file changes', async (t) => {
  const { material, proxy, project, credential, call } = await setUp(t)
  const file = credential(`proxy: ${proxy.host}\ntls: { ca: "\${file:ca.pem}" }\nretry: { attempts: 1 }\n`)
  material.load([file])
  await call()
  writeFileSync(join(project, 'ca.pem'), certificate(t, { name: 'DNS:another.example.com' }).cert)
  material.load([file])
  assert.match((await failureOf(call())).message, /certificate/)
})

test('a password of a proxy is no literal', (t) => {
  const { material, file } = setUpMaterial(t)
  const problems = material.load([
    file(
      'type: bearer\ntoken: ${env:SECRET}\nbaseUrl: https://api.example.com/\nproxy: http://sluice:in-the-clear@proxy.example.com:3128\n',
    ),
  ])
  assert.deepEqual(
    problems.map(({ code, line }) => [code, line]),
    [['credential/literal-secret', 4]],
  )
})

test('as long as a file or a passphrase has no value, nothing is guessed of what is read with it', async (t) => {
  const { key, cert } = certificate(t, { name: 'DNS:api.example.com' })
  const project = projectWith(t, { 'ca.pem': cert, 'locked.key': lockedKey(key) })
  const { material, file } = setUpMaterial(t, { projectFolder: project })
  const of = (tls: string) =>
    material
      .check([
        file(
          `type: bearer\ntoken: \${env:UNSET_TOKEN}\nbaseUrl: https://api.example.com/\ntls: { ${tls} }\n`,
        ),
      ])
      .map(({ severity, code }) => `${severity} ${code}`)
  const unset = (count: number) => Array<string>(count).fill('warning credential/unset')
  assert.deepEqual(of('ca: "${env:STORE}", caPassphrase: "${env:PASS}"'), unset(3))
  assert.deepEqual(of('ca: "${file:store.p12}", caPassphrase: "${env:SECRET}"'), unset(2))
  assert.deepEqual(of('pkcs12: "${env:STORE}", passphrase: "${env:PASS}"'), unset(3))
  assert.deepEqual(
    of('certificate: "${file:ca.pem}", key: "${file:locked.key}", passphrase: "${env:PASS}"'),
    unset(2),
  )
  assert.deepEqual(
    of('certificate: "${env:C}", key: "${env:K}", passphrase: "${env:P}", useForApi: true'),
    unset(4),
  )
  assert.deepEqual(of('ca: "${file:ca.pem}", caPassphrase: "${env:SECRET}"'), [
    'warning credential/unset',
    'error credential/certificate',
  ])
})

function lockedKey(key: string): string {
  return createPrivateKey(key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'of-the-key' })
    .toString()
}
