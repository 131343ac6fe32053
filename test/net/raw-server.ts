import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'

/** What a receiver does with one request: bytes to send (Latin-1), or the steps of a conversation. */
export type Script = string | Buffer | ((peer: Peer) => void | Promise<void>)

/** One request that a raw server has got the head of, and the means to answer it as badly as a test wants. */
export class Peer {
  readonly method: string
  readonly path: string
  private readonly socket: Socket

  constructor(socket: Socket, head: string) {
    const [method, path] = head.split(' ', 2) as [string, string]
    this.method = method
    this.path = path
    this.socket = socket
  }

  get gone(): boolean {
    return this.socket.destroyed
  }

  /** Resolves when the other side has ended the connection. */
  readonly whenGone = (): Promise<void> =>
    this.gone ? Promise.resolve() : new Promise((resolve) => this.socket.once('close', () => resolve()))

  /** Resolves when the kernel has the bytes, or the connection is gone. */
  send(bytes: string | Buffer): Promise<void> {
    const { socket } = this
    if (socket.destroyed) return Promise.resolve()
    return new Promise((resolve) =>
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => resolve()),
    )
  }

  /** Sends byte after byte, each in a packet of its own. */
  async trickle(bytes: string): Promise<void> {
    this.socket.setNoDelay(true)
    for (const byte of bytes) {
      await this.send(byte)
      await turn()
    }
  }

  /** Sends the same so often, until the other side has had enough; then it says nothing more. */
  async repeat(bytes: string | Buffer, times = Infinity): Promise<void> {
    for (let i = 0; i < times && !this.gone; i++) {
      await this.send(bytes)
      await turn()
    }
    await this.whenGone()
  }

  end(): void {
    this.socket.end()
  }

  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
}

export interface RawServer {
  readonly origin: string
  readonly host: string
  /** `GET /path` of every request whose head came. */
  readonly requests: string[]
  /** Connections ever made. */
  readonly connections: number
  readonly open: number
  /** Resolves when `count` connections are open, and no more. */
  hasOpen(count: number): Promise<void>
  close(): Promise<void>
}

/** Speaks HTTP as well or badly as the scripts say: `script` is asked with each request's path. */
export async function rawServer(t: TestContext, script: (path: string) => Script): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  const waiting = new Set<() => void>()
  let connections = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(socket)
        for (const look of waiting) look()
      })
    readRequests(socket, (peer) => {
      requests.push(`${peer.method} ${peer.path}`)
      const told = script(peer.path)
      void (typeof told === 'function' ? told(peer) : peer.send(told))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((done) => server.close(() => done()))
  }
  t.after(close)
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin: `http://${host}`,
    host,
    requests,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    hasOpen: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (sockets.size !== count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    close,
  }
}

/** Calls `take` with the head of each request; bodies, of known length, are read and thrown away. */
function readRequests(socket: Socket, take: (peer: Peer) => void): void {
  let text = ''
  let skip = 0
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    for (;;) {
      const skipped = Math.min(skip, text.length)
      text = text.slice(skipped)
      skip -= skipped
      const end = text.indexOf('\r\n\r\n')
      if (skip > 0 || end === -1) return
      const head = text.slice(0, end)
      text = text.slice(end + 4)
      skip = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
      take(new Peer(socket, head))
    }
  })
}
