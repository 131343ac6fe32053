import type { Cancellation } from '../core/context.ts'
import type { CredentialSetting, Grant } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'
import type { World } from '../core/world.ts'
import { SHORTEST_SECRET } from '../security/redaction.ts'
import { compileAnswerCondition, compileAnswerExpression } from './answer-expression.ts'
import { describeAssertion } from './assertion.ts'
import { Discovery } from './discovery.ts'
import {
  clientDefaults,
  clientProofOf,
  describeGrantProof,
  grantProofOf,
  otherGrantProofOf,
} from './proofs.ts'
import { readGrantType } from './grants.ts'
import { joinedSecret, keyOf, lastingKey, lastingSecret, secretTexts } from './oauth2-key.ts'
import {
  BEARER,
  clientAuthenticationOf,
  hasCertificate,
  isJwt,
  type OAuth2Options,
} from './oauth2-options.ts'
import { readScope } from './oauth2-scope.ts'
import { placementOf, placeSecret } from './placed-secret.ts'
import { ExclusiveToken, type ExclusiveTokenSettings } from './exclusive-token.ts'
import { RefreshTokenChain } from './refresh-token.ts'
import { lackingScopes, TokenFetcher, type TokenFetchSettings } from './token-fetch.ts'
import { TokenManager } from './token-manager.ts'
import { revokeToken } from './token-revocation.ts'
import { hideBeside, type Hide } from './service-words.ts'
import { basicPair, USUAL_NAMES, type TokenRequestSettings } from './token-request.ts'
import { tokenTypeOf } from './token-type.ts'
import type { AnswerReading } from './token-response.ts'
import { testTokenRequest } from './token-test.ts'
import { withoutQuery } from '../core/url-query.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** ms for all attempts of one renewal, where one alone may not take longer. */
const PATIENCE = 30 * SECOND

/** The keeper of the tokens of an oauth2 credential. */
export function createTokenManager(
  given: OAuth2Options,
  name: string,
  setting: CredentialSetting,
): TokenManager {
  const texts = secretTexts(given)
  const short = texts.filter((text) => text.length < SHORTEST_SECRET)
  const hide = hideBeside(short, (text) => setting.hide(text))
  const service = { host: serviceUrl(given).host, clientId: given.clientId ?? '' }
  const refresh = given.refreshToken && new RefreshTokenChain(name, given.refreshToken, service, setting)
  const discovery = discoveryOf(given, name, hide, setting)
  const settings = { ...fetchSettings(given, name, setting, refresh), hide, discovery }
  const fetcher = new TokenFetcher(settings, setting)
  const { revocationUrl } = given
  const revocation = {
    ...settings,
    url: revocationUrl === undefined ? undefined : new URL(revocationUrl),
    request: () => settings.requests[fetcher.preferred]!,
  }
  const exclusive = given.exclusive ? new ExclusiveToken(exclusiveSettings(given, name), setting) : undefined
  const fetch = (until: Cancellation) => fetcher.fetch(until)
  const refusedBy = given.invalidateOn ?? [401]
  const refuses = refusalRule(given, name, setting.world)
  const pairs = settings.requests.flatMap((request) => (hasPair(request) ? basicPair(request) : []))
  const releases = [...texts, ...pairs].map((text) => setting.redact(text))
  const placement = placementOf(given.tokenIn, BEARER)
  return new TokenManager(
    {
      name,
      key: keyOf(given),
      secrets: settings.requests.flatMap(({ secret }) => secret ?? []),
      warm: given.warm ?? false,
      refreshBefore: given.refreshBefore ?? MINUTE,
      patience: Math.max(PATIENCE, settings.connectTimeout + settings.readTimeout),
      place: (token) => ({ ...placeSecret(placement, token), refusedBy, refuses }),
      fetch: (until) => (exclusive ? exclusive.fetch(until, fetch) : fetch(until)),
      test: (until, options) => {
        const ask = () => testTokenRequest(settings, fetcher, setting.world, until, options)
        return exclusive ? exclusive.test(ask) : ask()
      },
      ...(refresh && { look: () => refresh.look() }),
      ...(exclusive && { dropped: () => exclusive.drop(), held: () => exclusive.held() }),
      ...((revocationUrl || discovery) && {
        revoke: (token, until) => revokeToken(token, revocation, setting, until),
      }),
      stored: () => ({ ...refresh?.describe(), ...exclusive?.describe() }),
      keepsTokens: refresh !== undefined || exclusive !== undefined,
      lacking: (granted) => lackingScopes(settings.scopes, granted),
      secretInUse: () => fetcher.secretInUse,
      counts: fetcher.counts,
      details() {
        const found = discovery?.describe()
        return found === undefined ? {} : { 'token service': found }
      },
      stopped() {
        discovery?.stop()
        refresh?.stop()
        for (const release of releases) release()
      },
    },
    setting,
  )
}

