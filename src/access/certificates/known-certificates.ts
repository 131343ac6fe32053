import { isForClients } from '../../security/identity.ts'
import type { Client } from '../client-file.ts'
import { nameOfCertificate } from './distinguished-name.ts'
import type { Presented } from './presented.ts'

/** How a client is known. */
export type CertificateRule =
  /** SHA-256, hex. @property subject for people */
  | { readonly fingerprint: string; readonly subject: string | undefined }
  /** Names as they are compared, and as they are written. */
  | {
      readonly subject: string
      readonly issuer: string
      readonly written: { readonly subject: string; readonly issuer: string }
    }

/** Whose certificate it is, or why it is nobody's. */
export type CertificateVerdict = { readonly client: Client } | { readonly why: string }

/** Which client has which certificate. */
export class KnownCertificates {
  readonly #byFingerprint = new Map<string, Client>()
  readonly #byNames = new Map<string, Client>()

  constructor(clients: Iterable<Client>) {
    for (const client of clients)
      for (const rule of client.certificates) {
        const [known, key] =
          'fingerprint' in rule
            ? [this.#byFingerprint, rule.fingerprint]
            : [this.#byNames, `${rule.subject} ${rule.issuer}`]
        // That two have one is told where files are read; the first one has it.
        if (!known.has(key)) known.set(key, client)
      }
  }

  /** Whether there are any. */
  get some(): boolean {
    return this.#byFingerprint.size + this.#byNames.size > 0
  }

  /** @param now epoch ms */
  judge({ fingerprint, certificate, doubt }: Presented, now: number): CertificateVerdict {
    const pinned = this.#byFingerprint.get(fingerprint)
    const client = pinned ?? (certificate && this.#byNames.get(namesOf(certificate)))
    if (!client) return { why: `no client has the certificate ${fingerprint}` }
    const { name, enabled } = client
    if (!pinned && doubt !== undefined)
      return { why: `the certificate says that it is that of client "${name}", but ${doubt}` }
    if (certificate) {
      const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()]
      if (now >= to || now < from) {
        const [what, when] = now < from ? ['is not valid yet: from', from] : ['has expired on', to]
        return { why: `the certificate of client "${name}" ${what} ${new Date(when).toISOString()}` }
      }
      if (!isForClients(certificate))
        return { why: `the certificate of client "${name}" is not for clients (extended key usage)` }
    }
    return enabled ? { client } : { why: `client "${name}" is disabled` }
  }
}

function namesOf({ subject, issuer }: NonNullable<Presented['certificate']>): string {
  return `${nameOfCertificate(subject)} ${nameOfCertificate(issuer)}`
}
