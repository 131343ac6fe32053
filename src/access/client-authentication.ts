import type { IncomingMessage } from 'node:http'
import {
  judgeCertificateOf,
  type CertificateAuthentication,
} from './certificates/certificate-authentication.ts'
import type { Client } from './client-file.ts'
import { readAuthorization } from './authorization-header.ts'
import type { ClientAssertions } from './client-assertion.ts'
import { ASSERTION_TYPE } from './client-keys.ts'
import type { Claim, SecretCheck, SecretVerdict } from './secret-check.ts'
import { withoutQuery } from '../core/url-query.ts'

/** Who asks, or how to refuse. */
export type Authenticated =
  | {
      readonly client: Client
      /** SHA-256 of the certificate that its tokens are bound to, hex. */
      readonly boundTo?: string
    }
  | Refused

interface Refused {
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

export interface AuthenticationSetting extends CertificateAuthentication {
  readonly secrets: SecretCheck
  readonly assertions: ClientAssertions
}

type Form = ReadonlyMap<string, string>

/**
 * Which client a request to the token service comes from: Basic, id and secret in the form, an assertion, or `client_id` in the
 * form with a certificate and nothing else.
 * @param address where it comes from
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3 https://www.rfc-editor.org/rfc/rfc7521#section-4.2 https://www.rfc-editor.org/rfc/rfc8705#section-2
 */
export async function authenticate(
  raw: IncomingMessage,
  form: Form,
  setting: AuthenticationSetting,
  address: string,
): Promise<Authenticated> {
  const carried = readAuthorization(raw)
  const id = form.get('client_id')
  const secret = form.get('client_secret')
  const basic = carried.scheme !== 'none'
  const bad = (status: 400 | 401, description: string, clientId?: string): Refused => ({
    status,
    error: status === 400 ? 'invalid_request' : 'invalid_client',
    description,
    why: description,
    basic,
    clientId,
  })
  const asserted = form.has('client_assertion') || form.has('client_assertion_type')
  if (carried.scheme === 'unreadable') return bad(carried.ambiguous ? 400 : 401, carried.why)
  if (carried.scheme === 'bearer') return bad(401, 'a client authenticates by Basic or in the body')
  if (Number(basic) + Number(secret !== undefined) + Number(asserted) > 1)
    return bad(400, 'the client authenticates in two ways at once')
  if (asserted) {
    const assertion = form.get('client_assertion')
    if (assertion === undefined) return bad(400, 'client_assertion is missing', id)
    if (form.get('client_assertion_type') !== ASSERTION_TYPE)
      return bad(400, `client_assertion_type has to be ${ASSERTION_TYPE}`, id)
    const path = withoutQuery(raw.url!)
    const verdict = await setting.assertions.check(assertion, id, path, address)
    return judged(verdict, 'the client assertion is not good', basic, verdict.clientId ?? id)
  }
  if (!basic && id !== undefined && secret === undefined) {
    const verdict = judgeCertificateOf(raw, id, setting)
    if (verdict)
      return 'client' in verdict
        ? verdict
        : {
            ...bad(401, 'the certificate is not that of the client, or the client is disabled', id),
            why: verdict.why,
          }
  }
  const claim = carried.scheme === 'basic' ? carried.claim : claimOf(id, secret)
  if (!claim) return bad(401, 'client id and client secret are missing', id)
  const { clientId } = claim
  if (id !== undefined && id !== clientId) return bad(400, 'client_id is another one than that of the header')
  return judged(
    await setting.secrets.check(claim, address),
    'the client id or the client secret is wrong, or the client is disabled',
    basic,
    clientId,
  )
}

function judged(
  verdict: SecretVerdict,
  description: string,
  basic: boolean,
  clientId: string | undefined,
): Authenticated {
  if (verdict.fits) return { client: verdict.client }
  const { why, retryAfter } = verdict
  if (retryAfter === undefined)
    return { status: 401, error: 'invalid_client', description, why, basic, clientId }
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

function claimOf(clientId: string | undefined, secret: string | undefined): Claim | undefined {
  return clientId === undefined || secret === undefined ? undefined : { clientId, secrets: [secret] }
}
