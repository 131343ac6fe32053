import type { Cancellation } from '../core/context.ts'
import { sayDuration } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import type { CredentialTestStep } from '../core/credential-test.ts'
import type { World } from '../core/world.ts'
import { askForToken, type FetchedToken } from './token-exchange.ts'
import type { TokenFailure } from './token-failure.ts'
import { lackingScopes, type TokenFetcher, type TokenFetchSettings } from './token-fetch.ts'
import type { TokenTest } from './token-manager-settings.ts'
import type { TokenRequest, TokenRequestSettings } from './token-request.ts'
import { UNDER_ASSERTION } from './proofs.ts'
import { variantsOf, type TokenVariant } from './token-variants.ts'

/**
 * Asks the token service for a person: once with each secret until one is taken, and, where it refuses and that is
 * wanted, once in each other common way until one works. Never rejects.
 */
export async function testTokenRequest(
  settings: TokenFetchSettings,
  fetcher: TokenFetcher,
  world: World,
  until: Cancellation,
  { tryOthers }: { readonly tryOthers: boolean },
): Promise<TokenTest> {
  const steps: CredentialTestStep[] = []
  const ask: Ask = async (wanted, about) => {
    const asking = new Asking(settings, world, wanted)
    const outcome = await asking.ask(until)
    fetcher.tell(outcome, 1)
    steps.push(asking.tell(about, outcome))
    return outcome
  }
  try {
    let outcome: FetchedToken | TokenFailure | undefined
    for (const index of orderOf(settings, fetcher)) {
      outcome = await ask(settings.requests[index]!, { title: titleOf(settings, index) })
      if (outcome.kind === 'token') fetcher.tookSecret(index)
      if (outcome.kind === 'token' || !outcome.refusesClient) break
    }
    if (outcome?.kind === 'failure' && outcome.rejected && outcome.said) {
      const variants = variantsOf(settings.requests[(fetcher.secretInUse ?? 1) - 1]!)
      if (tryOthers) await tryVariants(variants, ask)
      else if (variants.length > 0) steps.push({ ...steps.pop()!, others: variants.length })
    }
    return { steps, outcome }
  } catch (thrown) {
    const { code, message, hint } = Failure.from(thrown)
    const failure = { code, message, ...(hint !== undefined && { hint }) }
    steps.push({ title: 'token request', ok: false, asked: NOTHING, got: {}, failure })
    return { steps, outcome: undefined }
  }
}

type About = Pick<CredentialTestStep, 'title' | 'variant' | 'change'>
type Ask = (wanted: TokenRequestSettings, about: About) => Promise<FetchedToken | TokenFailure>

const NOTHING: CredentialTestStep['asked'] = { method: '', url: '', headers: [], query: [], fields: [] }

/** The secret in use first. */
function orderOf({ requests }: TokenFetchSettings, { secretInUse = 1 }: TokenFetcher): number[] {
  const first = secretInUse - 1
  return [first, ...requests.keys().filter((index) => index !== first)]
}

function titleOf({ requests }: TokenFetchSettings, index: number): string {
  return requests.length === 1
    ? 'token request'
    : `token request with secret ${index + 1} of ${requests.length}`
}

async function tryVariants(variants: readonly TokenVariant[], ask: Ask): Promise<void> {
  for (const { request, change } of variants) {
    const title = `token request with ${change.replaceAll('\n', ', ').replace('# take out "scope"', 'no scope').replace(UNDER_ASSERTION, '')}`
    const outcome = await ask(request, { title, variant: true, change })
    if (outcome.kind === 'token' || !outcome.rejected) return
  }
}

/** One request for a person. */
class Asking {
  readonly #settings: TokenFetchSettings
  readonly #world: World
  readonly #wanted: TokenRequestSettings
  #request: TokenRequest | undefined
  #took = 0

  constructor(settings: TokenFetchSettings, world: World, wanted: TokenRequestSettings) {
    this.#settings = settings
    this.#world = world
    this.#wanted = wanted
  }

  async ask(until: Cancellation): Promise<FetchedToken | TokenFailure> {
    const { clock } = this.#world
    const started = clock.ticks()
    const outcome = await askForToken(this.#wanted, this.#settings, this.#world, until, (request) => {
      this.#request = request
    })
    this.#took = clock.ticks() - started
    return outcome
  }

  tell(about: About, outcome: FetchedToken | TokenFailure): CredentialTestStep {
    const asked = this.#asked()
    if (outcome.kind === 'token') return { ...about, ok: true, asked, ...this.#gotToken(outcome) }
    const { code, message, said } = outcome
    const { hint } = outcome.details
    const { change: _, ...rest } = about
    return {
      ...rest,
      ok: false,
      asked,
      got: { ...said, took: sayDuration(this.#took) },
      failure: { code, message, ...(hint !== undefined && { hint }) },
    }
  }

  #asked(): CredentialTestStep['asked'] {
    if (this.#request === undefined) return NOTHING
    const { method, headers, origin, path, body } = this.#request
    const { contentType } = this.#wanted
    const url = new URL(origin + path)
    return {
      method,
      url: url.origin + url.pathname,
      headers: headerNames(headers),
      query: [...new Set(url.searchParams.keys())],
      fields: fieldNames(contentType, body),
    }
  }

  #gotToken({
    status,
    lifetime,
    told,
    scope,
    type,
  }: FetchedToken): Pick<CredentialTestStep, 'got' | 'warnings'> {
    const warnings: string[] = []
    const lacking = lackingScopes(this.#settings.scopes, scope)
    if (lacking.length > 0)
      warnings.push(
        `less scope was granted than asked for; missing: ${lacking.join(' ')}. Give the client this scope in the admin console of the service, or ask for less.`,
      )
    if (!told)
      warnings.push(
        `the answer does not say how long the token lives; the credential's "lifetime" counts (${sayDuration(lifetime)}).`,
      )
    return {
      got: {
        status,
        ...(type !== undefined && { 'token type': type }),
        lifetime: sayDuration(lifetime),
        ...(scope !== undefined && { 'granted scope': scope }),
        took: sayDuration(this.#took),
      },
      ...(warnings.length > 0 && { warnings }),
    }
  }
}

/** Names; of the content type and the way of authentication also what they say. */
function headerNames(headers: readonly string[]): string[] {
  const names: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i]!, headers[i + 1]!]
    if (name === 'content-type') names.push(`${name}: ${value}`)
    else names.push(name === 'authorization' ? `${name} (${value.split(' ', 1)[0]})` : name)
  }
  return names
}

function fieldNames(contentType: TokenRequestSettings['contentType'], body: Buffer | null): string[] {
  if (body === null) return []
  const text = body.toString('utf8')
  return contentType === 'application/json'
    ? Object.keys(JSON.parse(text) as object)
    : [...new Set(new URLSearchParams(text).keys())]
}
