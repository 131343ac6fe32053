import { pipeline, type Readable, type Transform } from 'node:stream'
import { Body } from '../core/body.ts'
import { Failure } from '../core/failure.ts'
import type { ReceiverAnswer } from '../core/http.ts'
import { AnswerStream, letGo, type Source } from './answer-stream.ts'
import { decodersFor, ENCODINGS, encodingsIn } from './content-encoding.ts'

/** Decoded bytes from which on an answer without a limit must not be many times what came. */
const FREE = 64 * 1024 * 1024
/** So many times; a document of ordinary data is compressed to a twentieth, hardly to less. */
const MOST_TIMES = 200
/** The first byte that a decoder of `deflate` behind another one is made for. */
const ZLIB = 0x78
/** What the names of encodings look like; anything else is not told. */
const NAMES = /^[a-z0-9-]{1,10}(, *[a-z0-9-]{1,10})*$/i
/** They tell of the body as it came, not of the one that the flow has. */
const OF_ENCODED: ReadonlySet<string> = new Set(['content-encoding', 'content-length'])

export interface DecodeSetting {
  /** Decoded bytes up to which the answer arrives in memory. */
  readonly collect: number
  /** Decoded bytes; an answer beyond fails. `Infinity`: it must only not be many times what came. */
  readonly limit: number
}

/** Whether the body has to be decoded before somebody looks at it. */
export function isEncoded({ headers, body }: ReceiverAnswer): boolean {
  const encoding = headers['content-encoding']
  return encoding !== undefined && !body.isEmpty && encodingsIn(encoding).length > 0
}

/**
 * The answer with its body as it was before the receiver compressed it: in memory when it is small, else a stream
 * with back-pressure.
 * @throws Failure `receiver.broken`, `receiver.too-large`; a stream fails with them
 */
export function decodedAnswer(answer: ReceiverAnswer, setting: DecodeSetting): Promise<ReceiverAnswer> {
  const encoding = answer.headers['content-encoding']!
  const decoders = decodersFor(encodingsIn(encoding))
  const { host } = new URL(answer.url)
  if (decoders === undefined) {
    letGo(answer.body)
    return Promise.reject(unknownEncoding(encoding, answer.status, host))
  }
  return new Promise((resolve, reject) => {
    const done = (body: Body) => resolve({ ...answer, headers: withoutEncoding(answer), body })
    new Decoding(answer, host, decoders, setting, done, reject).start()
  })
}

/** Takes the encodings off one body. */
class Decoding implements Source {
  private readonly answer: ReceiverAnswer
  private readonly host: string
  private readonly decoders: NonNullable<ReturnType<typeof decodersFor>>
  private readonly setting: DecodeSetting
  private readonly resolve: (body: Body) => void
  private readonly reject: (failure: Failure) => void
  /** The answer as it comes, where it is a stream. */
  private raw: Readable | undefined
  private chain: Transform[] | undefined
  private came = 0
  private size = 0
  private chunks: Buffer[] = []
  private stream: AnswerStream | undefined
  private over = false

  constructor(
    answer: ReceiverAnswer,
    host: string,
    decoders: Decoding['decoders'],
    setting: DecodeSetting,
    resolve: (body: Body) => void,
    reject: (failure: Failure) => void,
  ) {
    this.answer = answer
    this.host = host
    this.decoders = decoders
    this.setting = setting
    this.resolve = resolve
    this.reject = reject
  }

  start(): void {
    const { body } = this.answer
    if (!body.isStream) {
      this.feed(body.bytes())
      this.chain![0]!.end()
      return
    }
    const raw = body.take()
    this.raw = raw
    raw.on('data', (chunk: Buffer) => this.feed(chunk))
    raw.on('end', () => this.chain?.[0]!.end())
    raw.on('error', (error) => this.fail(error))
    if (raw.errored) this.fail(raw.errored)
  }

  private feed(chunk: Buffer): void {
    if (this.over) return
    this.came += chunk.length
    this.chain ??= this.open(chunk[0]!)
    if (!this.chain[0]!.write(chunk)) this.raw?.pause()
  }

