import { connect, type Socket } from 'node:net'

export interface Work {
  readonly path: string
  readonly body: string
  /** Every reply must hold this text. */
  readonly expect: string
}

export interface Slice {
  readonly replies: number
  readonly failed: number
  /** Replies a second. */
  readonly rate: number
  /** ms */
  readonly median: number
  readonly p99: number
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')

/** One keep-alive connection that sends the next request when the reply to the last one is complete. */
class Caller {
  private readonly socket: Socket
  private readonly bytes: Buffer
  private readonly expect: string
  private readonly done: (ok: boolean, ms: number) => boolean
  private received = Buffer.alloc(0)
  private sentAt = 0
  private readonly ended: () => void
  readonly end: Promise<void>

  constructor(port: number, work: Work, done: (ok: boolean, ms: number) => boolean) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.end = promise
    this.ended = resolve
    this.expect = work.expect
    this.done = done
    this.bytes = Buffer.from(
      `POST ${work.path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(work.body)}\r\n\r\n${work.body}`,
    )
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('connect', () => this.send())
    this.socket.on('data', (chunk: Buffer<ArrayBuffer>) => this.take(chunk))
    this.socket.on('error', () => this.finish())
    this.socket.on('close', () => this.ended())
  }

  private send(): void {
    this.sentAt = performance.now()
    this.socket.write(this.bytes)
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
    if (this.done(ok, performance.now() - this.sentAt)) this.send()
    else this.finish()
  }

  private finish(): void {
    this.socket.destroy()
    this.ended()
  }
}

/** Sends for `ms` over `connections` at once. */
export async function load(port: number, work: Work, connections: number, ms: number): Promise<Slice> {
  const times: number[] = []
  let failed = 0
  const started = performance.now()
  const until = started + ms
  const callers = Array.from(
    { length: connections },
    () =>
      new Caller(port, work, (ok, took) => {
        if (ok) times.push(took)
        else failed++
        return performance.now() < until
      }),
  )
  await Promise.all(callers.map((caller) => caller.end))
  return measured(times, failed, performance.now() - started)
}

/** `count` callers at once, one request each. */
export async function herd(port: number, work: Work, count: number): Promise<Slice> {
  const times: number[] = []
  const started = performance.now()
  const callers = Array.from(
    { length: count },
    () =>
      new Caller(port, work, (ok, took) => {
        if (ok) times.push(took)
        return false
      }),
  )
  await Promise.all(callers.map((caller) => caller.end))
  return measured(times, count - times.length, performance.now() - started)
}

function measured(times: number[], failed: number, ms: number): Slice {
  times.sort((a, b) => a - b)
  return {
    replies: times.length,
    failed,
    rate: (times.length / ms) * 1000,
    median: times[Math.floor(times.length / 2)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
  }
}
