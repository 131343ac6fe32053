import type { Dispatcher } from 'undici'
import type { Cancellation } from '../core/context.ts'
import { printDuration } from '../core/duration.ts'
import type { CredentialTestStep } from '../core/credential-test.ts'
import { Failure } from '../core/failure.ts'
import type { Authorizer, CredentialSetting, Grant, LentToken } from '../core/kinds.ts'
import type { ConnectivityProxy, Credential, Logger } from '../core/services.ts'
import type { StoredTokens } from '../core/stores.ts'
import type { World } from '../core/world.ts'
import { describeCertificate, type ClientCertificate } from './client-certificate.ts'
import { describeCloudConnector } from './cloud-connector.ts'
import { shortSecrets } from './secret-texts.ts'
import type { CredentialSource } from './credential-file.ts'
import { showDestination, type ShownDestination } from './destination-shown.ts'
import type { HostRules } from './hosts.ts'
import { proxySecrets } from './proxy-secrets.ts'
import { reachSecrets, worldToService, type ReachOptions } from './reach.ts'
import type { Redactor } from './redaction.ts'
import type { Rotation } from './rotation.ts'

/** ms that a secret stays redacted after its last use: logs are written behind. */
const REDACTION_GRACE = 2 * 60_000

/** One version of a credential, prepared. */
export class LoadedCredential implements Credential {
  readonly name: string
  readonly type: string
  readonly description: string | undefined
  readonly baseUrl: URL | undefined
  readonly hosts: readonly string[]
  readonly apiHeaders: readonly string[]
  readonly apiQuery: string
  readonly authorizer: Authorizer
  readonly dispatcher: Dispatcher | undefined
  readonly fingerprint: string
  readonly settings: Readonly<Record<string, string>>
  readonly rotation: Rotation | undefined
  readonly tenants: readonly string[]
  readonly certificate: ClientCertificate | undefined
  readonly shownCertificate: string | undefined
  /** Other programs may have what it authenticates with. */
  readonly findable: boolean
  readonly #source: CredentialSource
  readonly #rules: HostRules
  /** Behind another Cloud Connector the same hosts are others. */
  readonly #location: string | undefined
  readonly #own: Authorizer
  readonly #current: () => LoadedCredential | undefined
  readonly #releases: (() => void)[]

