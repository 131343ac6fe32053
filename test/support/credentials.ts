import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { Agent } from 'undici'
import type { Cancellation } from '../../src/core/context.ts'
import type { Failure } from '../../src/core/failure.ts'
import type { Logger } from '../../src/core/services.ts'
import type { Clock, World } from '../../src/core/world.ts'

export interface Line {
  readonly level: string
  readonly text: string
  readonly fields: Record<string, unknown>
}

/** A log that keeps its lines and tells when one has come. */
export class TestLog implements Logger {
  readonly lines: Line[] = []
  private waiting: { text: string; count: number; done: () => void }[] = []

  debug = (fields: object, text: string) => this.add('debug', fields, text)
  info = (fields: object, text: string) => this.add('info', fields, text)
  warn = (fields: object, text: string) => this.add('warn', fields, text)
  error = (fields: object, text: string) => this.add('error', fields, text)

  count(text: string): number {
    return this.lines.filter((line) => line.text.includes(text)).length
  }

  /** Resolves once `count` lines with this text are there. */
  seen(text: string, count = 1): Promise<void> {
    return new Promise((done) => {
      this.waiting.push({ text, count, done })
      this.tell()
    })
  }

  private add(level: string, fields: object, text: string): void {
    this.lines.push({ level, text, fields: { ...fields } })
    this.tell()
  }

  private tell(): void {
    const met = this.waiting.filter(({ text, count }) => this.count(text) >= count)
    this.waiting = this.waiting.filter((one) => !met.includes(one))
    for (const { done } of met) done()
  }
}

/** A world with this clock, real sockets, and chance in the middle. */
export function testWorld(t: TestContext, clock: Clock, random = () => 0.5): World {
  const agent = new Agent()
  t.after(() => agent.destroy())
  let ids = 0
  return { clock, newId: () => `id-${++ids}`, random, dispatcherFor: () => agent }
}

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Said {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer | object
}

export interface TestService {
  readonly url: string
  readonly port: number
  readonly asked: Asked[]
  /** What is answered from now on; it may take its time. */
  answer: (asked: Asked, count: number) => Said | Promise<Said>
}

/** A token service on loopback that says what a test wants. */
export async function startService(t: TestContext, answer: TestService['answer']): Promise<TestService> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, headers } = request
      const asked = { method: method!, url: url!, headers, body: Buffer.concat(chunks).toString() }
      service.asked.push(asked)
      void Promise.resolve(service.answer(asked, service.asked.length)).then((said) => {
        const plain = typeof said.body === 'string' || said.body instanceof Buffer || said.body === undefined
        response.writeHead(said.status ?? 200, {
          ...(!plain && { 'content-type': 'application/json' }),
          ...said.headers,
        })
        response.end(plain ? said.body : JSON.stringify(said.body))
      })
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((done) => server.close(done))
  })
  const { port } = server.address() as AddressInfo
  const service: TestService = { url: `http://127.0.0.1:${port}/token`, port, asked: [], answer }
  return service
}

/** A caller that waits until the end, or until it is called off. */
export class TestCaller implements Cancellation {
  readonly deadline: number
  cancelled: Failure | undefined
  private readonly actions = new Set<(reason: Failure) => void>()

  constructor(deadline = Infinity) {
    this.deadline = deadline
  }

  onCancel(action: (reason: Failure) => void): () => void {
    this.actions.add(action)
    return () => this.actions.delete(action)
  }

  cancel(reason: Failure): void {
    this.cancelled = reason
    for (const action of this.actions) action(reason)
  }

  get listening(): number {
    return this.actions.size
  }
}
