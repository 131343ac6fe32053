import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { Agent, Dispatcher } from 'undici'
import { Failure } from '../../src/core/failure.ts'
import type { TlsMaterial } from '../../src/core/world.ts'
import { createSend } from '../../src/net/send.ts'
import { TestRun } from '../net/fixture.ts'
import { TestLog } from './credentials.ts'
import { projectWith } from './files.ts'
import { setUpMaterial } from './material.ts'
import { checkProofs, withoutProofs, type ProviderKeys, type Seen } from './provider-proofs.ts'
import type { CannedAnswer, ProviderFixture, WantedOutcome, WantedRequest } from './providers.ts'

/** Of the connection, not of the service. */
const PLAIN = ['host', 'connection', 'content-length', 'accept-encoding', 'traceparent', 'x-went-to']
/** What is sent to everyone, unless the credential says otherwise. */
const USUAL: Readonly<Record<string, readonly string[]>> = {
  accept: ['application/json', '*/*'],
  'user-agent': ['sluice', 'sluice/test'],
}
const SECOND = 1000

/** Sends every request to one server of this machine, and tells it where it was meant for. */
class Diverted extends Dispatcher {
  private readonly agent: Agent
  private readonly to: string

  /** @param tls of the credential; the server is that of the test */
  constructor(to: string, { certificate, key }: TlsMaterial = {}) {
    super()
    this.to = to
    const shown = { ...(certificate && { cert: certificate }), ...(key && { key }) }
    this.agent = new Agent({ connect: { ...shown, rejectUnauthorized: false } })
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const headers = [...(options.headers as string[]), 'x-went-to', String(options.origin)]
    return this.agent.dispatch({ ...options, origin: this.to, headers }, handler)
  }

  override destroy(): Promise<void> {
    return this.agent.destroy()
  }
}

/** One call of a flow with the credential of a fixture: the token request, the call, what comes of it. */
export async function checkProvider(
  t: TestContext,
  fixture: ProviderFixture,
  keys: ProviderKeys,
): Promise<void> {
  const { outcome, before = [], environment = {} } = fixture
  const log = new TestLog()
  const standIn = await startStandIn(t, fixture, keys)
  const divert = (tls?: TlsMaterial) => {
    const dispatcher = new Diverted(standIn.origin, tls)
    t.after(() => dispatcher.destroy())
    return dispatcher
  }
  const plain = divert()
  const made = setUpMaterial(
    t,
    {
      log,
      environment,
      projectFolder: projectWith(t, keys.files),
    },
    (tls) => (tls ? divert(tls) : plain),
  )
  const files = Object.entries({ ...fixture.others, [fixture.name]: fixture.credential })
  const found = made.material.load(files.map(([name, text]) => made.file(text, name)))
  // The clock of the test stands still, and its certificate is of today.
  const problems = found.filter(
    ({ code, severity }) => code !== 'credential/certificate' || severity === 'error',
  )
  assert.deepEqual(problems, [], 'problems of the credential')

  const reference = made.material.reference(fixture.name)
  const send = createSend(made.world, { userAgent: 'sluice/test' })
  const url = fixture.call?.url ?? new URL('things', reference.current().baseUrl).href
  const call = () =>
    send(
      {
        url,
        method: 'GET',
        headers: ['accept', '*/*'],
        body: null,
        followRedirects: 0,
        maxResponse: Infinity,
        ...(fixture.call?.tenant !== undefined && { tenant: fixture.call.tenant }),
      },
      reference,
      new TestRun(),
    )
  const told = await call().then(
    () => undefined,
    (thrown: unknown) => Failure.from(thrown),
  )
  checkFailure(told, outcome)
  const { seen } = standIn
  for (const [index, { request }] of before.entries()) checkRequest(seen[index], request)
  const rest = seen.slice(before.length)
  checkAsked(rest, fixture)
  if (fixture.request) {
    checkRequest(rest[0], fixture.request)
    await checkProofs(rest[0]!, fixture, keys)
  } else if (fixture.jwt) await checkProofs(rest.at(-1)!, fixture, keys)
  if (outcome.headers || outcome.line !== undefined) {
    const last = rest.at(-1)!
    assert.equal(last.line, outcome.line ?? `GET ${url}`)
    assert.deepEqual(headersOf(last), expected(outcome.headers ?? {}))
    assert.equal(last.certificate, outcome.certificate, 'certificate of the call')
  }
  if (outcome.lifetime !== undefined) {
    const { token } = reference.current().authorizer.state()
    assert.equal(token?.expiresIn, outcome.lifetime * SECOND, 'lifetime')
  }
  const lines = JSON.stringify([log.lines, told, told?.message, told?.hint])
  for (const [name, secret] of Object.entries(environment))
    assert.ok(!lines.includes(secret), `${name} was told`)
  if (outcome.log !== undefined)
    assert.ok(lines.includes(outcome.log), `the log does not say: ${outcome.log}`)
  if (fixture.renewal) {
    await made.clock.advance(outcome.lifetime! * SECOND)
    await call()
    assert.equal(seen.at(-2)!.body, fixture.renewal.body)
  }
}

