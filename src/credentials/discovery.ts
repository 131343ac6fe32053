import type { Cancellation } from '../core/context.ts'
import { sayDuration } from '../core/duration.ts'
import { Failure, type FailureCode } from '../core/failure.ts'
import type { Answer } from '../core/http.ts'
import type { Logger } from '../core/services.ts'
import type { World } from '../core/world.ts'
import { exchange } from '../net/client.ts'
import { createHostRules, hostRuleOf, readHostRule, type HostRules } from '../security/hosts.ts'
import { readUrl } from '../security/url.ts'
import { Flight } from './flight.ts'
import { readMetadata, type MetadataFlaw } from './issuer-metadata.ts'
import { describeBreakdown, goneFailure, impatientFailure, type TokenFailure } from './token-failure.ts'

export interface DiscoverySettings {
  /** Of the credential. */
  readonly name: string
  readonly issuer: string
  /** Beside the issuer's own host. */
  readonly hosts: readonly string[]
  /** A client certificate is sent: the service may have addresses of its own for that. */
  readonly sendsCertificate: boolean
  /** ms; 0: no limit of its own. */
  readonly connectTimeout: number
  /** ms; 0: no limit of its own. */
  readonly readTimeout: number
  /** Takes live secrets out of the service's words. */
  hide(text: string): string
}