  /** @param current the version that is in force when it is asked */
  constructor(
    source: CredentialSource,
    setting: {
      readonly world: World
      readonly log: Logger
      readonly redactor: Redactor
      readonly storedTokens: StoredTokens
      readonly borrow: CredentialSetting['borrow']
      readonly connectivityProxy?: ConnectivityProxy
    },
    current: () => LoadedCredential | undefined,
  ) {
    const { name, kind, options, frame } = source
    const { log, redactor, storedTokens, borrow } = setting
    const { proxy, ca, certificate, toReceiver, showsReceiver } = frame.reach
    const { onPremise } = frame
    const virtual =
      onPremise &&
      setting.connectivityProxy?.dispatcherFor({ locationId: onPremise.locationId, lend: borrow })
    const world =
      virtual && onPremise.tokenRequests
        ? { ...setting.world, dispatcherFor: () => virtual }
        : worldToService(setting.world, frame.reach)
    const redact: CredentialSetting['redact'] = (secret) => {
      const end = redactor.add(secret)
      return (ms = 0) => void world.clock.after(Math.max(REDACTION_GRACE, ms), end)
    }
    this.name = name
    this.type = kind.name
    this.description = frame.description
    this.findable = frame.findable
    this.#source = source
    this.baseUrl = frame.baseUrl
    this.hosts = frame.hosts.names
    this.apiHeaders = frame.apiHeaders
    this.apiQuery = frame.apiQuery
    this.fingerprint = source.fingerprint
    this.rotation = frame.rotation
    this.tenants = kind.tenants?.(options as never) ?? []
    this.#rules = frame.hosts
    this.#location = onPremise?.locationId
    this.#current = current
    this.certificate = certificate
    this.shownCertificate = showsReceiver ? describeCertificate(certificate!) : undefined
    const differs = toReceiver !== undefined || proxy !== undefined
    const direct = differs ? setting.world.dispatcherFor(toReceiver, proxy) : undefined
    this.dispatcher = onPremise?.calls ? virtual : direct
    const secrets = [...source.secrets, ...reachSecrets(options as ReachOptions), ...proxySecrets(proxy, {})]
    this.#releases = [...new Set(secrets)].map(redact)
    this.#own = kind.prepare(
      options as never,
      { name, description: frame.description, baseUrl: frame.baseUrl, allowedHosts: frame.hosts.names },
      { world, log, storedTokens, borrow, redact, hide: (text) => redactor.text(text) },
    )
    const own = this.#own
    this.authorizer = {
      authorize: (until, tenant) => this.#authorize(until, tenant),
      state: () => own.state(),
      warm: () => own.warm?.(),
      ...(own.keepsTokens && { keepsTokens: true as const }),
      ...(own.revoke && { revoke: (until) => own.revoke!(until) }),
      ...(own.invalidate && { invalidate: () => own.invalidate!() }),
      ...(own.test && { test: async (until, how) => shown(certificate, await own.test!(until, how)) }),
    }
    const names = frame.apiHeaders.filter((_, index) => index % 2 === 0)
    this.settings = {
      ...kind.describe?.(options as never),
      ...(proxy !== undefined && { proxy: withoutUser(proxy) }),
      ...(onPremise && { cloudConnector: describeCloudConnector(onPremise) }),
      ...(certificate && {
        'client certificate': `${describeCertificate(certificate)}${kind.asksService ? `, for the token service${showsReceiver ? ' and the receiver' : ''}` : ''}`,
      }),
      ...(ca !== undefined && { 'tls.ca': 'certificates of its own' }),
      ...(frame.findable && { findable: 'callers with the role destination.read get what it sends' }),
      ...(names.length > 0 && { apiHeaders: names.join(', ') }),
      ...(frame.apiQuery !== '' && { apiQuery: [...new URLSearchParams(frame.apiQuery).keys()].join(', ') }),
      ...(frame.rotation?.rotateAfter !== undefined && {
        rotateAfter: printDuration(frame.rotation.rotateAfter),
      }),
    }
  }

  /** Names of its fields with secrets that no text can be searched for. */
  get shortSecrets(): readonly string[] {
    return shortSecrets(this.#source.kind.options, this.#source.options)
  }

  allows(url: URL): boolean {
    return this.#rules.allows(url)
  }

  /** As other programs see it. */
  destination(): ShownDestination {
    return showDestination(this.#source)
  }

  /** Takes over what still holds of the version before, which is stopped next. */
  inherit(former: LoadedCredential): void {
    if (former.type === this.type) this.#own.inherit?.(former.#own)
  }

  /** Its token, for another credential. @throws Failure `credential.*` */
  lend(until: Cancellation): Promise<LentToken> {
    if (this.#own.lend) return this.#own.lend(until)
    throw new Failure(
      'credential.type',
      `credential "${this.name}" is a "${this.type}" credential and has no token to give`,
      {
        hint: 'Name a credential of the type oauth2 or jwt.',
      },
    )
  }

  stop(): void {
    this.#own.stop?.()
    this.#release()
  }

  /** Its file is gone: nobody gets anything from it any more, and its requests are called off. It may be inherited from yet. */
  leave(): void {
    this.#own.leave?.()
  }

  /** It was taken out of the security material, for good. */
  remove(): void {
    if (this.#own.remove) this.#own.remove()
    else this.#own.stop?.()
    this.#release()
  }

  #release(): void {
    for (const release of this.#releases) release()
  }

  /** A request that began with this version goes on with the one that replaced it, where that may go to the same hosts. */
  #authorize(until: Cancellation, tenant: string | undefined): Grant | Promise<Grant> {
    const successor = this.#successor()
    if (successor) return successor.authorizer.authorize(until, tenant)
    const grant = this.#own.authorize(until, tenant)
    return grant instanceof Promise
      ? grant.catch((error: unknown) => this.#goOn(error, until, tenant))
      : grant
  }

  #goOn(error: unknown, until: Cancellation, tenant: string | undefined): Grant | Promise<Grant> {
    const successor = until.cancelled ? undefined : this.#successor()
    if (!successor) throw error
    return successor.authorizer.authorize(until, tenant)
  }

  /** @throws Failure `credential.missing` when this version was taken away and nothing may stand in for it */
  #successor(): LoadedCredential | undefined {
    const current = this.#current()
    if (current === this) return undefined
    const isSame = current?.hosts.join() === this.hosts.join() && current.#location === this.#location
    if (current && isSame) return current
    throw new Failure('credential.missing', `credential "${this.name}" was changed or removed just now`, {
      hint: 'Send the message again.',
    })
  }
}

/** What was asked with it: the certificate goes along where the service wants one. */
function shown(
  certificate: ClientCertificate | undefined,
  steps: readonly CredentialTestStep[],
): readonly CredentialTestStep[] {
  if (!certificate) return steps
  return steps.map((step) =>
    step.asked.method === ''
      ? step
      : { ...step, asked: { ...step.asked, certificate: describeCertificate(certificate) } },
  )
}

function withoutUser(proxy: string): string {
  return proxy.replace(/^([a-z][\w+.-]*:\/\/)?[^@]*@/i, '$1')
}
