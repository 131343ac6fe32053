// A large answer handed on to the caller: how fast, next to a pipe by hand.
import { connect } from 'node:net'
import { peakMemory, processorTime, startByHand, startReceiver, startSluice, type System } from './systems.ts'

const BYTES = 1024 ** 3
const WARM = BYTES / 8

export interface Streamed {
  /** MB a second. */
  readonly rate: number
  /** s of processor time. */
  readonly processor: number
}

export interface Streaming {
  readonly passes: readonly { readonly ours: Streamed; readonly byHand: Streamed }[]
  /** MB */
  readonly peak: number
  readonly peakByHand: number
}

/** 1 GB through each, interleaved. @throws Error when not every byte arrives */
export async function measureStreaming(rounds: number): Promise<Streaming> {
  const receiver = await startReceiver()
  const ours = await startSluice(receiver)
  const byHand = await startByHand(receiver)
  for (const system of [ours, byHand]) await download(system, WARM)
  const passes: { ours: Streamed; byHand: Streamed }[] = []
  for (let round = 0; round < rounds; round++) {
    const [a, b] = round % 2 === 0 ? [ours, byHand] : [byHand, ours]
    const first = await download(a, BYTES)
    const second = await download(b, BYTES)
    passes.push(a === ours ? { ours: first, byHand: second } : { ours: second, byHand: first })
  }
  const result = { passes, peak: peakMemory(ours.pid), peakByHand: peakMemory(byHand.pid) }
  await Promise.all([ours.stop(), byHand.stop()])
  await receiver.stop()
  return result
}

/** Over a bare socket into one buffer, so that the caller is not what limits it. */
async function download({ port, pid, name }: System, bytes: number): Promise<Streamed> {
  const processor = processorTime(pid)
  const started = performance.now()
  const got = await new Promise<number>((resolve, reject) => {
    let head = ''
    let size = 0
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.alloc(1024 * 1024),
        callback: (length, buffer) => {
          size += length
          if (head === '') head = Buffer.from(buffer.buffer, buffer.byteOffset, length).toString('latin1')
          return true
        },
      },
    })
    socket.on('error', reject)
    socket.on('close', () => {
      const end = head.indexOf('\r\n\r\n') + 4
      if (!head.startsWith('HTTP/1.1 200')) reject(new Error(`${name}: ${head.slice(0, 200)}`))
      else if (/\r\ntransfer-encoding: chunked/i.test(head.slice(0, end)))
        reject(new Error(`${name}: chunked`))
      else resolve(size - end)
    })
    socket.write(`GET /http/large/${bytes} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`)
  })
  if (got !== bytes) throw new Error(`${name} handed on ${got} of ${bytes} bytes`)
  const rate = bytes / 1024 ** 2 / ((performance.now() - started) / 1000)
  return { rate, processor: processorTime(pid) - processor }
}
