import { Failure } from '../core/failure.ts'
import type { LostConnection } from './connector.ts'
import { EgressDenied } from './egress.ts'
import { noTls } from './tls-failure.ts'

/** How far a request had come: `head` and `body` are those of the answer. */
export type Progress = 'connecting' | 'waiting' | 'head' | 'body'

const CERTIFICATES: Record<string, readonly [what: string, hint: string]> = {
  CERT_HAS_EXPIRED: ['has expired', 'Ask the operator of the receiver to renew its certificate.'],
  CERT_NOT_YET_VALID: [
    'is not valid yet',
    'Check the date of this machine, then ask the operator of the receiver.',
  ],
  CERT_REVOKED: ['was revoked', 'Ask the operator of the receiver for a new certificate.'],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'is self-signed',
    'Add it to the file of `http.ca` in sluice.yaml, if you trust it.',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'comes from an authority that is not known here',
    'Add the certificate of that authority to the file of `http.ca` in sluice.yaml, if you trust it.',
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'cannot be traced to a known authority',
    'Either the receiver does not send its intermediate certificates, or its authority is not known here: add it to the file of `http.ca` in sluice.yaml.',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'is for another name',
    'Check the host of the URL; the certificate must name it.',
  ],
}
CERTIFICATES['UNABLE_TO_GET_ISSUER_CERT'] = CERTIFICATES['SELF_SIGNED_CERT_IN_CHAIN']!
CERTIFICATES['UNABLE_TO_GET_ISSUER_CERT_LOCALLY'] = CERTIFICATES['SELF_SIGNED_CERT_IN_CHAIN']!

const CONNECTING: Record<string, readonly [what: (host: string) => string, hint: string]> = {
  ENOTFOUND: [
    (host) => `the host "${host}" is not known`,
    'Check its spelling, and the DNS of this machine.',
  ],
  EAI_AGAIN: [
    (host) => `the DNS of this machine did not answer for the host "${host}"`,
    'Check the network and the DNS of this machine.',
  ],
  ECONNREFUSED: [
    (host) => `"${host}" refused the connection`,
    'Nothing listens there: check the port, and whether the receiver runs.',
  ],
  EHOSTUNREACH: [
    (host) => `there is no way to "${host}"`,
    'Check the network, the firewall and the proxy settings.',
  ],
  ENETUNREACH: [
    (host) => `there is no way to "${host}"`,
    'Check the network, the firewall and the proxy settings.',
  ],
}

/**
 * What went wrong on the wire, as a failure that names the host and never quotes a header, a body or the request.
 * The original error is not kept as the cause: it may hold bytes of the answer.
 */
export function networkFailure(error: unknown, host: string, progress: Progress): Failure {
  if (error instanceof Failure) return error
  if (error instanceof EgressDenied) return error.failure(host)
  const plain = plainError(error)
  const { code, message, shown } = plain
  const receiver = { host }
  const certificate = CERTIFICATES[code]
  if (certificate)
    return new Failure('receiver.unreachable', `the certificate of "${host}" ${certificate[0]} (${code})`, {
      receiver,
      hint: certificate[1],
    })
  const connecting = CONNECTING[code]
  if (connecting)
    return new Failure('receiver.unreachable', `${connecting[0](host)} (${code})`, {
      receiver,
      hint: connecting[1],
    })
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return noConnection(host)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
    return new Failure('flow.stopped', 'the engine is shutting down; no more requests are sent', { receiver })
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH')
    return new Failure('body.cut-off', 'the body to be sent had another length than was said beforehand', {
      receiver,
    })
  const proxyStatus = /^Proxy response \((\d+)\)|^Proxy Authentication Required \((\d+)\)/.exec(message)
  if (proxyStatus || code.startsWith('UND_ERR_PRX'))
    return proxyRefused(host, proxyStatus?.[1] ?? proxyStatus?.[2])
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED')
    return new Failure('request.invalid', `the request to "${host}" cannot be sent: ${message}`, { receiver })
  if (/^ERR_SSL_|^EPROTO$/.test(code)) return noTls(host, code, message)
  if (progress === 'connecting')
    return new Failure('receiver.unreachable', `no connection to "${host}"${shown}`, {
      receiver,
      hint: 'Check the host and port, the network and the proxy settings.',
    })
  if (speaksTls(error)) return onlyTls(host)
  return progress !== 'waiting' || isParserError(code) || /^UND_ERR_(RES|HEADERS)/.test(code)
    ? brokenAnswer(host, plain, progress)
    : new Failure('receiver.unreachable', `"${host}" closed the connection without an answer${shown}`, {
        receiver,
        hint: 'The receiver may be overloaded or restarting, may want a client certificate (or another one than it was shown), or does not speak HTTP on this port (perhaps TLS: then the URL begins with "https:"). Whether it took the request is not known.',
      })
}