/** What `sluice credential show` tells of the settings. */
export function describeSettings(given: OAuth2Options): Readonly<Record<string, string>> {
  const { scope } = readScope(given.scope, given.scopeSeparator ?? ' ')
  const { tenants = [], tokenServiceUrl, issuer, revocationUrl } = given
  const how = clientAuthenticationOf(given)
  const secrets = given.clientSecret?.map(() => '[secret]')
  const tokenPlace = placementOf(given.tokenIn, BEARER)
  return {
    ...(tokenServiceUrl !== undefined && { tokenServiceUrl: withoutQuery(tokenServiceUrl) }),
    ...(issuer !== undefined && { issuer }),
    ...(revocationUrl !== undefined && { revocationUrl: withoutQuery(revocationUrl) }),
    ...(given.tokenServiceHosts && { tokenServiceHosts: given.tokenServiceHosts.join(', ') }),
    ...(tenants.length > 0 && { tenants: tenants.join(', ') }),
    grantType: given.grantType ?? 'client_credentials',
    ...(given.username !== undefined && { username: given.username }),
    ...(given.password && { password: '[secret]' }),
    ...(given.refreshToken && { refreshToken: '[secret]' }),
    ...describeGrantProof(given),
    ...(given.requestedTokenType !== undefined && { requestedTokenType: given.requestedTokenType }),
    ...(given.clientId !== undefined && { clientId: given.clientId }),
    ...(secrets && { clientSecret: secrets.join(', ') }),
    ...(given.method === 'GET' && { method: 'GET' }),
    clientAuthentication: how,
    ...(isJwt(how) && {
      clientAssertion: describeAssertion(
        given.clientAssertion ?? {},
        clientDefaults(given, given.clientSecret?.[0]),
      ),
    }),
    ...(given.authScheme !== undefined && { authScheme: given.authScheme }),
    ...(given.basicAuth && { basicAuth: `${given.basicAuth.username}, [secret]` }),
    contentType: given.contentType ?? 'application/x-www-form-urlencoded',
    ...(scope !== undefined && { scope: typeof scope === 'string' ? scope : JSON.stringify(scope) }),
    ...(given.audience !== undefined && { audience: given.audience }),
    ...(given.resource && { resource: given.resource.join(', ') }),
    ...(given.exclusive && { exclusive: 'a new token ends the one before' }),
    ...(given.tokenIn && { tokenIn: `${tokenPlace.in} ${tokenPlace.name}` }),
    ...(given.invalidateOn && { invalidateOn: given.invalidateOn.join(', ') }),
    ...(given.invalidateWhen !== undefined && { invalidateWhen: given.invalidateWhen }),
  }
}

function exclusiveSettings(given: OAuth2Options, name: string): ExclusiveTokenSettings {
  const clientSecrets: readonly (Secret | undefined)[] = given.clientSecret ?? [undefined]
  return {
    name,
    origin: lastingKey(name, given),
    secrets: clientSecrets.map((clientSecret) => ({
      secret: joinedSecret(given, clientSecret),
      lasting: lastingSecret(given, clientSecret),
    })),
    refreshBefore: given.refreshBefore ?? MINUTE,
  }
}

function refusalRule(
  { invalidateWhen }: OAuth2Options,
  name: string,
  world: World,
): Grant['refuses'] | undefined {
  if (invalidateWhen === undefined) return undefined
  const field = `invalidateWhen of credential "${name}"`
  const rule = compileAnswerCondition(invalidateWhen, field, world)
  return (status, headers, body) => rule({ status, headers, body })
}

