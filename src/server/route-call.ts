import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished, type Readable } from 'node:stream'
import type { Failure } from '../core/failure.ts'
import type { Denial, Logger, RouteRequest } from '../core/services.ts'
import { readLeftover } from './leftover.ts'
import { failureReply, problemReply, type ProblemReply } from './problem-json.ts'

/** Bytes of a request body that are read and thrown away so that the connection can be used again. */
const DRAIN = 1024 * 1024
/** ms that a caller has to notice the answer while it still sends. */
const LINGER = 1000
/** Bytes up to which a body goes out in one write with its headers: Node joins them where the body is a text. */
const ONE_WRITE = 16 * 1024
/** Takes live secrets out of a text. */
export type Redact = (text: string) => string

/** What all requests share. */
export interface CallGround {
  readonly log: Logger
  readonly redact: Redact
  /** Where a request comes from. */
  readonly addressOf: (raw: IncomingMessage) => string
  /** ms without a byte taken, after which a slow reader is given up. */
  readonly patience: number
  /** ms that the rest of a body which nobody wants may take; 30 s where left out. */
  readonly leftoverTime?: number
}

/** One request on its way to a flow, and the answer to it. */
export class RouteCall implements RouteRequest {
  readonly raw: IncomingMessage
  readonly reply: ServerResponse
  readonly params: Readonly<Record<string, string>>
  readonly query: string
  readonly path: string
  private readonly ground: CallGround
  /** What every answer has beside its own headers; flat. */
  extra: readonly string[] | undefined
  private asked = false

  constructor(
    raw: IncomingMessage,
    reply: ServerResponse,
    params: Readonly<Record<string, string>>,
    query: string,
    path: string,
    ground: CallGround,
  ) {
    this.raw = raw
    this.reply = reply
    this.params = params
    this.query = query
    this.path = path
    this.ground = ground
    this.extra = undefined
  }

  get address(): string {
    return this.ground.addressOf(this.raw)
  }

  proceed(): void {
    if (this.raw.headers.expect === undefined || this.asked || this.reply.headersSent) return
    this.asked = true
    this.reply.writeContinue()
  }

  refuse(failure: Failure, run?: string): void {
    this.problem(failureReply(failure, this.ground.redact, run), run)
  }

  deny({ status, code, title, headers, id }: Denial): void {
    this.problem(problemReply(status, title, { code, id }, headers))
  }

  problem({ status, headers, body }: ProblemReply, run?: string): void {
    if (run !== undefined) headers.push('sluice-run', run)
    this.answer(status, headers, body)
  }

  answer(status: number, headers: string[], body: Buffer | Readable, length?: number): void {
    const { raw, reply } = this
    if (reply.destroyed) {
      if (!Buffer.isBuffer(body)) body.destroy()
      return
    }
    if (this.extra) headers = [...withoutCors(headers), ...this.extra]
    const close = !raw.complete && (status === 408 || this.bodyIsLong())
    if (close) headers.push('connection', 'close')
    const size = Buffer.isBuffer(body) ? body.length : length
    if (size !== undefined && status !== 204 && status !== 304) headers.push('content-length', String(size))
    reply.writeHead(status, headers)
    if (!Buffer.isBuffer(body)) this.stream(body, close)
    else if (close) this.linger(body)
    else {
      if (body.length <= ONE_WRITE) reply.end(body.toString('latin1'), 'latin1')
      else reply.end(body)
      if (reply.socket !== null && reply.socket.writableLength > 0) this.giveUpReader()
      readLeftover(raw, this.ground.leftoverTime)
    }
  }

  /** Whether so much of the body is still to come that closing the connection is cheaper than reading it. */
  private bodyIsLong(): boolean {
    const { headers } = this.raw
    if (headers['transfer-encoding'] !== undefined) return true
    const length = headers['content-length']
    if (length === undefined || length === '0') return false
    return Number(length) > DRAIN || (headers.expect !== undefined && !this.asked)
  }

  /** Reads on for a moment after the answer: a connection closed under a caller that still sends would take the answer with it. */
  private linger(body: Buffer): void {
    const { raw, reply } = this
    reply.flushHeaders()
    if (body.length > 0) reply.write(body)
    const end = () => {
      clearTimeout(timer)
      reply.end()
    }
    const timer = setTimeout(end, LINGER)
    raw.once('end', end).once('close', end)
    raw.resume()
  }

  /** Ends a reply that nobody reads on; one that waits for its source goes on. */
  private giveUpReader(): void {
    const { reply } = this
    reply.setTimeout(this.ground.patience, () => {
      if (reply.writableNeedDrain || (reply.writableEnded && !reply.writableFinished)) reply.destroy()
    })
  }

  private stream(source: Readable, close: boolean): void {
    const { raw, reply } = this
    if (raw.method === 'HEAD' || reply.statusCode === 204 || reply.statusCode === 304) {
      source.destroy()
      reply.end()
      return
    }
    this.giveUpReader()
    const forget = finished(reply, { readable: false }, (error) => {
      if (error) source.destroy()
    })
    source.on('error', (error) => {
      forget()
      this.ground.log.warn({ err: error, path: this.path }, 'the reply broke off: its source failed')
      reply.destroy()
    })
    source.pipe(reply, { end: false })
    source.once('end', () => {
      if (close && !raw.complete) this.linger(Buffer.alloc(0))
      else {
        reply.end()
        readLeftover(raw, this.ground.leftoverTime)
      }
    })
  }
}

/** What a flow says of CORS itself gives way to what the endpoint says. */
function withoutCors(headers: readonly string[]): string[] {
  return headers.filter(
    (_, index) => !headers[index - (index % 2)]!.toLowerCase().startsWith('access-control-'),
  )
}
