import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../core/world.ts'
import type { Authenticated } from '../client-authentication.ts'
import type { KnownCertificates } from './known-certificates.ts'
import type { PresentedCertificates } from './presented.ts'

/** What announces it, in the metadata of the token service. @see https://www.rfc-editor.org/rfc/rfc8705#section-2 */
export const CERTIFICATE_METHODS = ['tls_client_auth', 'self_signed_tls_client_auth']

export interface CertificateAuthentication {
  readonly certificates: PresentedCertificates
  readonly clients: { readonly certificates: KnownCertificates }
  readonly clock: Clock
}

/**
 * Which client asks the token service by its certificate: `client_id` in the form, and no other authorization. Undefined: that
 * is not the way it asks.
 */
export function authenticateByCertificate(
  raw: IncomingMessage,
  form: ReadonlyMap<string, string>,
  { certificates, clients, clock }: CertificateAuthentication,
): Authenticated | undefined {
  const clientId = form.get('client_id')
  const asksElse = raw.headers.authorization ?? form.get('client_secret') ?? form.get('client_assertion')
  if (clientId === undefined || asksElse !== undefined) return undefined
  const presented = certificates.of(raw)
  if (!presented) return undefined
  const refused = (why: string): Authenticated => ({
    status: 401,
    error: 'invalid_client',
    description: 'the certificate is not that of the client, or the client is disabled',
    why,
    basic: false,
    clientId,
  })
  if ('why' in presented) return refused(presented.why)
  const verdict = clients.certificates.judge(presented, clock.now())
  if ('why' in verdict) return refused(verdict.why)
  if (verdict.client.clientId !== clientId)
    return refused(`its certificate is that of client "${verdict.client.name}"`)
  return { client: verdict.client, boundTo: presented.fingerprint }
}
