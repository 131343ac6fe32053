import type { IncomingMessage } from 'node:http'
import type { Client } from './client-file.ts'
import { readAuthorization } from './authorization-header.ts'
import type { Reading, SecretCheck } from './secret-check.ts'

/** Who asks, or how to refuse. */
export type Authenticated =
  | {
      readonly client: Client
      /** SHA-256 of the certificate that its tokens are bound to, hex. */
      readonly boundTo?: string
    }
  | {
      readonly status: 400 | 401 | 429
      readonly error: string
      readonly description: string
      /** For the log. */
      readonly why: string
      /** It came by Basic, which the answer names. */
      readonly basic: boolean
      readonly clientId: string | undefined
      readonly retryAfter?: number
    }

/** Which client a request to the token service comes from: Basic, or id and secret in the form. @param address where it comes from @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 */
export async function authenticate(
  raw: IncomingMessage,
  form: ReadonlyMap<string, string>,
  secrets: SecretCheck,
  address: string,
): Promise<Authenticated> {
  const carried = readAuthorization(raw)
  const id = form.get('client_id')
  const secret = form.get('client_secret')
  const basic = carried.scheme !== 'none'
  const bad = (status: 400 | 401, description: string, clientId?: string): Authenticated => ({
    status,
    error: status === 400 ? 'invalid_request' : 'invalid_client',
    description,
    why: description,
    basic,
    clientId,
  })
  if (form.has('client_assertion'))
    return bad(401, 'a client assertion is not taken here; send the client secret', id)
  if (carried.scheme === 'unreadable') return bad(carried.ambiguous ? 400 : 401, carried.why)
  if (carried.scheme === 'bearer') return bad(401, 'a client authenticates by Basic or in the body')
  if (carried.scheme === 'basic' && secret !== undefined)
    return bad(400, 'the client authenticates in two ways at once')
  const readings = carried.scheme === 'basic' ? carried.readings : readingsOf(id, secret)
  if (!readings) return bad(401, 'client id and client secret are missing', id)
  const { clientId } = readings[0]!
  if (id !== undefined && !readings.some((reading) => reading.clientId === id))
    return bad(400, 'client_id is another one than that of the header')
  const verdict = await secrets.check(readings, address)
  if (verdict.fits) return { client: verdict.client }
  const { why, retryAfter } = verdict
  if (retryAfter === undefined)
    return {
      status: 401,
      error: 'invalid_client',
      description: 'the client id or the client secret is wrong, or the client is disabled',
      why,
      basic,
      clientId,
    }
  return {
    status: 429,
    error: 'temporarily_unavailable',
    description: 'too many attempts failed; try again later',
    why,
    basic,
    clientId,
    retryAfter,
  }
}

function readingsOf(clientId: string | undefined, secret: string | undefined): Reading[] | undefined {
  return clientId === undefined || secret === undefined ? undefined : [{ clientId, secret }]
}
