import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../core/world.ts'
import type { Client } from '../client-file.ts'
import type { KnownCertificates } from './known-certificates.ts'
import type { PresentedCertificates } from './presented.ts'

/** What announces it, in the metadata of the token service. @see https://www.rfc-editor.org/rfc/rfc8705#section-2 */
export const CERTIFICATE_METHODS = ['tls_client_auth', 'self_signed_tls_client_auth']

export interface CertificateAuthentication {
  readonly certificates: PresentedCertificates
  readonly clients: { readonly certificates: KnownCertificates }
  readonly clock: Clock
}

export type CertificateVerdict =
  | {
      readonly client: Client
      /** SHA-256 of it, hex. */
      readonly boundTo: string
    }
  /** For the log. */
  | { readonly why: string }

/** Whether the certificate that came with a request is that of a client. Undefined: none came. */
export function judgeCertificateOf(
  raw: IncomingMessage,
  clientId: string,
  { certificates, clients, clock }: CertificateAuthentication,
): CertificateVerdict | undefined {
  const presented = certificates.of(raw)
  if (!presented || 'why' in presented) return presented
  const verdict = clients.certificates.judge(presented, clock.now())
  if ('why' in verdict) return verdict
  if (verdict.client.clientId !== clientId)
    return { why: `its certificate is that of client "${verdict.client.name}"` }
  return { client: verdict.client, boundTo: presented.fingerprint }
}
