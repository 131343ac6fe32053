import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { createAuthority, lockedKey, pkcs12Of } from './support/certificates.ts'
import { rawCall } from './support/http.ts'
import { httpsCall } from './support/https.ts'
import { loadSettings } from '../src/config.ts'
import { problemsOf, projectFolder, startProject, type ProjectOptions } from './support/project.ts'

const authority = createAuthority()
const server = (about: { days?: number; cn?: string } = {}) =>
  authority.issue({
    subject: `/CN=${about.cn ?? 'flows.example.com'}`,
    names: 'DNS:localhost,IP:127.0.0.1',
    usage: 'serverAuth',
    days: about.days ?? 365,
  })
const own = server()
const files = {
  'server.crt': own.certificate,
  'server.key': own.key,
  'flows/orders.yaml':
    'steps:\n  - endpoint: { path: /orders, access: public }\n  - set: { body: { fine: true } }\n',
}
const PAIR = { SLUICE_TLS_CERTIFICATE: 'server.crt', SLUICE_TLS_KEY: 'server.key' }

const start = (t: TestContext, options: ProjectOptions = {}, more: Record<string, string> = {}) =>
  startProject(t, { ...files, ...more }, { ...options, environment: { ...PAIR, ...options.environment } })

/** A handshake; resolves to the socket, or rejects. */
async function shake(url: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.certificate,
    ...options,
  })
  await once(socket, 'secureConnect')
  return socket
}

