import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { TrustedProxies } from '../../net/trusted-proxies.ts'
import { countOf } from '../authorization-header.ts'
import { fingerprintOf, readCertificateHeader, type BadHeader } from './certificate-header.ts'

/** The certificate that a caller has shown, to us or to a trusted proxy; it has the key of it. */
export interface Presented {
  /** SHA-256 of it, hex. */
  readonly fingerprint: string
  /** Undefined: the proxy tells no more than the fingerprint. */
  readonly certificate: X509Certificate | undefined
  /** Why it is not known who issued it, for the log; undefined: one of the authorities of clients did. */
  readonly doubt: string | undefined
}

/** A request says of its certificate what cannot be read; for the log. */
export interface Unreadable {
  readonly why: string
}

export interface PresentedSetting {
  readonly proxies: TrustedProxies
  /** Lower case. Undefined: proxies pass on no certificates. */
  readonly header: string | undefined
  /** Those who issue certificates of clients. */
  readonly authorities: () => readonly X509Certificate[]
}

/** Finds the certificate that came with a request. */
export class PresentedCertificates {
  readonly #setting: PresentedSetting
  /** By connection: it does not change. */
  readonly #ofSockets = new WeakMap<TLSSocket, Presented | { readonly none: true }>()

  /** By text of the header: callers come again, and a certificate costs a signature. */
  readonly #ofTexts = new Map<string, Presented | BadHeader>()
  /** Those by which they were judged. */
  #authorities: readonly X509Certificate[] = []

  constructor(setting: PresentedSetting) {
    this.#setting = setting
  }

  /** Undefined: none came. */
  of(raw: IncomingMessage): Presented | Unreadable | undefined {
    const { header, proxies } = this.#setting
    if (header !== undefined && proxies.sent(raw)) return this.#ofHeader(raw, header)
    return raw.socket instanceof TLSSocket ? this.#ofSocket(raw.socket) : undefined
  }

  #ofSocket(socket: TLSSocket): Presented | undefined {
    let found = this.#ofSockets.get(socket)
    if (!found) this.#ofSockets.set(socket, (found = this.#look(socket)))
    return 'none' in found ? undefined : found
  }

  #look(socket: TLSSocket): Presented | { readonly none: true } {
    const certificate = socket.getPeerX509Certificate()
    if (!certificate) return { none: true }
    const doubt =
      this.#setting.authorities().length === 0
        ? NO_AUTHORITIES
        : socket.authorized
          ? undefined
          : `its chain does not lead to "tls.clientCa" (${String(socket.authorizationError)})`
    return { fingerprint: fingerprintOf(certificate), certificate, doubt }
  }

  #ofHeader(raw: IncomingMessage, header: string): Presented | Unreadable | undefined {
    const text = raw.headers[header]
    if (text === undefined || text === '') return undefined
    if (countOf(raw, header) > 1) return { why: `it has more than one header ${header}` }
    const found = this.#ofText(String(text))
    return 'why' in found ? { why: `the header ${header} of the proxy ${found.why}` } : found
  }

  #ofText(text: string): Presented | BadHeader {
    const authorities = this.#setting.authorities()
    if (authorities !== this.#authorities || this.#ofTexts.size >= MOST_TEXTS) this.#ofTexts.clear()
    this.#authorities = authorities
    const known = this.#ofTexts.get(text)
    if (known) return known
    const read = readCertificateHeader(text)
    const presented = 'why' in read ? read : { ...read, doubt: this.#doubtOf(read.certificate) }
    this.#ofTexts.set(text, presented)
    return presented
  }

  #doubtOf(certificate: X509Certificate | undefined): string | undefined {
    const authorities = this.#setting.authorities()
    if (authorities.length === 0) return NO_AUTHORITIES
    if (!certificate) return 'the proxy tells its fingerprint only'
    return authorities.some((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey))
      ? undefined
      : 'it was issued by none of "tls.clientCa"'
  }
}

const MOST_TEXTS = 1000
const NO_AUTHORITIES = 'there is no "tls.clientCa"'
