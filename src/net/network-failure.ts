import { Failure } from '../core/failure.ts'
import type { TimeLimit } from '../core/time-limit.ts'

/** How far a request had come. */
export type Progress = 'connecting' | 'waiting' | 'reading'

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
  const { code, message } = plainError(error)
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
    return new Failure('receiver.unreachable', `no connection to "${host}" (${code})`, {
      receiver,
      hint: 'Check the host and port, the network and the proxy settings.',
    })
  return progress === 'reading' || isParserError(code) || /^UND_ERR_(RES|HEADERS)/.test(code)
    ? brokenAnswer(host, code, message)
    : new Failure('receiver.unreachable', `"${host}" closed the connection without an answer (${code})`, {
        receiver,
        hint: 'The receiver may be overloaded or restarting, or does not speak HTTP on this port. Whether it took the request is not known.',
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

function plainError(error: unknown): { code: string; message: string } {
  const { code, name, message, errors } = error as Partial<AggregateError & { code: unknown }>
  if (typeof code !== 'string' && errors !== undefined && errors.length > 0) return plainError(errors[0])
  return { code: typeof code === 'string' ? code : (name ?? 'unknown'), message: message ?? '' }
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

function noTls(host: string, code: string, message: string): Failure {
  const plain = /wrong version number|packet length too long|http request/i.test(`${code} ${message}`)
  return new Failure('receiver.unreachable', `no TLS connection to "${host}" (${code})`, {
    receiver: { host },
    hint: plain
      ? 'The receiver does not speak TLS on this port: check the port, or whether the URL should begin with "http:".'
      : 'The receiver refused the TLS handshake; perhaps it wants a client certificate or another TLS version.',
  })
}

function isParserError(code: string): boolean {
  return code === 'HTTPParserError' || code.startsWith('HPE_')
}

function brokenAnswer(host: string, code: string, message: string): Failure {
  const what =
    code === 'UND_ERR_HEADERS_OVERFLOW'
      ? `the head of the answer of "${host}" is too large`
      : code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
        ? `the answer of "${host}" ended before its content-length`
        : isParserError(code) && !/EOF/.test(message)
          ? `the answer of "${host}" is no valid HTTP`
          : `"${host}" broke off in the middle of its answer`
  return new Failure('receiver.broken', `${what} (${code})`, {
    receiver: { host },
    hint: 'Try again; if it stays, ask the operator of the receiver, or look at what stands between (a proxy, a load balancer).',
  })
}

/** What was waited for, in a failure. @param ms how long @param whose time was up */
export function timeoutFailure(
  what: 'connection' | 'send' | 'answer' | 'rest' | 'body' | 'reader',
  host: string,
  ms: number,
  whose: TimeLimit = 'own',
): Failure {
  const time = duration(ms)
  const raise =
    whose === 'own'
      ? 'raise `timeout` of the step, and of the flow where that is not longer'
      : 'the time of the flow (or of a step around this one) was up: raise its `timeout`'
  const [message, hint] = {
    connection: [
      `no connection to "${host}" within ${time}`,
      'Check the host and port and the firewall; if all connections to it are busy, raise `http.connections`.',
    ],
    send: [
      `the request to "${host}" was not sent within ${time}`,
      `The receiver takes it too slowly; ${raise}.`,
    ],
    answer: [
      `no answer from "${host}" within ${time}`,
      `${capital(raise)}, or ask the operator of the receiver.`,
    ],
    rest: [
      `the answer of "${host}" was not complete within ${time}`,
      `${capital(raise)}, or ask for less at once.`,
    ],
    body: [
      `no byte of the body from "${host}" for ${time}`,
      'The receiver stalled in the middle of its answer; try again.',
    ],
    reader: [
      `nobody read the body of "${host}" for ${time}`,
      'The connection was closed; let a step read the body, or end the flow earlier.',
    ],
  }[what] as [string, string]
  return new Failure('receiver.timeout', message, { receiver: { host }, hint })
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** `60 s`, `1.5 s`, `300 ms` */
function duration(ms: number): string {
  return ms < 1000 ? `${Math.max(0, Math.round(ms))} ms` : `${Math.round(ms / 100) / 10} s`
}
