import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Revocation } from '../core/kinds.ts'
import type { Logger } from '../core/services.ts'
import type { World } from '../core/world.ts'
import { exchange } from '../net/client.ts'
import { errorOf } from './service-words.ts'
import type { TokenExchangeSettings } from './token-exchange.ts'
import { buildTokenRequest, type Field, type TokenRequestSettings } from './token-request.ts'
import { parseObject } from './token-response.ts'

type Failed = Extract<Revocation, { outcome: 'failed' }>

export interface TokenRevocationSettings extends Pick<
  TokenExchangeSettings,
  'name' | 'connectTimeout' | 'readTimeout' | 'hide' | 'discovery'
> {
  /** Undefined: the metadata of the issuer says it. */
  readonly url: URL | undefined
  /** How the client authenticates; the rest of it does not matter. */
  request(): TokenRequestSettings
}

/** Bytes of an answer, in which only an error is of interest. */
const LARGEST_ANSWER = 64 * 1024

/**
 * Tells a token service, once, that a token is no longer wanted, and the log what came of it. The client authenticates
 * as for token requests. Never rejects, and nothing of the token is told.
 * @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
 */
export async function revokeToken(
  token: string,
  settings: TokenRevocationSettings,
  { world, log }: { readonly world: World; readonly log: Logger },
  until: Cancellation,
): Promise<Revocation> {
  const { name } = settings
  const outcome = await tell(token, settings, world, until).catch((thrown: unknown) => {
    const { message, hint } = Failure.from(thrown)
    return failed(message, hint)
  })
  if (outcome.outcome === 'revoked') log.info({ credential: name }, 'token revoked at the token service')
  else
    log.warn(
      { credential: name, reason: outcome.reason, ...(outcome.hint !== undefined && { hint: outcome.hint }) },
      'the token could not be revoked; it is dropped here, and good at its receivers until its end',
    )
  return outcome
}

async function tell(
  token: string,
  settings: TokenRevocationSettings,
  world: World,
  until: Cancellation,
): Promise<Failed | { readonly outcome: 'revoked' }> {
  const url = settings.url ?? (await located(settings, until))
  if (!(url instanceof URL)) return url
  const client = settings.request()
  const proven = await client.clientProof?.(until, url)
  const fields: readonly Field[] = [
    ['token', token],
    ['token_type_hint', 'access_token'],
    ...(proven?.fields ?? []),
  ]
  const { status, headers, body } = await exchange(world.dispatcherFor(), world.clock, {
    ...buildTokenRequest(revocationRequest(client, url), fields, proven?.bearer),
    until,
    ...(settings.connectTimeout > 0 && { connectTimeout: settings.connectTimeout }),
    ...(settings.readTimeout > 0 && { readTimeout: settings.readTimeout }),
    collect: Infinity,
    limit: LARGEST_ANSWER,
  })
  if (status >= 200 && status < 300) return { outcome: 'revoked' }
  if (status >= 300 && status < 400)
    return failed(
      `${url.host} redirected (${status}); redirects of a token service are not followed`,
      'Write the address where the service ends up into revocationUrl.',
    )
  const plain = (headers['content-encoding'] ?? 'identity') === 'identity'
  const hide = (text: string) => settings.hide(text.replaceAll(token, '[token]'))
  const { error, description } = errorOf(plain ? parseObject(body as Buffer) : undefined, true, hide)
  const words = [String(status), error, description && `(${description})`].filter(Boolean).join(' ')
  return failed(`${url.host} answered ${words}`, hintFor(status, error))
}

/** Nothing of the token request but its client; always a form, as RFC 7009 says. */
function revocationRequest(client: TokenRequestSettings, url: URL): TokenRequestSettings {
  return {
    ...client,
    url,
    method: 'POST',
    contentType: 'application/x-www-form-urlencoded',
    grantType: undefined,
    scope: undefined,
    audience: undefined,
    resource: [],
    fields: [],
    body: {},
    query: {},
  }
}

async function located({ discovery }: TokenRevocationSettings, until: Cancellation): Promise<URL | Failed> {
  const found = await discovery!.locate(until)
  if (!('token' in found)) return failed(found.message, found.details.hint)
  const { revocation } = found
  if (revocation instanceof URL) return revocation
  return revocation === undefined
    ? failed(
        'the metadata of the issuer does not say where tokens are revoked (revocation_endpoint)',
        'Write revocationUrl, where the service has such an address.',
      )
    : failed(`the metadata of the issuer ${revocation.flaw}`, revocation.hint)
}

function failed(reason: string, hint: string | undefined): Failed {
  return { outcome: 'failed', reason, ...(hint !== undefined && { hint }) }
}

function hintFor(status: number, error: string | undefined): string | undefined {
  if (error === 'unsupported_token_type')
    return 'This service does not revoke access tokens: leave revocationUrl out.'
  if (status === 401 || error === 'invalid_client')
    return 'Look whether the client may revoke tokens, and whether it proves itself there as at the token service.'
  if (status === 404 || status === 405) return 'Check revocationUrl: there is nothing at this address.'
  return undefined
}
