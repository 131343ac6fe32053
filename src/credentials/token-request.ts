import type { Cancellation } from '../core/context.ts'
import { toText } from '../core/json.ts'
import type { LentToken } from '../core/kinds.ts'
import { Secret } from '../core/secret.ts'
import type { RefreshTokenChain } from './refresh-token.ts'

export type ClientAuthentication =
  | 'header'
  | 'body'
  | 'query'
  | 'privateKeyJwt'
  | 'clientSecretJwt'
  | 'bearer'
  | 'certificate'
  | 'none'
export type TokenContentType = 'application/x-www-form-urlencoded' | 'application/json' | 'none'

/** A parameter of the request; a secret is revealed where its bytes are made. */
export type Field = readonly [name: string, value: unknown]

/** Parameters that are made anew for each attempt. */
export interface Proven {
  readonly fields: readonly Field[]
  /** In the header in place of a pair of id and secret. */
  readonly bearer?: Secret
  /** Tokens of other credentials among them. */
  readonly borrowed: readonly LentToken[]
}

/**
 * @param url of the token service
 * @throws Failure `credential.*` of another credential that has no token to give
 */
export type Proof = (until: Cancellation, url: URL) => Promise<Proven>

/** What shapes the request for a token. */
export interface TokenRequestSettings {
  readonly url: URL
  /** GET has no body: all parameters go into the query. */
  readonly method: 'POST' | 'GET'
  readonly clientId: string
  readonly clientSecret: Secret | undefined
  readonly clientAuthentication: ClientAuthentication
  /** Of the client, where it authenticates with a JWT. */
  readonly clientProof: Proof | undefined
  /** Of the grant, where it is given for an assertion or a token. */
  readonly grantProof: Proof | undefined
  /** The same as services may want it, too, with the line of the file that says so. */
  readonly otherGrantProof?: { readonly proof: Proof; readonly change: string } | undefined
  /** The id goes along as a parameter where it stands nowhere else. */
  readonly sendClientId: boolean
  readonly basicEncoding: 'form' | 'raw'
  /** The word before the pair: `Basic`. */
  readonly authScheme: string
  /** A pair of its own for the header, beside the client's id and secret. */
  readonly basicAuth: { readonly username: string; readonly password: Secret } | undefined
  /** What the parameters are called. */
  readonly names: ParameterNames
  readonly contentType: TokenContentType
  /** Undefined: none is sent; neither where the URL has a `grant_type` of its own. */
  readonly grantType: string | undefined
  readonly grantTypeIn: 'body' | 'query'
  /** Text is sent as it is; a map only in JSON. */
  readonly scope: string | Readonly<Record<string, unknown>> | undefined
  readonly audience: string | undefined
  /** Absolute URIs; each is a parameter. @see https://www.rfc-editor.org/rfc/rfc8707 */
  readonly resource: readonly string[]
  /** What the grant wants. */
  readonly fields: readonly Field[]
  /** The newest refresh token, where it is asked with one. */
  readonly refresh: RefreshTokenChain | undefined
  /** All its secrets: the same for requests that differ in nothing secret. */
  readonly secret: Secret | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, unknown>>
}