function checkFailure(told: Failure | undefined, outcome: WantedOutcome): void {
  const { failure, message = '', hint = '' } = outcome
  assert.equal(told?.code, failure, told?.message ?? '')
  if (!told) return
  assert.ok(told.message.includes(message), `${told.message}\nhas no\n${message}`)
  assert.ok((told.hint ?? '').includes(hint), `${told.hint}\nhas no\n${hint}`)
}

function checkAsked(seen: readonly Seen[], { request, outcome }: ProviderFixture): void {
  const usual = [...(request ? ['token'] : []), ...(outcome.failure === undefined ? ['api'] : [])]
  const asked = seen.map(({ line }) => (line === request?.line ? 'token' : 'api'))
  assert.deepEqual(asked, outcome.asked ?? usual, seen.map(({ line }) => line).join('\n'))
}

function checkRequest(seen: Seen | undefined, wanted: WantedRequest): void {
  assert.ok(seen, 'no request came')
  assert.equal(seen.line, wanted.line)
  assert.equal(withoutProofs(seen.body), wanted.body ?? '')
  assert.deepEqual(headersOf(seen), expected(wanted.headers ?? {}))
  assert.equal(seen.certificate, wanted.certificate, 'certificate of the token request')
}

function headersOf({ headers }: Seen): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => !PLAIN.includes(name) && !USUAL[name]?.includes(value))
      .map(([name, value]) => [name, withoutProofs(value)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** Names in lower case, what stands in braces in base64. */
function expected(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .map(
        ([name, value]) =>
          [
            name.toLowerCase(),
            value.replace(/\{(.*)\}/, (_, text: string) => Buffer.from(text).toString('base64')),
          ] as const,
      )
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The token service and the API at once; by TLS where certificates are shown. */
async function startStandIn(t: TestContext, fixture: ProviderFixture, { tls }: ProviderKeys) {
  const seen: Seen[] = []
  let calls = 0
  let tokens = 0
  const answerTo = (line: string): CannedAnswer => {
    const first = fixture.before?.find(({ request }) => request.line === line)
    if (first) return first.answer
    if (line === fixture.request?.line) return (tokens++ > 0 && fixture.next) || (fixture.answer ?? {})
    const { api = [{}] } = fixture
    return api[Math.min(calls++, api.length - 1)]!
  }
  const listener: RequestListener = (request, reply) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const headers = request.headers as Record<string, string>
      const line = `${request.method} ${headers['x-went-to']}${request.url}`
      const certificate = shownBy(request.socket)
      seen.push({
        line,
        headers,
        body: Buffer.concat(chunks).toString(),
        ...(certificate && { certificate }),
      })
      const { status = 200, headers: more, body } = answerTo(line)
      reply.sendDate = false
      const plain = body === undefined || typeof body === 'string'
      reply.writeHead(status, { ...(!plain && { 'content-type': 'application/json' }), ...more })
      reply.end(plain ? body : JSON.stringify(body))
    })
  }
  const isSecret = /^tls:/m.test(fixture.credential)
  const server = isSecret
    ? createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, listener)
    : createServer(listener)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http${isSecret ? 's' : ''}://127.0.0.1:${port}`, seen }
}

/** `CN=sluice` of the client's certificate; undefined where it showed none. */
function shownBy(socket: Socket): string | undefined {
  const { subject } = (socket as Partial<TLSSocket>).getPeerCertificate?.() ?? {}
  return subject?.CN === undefined ? undefined : `CN=${String(subject.CN)}`
}