/** The request was ended without a reason: its body was destroyed. */
export function isAborted(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'UND_ERR_ABORTED'
}

/** The body that was being sent broke off at its source. */
export function cutOff(error: unknown): Failure {
  return error instanceof Failure
    ? error
    : new Failure('body.cut-off', 'the body that was being sent broke off before its end', {
        hint: 'Whoever sent it to the flow ended the connection.',
      })
}

interface PlainError {
  readonly code: string
  readonly message: string
  /** For people, at the end of a message. */
  readonly shown: string
}

function plainError(error: unknown): PlainError {
  const { code, name, message = '', errors, systemCode } = error as Partial<AggregateError & LostConnection>
  if (typeof code !== 'string' && errors !== undefined && errors.length > 0) return plainError(errors[0])
  const known = typeof code === 'string' ? code : (name ?? 'unknown')
  const shown = systemCode ?? (known === 'UND_ERR_SOCKET' ? undefined : known)
  return { code: known, message, shown: shown === undefined ? '' : ` (${shown})` }
}

function noConnection(host: string): Failure {
  return new Failure('receiver.timeout', `no connection to "${host}": it does not answer`, {
    receiver: { host },
    hint: 'Check the host and port, the firewall and the proxy settings.',
  })
}

function proxyRefused(host: string, status: string | undefined): Failure {
  return new Failure(
    'receiver.unreachable',
    `the proxy did not let the request to "${host}" through${status === undefined ? '' : ` (status ${status})`}`,
    {
      receiver: { host },
      hint:
        status === '407'
          ? 'The proxy wants a user name and password: http://user:password@proxy:port.'
          : 'Check `http.proxy` in sluice.yaml and the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY.',
    },
  )
}

/** The answer begins with a TLS record: an alert, or a handshake. @see https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
function speaksTls(error: unknown): boolean {
  const { data } = error as { data?: unknown }
  return typeof data === 'string' && /^[\x15\x16]\x03/.test(data)
}

function onlyTls(host: string): Failure {
  return new Failure('receiver.unreachable', `"${host}" speaks TLS on this port, not plain HTTP`, {
    receiver: { host },
    hint: 'Let the URL begin with "https:".',
  })
}

function isParserError(code: string): boolean {
  return code === 'HTTPParserError' || code.startsWith('HPE_')
}

const TRY_AGAIN =
  'Try again; if it stays, ask the operator of the receiver, or look at what stands between (a proxy, a load balancer).'

function brokenAnswer(host: string, plain: PlainError, progress: Progress): Failure {
  if (plain.message === 'bad response') return unasked(host, 100)
  if (plain.message === 'bad upgrade') return unasked(host, 101)
  return new Failure('receiver.broken', whatBroke(host, plain, progress), {
    receiver: { host },
    hint: TRY_AGAIN,
  })
}

function whatBroke(host: string, { code, message, shown }: PlainError, progress: Progress): string {
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return `the head of the answer of "${host}" is too large`
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return progress === 'head'
      ? `the head of the answer of "${host}" is no valid HTTP`
      : `the answer of "${host}" ended before its content-length`
  if (isParserError(code) && !/EOF/.test(message)) {
    const why = /\((.+)\)$/.exec(message)?.[1]
    return `the answer of "${host}" is no valid HTTP${why === undefined ? '' : ` (${why})`}`
  }
  return `"${host}" broke off in the middle of its answer${isParserError(code) ? '' : shown}`
}

/** An interim answer that only those get who ask for it. */
function unasked(host: string, status: 100 | 101): Failure {
  const [name, hint] = {
    100: [
      'Continue',
      'It is for requests with `expect: 100-continue` only: tell the operator of the receiver.',
    ],
    101: ['Switching Protocols', 'Check the URL: there seems to be a WebSocket or the like, not plain HTTP.'],
  }[status] as [string, string]
  return new Failure('receiver.broken', `"${host}" answered ${status} (${name}), which nobody asked for`, {
    receiver: { status, host },
    hint,
  })
}

/** An interim answer that ends the exchange. Undefined: the answer is still to come. */
export function interimFailure(status: number, host: string): Failure | undefined {
  if (status === 101) return unasked(host, 101)
  if (status >= 100) return undefined
  const text = String(status).padStart(3, '0')
  return new Failure('receiver.broken', `the answer of "${host}" is no valid HTTP (status ${text})`, {
    receiver: { host },
    hint: TRY_AGAIN,
  })
}

/** @param limit bytes */
export function tooLarge(host: string, status: number, limit: number): Failure {
  return new Failure('receiver.too-large', `the answer of "${host}" is larger than ${limit} bytes`, {
    receiver: { status, host },
    hint: 'Ask for less at once, or raise the limit (`maxResponse` of the step).',
  })
}
