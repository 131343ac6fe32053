import type { X509Certificate } from 'node:crypto'
import type { Settings } from './config.ts'
import type { Logger } from './core/services.ts'
import type { Clock, Timer } from './core/world.ts'
import { readOwnTls, tlsFiles, type ReadTls } from './own-tls.ts'
import { describeCertificate, sayExpiry } from './security/client-certificate.ts'
import { tellProblem } from './security/reload.ts'
import { Watch } from './security/watch.ts'
import { OwnTls } from './server/own-tls.ts'

const DAY = 24 * 60 * 60_000

export interface TlsKeeperSetting {
  readonly settings: Settings
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Logger
  readonly hide: (secret: string) => void
  /** Whether a client is known by its certificate. */
  readonly haveCertificates: () => boolean
}

/** Keeps the TLS of the listeners as its files are: reads them when they change, reminds of their end. */
export class TlsKeeper {
  /** Undefined: listeners speak plain HTTP. */
  readonly tls: OwnTls | undefined
  readonly #setting: TlsKeeperSetting
  #inForce: ReadTls
  /** What was said to be wrong at the last look. */
  #told: string
  #watch: Watch | undefined
  #reminder: Timer | undefined

  private constructor(setting: TlsKeeperSetting, read: ReadTls) {
    this.#setting = setting
    this.#inForce = read
    this.#told = wordsOf(read)
    this.tls = read.content && new OwnTls(read.content, setting.settings.tls.hsts)
    this.clientsChanged()
  }

  /** Reads all files. @throws Error `SLUICE_TLS` where they cannot be used */
  static async open(setting: TlsKeeperSetting): Promise<TlsKeeper> {
    const read = await readOwnTls(setting.settings, setting.environment, setting.hide, setting.clock.now())
    if (read.authorities) return new TlsKeeper(setting, read)
    const mistakes = read.problems.filter(({ severity }) => severity === 'error')
    const told = mistakes.map(({ message, hint }) => (hint === undefined ? message : `${message}. ${hint}`))
    throw Object.assign(new Error(`the files of "tls" cannot be used: ${told.join('\n')}`), {
      code: 'SLUICE_TLS',
    })
  }

  /** Those who issue certificates of clients. */
  get authorities(): readonly X509Certificate[] {
    return this.#inForce.authorities!
  }

  /** From now on, until it is closed. */
  async watch(): Promise<void> {
    const { clock, log, settings } = this.#setting
    const watch = new Watch({
      clock,
      log,
      what: 'the files of "tls"',
      files: () => tlsFiles(settings),
      changed: () => this.#readAgain(),
    })
    this.#watch = watch
    this.#remind()
    await watch.begun
  }

  /** Clients are others now: callers are asked for certificates as long as one has some. */
  clientsChanged(): void {
    const { settings, haveCertificates } = this.#setting
    const { clientCertificates } = settings.tls
    if (!this.tls) return
    this.tls.asks = clientCertificates === 'auto' ? haveCertificates() : clientCertificates === 'ask'
  }

  async close(): Promise<void> {
    this.#reminder?.cancel()
    await this.#watch?.close()
  }

  async #readAgain(): Promise<boolean> {
    const { settings, environment, hide, clock, log } = this.#setting
    const read = await readOwnTls(settings, environment, hide, clock.now())
    const told = wordsOf(read)
    if (told !== this.#told) for (const problem of read.problems) tellProblem(problem, log)
    this.#told = told
    if (!read.authorities) {
      log.error({}, `the files of "tls" cannot be used; ${this.#sayInForce()} stays`)
      return true
    }
    if (sameAs(read, this.#inForce)) return true
    if (read.content) this.tls?.replace(read.content)
    this.#inForce = read
    log.info({}, `the files of "tls" were read again; from the next connection on: ${this.#sayInForce()}`)
    return true
  }

  #remind(): void {
    const { clock, log } = this.#setting
    const { subject, ends } = this.#inForce
    const expiry = ends === undefined ? undefined : sayExpiry({ ends }, clock.now())
    if (expiry !== undefined) log.warn({}, `the certificate of the engine (${subject}) ${expiry}`)
    this.#reminder = clock.after(DAY, () => this.#remind())
  }

  #sayInForce(): string {
    const { subject, ends } = this.#inForce
    return subject === undefined || ends === undefined
      ? 'what it was'
      : describeCertificate({ subject, ends })
  }
}

function wordsOf({ problems }: ReadTls): string {
  return problems.map(({ message }) => message).join('\n')
}

function sameAs(one: ReadTls, other: ReadTls): boolean {
  const of = ({ content, authorities }: ReadTls) => JSON.stringify([content, authorities?.map(String)])
  return of(one) === of(other)
}
