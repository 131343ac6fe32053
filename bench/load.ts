import { connect, type Socket } from 'node:net'

export interface Work {
  readonly path: string
  readonly body: string
  /** Every reply must hold this text. */
  readonly expect: string
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Slice {
  readonly replies: number
  readonly failed: number
  /** From the first to the last. */
  readonly ms: number
  /** Replies a second. */
  readonly rate: number
  /** ms */
  readonly median: number
  readonly p99: number
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
/** ms that a series may take longer than its pace says. */
const PATIENCE = 60_000

interface Call {
  readonly bytes: Buffer
  readonly expect: string
  /** Not to be sent before (ms of `performance.now()`). */
  readonly due: number
}

function callOf(port: number, { path, body, expect, headers }: Work, due = 0): Call {
  const lines = Object.entries({ 'content-type': 'application/json', ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines}content-length: ${Buffer.byteLength(body)}\r\n\r\n`
  return { bytes: Buffer.from(head + body), expect, due }
}

/** One keep-alive connection that sends the next call when the reply to the last one is complete, until there is none. */
class Caller {
  private readonly socket: Socket
  private readonly next: () => Call | undefined
  private readonly done: (ok: boolean, ms: number) => void
  private expect = ''
  private received = Buffer.alloc(0)
  private sentAt = 0
  private readonly ended: () => void
  readonly end: Promise<void>

  constructor(port: number, next: () => Call | undefined, done: (ok: boolean, ms: number) => void) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.end = promise
    this.ended = resolve
    this.next = next
    this.done = done
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('connect', () => this.proceed())
    this.socket.on('data', (chunk: Buffer<ArrayBuffer>) => this.take(chunk))
    this.socket.on('error', () => this.finish())
    this.socket.on('close', () => this.ended())
  }

  private proceed(): void {
    const call = this.next()
    if (call === undefined) return this.finish()
    const wait = call.due === 0 ? 0 : call.due - performance.now()
    if (wait > 0) setTimeout(() => this.send(call), wait)
    else this.send(call)
  }

  private send(call: Call): void {
    this.expect = call.expect
    this.sentAt = performance.now()
    this.socket.write(call.bytes)
  }

  private take(chunk: Buffer<ArrayBuffer>): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk])
    const head = this.received.indexOf(END_OF_HEAD)
    if (head < 0) return
    const text = this.received.toString('latin1', 0, head)
    const length = /content-length: (\d+)/i.exec(text)
    const chunked = length === null && /transfer-encoding: chunked/i.test(text)
    const size = chunked ? this.received.indexOf('0\r\n\r\n', head) + 5 - head - 4 : Number(length?.[1] ?? 0)
    if ((chunked && size < 1) || this.received.length < head + 4 + size) return
    const ok = text.startsWith('HTTP/1.1 200') && this.received.includes(this.expect)
    this.received = this.received.subarray(head + 4 + size)
    this.done(ok, performance.now() - this.sentAt)
    this.proceed()
  }

  finish(): void {
    this.socket.destroy()
    this.ended()
  }
}

/** Sends for `ms` over `connections` at once. */
export async function load(port: number, work: Work, connections: number, ms: number): Promise<Slice> {
  const times: number[] = []
  let failed = 0
  const call = callOf(port, work)
  const started = performance.now()
  const until = started + ms
  const callers = Array.from(
    { length: connections },
    () =>
      new Caller(
        port,
        () => (performance.now() < until ? call : undefined),
        (ok, took) => {
          if (ok) times.push(took)
          else failed++
        },
      ),
  )
  await Promise.all(callers.map((caller) => caller.end))
  return measured(times, failed, performance.now() - started)
}

/** `count` callers at once, one request each. */
export async function herd(port: number, work: Work, count: number): Promise<Slice> {
  const times: number[] = []
  const call = callOf(port, work)
  const started = performance.now()
  const callers = Array.from({ length: count }, () => {
    const calls = [call]
    return new Caller(
      port,
      () => calls.pop(),
      (ok, took) => {
        if (ok) times.push(took)
      },
    )
  })
  await Promise.all(callers.map((caller) => caller.end))
  return measured(times, count - times.length, performance.now() - started)
}

/**
 * Sends `count` different calls over `connections`, no more than `pace` a second. `failed` are wrong replies, `lost`
 * are calls without a right one.
 */
export async function series(
  port: number,
  workOf: (id: number) => Work,
  count: number,
  connections: number,
  pace = Infinity,
): Promise<Slice & { readonly lost: number }> {
  const times: number[] = []
  let failed = 0
  let id = 0
  const gap = 1000 / pace
  const started = performance.now()
  const next = () => (id < count ? callOf(port, workOf(id), started + id++ * gap) : undefined)
  const callers = Array.from(
    { length: connections },
    () =>
      new Caller(port, next, (ok, took) => {
        if (ok) times.push(took)
        else failed++
      }),
  )
  const limit = setTimeout(() => callers.forEach((caller) => caller.finish()), count * gap + PATIENCE)
  await Promise.all(callers.map((caller) => caller.end))
  clearTimeout(limit)
  return { ...measured(times, failed, performance.now() - started), lost: count - times.length }
}

function measured(times: number[], failed: number, ms: number): Slice {
  times.sort((a, b) => a - b)
  return {
    replies: times.length,
    failed,
    ms,
    rate: (times.length / ms) * 1000,
    median: times[Math.floor(times.length / 2)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
  }
}
