import type { BackendValue, SecretBackend } from '../core/secret-backend.ts'
import type { Logger } from '../core/services.ts'
import type { Clock, Timer, World } from '../core/world.ts'
import { VaultClient } from './client.ts'
import type { AuthSetting } from './login.ts'
import { readSecret, type KeptSecret } from './kv.ts'
import type { SecretText } from '../security/setting-reference.ts'
import { FORM, readReference } from './reference.ts'
import { VaultSession } from './session.ts'
import { Trouble } from './trouble.ts'
import { mistakeIn, UNASKED } from './unasked.ts'
import { fieldOf } from './field.ts'

export interface VaultBackendSetting {
  readonly address: string
  readonly namespace: string | undefined
  readonly mount: string
  /** ms */
  readonly refresh: number
  readonly auth: AuthSetting
  readonly from: SecretText
  readonly world: World
  readonly log: Logger
  readonly redactor: { add(secret: string): () => void; text(text: string): string }
}

/** ms before the second try; each further wait is twice as long. */
const FIRST_WAIT = 1000
const LONGEST_WAIT = 60_000

/** A path that credentials refer to. */
interface Entry {
  readonly path: string
  /** The last that Vault gave. */
  secret: KeptSecret | undefined
  /** What the last try came to. */
  trouble: Trouble | undefined
  /** In a row. */
  failures: number
  /** Monotonic ms of the next try. */
  dueAt: number
  /** The request that is under way; whether something is different. */
  flight: Promise<boolean> | undefined
}

/** Secrets in the KV engine, version 2, of HashiCorp Vault: one request a path, asked again every now and then. */
export class VaultBackend implements SecretBackend {
  readonly kind = 'vault'
  readonly form = FORM
  readonly mistakeOf = mistakeIn
  readonly #setting: VaultBackendSetting
  readonly #clock: Clock
  readonly #client: VaultClient
  readonly #session: VaultSession
  readonly #entries = new Map<string, Entry>()
  #changed: (() => void) | undefined
  #timer: Timer | undefined
  #stopped = false

  constructor(setting: VaultBackendSetting) {
    const { world, log, redactor, auth, from } = setting
    this.#setting = setting
    this.#clock = world.clock
    this.#client = new VaultClient({ ...setting, redact: (text) => redactor.text(text) })
    this.#session = new VaultSession({ client: this.#client, auth, from, clock: world.clock, log, redactor })
  }

  async open(names: readonly string[]): Promise<void> {
    const paths = new Set(
      names.flatMap((name) => {
        const read = readReference(name)
        return typeof read === 'string' ? [] : [read.path]
      }),
    )
    for (const path of this.#entries.keys()) if (!paths.has(path)) this.#entries.delete(path)
    await Promise.all([...paths].map((path) => this.#opened(path)))
    this.#wait()
  }

  value(name: string): BackendValue {
    const read = readReference(name)
    const entry = typeof read === 'string' ? undefined : this.#entries.get(read.path)
    if (typeof read === 'string' || !entry) return UNASKED
    if (entry.secret) return fieldOf(entry.secret, read, this.#setting.mount)
    if (!entry.trouble) return UNASKED
    const { kind, why, hint } = entry.trouble
    return { why, hint, ...(kind !== 'missing' && { kept: true }) }
  }

  follow(changed: () => void): void {
    this.#changed = changed
    this.#wait()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#session.stop()
    this.#client.stop()
  }

  /** Waits only for what was never asked for. */
  async #opened(path: string): Promise<void> {
    let entry = this.#entries.get(path)
    if (!entry) {
      entry = { path, secret: undefined, trouble: undefined, failures: 0, dueAt: 0, flight: undefined }
      this.#entries.set(path, entry)
    }
    if (!entry.secret && !entry.trouble) await this.#fetch(entry)
  }

  #fetch(entry: Entry): Promise<boolean> {
    return (entry.flight ??= this.#read(entry).finally(() => (entry.flight = undefined)))
  }

  async #read(entry: Entry): Promise<boolean> {
    const { mount, refresh } = this.#setting
    const found = await readSecret(entry.path, mount, this.#client, this.#session)
    if (this.#stopped || this.#entries.get(entry.path) !== entry) return false
    const former = { ...entry }
    if (found instanceof Trouble) {
      entry.trouble = found
      if (found.kind === 'missing') entry.secret = undefined
      entry.dueAt = this.#clock.ticks() + Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** entry.failures++)
    } else {
      entry.secret = found
      entry.trouble = undefined
      entry.failures = 0
      entry.dueAt = this.#clock.ticks() + refresh
    }
    this.#tell(former, entry)
    const isSame = former.secret?.text === entry.secret?.text
    return !isSame || (!entry.secret && former.trouble?.why !== entry.trouble?.why)
  }

  #tell(former: Entry, { path, secret, trouble }: Entry): void {
    const { log } = this.#setting
    if (secret && trouble && former.trouble?.why !== trouble.why)
      log.warn(
        { path, reason: trouble.why.replace(/^cannot be read: /, '') },
        'a secret cannot be read from Vault again; what was read before stays in force',
      )
    else if (secret && !trouble && former.secret && former.trouble)
      log.info({ path }, 'the secret can be read from Vault again')
    if (secret && former.secret && secret.version !== former.secret.version)
      log.info({ path, version: secret.version }, 'Vault has a new version of a secret')
  }

  /** Until the next path is due; only where somebody is told. */
  #wait(): void {
    this.#timer?.cancel()
    const due = [...this.#entries.values()].filter(({ flight }) => !flight).map(({ dueAt }) => dueAt)
    if (!this.#changed || this.#stopped || due.length === 0) return
    const ms = Math.max(0, Math.min(...due) - this.#clock.ticks())
    this.#timer = this.#clock.after(ms, () => void this.#look())
  }

  async #look(): Promise<void> {
    const now = this.#clock.ticks()
    const due = [...this.#entries.values()].filter(({ dueAt, flight }) => dueAt <= now && !flight)
    const different = await Promise.all(due.map((entry) => this.#fetch(entry)))
    if (this.#stopped) return
    this.#wait()
    if (different.includes(true)) this.#changed!()
  }
}