/** Common name of what the server shows. */
async function shown(url: string): Promise<unknown> {
  const socket = await shake(url)
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

describe('own TLS', () => {
  it('serves endpoints and the token service by https, and names itself so', async (t) => {
    const { url, app } = await start(t)
    assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/)
    assert.equal(app.control.status().listen, url)
    const answer = await httpsCall(authority, `${url}/http/orders`, { body: '{}' })
    assert.deepEqual([answer.status, answer.body], [200, { fine: true }])
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000')
    const metadata = await httpsCall(authority, `${url}/.well-known/oauth-authorization-server`)
    assert.equal(metadata.body['issuer'], url)
    assert.equal(metadata.body['token_endpoint'], `${url}/oauth2/token`)
    const missing = await httpsCall(authority, `${url}/nothing`)
    assert.deepEqual(
      [missing.status, missing.headers['strict-transport-security']],
      [404, 'max-age=31536000'],
    )
  })

  it('tells no browser to come back by https where hsts is 0s', async (t) => {
    const { url } = await start(t, { environment: { SLUICE_TLS_HSTS: '0s' } })
    const { headers } = await httpsCall(authority, `${url}/http/orders`, { body: '{}' })
    assert.equal(headers['strict-transport-security'], undefined)
  })

  it('speaks TLS 1.2 and 1.3, HTTP/1.1, and nothing older', async (t) => {
    const { url } = await start(t)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await shake(url, {
        minVersion: version,
        maxVersion: version,
        ALPNProtocols: ['h2', 'http/1.1'],
      })
      assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], [version, 'http/1.1'])
      socket.destroy()
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await assert.rejects(shake(url, old), /protocol version|unsupported protocol|no protocols/)
  })

  it('lets no client negotiate anew, with another certificate perhaps', async (t) => {
    const { url } = await start(t)
    const socket = await shake(url, { maxVersion: 'TLSv1.2' })
    const failed = await new Promise((resolve) => {
      socket.on('error', resolve)
      socket.renegotiate({ rejectUnauthorized: false }, resolve)
    })
    assert.match(String(failed), /renegotiation/i)
  })

  it('tells plain http that it wants https', async (t) => {
    const { url, log } = await start(t)
    const text = await rawCall(url.replace('https', 'http'), 'GET /http/orders HTTP/1.1\r\nhost: x\r\n\r\n')
    assert.match(text, /^HTTP\/1\.1 400 [^]*connection: close[^]*"This address takes https only"/)
    assert.equal(
      (await rawCall(url.replace('https', 'http'), 'no http at all\r\n\r\n')).includes('HTTP'),
      false,
    )
    assert.equal((await httpsCall(authority, `${url}/http/orders`, { body: '{}' })).status, 200)
    assert.equal(log.join('').includes('"level":50'), false)
  })

  it('takes a locked key, and a PKCS#12 file, with the passphrase by reference', async (t) => {
    const words = 'the-words-of-the-key'
    const store = join(projectFolder(t, {}), 'server.p12')
    writeFileSync(store, pkcs12Of(own, words))
    const locked = await start(
      t,
      { environment: { SLUICE_TLS_KEY: 'locked.key', SLUICE_TLS_PASSPHRASE: '${file:words}' } },
      { words: `${words}\n`, 'locked.key': lockedKey(own, words) },
    )
    const inOne = await startProject(t, files, {
      environment: {
        SLUICE_TLS_PKCS12: store,
        SLUICE_TLS_PASSPHRASE: '${env:TLS_WORDS}',
        TLS_WORDS: words,
      },
    })
    for (const { url, log } of [locked, inOne]) {
      assert.equal((await httpsCall(authority, `${url}/http/orders`, { body: '{}' })).status, 200)
      assert.equal(log.join('').includes(words), false)
    }
  })

  it('shows a new certificate from the next connection on, and goes on with those that are open', async (t) => {
    const { url, folder, logged } = await start(t)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => agent.destroy())
    const sockets = new Set<unknown>()
    agent.on('free', (socket: unknown) => void sockets.add(socket))
    const call = () => httpsCall(authority, `${url}/http/orders`, { body: '{}', agent })
    assert.equal((await call()).status, 200)
    assert.equal(await shown(url), 'flows.example.com')
    const next = server({ cn: 'next.example.com' })
    replace(folder, 'server.key', next.key)
    await logged(/"tls\.certificate\\?" is of another key/)
    assert.equal(await shown(url), 'flows.example.com')
    replace(folder, 'server.crt', next.certificate)
    await logged(/were read again; from the next connection on: CN=next\.example\.com, until /)
    assert.equal(await shown(url), 'next.example.com')
    assert.equal((await call()).status, 200)
    assert.equal(sockets.size, 1)
  })

  it('stays with what it has where the new files are broken or gone, and says so', async (t) => {
    const { url, folder, logged } = await start(t)
    writeFileSync(join(folder, 'server.crt'), 'no certificate')
    await logged(/"tls\.certificate\\?" holds no certificate/)
    await logged(/cannot be used; CN=flows\.example\.com, until [-0-9]+ stays/)
    rmSync(join(folder, 'server.key'))
    await logged(/"tls\.key\\?" names a file that is not there: server\.key/)
    assert.equal(await shown(url), 'flows.example.com')
  })

  it('serves management by https, too, or by http where it is told to', async (t) => {
    const open = { SLUICE_MANAGEMENT: '127.0.0.1:0', SLUICE_MANAGEMENT_ACCESS_METRICS: 'public' }
    const { app } = await start(t, { environment: open })
    const { management } = app.control.status()
    assert.match(management!, /^https:/)
    assert.equal((await httpsCall(authority, `${management}/health`)).body['status'], 'up')
    const other = await start(t, { environment: { ...open, SLUICE_TLS_MANAGEMENT: 'false' } })
    const plain = other.app.control.status().management!
    assert.equal((await fetch(`${plain}/health`)).status, 200)
  })

  it('answers the health check of a container', async (t) => {
    const { url } = await start(t)
    for (const environment of [{}, { SLUICE_TLS_CERTIFICATE: 'server.crt' }]) {
      const { code, stderr } = await health({ SLUICE_LISTEN: new URL(url).host, ...environment })
      assert.deepEqual([code, stderr], [0, ''])
    }
  })
})