function hasPair({ clientAuthentication, basicAuth }: TokenRequestSettings): boolean {
  return clientAuthentication === 'header' || basicAuth !== undefined
}

/** Where the token service is, or whose metadata says it. */
function serviceUrl({ tokenServiceUrl, issuer }: OAuth2Options): URL {
  return new URL((tokenServiceUrl ?? issuer)!)
}

function fetchSettings(
  given: OAuth2Options,
  name: string,
  setting: CredentialSetting,
  refresh: RefreshTokenChain | undefined,
): Omit<TokenFetchSettings, 'hide'> {
  const { scope, words } = readScope(given.scope, given.scopeSeparator ?? ' ')
  const contentType = given.contentType ?? 'application/x-www-form-urlencoded'
  const names = { ...USUAL_NAMES, ...given.parameterNames }
  const how = clientAuthenticationOf(given)
  const request: Omit<TokenRequestSettings, 'clientSecret' | 'clientProof' | 'secret'> = {
    url: serviceUrl(given),
    clientId: given.clientId ?? '',
    method: given.method ?? 'POST',
    clientAuthentication: how,
    sendClientId: given.clientAssertion?.sendClientId ?? how !== 'bearer',
    basicEncoding: given.basicEncoding ?? 'form',
    authScheme: given.authScheme ?? 'Basic',
    basicAuth: given.basicAuth,
    names,
    contentType,
    grantType: readGrantType(given.grantType).sent,
    grantTypeIn: given.grantTypeIn ?? (contentType === 'none' ? 'query' : 'body'),
    scope,
    audience: given.audience,
    resource: given.resource ?? [],
    fields: [
      [names.username, given.username],
      [names.password, given.password],
      ['requested_token_type', given.requestedTokenType && tokenTypeOf(given.requestedTokenType)],
    ],
    grantProof: grantProofOf(given, setting),
    otherGrantProof: otherGrantProofOf(given, setting),
    refresh,
    body: given.parameters?.body ?? {},
    query: given.parameters?.query ?? {},
    headers: given.parameters?.headers ?? {},
  }
  const clientSecrets: readonly (Secret | undefined)[] = given.clientSecret ?? [undefined]
  return {
    name,
    requests: clientSecrets.map((clientSecret) => ({
      ...request,
      clientSecret,
      clientProof: clientProofOf(given, clientSecret, setting),
      secret: joinedSecret(given, clientSecret),
    })),
    scopes: words,
    reading: answerReading(given, setting.world),
    defaults: { lifetime: given.lifetime ?? HOUR, maxLifetime: given.maxLifetime ?? 24 * HOUR },
    retry: {
      attempts: given.retry?.attempts ?? 3,
      delay: given.retry?.delay ?? SECOND,
      factor: given.retry?.factor ?? 2,
    },
    ...timesOf(given),
  }
}

function answerReading({ response = {} }: OAuth2Options, world: World): AnswerReading {
  const { format = 'json', token, expiresIn, expiresAt, unit, success } = response
  const over = (text: string, field: string) => compileAnswerExpression(text, `response.${field}`, world)
  return {
    format,
    ...(token !== undefined && { token: over(token, 'token') }),
    ...(expiresIn !== undefined && { expiresIn: over(expiresIn, 'expiresIn') }),
    ...(expiresAt !== undefined && { expiresAt: over(expiresAt, 'expiresAt') }),
    ...(unit !== undefined && { unit }),
    ...(success !== undefined && { success: compileAnswerCondition(success, 'response.success', world) }),
  }
}

function timesOf({ connectTimeout, readTimeout }: OAuth2Options) {
  return { connectTimeout: connectTimeout ?? 10 * SECOND, readTimeout: readTimeout ?? 10 * SECOND }
}

/** Undefined where the credential says itself where its token service is. */
function discoveryOf(
  given: OAuth2Options,
  name: string,
  hide: Hide,
  setting: CredentialSetting,
): Discovery | undefined {
  if (given.issuer === undefined) return undefined
  const { issuer, tokenServiceHosts: hosts = [] } = given
  const sendsCertificate = hasCertificate(given)
  return new Discovery({ name, issuer, hosts, sendsCertificate, ...timesOf(given), hide }, setting)
}
