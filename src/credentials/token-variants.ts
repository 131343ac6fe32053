import { formEncode, type TokenRequestSettings } from './token-request.ts'

/** Another common way to ask for a token. */
export interface TokenVariant {
  readonly request: TokenRequestSettings
  /** Lines for the credential's file, parted by line feeds; what is to be taken out is a comment. */
  readonly change: string
}

type Change = Partial<
  Pick<
    TokenRequestSettings,
    'clientAuthentication' | 'basicEncoding' | 'contentType' | 'grantTypeIn' | 'scope'
  >
>

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

/** The ways that services commonly want and these settings do not take; the likelier ones first. */
export function variantsOf(settings: TokenRequestSettings): TokenVariant[] {
  const { clientAuthentication: how, contentType, scope, clientSecret } = settings
  const { basicAuth, method } = settings
  if (
    how === 'none' ||
    how === 'privateKeyJwt' ||
    how === 'bearer' ||
    how === 'certificate' ||
    clientSecret === undefined ||
    basicAuth ||
    method === 'GET'
  )
    return [...inOtherEncoding(settings), ...withoutScope(settings)]
  const otherHow = how === 'header' ? 'body' : 'header'
  const otherType = contentType === FORM && typeof scope !== 'object' ? JSON_TYPE : FORM
  const grantInBody = settings.grantType === undefined ? {} : { grantTypeIn: 'body' as const }
  const changes: Change[] = [
    { clientAuthentication: otherHow },
    { contentType: otherType, ...grantInBody },
    { clientAuthentication: otherHow, contentType: otherType, ...grantInBody },
    { basicEncoding: settings.basicEncoding === 'raw' ? 'form' : 'raw' },
    { grantTypeIn: settings.grantTypeIn === 'query' ? 'body' : 'query' },
    { clientAuthentication: 'header', contentType: 'none', grantTypeIn: 'query' },
  ]
  return [
    ...inOtherEncoding(settings),
    ...changes.flatMap((change) => variant(settings, change) ?? []),
    ...withoutScope(settings),
  ]
}

function inOtherEncoding(settings: TokenRequestSettings): TokenVariant[] {
  const { otherGrantProof: other } = settings
  return other ? [{ request: { ...settings, grantProof: other.proof }, change: other.change }] : []
}

function withoutScope(settings: TokenRequestSettings): TokenVariant[] {
  if (settings.scope === undefined) return []
  return [{ request: { ...settings, scope: undefined }, change: '# take out "scope"' }]
}

/** Undefined where it cannot be sent, or would be the same request. */
function variant(settings: TokenRequestSettings, change: Change): TokenVariant | undefined {
  const request = { ...settings, ...change }
  if (
    request.contentType === 'none' &&
    (request.clientAuthentication === 'body' || request.grantTypeIn === 'body')
  )
    return undefined
  if (request.contentType === 'none' && hasBody(request)) return undefined
  if (change.grantTypeIn !== undefined && request.grantType === undefined) return undefined
  if (typeof request.scope === 'object' && request.contentType !== JSON_TYPE) return undefined
  if (change.basicEncoding !== undefined && !encodingMatters(request)) return undefined
  const lines = Object.entries(change)
    .filter(([field, value]) => settings[field as keyof Change] !== value)
    .map(([field, value]) => `${field}: ${String(value)}`)
  return lines.length === 0 ? undefined : { request, change: lines.join('\n') }
}

/** What may not go into the URL. */
function hasBody({ body, fields, refresh, grantProof }: TokenRequestSettings): boolean {
  return (
    grantProof !== undefined ||
    Object.keys(body).length > 0 ||
    fields.some(([, value]) => value !== undefined) ||
    refresh !== undefined
  )
}

function encodingMatters({ clientAuthentication, clientId, clientSecret }: TokenRequestSettings): boolean {
  const pair = clientId + (clientSecret?.reveal() ?? '')
  return clientAuthentication === 'header' && formEncode(pair) !== pair
}