  /** The decoders, one behind the other. */
  private open(firstByte: number): Transform[] {
    const chain = this.decoders.map((make, i) => make(i === 0 ? firstByte : ZLIB))
    const first = chain[0]!
    const last = chain.at(-1)!
    first.on('drain', () => this.raw?.resume())
    if (chain.length > 1) pipeline(chain as [Transform, Transform], (error) => error && this.broken())
    else first.on('error', () => this.broken())
    last.on('data', (chunk: Buffer) => this.take(chunk))
    last.on('end', () => this.finish())
    return chain
  }

  private take(chunk: Buffer): void {
    if (this.over) return
    this.size += chunk.length
    const { limit, collect } = this.setting
    if (this.size > limit) return this.fail(tooLarge(this.answer.status, this.host, limit))
    if (limit === Infinity && this.size > Math.max(FREE, this.came * MOST_TIMES))
      return this.fail(tooManyTimes(this.answer.status, this.host))
    if (this.stream) {
      if (!this.stream.push(chunk)) this.chain!.at(-1)!.pause()
      return
    }
    this.chunks.push(chunk)
    if (this.size > collect) this.handOver()
  }

  /** From here on the answer is a stream. */
  private handOver(): void {
    const stream = new AnswerStream(this)
    this.stream = stream
    for (const chunk of this.chunks) if (!stream.push(chunk)) this.chain!.at(-1)!.pause()
    this.chunks = []
    this.resolve(Body.ofStream(stream, this.answer.body.contentType).answeredBy(this.host))
  }

  private finish(): void {
    if (this.over) return
    this.end()
    if (this.stream) this.stream.push(null)
    else {
      const bytes = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.size)
      this.resolve(Body.ofBytes(bytes, this.answer.body.contentType).answeredBy(this.host))
    }
  }

  resume(): void {
    if (!this.over) this.chain?.at(-1)!.resume()
  }

  abandon(): void {
    this.end()
  }

  private broken(): void {
    this.fail(brokenEncoding(this.answer, this.host))
  }

  private fail(thrown: Error): void {
    if (this.over) return
    this.end()
    const failure = Failure.from(thrown)
    if (this.stream) this.stream.destroy(failure)
    else this.reject(failure)
  }

  /** Nothing more is read or decoded; what the receiver still sends is not waited for. */
  private end(): void {
    if (this.over) return
    this.over = true
    this.raw?.destroy()
    for (const decoder of this.chain ?? []) decoder.destroy()
  }
}

function withoutEncoding({ headers }: ReceiverAnswer): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_ENCODED.has(name)))
}

function unknownEncoding(encoding: string, status: number, host: string): Failure {
  return new Failure(
    'receiver.broken',
    `"${host}" answered in ${encodingName(encoding)}, which is not known`,
    {
      receiver: { status, host },
      hint: `Known are ${ENCODINGS.join(', ')}. Ask the operator of the receiver, or of what stands between.`,
    },
  )
}

function encodingName(encoding: string): string {
  return NAMES.test(encoding) ? `the encoding "${encoding}"` : 'an encoding'
}

function brokenEncoding({ status, headers }: ReceiverAnswer, host: string): Failure {
  const encoding = encodingName(headers['content-encoding']!)
  return new Failure(
    'receiver.broken',
    `the answer of "${host}" is not what ${encoding} says, or ends too early`,
    {
      receiver: { status, host },
      hint: 'Ask for it as it is: `headers: { accept-encoding: identity }`; and tell the operator of the receiver.',
    },
  )
}

function tooLarge(status: number, host: string, limit: number): Failure {
  return new Failure(
    'receiver.too-large',
    `the answer of "${host}", decoded, is larger than ${limit} bytes`,
    {
      receiver: { status, host },
      hint: 'Ask for less at once, or raise the limit (`maxResponse` of the step).',
    },
  )
}

function tooManyTimes(status: number, host: string): Failure {
  return new Failure(
    'receiver.too-large',
    `the answer of "${host}", decoded, is more than ${MOST_TIMES} times as large as what came`,
    {
      receiver: { status, host },
      hint: 'No ordinary document is compressed like this. If it is meant, say how large it may be: `maxResponse` of the step.',
    },
  )
}
