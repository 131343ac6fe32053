import { constants, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { problemReply } from './problem-json.ts'
import { problemText } from './refusals.ts'

/** ms for a handshake. */
const HANDSHAKE_TIMEOUT = 30_000

/** What is shown to callers, and who may have issued their certificates. */
export interface TlsContent {
  /** PEM, then those that issued it. */
  readonly certificate?: string
  readonly key?: string
  readonly pkcs12?: Buffer
  readonly passphrase?: string
  /** PEM. */
  readonly clientCa?: string
}

/** Own TLS of the listeners. What it shows can be replaced while they serve; connections go on. */
export class OwnTls {
  /** Of every answer; undefined: browsers are not told. */
  readonly hsts: string | undefined
  readonly #servers = new Set<Server>()
  #content: TlsContent
  #asks = false

  /** @param hsts ms; 0: browsers are not told */
  constructor(content: TlsContent, hsts: number) {
    this.#content = content
    this.hsts = hsts === 0 ? undefined : `max-age=${Math.floor(hsts / 1000)}`
  }

  /** A server that speaks HTTP/1.1 over TLS. */
  createServer(
    options: ServerOptions,
    listener: (raw: IncomingMessage, reply: ServerResponse) => void,
  ): Server {
    const server = createServer(
      {
        ...options,
        ...contextOf(this.#content),
        requestCert: this.#asks,
        rejectUnauthorized: false,
        handshakeTimeout: HANDSHAKE_TIMEOUT,
      },
      listener,
    )
    server.prependListener('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code === 'ERR_SSL_HTTP_REQUEST') tellPlainHttp(socket)
    })
    this.#servers.add(server)
    server.once('close', () => this.#servers.delete(server))
    return server
  }

  /** From the next connection on. @throws Error where it cannot be used */
  replace(content: TlsContent): void {
    for (const server of this.#servers) server.setSecureContext(contextOf(content))
    this.#content = content
    this.#forgetSessions()
  }

  /** Whether callers are asked for a certificate, from the next connection on. */
  set asks(asks: boolean) {
    if (asks === this.#asks) return
    this.#asks = asks
    for (const server of this.#servers) Object.assign(server, { requestCert: asks })
    this.#forgetSessions()
  }

  /** A session that is taken up again has the certificate, or none, and the verdict of its first handshake. */
  #forgetSessions(): void {
    for (const server of this.#servers) server.setTicketKeys(randomBytes(48))
  }
}

/** Why it cannot be used, in the words of OpenSSL; undefined: it can. */
export function whyUnusable(content: TlsContent): string | undefined {
  try {
    createSecureContext(contextOf(content))
    return undefined
  } catch (error) {
    const { reason, message } = error as Error & { reason?: string }
    return reason ?? message
  }
}

function contextOf({ certificate, key, pkcs12, passphrase, clientCa }: TlsContent): SecureContextOptions {
  return {
    ...(pkcs12 ? { pfx: pkcs12 } : { cert: certificate!, key: key! }),
    ...(passphrase !== undefined && { passphrase }),
    ...(clientCa !== undefined && { ca: clientCa }),
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: 'sluice',
  }
}

/** Somebody speaks plain HTTP to a listener that wants TLS: it is told so, in plain HTTP. */
function tellPlainHttp(socket: TLSSocket): void {
  const plain = (socket as { _parent?: Socket })._parent
  if (!plain?.writable) return
  plain.end(problemText(problemReply(400, 'This address takes https only')))
}
