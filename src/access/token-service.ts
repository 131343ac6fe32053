import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Audit } from '../core/audit.ts'
import { confirmationOf } from './certificates/confirmation.ts'
import { authenticate, type AuthenticationSetting } from './client-authentication.ts'
import type { Client } from './client-file.ts'
import { readForm } from './form.ts'
import { answerError, answerJson } from './json-answer.ts'
import type { RefusalLog } from './refusal-log.ts'
import { LONGEST_ROLES, type Tokens } from './tokens.ts'

/** A client with this role may ask about tokens of others. */
export const INTROSPECTION_ROLE = 'sluice.introspect'

export const REALM = 'sluice'
export const TOKEN_PATH = '/oauth2/token'

export interface TokenServiceSetting extends AuthenticationSetting {
  readonly tokens: Tokens
  readonly refusals: RefusalLog
  /** Where a request comes from. */
  addressOf(raw: IncomingMessage): string
  readonly audit: Audit
  ofId(clientId: string): Client | undefined
}

/** Whence, and by what, a client asks. */
interface Asking {
  readonly address: string
  /** SHA-256 of the certificate by which the client has asked, hex. */
  readonly boundTo: string | undefined
}

type Ask = (
  client: Client,
  form: ReadonlyMap<string, string>,
  reply: ServerResponse,
  setting: TokenServiceSetting,
  from: Asking,
) => Promise<void>

/** Serves one address of the token service: reads the form, then asks who it is. */
export function serveForm(ask: Ask, setting: TokenServiceSetting) {
  return async (raw: IncomingMessage, reply: ServerResponse): Promise<void> => {
    if (raw.method !== 'POST') {
      raw.resume()
      answerError(reply, 405, 'invalid_request', 'this address takes POST only', ['allow', 'POST'])
      return
    }
    const form = await readForm(raw, reply)
    if (!(form instanceof Map)) {
      const close = form.status === 400 ? [] : ['connection', 'close']
      answerError(reply, form.status, 'invalid_request', form.text, close)
      return
    }
    const address = setting.addressOf(raw)
    const who = await authenticate(raw, form, setting, address)
    if ('client' in who) {
      await ask(who.client, form, reply, setting, { address, boundTo: who.boundTo })
      return
    }
    const { status, error, description, why, clientId, retryAfter } = who
    setting.refusals.tell(
      { client: clientId?.slice(0, 150), address, status },
      `the token service refused a client: ${why}`,
    )
    const known = clientId === undefined ? undefined : setting.ofId(clientId)
    setting.audit.count({
      who: known?.callerId ?? 'an unknown client',
      address,
      what: 'token.refused',
      object: known?.name,
      outcome: 'refused',
      detail: why,
    })
    answerError(reply, status, error, description, [
      ...(who.basic && status === 401 ? ['www-authenticate', `Basic realm="${REALM}", charset="UTF-8"`] : []),
      ...(retryAfter === undefined ? [] : ['retry-after', String(retryAfter)]),
    ])
  }
}

/** The token endpoint. @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
export const grantToken: Ask = async (client, form, reply, { tokens, audit }, { address, boundTo }) => {
  const grant = form.get('grant_type')
  if (grant === undefined) {
    answerError(reply, 400, 'invalid_request', 'grant_type is missing; send grant_type=client_credentials')
    return
  }
  if (grant !== 'client_credentials') {
    answerError(reply, 400, 'unsupported_grant_type', 'the only grant here is client_credentials')
    return
  }
  const format = form.get('token_format') ?? 'jwt'
  if (format !== 'jwt' && format !== 'opaque') {
    answerError(reply, 400, 'invalid_request', 'token_format is jwt or opaque')
    return
  }
  const asked = form.get('scope')?.split(' ').filter(Boolean)
  const beyond = asked?.filter((role) => !client.roles.includes(role)) ?? []
  if (beyond.length > 0) {
    answerError(reply, 400, 'invalid_scope', 'the client does not have every role that it asks for')
    return
  }
  if (asked && asked.join(' ').length > LONGEST_ROLES) {
    answerError(
      reply,
      400,
      'invalid_scope',
      'these are more roles than a token can name; ask for fewer, or for all',
    )
    return
  }
  const issued = await tokens.issue(client, format, asked && [...new Set(asked)], boundTo)
  audit.count({ who: client.callerId, address, what: 'token.issued', object: client.name, outcome: 'done' })
  answerJson(reply, 200, {
    access_token: issued.token,
    token_type: 'Bearer',
    expires_in: issued.expiresIn,
    scope: issued.roles.join(' '),
  })
}

/** A client ends a token of its own. @see https://www.rfc-editor.org/rfc/rfc7009 */
export const revokeToken: Ask = async (client, form, reply, { tokens, audit }, { address }) => {
  const token = form.get('token')
  if (token === undefined) {
    answerError(reply, 400, 'invalid_request', 'token is missing')
    return
  }
  const found = await tokens.look(token)
  if ('client' in found && found.clientId === client.clientId) {
    await tokens.end(token, found)
    audit.count({
      who: client.callerId,
      address,
      what: 'token.revoked',
      object: client.name,
      outcome: 'done',
    })
  }
  answerJson(reply, 200, {})
}

/** Tells about a token: to its own client, and to those that have the role for it. @see https://www.rfc-editor.org/rfc/rfc7662 */
export const introspectToken: Ask = async (client, form, reply, { tokens }) => {
  const token = form.get('token')
  if (token === undefined) {
    answerError(reply, 400, 'invalid_request', 'token is missing')
    return
  }
  const found = await tokens.look(token)
  const mayKnow =
    'client' in found && (found.clientId === client.clientId || client.roles.includes(INTROSPECTION_ROLE))
  if (!mayKnow) {
    answerJson(reply, 200, { active: false })
    return
  }
  answerJson(reply, 200, {
    active: true,
    scope: found.roles.join(' '),
    client_id: found.clientId,
    sub: found.client.callerId,
    token_type: 'Bearer',
    iat: Math.floor(found.issuedAt / 1000),
    ...(found.expiresAt !== null && { exp: Math.floor(found.expiresAt / 1000) }),
    ...(found.jti !== undefined && { jti: found.jti }),
    ...(found.boundTo !== undefined && { cnf: confirmationOf(found.boundTo) }),
  })
}