/** Where the issuer takes requests. */
export interface ServiceAddresses {
  readonly token: URL
  /** Where it is told that a token is no longer wanted; or why that address cannot be used. */
  readonly revocation: URL | MetadataFlaw | undefined
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** ms that what the metadata says is taken without looking again. */
const FRESH = HOUR
/** ms for all documents together. */
const PATIENCE = 20 * SECOND
/** Bytes. */
const LARGEST = 256 * 1024
type Flaw = MetadataFlaw & { readonly status: number }
const TOO_LARGE: Flaw = {
  flaw: 'is larger than 256 KB',
  hint: 'Check issuer: this is no metadata.',
  isAnswer: false,
  status: 200,
}
const REVOCATION = 'a place to revoke tokens'
const HEADERS = ['accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'sluice']

/**
 * Where the token service of an issuer is, as its metadata says. It is looked up when it is needed for the first time;
 * later again in the background, and what was known stays as long as nothing else can be had.
 * @see https://www.rfc-editor.org/rfc/rfc8414
 */
export class Discovery {
  readonly #settings: DiscoverySettings
  readonly #world: World
  readonly #log: Logger
  readonly #hosts: HostRules
  #known: ServiceAddresses | undefined
  /** Monotonic ms from which on it is looked up again. */
  #staleAt = 0
  #lookedUp = 0
  #failures = 0
  #flight: Flight<ServiceAddresses | TokenFailure> | undefined

  constructor(settings: DiscoverySettings, { world, log }: { readonly world: World; readonly log: Logger }) {
    this.#settings = settings
    this.#world = world
    this.#log = log
    const own = hostRuleOf(new URL(settings.issuer))
    const others = settings.hosts.map(readHostRule).filter((rule) => typeof rule !== 'string')
    this.#hosts = createHostRules([own, ...others])
  }

  /** The addresses of the token service. Rejects only when it is called off. */
  async locate(until: Cancellation): Promise<ServiceAddresses | TokenFailure> {
    const { clock } = this.#world
    const known = this.#known
    if (known && clock.ticks() < this.#staleAt) return known
    this.#flight ??= this.#look()
    if (known) return known
    const { name, issuer } = this.#settings
    try {
      return await this.#flight.wait(until, clock, () => impatientFailure(name))
    } catch (thrown) {
      if (until.cancelled) throw until.cancelled
      return describeBreakdown(name, new URL(issuer).host, thrown)
    }
  }

  /** There is no token service where the metadata said: next time it is looked up again. */
  doubt(): void {
    if (this.#failures === 0) this.#staleAt = 0
  }

  /** For people: `https://login.example.com/token, as the issuer said 5 min ago`; undefined as long as it is not known. */
  describe(): string | undefined {
    if (!this.#known) return undefined
    const age = sayDuration(this.#world.clock.ticks() - this.#lookedUp)
    const { origin, pathname } = this.#known.token
    return `${origin}${pathname}, as the issuer said ${age} ago`
  }

  stop(): void {
    this.#flight?.cancel(goneFailure(this.#settings.name))
  }

  #look(): Flight<ServiceAddresses | TokenFailure> {
    const { clock } = this.#world
    const flight = new Flight<ServiceAddresses | TokenFailure>(clock.ticks() + PATIENCE)
    flight.follow(
      this.#ask(flight).then(
        (found) => {
          this.#take(found)
          return () => found
        },
        (error: unknown) => {
          this.#flight = undefined
          return () => {
            throw error
          }
        },
      ),
    )
    return flight
  }

  #take(found: ServiceAddresses | TokenFailure): void {
    this.#flight = undefined
    const now = this.#world.clock.ticks()
    const { name, issuer } = this.#settings
    if ('token' in found) {
      const { href, origin, pathname } = found.token
      if (this.#known?.token.href !== href)
        this.#log.info(
          { credential: name, issuer, tokenService: origin + pathname },
          'the issuer says where the token service is',
        )
      this.#known = found
      this.#lookedUp = now
      this.#failures = 0
      this.#staleAt = now + FRESH
    } else if (this.#known) {
      this.#staleAt = now + Math.min(FRESH, MINUTE * 2 ** this.#failures++)
      this.#log.warn(
        { credential: name, issuer, reason: found.message },
        'the metadata of the issuer could not be read again; what it said before still holds',
      )
    }
  }

  /** The documents one after the other, until one says it. */
  async #ask(until: Cancellation): Promise<ServiceAddresses | TokenFailure> {
    const { name, issuer } = this.#settings
    const { host } = new URL(issuer)
    const flaws: Flaw[] = []
    for (const url of documentsOf(issuer)) {
      let answer: Answer
      try {
        answer = await this.#get(url, until)
      } catch (thrown) {
        if (until.cancelled) throw until.cancelled
        if (Failure.from(thrown).code !== 'receiver.too-large') return describeBreakdown(name, host, thrown)
        flaws.push(TOO_LARGE)
        continue
      }
      const read = readMetadata(answer, this.#settings)
      const token = 'token' in read ? this.#judge(read.token, 'a token service') : read
      if ('token' in read && token instanceof URL) {
        const { revocation } = read
        return {
          token,
          revocation: revocation === undefined ? undefined : this.#judge(revocation, REVOCATION),
        }
      }
      flaws.push({ ...(token as MetadataFlaw), status: answer.status })
    }
    return this.#describe(flaws.find(({ isAnswer }) => isAnswer) ?? flaws[0]!, host)
  }

  #get(url: URL, until: Cancellation): Promise<Answer> {
    const { connectTimeout, readTimeout } = this.#settings
    const { dispatcherFor, clock } = this.#world
    return exchange(dispatcherFor(), clock, {
      origin: url.origin,
      path: url.pathname,
      method: 'GET',
      headers: HEADERS,
      body: null,
      until,
      ...(connectTimeout > 0 && { connectTimeout }),
      ...(readTimeout > 0 && { readTimeout }),
      collect: Infinity,
      limit: LARGEST,
    })
  }

  /** A secret goes there: https, and to nobody that the credential does not name. */
  #judge(endpoint: string, what: string): URL | MetadataFlaw {
    const url = readUrl(endpoint)
    if (!(url instanceof URL))
      return {
        flaw: `names ${what} whose address ${url.message}`,
        hint: 'Write tokenServiceUrl in place of issuer, or ask the operator of the service.',
        isAnswer: true,
      }
    if (this.#hosts.allows(url)) return url
    return {
      flaw: `names ${what} on another host: ${url.host}`,
      hint: `If that is right, write tokenServiceHosts: [${url.host}].`,
      isAnswer: true,
    }
  }

  #describe({ flaw, hint, status }: Flaw, host: string): TokenFailure {
    const { name } = this.#settings
    const busy = status >= 500 || status === 429 || status === 408
    const code: FailureCode = busy ? 'credential.unreachable' : 'credential.answer'
    return {
      kind: 'failure',
      code,
      message: `the metadata of the issuer of credential "${name}" (${host}) ${flaw}`,
      details: { hint, receiver: { host, status } },
      summary: 'the token service was not found by its issuer',
      rejected: !busy,
      refusesClient: false,
    }
  }
}

/** Before the path, as RFC 8414 says; behind it, as OpenID Connect does. */
function documentsOf(issuer: string): URL[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    new URL(`${origin}/.well-known/oauth-authorization-server${path}`),
    new URL(`${origin}${path}/.well-known/openid-configuration`),
  ]
}
