import { inOrder, type Place, type Problem } from '../core/problem.ts'
import type { Logger } from '../core/services.ts'
import type { CredentialFile } from '../security/credential-file.ts'
import type { OtherFiles } from '../security/material.ts'
import { KnownCertificates } from './certificates/known-certificates.ts'
import { readClient, type Client, type ReadClient } from './client-file.ts'
import { isOfType } from '../security/material-name.ts'

interface Entry {
  readonly text: string
  readonly read: ReadClient
}

/** Who has an id or a key first. */
interface Owner {
  readonly client: Client
  readonly place: () => Place
}

/** The clients of an engine, as their files are now. */
export class Clients implements OtherFiles {
  #entries: ReadonlyMap<string, Entry> = new Map()
  /** By file. One whose file has mistakes stays as it was. */
  #inForce: ReadonlyMap<string, Client> = new Map()
  #byId: ReadonlyMap<string, Client> = new Map()
  /** Names of those whose file is there while another one has their client id, with the name of that one. */
  #displaced: ReadonlyMap<string, string> = new Map()
  #byApiKey: ReadonlyMap<string, Client> = new Map()
  #certificates = new KnownCertificates([])
  #loaded = false
  /** Is told after each load. @param ended ids of clients that may call no more */
  onLoad: ((ended: readonly string[]) => void) | undefined
  readonly #log: Logger
  readonly #authoritiesKnown: boolean

  /** @param authoritiesKnown the settings name who issues certificates of clients */
  constructor(log: Logger, authoritiesKnown = true) {
    this.#log = log
    this.#authoritiesKnown = authoritiesKnown
  }

  takes(file: CredentialFile): boolean {
    // What cannot be read for now is what it was.
    return file.unreadable ? this.#entries.has(file.file) : isOfType(file, 'client')
  }

  load(files: readonly CredentialFile[]): Problem[] {
    const { entries, problems } = this.#read(files)
    const inForce = new Map<string, Client>()
    const byId = new Map<string, Client>()
    const displaced = new Map<string, string>()
    for (const [file, { read }] of entries) {
      const former = this.#inForce.get(file)
      const client = read.client ?? former
      if (!client) continue
      const holder = byId.get(client.clientId)
      if (holder) {
        displaced.set(client.name, holder.name)
        continue
      }
      inForce.set(file, client)
      byId.set(client.clientId, client)
      if (this.#loaded) this.#tell(former, client, read)
    }
    for (const [file, { name }] of this.#inForce)
      if (!inForce.has(file)) this.#log.info({ client: name }, removal(name, displaced.get(name)))
    const ended = [...this.#byId.values()].filter(
      ({ clientId, enabled }) => enabled && byId.get(clientId)?.enabled !== true,
    )
    this.#entries = entries
    this.#inForce = inForce
    this.#byId = byId
    this.#displaced = displaced
    const byApiKey = new Map<string, Client>()
    for (const one of byId.values())
      for (const key of one.apiKeys) if (!byApiKey.has(key)) byApiKey.set(key, one)
    this.#byApiKey = byApiKey
    this.#certificates = new KnownCertificates(byId.values())
    this.#loaded = true
    this.onLoad?.(ended.map(({ clientId }) => clientId))
    return problems
  }

  check(files: readonly CredentialFile[]): Problem[] {
    return this.#read(files).problems
  }

  ofId(clientId: string): Client | undefined {
    return this.#byId.get(clientId)
  }

  /** @param hash as it stands in the file */
  ofApiKey(hash: string): Client | undefined {
    return this.#byApiKey.get(hash)
  }

  get haveApiKeys(): boolean {
    return this.#byApiKey.size > 0
  }

  /** As they are now. */
  get certificates(): KnownCertificates {
    return this.#certificates
  }

  /** Why it does not count though its file is there: the client that has the same client id. */
  displacedBy(name: string): string | undefined {
    return this.#displaced.get(name)
  }

  /** By name. */
  all(): Client[] {
    return [...this.#byId.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  #read(files: readonly CredentialFile[]): { entries: Map<string, Entry>; problems: Problem[] } {
    const entries = new Map<string, Entry>()
    const problems: Problem[] = []
    const owners = new Map<string, Owner>()
    const keyOwners = new Map<string, Owner>()
    const certificateOwners = new Map<string, Owner>()
    for (const { file, text, unreadable } of files) {
      const known = this.#entries.get(file)
      if (unreadable) {
        problems.push(unreadable)
        if (known) entries.set(file, known)
        continue
      }
      const read = known?.text === text ? known.read : readClient({ file, text })
      entries.set(file, { text, read })
      problems.push(...read.problems)
      const { client, idPlace } = read
      if (!client) continue
      const taken = (owner: Owner, text: Pick<Problem, 'code' | 'message' | 'hint'>) =>
        problems.push({
          severity: 'error',
          ...text,
          ...idPlace(),
          related: [{ ...owner.place(), message: 'is the other one' }],
        })
      for (const key of client.apiKeys) {
        const owner = keyOwners.get(key)
        if (!owner) keyOwners.set(key, { client, place: idPlace })
        else if (owner.client !== client)
          taken(owner, {
            code: 'client/api-key',
            message: `the API key is that of ${owner.client.file}, too`,
            hint: `sluice client api-key ${client.name} --now makes another one.`,
          })
      }
      for (const rule of client.certificates) {
        if ('issuer' in rule && !this.#authoritiesKnown)
          problems.push({
            code: 'client/certificate',
            severity: 'warning',
            message: 'certificates by names are not taken: the setting "tls.clientCa" is missing',
            hint: 'Name the file of those who issue them, or give the fingerprint of the certificate.',
            ...idPlace(),
          })
        const key = 'fingerprint' in rule ? rule.fingerprint : `${rule.subject} ${rule.issuer}`
        const owner = certificateOwners.get(key)
        if (!owner) certificateOwners.set(key, { client, place: idPlace })
        else if (owner.client !== client)
          taken(owner, {
            code: 'client/certificate',
            message: `a certificate of it is that of ${owner.client.file}, too`,
            hint: 'Take it out of one of them: a certificate tells who calls.',
          })
      }
      const owner = owners.get(client.clientId)
      if (!owner) owners.set(client.clientId, { client, place: idPlace })
      else
        taken(owner, {
          code: 'client/id',
          message: `the client id "${client.clientId}" is taken by ${owner.client.file}`,
          hint: 'Give one of them another clientId.',
        })
    }
    return { entries, problems: inOrder(problems) }
  }

  #tell(former: Client | undefined, client: Client, { client: read }: ReadClient): void {
    const { name } = client
    if (!former) this.#log.info({ client: name }, `client "${name}" was added`)
    else if (!read && this.#entries.get(client.file)?.read.client)
      this.#log.warn({ client: name }, `client "${name}": the version before stays in force`)
    else if (former !== client)
      this.#log.info({ client: name }, `client "${name}" was changed; it counts from the next request on`)
  }
}

function removal(name: string, holder: string | undefined): string {
  return holder === undefined
    ? `client "${name}" was removed; its tokens ended`
    : `client "${name}" counts no more: "${holder}" has the same client id`
}
