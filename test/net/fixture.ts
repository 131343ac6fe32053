import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import type { Branching, Context } from '../../src/core/context.ts'
import { Failure } from '../../src/core/failure.ts'
import type { Answer, Exchange, OutgoingRequest, ReceiverAnswer } from '../../src/core/http.ts'
import type { Grant } from '../../src/core/kinds.ts'
import type { Credential, CredentialReference } from '../../src/core/services.ts'
import type { World } from '../../src/core/world.ts'
import { exchange } from '../../src/net/client.ts'
import { createDispatchers, type Dispatchers, type DispatcherSetting } from '../../src/net/dispatchers.ts'
import { createSend } from '../../src/net/send.ts'
import { realClock } from '../../src/world.ts'

export interface Receiver {
  readonly origin: string
  readonly port: number
  /** `METHOD /path` of every request, with what came along. */
  readonly requests: { line: string; headers: IncomingMessage['headers']; body: string }[]
  /** Connections ever made. */
  connections: number
}

type Handler = (request: IncomingMessage, reply: ServerResponse, body: string) => void

/** A receiver on loopback; bodies of requests are read before `handler` is called. */
export async function receiver(
  t: TestContext,
  handler: Handler,
  tls?: { key: string; cert: string },
): Promise<Receiver> {
  const listener: RequestListener = (request, reply) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      requests.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
      handler(request, reply, body)
    })
  }
  const requests: Receiver['requests'] = []
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  const port = await listen(t, server)
  const result: Receiver = {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    connections: 0,
  }
  server.on('connection', () => result.connections++)
  return result
}

/** A receiver that streams: the handler reads the request itself. */
export async function rawReceiver(t: TestContext, listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer(listener))}`
}

/** Speaks whatever `talk` says. */
export async function tcpReceiver(t: TestContext, talk: (socket: Socket) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    talk(socket)
  })
  const sockets = new Set<Socket>()
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  return `http://127.0.0.1:${await listen(t, server)}`
}

function listen(t: TestContext, server: Server | TcpServer): Promise<number> {
  t.after(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createTcpServer()
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A key and a certificate for `subject` that nobody trusts. */
export function certificate(
  t: TestContext,
  subject: { name: string; from?: string; to?: string },
): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string) => join(folder, name)
  writeFileSync(file('openssl.cnf'), '[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=test\n')
  const time =
    subject.from === undefined ? ['-days', '2'] : ['-not_before', subject.from, '-not_after', subject.to!]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-config', file('openssl.cnf'), '-addext', `subjectAltName=${subject.name}`],
      ...['-keyout', file('key.pem'), '-out', file('cert.pem'), ...time],
    ],
    { stdio: 'ignore' },
  )
  return { key: readFileSync(file('key.pem'), 'utf8'), cert: readFileSync(file('cert.pem'), 'utf8') }
}

export function dispatchers(t: TestContext, setting: Partial<DispatcherSetting> = {}): Dispatchers {
  const made = createDispatchers({ connections: 128, environment: {}, ...setting })
  t.after(() => made.destroy())
  return made
}

export function testWorld(t: TestContext, rest: Partial<World> = {}): World {
  const shared = dispatchers(t)
  return {
    clock: realClock,
    newId: () => 'id',
    random: () => 0,
    dispatcherFor: (tls, proxy) => shared.dispatcherFor(tls, proxy),
    ...rest,
  }
}

/** A run that can be called off. */
export class TestRun implements Context {
  readonly run = {
    id: 'run-1',
    flow: 'test',
    correlationId: 'run-1',
    attempt: 1,
    startedAt: 0,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  }
  readonly trigger = { kind: 'manual', data: {} }
  readonly parameters: Context['parameters']
  readonly step = 'http'
  readonly item = undefined
  readonly index = undefined
  readonly error = undefined
  deadline = Infinity
  cancelled: Failure | undefined
  readonly notes: string[] = []
  private readonly actions = new Set<(reason: Failure) => void>()

  constructor(parameters: Context['parameters'] = {}) {
    this.parameters = parameters
  }

  get listeners(): number {
    return this.actions.size
  }

  cancel(reason = new Failure('flow.cancelled', 'called off')): void {
    this.cancelled = reason
    for (const action of this.actions) action(reason)
  }

