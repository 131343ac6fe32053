import type { Socket } from 'node:net'
import { buildConnector } from 'undici'

const ABANDONED = new Error('no longer waited for')

/** An error of the system, on a connection that was there. */
export interface LostConnection {
  readonly code: 'UND_ERR_SOCKET'
  /** `ECONNRESET` */
  readonly systemCode: string
  readonly socket: { readonly bytesRead: number }
}

/** Makes the connections of a pool. */
export interface Connector {
  readonly connect: buildConnector.connector
  /** Ends the attempts that are under way: undici leaves them to their time-outs. */
  abandon(): void
}

/**
 * Makes connections whose loss reads the same whatever the system calls it: as undici tells an end that comes too
 * early. Else undici takes a reset as the regular end of a body without a length, and fails requests that were not
 * sent yet when an unused connection is reset.
 */
export function createConnector(options: buildConnector.BuildOptions): Connector {
  const build = buildConnector(options) as (...given: Parameters<buildConnector.connector>) => Socket
  const connecting = new Set<Socket>()
  return {
    connect(to, callback) {
      const attempt = build(to, (...result) => {
        connecting.delete(attempt)
        const [, socket] = result
        socket?.on('error', (error) => markLoss(error, socket))
        callback(...result)
      })
      connecting.add(attempt)
    },
    abandon() {
      for (const socket of connecting) socket.destroy(ABANDONED)
    },
  }
}

function markLoss(error: NodeJS.ErrnoException, { bytesRead }: Socket): void {
  if (error.syscall === undefined) return
  const loss: LostConnection = {
    code: 'UND_ERR_SOCKET',
    systemCode: error.code ?? error.name,
    socket: { bytesRead },
  }
  Object.assign(error, loss)
}
