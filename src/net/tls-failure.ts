import { Failure } from '../core/failure.ts'

const OWN =
  'Look which certificate the receiver has registered, and which one `tls` of the credential has: sluice credential show tells it.'

/** What the other side says of a handshake. @see https://www.rfc-editor.org/rfc/rfc8446#section-6.2 */
const ALERTS: readonly (readonly [code: RegExp, what: string, hint: string])[] = [
  [
    /CERTIFICATE_REQUIRED/,
    'wants a client certificate',
    'Give the credential one: tls.certificate and tls.key, or tls.pkcs12; for the receiver of an oauth2 credential with tls.useForApi.',
  ],
  [
    /ALERT_HANDSHAKE_FAILURE/,
    'refused the TLS handshake',
    'Mostly it wants a client certificate (tls.certificate of the credential), or does not take the one it was shown; seldom it has no TLS version or cipher in common with this side.',
  ],
  [/ALERT_UNKNOWN_CA/, 'does not know who issued the client certificate', OWN],
  [/ALERT_CERTIFICATE_EXPIRED/, 'says that the client certificate has expired', OWN],
  [/ALERT_CERTIFICATE_REVOKED/, 'says that the client certificate was revoked', OWN],
  [
    /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_UNKNOWN|DECRYPT_ERROR|ACCESS_DENIED)/,
    'does not take the client certificate',
    OWN,
  ],
  [
    /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/,
    'does not speak a TLS version that is taken here',
    'TLS 1.2 and 1.3 are: ask the operator of the receiver.',
  ],
]

/** Why there is no TLS, as a failure. @param code of OpenSSL */
export function noTls(host: string, code: string, message: string): Failure {
  const told = code === 'EPROTO' ? message.toUpperCase().replaceAll(' ', '_') : code
  const alert = ALERTS.find(([pattern]) => pattern.test(told))
  if (alert)
    return new Failure('receiver.unreachable', `"${host}" ${alert[1]} (${code})`, {
      receiver: { host },
      hint: alert[2],
    })
  const plain = /wrong version number|packet length too long|http request/i.test(`${code} ${message}`)
  return new Failure('receiver.unreachable', `no TLS connection to "${host}" (${code})`, {
    receiver: { host },
    hint: plain
      ? 'The receiver does not speak TLS on this port: check the port, or whether the URL should begin with "http:".'
      : 'The receiver refused the TLS handshake; perhaps it wants a client certificate or another TLS version.',
  })
}