describe('the settings of tls', () => {
  const problems = (
    t: TestContext,
    more: Record<string, string>,
    environment: Record<string, string> = PAIR,
  ) =>
    problemsOf(t, { ...files, ...more }, { environment }).then((found) =>
      found.map(({ code, severity, message }) => `${code} ${severity} ${message}`),
    )

  it('have nothing wrong with them', async (t) => {
    assert.deepEqual(await problems(t, {}), [])
  })

  const other = server()
  const rows: [string, Record<string, string>, RegExp, Record<string, string>?][] = [
    [
      'a missing file',
      {},
      /error "tls\.key" names a file that is not there: away\.key/,
      { ...PAIR, SLUICE_TLS_KEY: 'away.key' },
    ],
    [
      'a key of another certificate',
      { 'server.key': other.key },
      /error "tls\.certificate" is of another key than "tls\.key"/,
    ],
    ['no key', { 'server.key': 'nothing' }, /error "tls\.key" holds no private key/],
    [
      'a certificate without its key',
      {},
      /error "tls\.certificate" is there, but not "tls\.key"/,
      { SLUICE_TLS_CERTIFICATE: 'server.crt' },
    ],
    [
      'a passphrase that is not there',
      {},
      /error "tls\.passphrase" cannot be had: the environment variable "AWAY" is not set/,
      { ...PAIR, SLUICE_TLS_PASSPHRASE: '${env:AWAY}' },
    ],
    [
      'no authority',
      { 'ca.crt': 'x' },
      /error "tls\.clientCa" holds no certificate/,
      { ...PAIR, SLUICE_TLS_CLIENT_CA: 'ca.crt' },
    ],
  ]
  for (const [what, more, pattern, environment] of rows)
    it(`have a problem: ${what}`, async (t) => {
      const found = await problems(t, more, environment)
      assert.equal(found.length, 1)
      assert.match(found[0]!, pattern)
      await assert.rejects(
        startProject(t, { ...files, ...more }, { environment: environment ?? PAIR, broken: true }),
        { code: 'SLUICE_TLS' },
      )
    })

  it('warn of a certificate that ends soon, has ended, or is not for servers', async (t) => {
    const of = async (issued: { certificate: string; key: string }) =>
      (await problems(t, { 'server.crt': issued.certificate, 'server.key': issued.key })).join('\n')
    assert.match(await of(server({ days: 10 })), /warning "tls\.certificate" is good until [-0-9]+ only/)
    assert.match(await of(server({ days: -1 })), /warning "tls\.certificate" has expired: it was good until/)
    const clientOnly = authority.issue({ subject: '/CN=x', usage: 'clientAuth' })
    assert.match(await of(clientOnly), /warning "tls\.certificate" is not for servers/)
  })

  it('warn in the log of a certificate that ends soon, at the start', async (t) => {
    const soon = server({ days: 10 })
    const { logged } = await start(t, {}, { 'server.crt': soon.certificate, 'server.key': soon.key })
    assert.match(
      await logged(/the certificate of the engine \(CN=flows\.example\.com\) expires in \d+ d/),
      /warn|"level":40/i,
    )
  })

  it('are judged with their place in sluice.yaml', async (t) => {
    const load = (text: string) => loadSettings(projectFolder(t, { 'sluice.yaml': text }), {}, {})
    const one = async (text: string) => {
      const { problems } = await load(text)
      assert.equal(problems.length, 1)
      const { code, line, column, message } = problems[0]!
      return [code, line, column, message]
    }
    assert.deepEqual(await one('tls: { key: server.key }\n'), [
      'setting/tls',
      1,
      13,
      '"tls.key" is there, but no "tls.certificate"',
    ])
    assert.deepEqual(await one('tls:\n  certificate: a\n  key: b\n  passphrase: open sesame\n'), [
      'setting/tls',
      4,
      15,
      '"tls.passphrase" is no reference to a secret',
    ])
  })
})

/** Replaces a file as a whole, as tools for certificates do. */
function replace(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, `${name}.new`), text)
  renameSync(join(folder, `${name}.new`), join(folder, name))
}

/** Runs the health check as a container does. */
async function health(environment: Record<string, string>): Promise<{ code: unknown; stderr: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../bin/health.js')], {
    env: environment,
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)))
  const [code] = (await once(child, 'close')) as [unknown]
  return { code, stderr }
}
