import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Takes requests from now on; resolves to the URL.
 * @param setting what says the address
 * @param scheme of the URL
 * @throws Error with `code` `SLUICE_LISTEN`
 */
export async function listenOn(
  app: FastifyInstance,
  listen: Address,
  setting: string,
  scheme: 'http' | 'https' = 'http',
): Promise<string> {
  try {
    await app.listen({ host: listen.host, port: listen.port })
  } catch (error) {
    throw cannotListen(listen, setting, error as NodeJS.ErrnoException)
  }
  const { address, family, port } = app.server.address() as AddressInfo
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function cannotListen({ host, port }: Address, setting: string, error: NodeJS.ErrnoException): Error {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another program listens there; stop it, or choose another port',
    EACCES: 'this user may not listen there; ports below 1024 need a privilege: choose a higher one',
    EADDRNOTAVAIL: 'this machine does not have that address; 127.0.0.1 and 0.0.0.0 are always there',
    ENOTFOUND: 'the name of the host is not known',
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return Object.assign(
    new Error(`cannot listen on ${address} (setting "${setting}"): ${reason}`, { cause: error }),
    { code: 'SLUICE_LISTEN' },
  )
}
