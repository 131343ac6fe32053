import { createHash } from 'node:crypto'
import { FILES, type Actor, type Audit, type AuditEntry } from '../core/audit.ts'
import { sayRoles } from '../core/access.ts'
import type { Logger } from '../core/services.ts'
import type { Clock } from '../core/world.ts'
import type { Client } from './client-file.ts'
import type { Clients } from './clients.ts'
import { readPrivate, writePrivate } from './private-file.ts'

/** What was known of a client when it was last looked at. */
interface Known {
  readonly roles: readonly string[]
  readonly enabled: boolean
  /** Of its secrets, API keys, public keys and certificates: tells them apart, and nothing more. */
  readonly secrets: readonly string[]
  /** Of everything else. */
  readonly rest: string
}

/** ms in which an announced change counts as that of whoever announced it. */
const EXPECTED = 10_000

export interface LedgerSetting {
  readonly file: string
  readonly audit: Audit
  readonly log: Logger
  readonly clock: Pick<Clock, 'ticks'>
}

type Change = Pick<AuditEntry, 'what' | 'detail'>

/**
 * Notices what changed about clients, whoever changed their files and whether an engine ran then or not: what is known of
 * them is kept in a file, without anything that helps to guess a secret.
 */
export class ClientLedger {
  readonly #file: string
  readonly #audit: Audit
  readonly #log: Logger
  readonly #clock: Pick<Clock, 'ticks'>
  #known: ReadonlyMap<string, Known>
  /** With the monotonic ms until which it counts. */
  readonly #expected = new Map<string, { readonly actor: Actor; readonly until: number }>()
  readonly #made = new WeakMap<Client, Known>()
  #writing: Promise<void> = Promise.resolve()

  private constructor({ file, audit, log, clock }: LedgerSetting, known: ReadonlyMap<string, Known>) {
    this.#file = file
    this.#audit = audit
    this.#log = log
    this.#clock = clock
    this.#known = known
  }

  /** @throws Error `SLUICE_ACCESS` */
  static async open(setting: LedgerSetting): Promise<ClientLedger> {
    const kept = (await readPrivate(setting.file)) as { clients?: Record<string, Known> } | undefined
    return new ClientLedger(setting, new Map(Object.entries(kept?.clients ?? {})))
  }

  /** Who is about to change a client: its next change within 10 s. */
  expect(client: string, actor: Actor): void {
    this.#expected.set(client, { actor, until: this.#clock.ticks() + EXPECTED })
  }

  /** The change did not come about: what comes next is somebody else's. */
  withdraw(client: string, { who }: Actor): void {
    if (this.#expected.get(client)?.actor.who === who) this.#expected.delete(client)
  }

  /** @param when for those whose change nobody announced */
  compare(clients: Pick<Clients, 'all' | 'displacedBy'>, when?: string): void {
    const now = new Map(clients.all().map((client) => [client.name, this.#knownOf(client)]))
    const names = new Set([...this.#known.keys(), ...now.keys()])
    let isSame = true
    for (const name of names) {
      const [before, after] = [this.#known.get(name), now.get(name)]
      const changes = before === after ? [] : changesOf(before, after)
      if (changes.length === 0) continue
      isSame = false
      const actor = this.#actorOf(name)
      for (const { what, detail } of changes) {
        const holder = after ? undefined : clients.displacedBy(name)
        const why = holder === undefined ? detail : `"${holder}" has the same client id`
        const details = [why, actor ? undefined : when].filter((text) => text !== undefined).join('; ')
        this.#audit.record({
          ...(actor ?? FILES),
          what,
          object: name,
          outcome: 'done',
          detail: details === '' ? undefined : details,
        })
      }
    }
    this.#known = now
    if (!isSame) this.#keep()
  }

  /** Resolves when what is known is on disk. */
  async close(): Promise<void> {
    await this.#writing
  }

  /** Files that are as they were are the same client. */
  #knownOf(client: Client): Known {
    let known = this.#made.get(client)
    if (!known) this.#made.set(client, (known = knownOf(client)))
    return known
  }

  #actorOf(client: string): Actor | undefined {
    const expected = this.#expected.get(client)
    this.#expected.delete(client)
    return expected && expected.until >= this.#clock.ticks() ? expected.actor : undefined
  }

  #keep(): void {
    this.#writing = this.#writing
      .then(() => writePrivate(this.#file, { clients: Object.fromEntries(this.#known) }))
      .catch((error: unknown) =>
        this.#log.error({ err: error }, 'what is known of the clients could not be kept'),
      )
  }
}

function knownOf(client: Client): Known {
  const { roles, enabled, hashes, apiKeys, keys, certificates } = client
  const shown = [
    ...hashes.map(({ text }) => text),
    ...apiKeys,
    ...keys.map(({ mark }) => mark),
    ...certificates.map((rule) => ('issuer' in rule ? JSON.stringify(rule.written) : rule.fingerprint)),
  ]
  return {
    roles,
    enabled,
    secrets: shown.map(markOf),
    rest: markOf(JSON.stringify(client, (key, value: unknown) => (OF_ITS_OWN.has(key) ? undefined : value))),
  }
}

/** What is compared by itself, and what follows from it. */
const OF_ITS_OWN: ReadonlySet<string> = new Set([
  'roles',
  'enabled',
  'hashes',
  'apiKeys',
  'keys',
  'certificates',
  'generation',
  'generations',
])

function markOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12)
}

function changesOf(before: Known | undefined, now: Known | undefined): Change[] {
  if (!now) return before ? [{ what: 'client.removed' }] : []
  if (!before) return [{ what: 'client.created', detail: sayRoles(now.roles) }]
  const lacks = (list: readonly string[]) => (entry: string) => !list.includes(entry)
  const added = now.secrets.filter(lacks(before.secrets)).length
  const ended = before.secrets.filter(lacks(now.secrets)).length
  const rotated = [
    ...(added > 0 ? [`${added} added`] : []),
    ...(ended > 0 ? [`${ended} taken away`] : []),
  ].join(', ')
  return [
    ...now.roles.filter(lacks(before.roles)).map((detail): Change => ({ what: 'role.granted', detail })),
    ...before.roles.filter(lacks(now.roles)).map((detail): Change => ({ what: 'role.revoked', detail })),
    ...(rotated === '' ? [] : [{ what: 'secret.rotated', detail: rotated } as const]),
    ...(before.enabled === now.enabled
      ? []
      : [{ what: now.enabled ? 'client.enabled' : 'client.disabled' } as const]),
    ...(before.rest === now.rest ? [] : [{ what: 'client.changed' } as const]),
  ]
}