export interface ParameterNames {
  readonly grantType: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly username: string
  readonly password: string
  readonly refreshToken: string
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-4 */
export const USUAL_NAMES: ParameterNames = {
  grantType: 'grant_type',
  clientId: 'client_id',
  clientSecret: 'client_secret',
  scope: 'scope',
  username: 'username',
  password: 'password',
  refreshToken: 'refresh_token',
}

/** The request as bytes and lines; a secret is in it. */
export interface TokenRequest {
  readonly origin: string
  readonly path: string
  readonly method: 'POST' | 'GET'
  /** Flat: name, value. */
  readonly headers: readonly string[]
  readonly body: Buffer | null
}

/**
 * Builds the request for a token. Parameters without a value are left out.
 * @param fresh what is made anew for each attempt
 * @param bearer stands in the header, where the client authenticates so
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4
 */
export function buildTokenRequest(
  settings: TokenRequestSettings,
  fresh: readonly Field[] = [],
  bearer?: Secret,
): TokenRequest {
  const query = new URLSearchParams()
  const fields: [name: string, value: unknown][] = []
  const { names, method } = settings
  const inQuery = settings.contentType === 'none' || method === 'GET'
  const put = (name: string, value: unknown) =>
    inQuery ? append(query, name, clear(value)) : fields.push([name, clear(value)])

  if (!settings.url.searchParams.has(names.grantType)) {
    if (settings.grantTypeIn === 'query') append(query, names.grantType, settings.grantType)
    else put(names.grantType, settings.grantType)
  }
  for (const [name, value] of [...settings.fields, ...fresh]) put(name, value)
  const { clientAuthentication: how, clientId } = settings
  const secret = settings.clientSecret?.reveal()
  if (how === 'body') fields.push([names.clientId, clientId], [names.clientSecret, secret])
  else if (how === 'query') {
    append(query, names.clientId, clientId)
    append(query, names.clientSecret, secret)
  } else if (how !== 'header' && settings.sendClientId) put(names.clientId, clientId)
  put(names.scope, settings.scope)
  put('audience', settings.audience)
  const { resource } = settings
  if (resource.length > 0) put('resource', resource.length === 1 ? resource[0] : resource)
  for (const [name, value] of Object.entries(settings.query)) append(query, name, value)
  fields.push(...Object.entries(settings.body))

  const body = method === 'GET' ? null : bodyOf(settings.contentType, fields)
  const own = new Set(Object.keys(settings.headers).map((name) => name.toLowerCase()))
  const headers = ['accept-encoding', 'identity']
  if (!own.has('accept')) headers.push('accept', 'application/json')
  if (!own.has('user-agent')) headers.push('user-agent', 'sluice')
  if (settings.basicAuth || how === 'header') headers.push('authorization', basicOf(settings))
  else if (bearer) headers.push('authorization', `Bearer ${bearer.reveal()}`)
  if (body !== null) headers.push('content-type', settings.contentType)
  else if (method === 'POST') headers.push('content-length', '0')
  for (const [name, value] of Object.entries(settings.headers)) headers.push(name, toText(value))
  return { origin: settings.url.origin, path: pathOf(settings.url, query), method, headers, body }
}

/**
 * The Basic authorization of a client: id and secret form-encoded first, or raw for services that expect it.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
 */
function basicOf(settings: TokenRequestSettings): string {
  return `${settings.authScheme} ${basicPair(settings)}`
}

/** The pair as it is sent in the header: a secret by itself. */
export function basicPair(settings: TokenRequestSettings): string {
  const encode = settings.basicEncoding === 'form' ? formEncode : (text: string) => text
  const { basicAuth, clientId, clientSecret } = settings
  const [id, secret] = basicAuth
    ? [basicAuth.username, basicAuth.password.reveal()]
    : [clientId, clientSecret?.reveal() ?? '']
  const pair = `${encode(id)}:${encode(secret)}`
  return Buffer.from(pair, 'utf8').toString('base64')
}

/** @see https://url.spec.whatwg.org/#urlencoded-serializing */
export function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

/** The URL's own query stays byte for byte. */
function pathOf(url: URL, query: URLSearchParams): string {
  if (query.size === 0) return url.pathname + url.search
  return `${url.pathname}${url.search === '' ? '?' : `${url.search}&`}${query.toString()}`
}

function bodyOf(type: TokenContentType, fields: readonly Field[]): Buffer | null {
  if (type === 'none') return null
  if (type === 'application/json') {
    const filled = fields.filter(([, value]) => !isEmpty(value))
    return Buffer.from(JSON.stringify(Object.fromEntries(filled)), 'utf8')
  }
  const form = new URLSearchParams()
  for (const [name, value] of fields) append(form, name, value)
  return Buffer.from(form.toString(), 'utf8')
}

/** A list repeats the parameter; a map goes as JSON. */
function append(to: URLSearchParams, name: string, value: unknown): void {
  if (Array.isArray(value)) for (const item of value) append(to, name, item)
  else if (!isEmpty(value)) to.append(name, toText(value))
}

function clear(value: unknown): unknown {
  return value instanceof Secret ? value.reveal() : value
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}