  onCancel(action: (reason: Failure) => void): () => void {
    if (this.cancelled) action(this.cancelled)
    else this.actions.add(action)
    return () => this.actions.delete(action)
  }

  used(credential: string | undefined, host: string): void {
    this.notes.push(`${credential ?? '-'} ${host}`)
  }

  signal(): AbortSignal {
    return new AbortController().signal
  }

  log(): void {}
  attach(): void {}
  progress(): void {}

  branch(): Branching {
    return { fork: () => this, cancel: () => {}, end: () => {} }
  }

  fork(): Context {
    return this
  }
}

export type SendOne = (
  request: Partial<OutgoingRequest> & { url: string },
  credential?: CredentialReference,
  context?: Context,
) => Promise<ReceiverAnswer>

/** Sends requests of steps: a GET that follows nothing, where a test does not say otherwise. */
export function sender(t: TestContext, world = testWorld(t)): SendOne {
  const send = createSend(world, { userAgent: 'sluice/test' })
  return (request, credential, context = new TestRun()) =>
    send(
      {
        method: 'GET',
        headers: ['accept', '*/*'],
        body: null,
        followRedirects: 0,
        maxResponse: Infinity,
        ...request,
      },
      credential,
      context,
    )
}

/** Sends a request with what matters in a test. */
export function fetchFrom(
  t: TestContext,
  origin: string,
  request: Partial<Exchange> = {},
  setting: { dispatchers?: Dispatchers; world?: World } = {},
): Promise<Answer> {
  const shared = setting.dispatchers ?? dispatchers(t)
  return exchange(shared.dispatcherFor(), setting.world?.clock ?? realClock, {
    origin,
    path: '/',
    method: 'GET',
    headers: [],
    body: null,
    until: new TestRun(),
    collect: 64 * 1024,
    limit: Infinity,
    ...request,
  })
}

/** An answer that arrived in memory, as text. */
export function collected({ body }: Answer): string {
  if (Buffer.isBuffer(body)) return body.toString()
  throw new Error('the answer is a stream')
}

export async function textOf(body: Buffer | Readable): Promise<string> {
  if (Buffer.isBuffer(body)) return body.toString()
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** The failure that a promise is rejected with. */
export async function failureOf(failing: Promise<unknown> | (() => unknown)): Promise<Failure> {
  try {
    await (typeof failing === 'function' ? failing() : failing)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** A bearer grant that counts how often it was refused. */
export class TestGrant implements Grant {
  readonly headers: readonly string[]
  readonly query: string
  readonly refusedBy: readonly number[]
  declare readonly refuses?: NonNullable<Grant['refuses']>
  rejections = 0
  readonly renewable: boolean

  constructor(
    token: string,
    rest: {
      query?: string
      refusedBy?: number[]
      refuses?: Grant['refuses']
      renewable?: boolean
      headers?: string[]
    } = {},
  ) {
    this.headers = rest.headers ?? ['authorization', `Bearer ${token}`]
    this.query = rest.query ?? ''
    this.refusedBy = rest.refusedBy ?? [401]
    if (rest.refuses) this.refuses = rest.refuses
    this.renewable = rest.renewable ?? true
  }

  reject(): boolean {
    this.rejections++
    return this.renewable
  }

  describe(): string {
    return 'a token was obtained 3 s ago with scope im.read'
  }
}

/** A credential that gives these grants, one after the other, and then the last one again and again. */
export function testCredential(
  origin: string,
  grants: readonly Grant[],
  rest: Partial<Credential> & { async?: boolean } = {},
): CredentialReference & { authorized: number } {
  const { async: isAsync = false, ...own } = rest
  const { host, href } = new URL(origin)
  const reference = { name: 'shop_api', authorized: 0, current: () => credential }
  const credential: Credential = {
    name: 'shop_api',
    type: 'oauth2',
    baseUrl: new URL(href),
    hosts: [host],
    allows: (url) => url.host === host,
    apiHeaders: [],
    apiQuery: '',
    dispatcher: undefined,
    authorizer: {
      authorize() {
        const grant = grants[Math.min(reference.authorized++, grants.length - 1)]!
        return isAsync ? Promise.resolve(grant) : grant
      },
      state: () => ({ status: 'ready', details: {} }),
    },
    ...own,
  }
  return reference
}
