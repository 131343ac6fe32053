import { createServer, type ServerOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { TestContext } from 'node:test'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Authority, Issued } from './certificates.ts'
import { projectWith } from './files.ts'

export interface Seen {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Common name of the client's certificate; undefined where it showed none. */
  readonly client: string | undefined
  readonly serverName: string | false | null | undefined
}

export interface MtlsService {
  readonly origin: string
  readonly port: number
  readonly seen: Seen[]
  /** What is answered. */
  answer: (seen: Seen, count: number) => { status?: number; body: unknown }
}

/**
 * A token service and receiver by TLS on loopback, which knows its clients by certificates of this authority. Without
 * one the handshake fails; with `optional` it goes on.
 */
export async function startMtlsService(
  t: TestContext,
  authority: Authority,
  {
    optional = false,
    names = 'IP:127.0.0.1,DNS:localhost',
    ...options
  }: ServerOptions & { optional?: boolean; names?: string } = {},
): Promise<MtlsService> {
  const own = authority.issue({ subject: '/CN=service', names, usage: 'serverAuth' })
  const server = createServer(
    {
      cert: own.certificate,
      key: own.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: !optional,
      ...options,
    },
    (request, response) => {
      const chunks: Buffer[] = []
      const socket = request.socket as TLSSocket
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { subject } = socket.getPeerCertificate()
        const seen: Seen = {
          line: `${request.method} ${request.url}`,
          headers: request.headers,
          body: Buffer.concat(chunks).toString(),
          client: subject?.CN as string | undefined,
          serverName: (socket as { servername?: string | false | null }).servername,
        }
        service.seen.push(seen)
        const { status = 200, body } = service.answer(seen, service.seen.length)
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
    },
  )
  server.on('tlsClientError', () => {})
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((done) => server.close(done))
  })
  const { port } = server.address() as AddressInfo
  const service: MtlsService = {
    origin: `https://127.0.0.1:${port}`,
    port,
    seen: [],
    answer: ({ line }, count) =>
      line.includes('/token')
        ? { body: { access_token: `token-number-${count}`, expires_in: 3600 } }
        : { body: { items: [] } },
  }
  return service
}

/** A server of OpenSSL, which refuses clients inside of the handshake and says why (TLS 1.2). */
export async function startStrictServer(
  t: TestContext,
  own: Issued,
  { certificate }: Authority,
): Promise<string> {
  const folder = projectWith(t, {})
  for (const [name, text] of Object.entries({ c: own.certificate, k: own.key, ca: certificate }))
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  const files = ['-cert', 'c', '-key', 'k', '-CAfile', 'ca', '-Verify', '3', '-verify_return_error']
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...files, '-tls1_2', '-www'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.after(() => server.kill())
  return new Promise((done, failed) => {
    let text = ''
    server.on('exit', () => failed(new Error(`openssl s_server ended: ${text}`)))
    server.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const port = /ACCEPT \S*?:(\d+)\s/.exec(text)?.[1]
      if (port !== undefined) done(`https://127.0.0.1:${port}`)
    })
  })
}
