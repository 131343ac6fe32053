import { readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { readClient, type Client } from './access/client-file.ts'
import type { Clients } from './access/clients.ts'
import { editedYaml } from './access/edited-yaml.ts'
import type { Actor, Audit, AuditEvent } from './core/audit.ts'
import { replaceFile } from './replaced-file.ts'
import type { ApiClient, ClientChange } from './server/api/managed-engine.ts'
import { ApiRefusal } from './server/api/operation.ts'
import { Turns } from './store/turns.ts'

export interface ClientChangeSetting {
  readonly clients: Pick<Clients, 'all'>
  readonly audit: Audit
  readonly projectFolder: string
  /** Who is about to change a client. */
  readonly expect: (client: string, actor: Actor) => void
  /** It was not changed after all. */
  readonly withdraw: (client: string, actor: Actor) => void
  /** Reads the security material again; resolves when what it says is in force. */
  readonly readAgain: () => Promise<unknown>
}

/** Changes files of clients for the management API; it never makes a secret. */
export class ClientChanges {
  readonly #setting: ClientChangeSetting
  readonly #turns = new Turns()

  constructor(setting: ClientChangeSetting) {
    this.#setting = setting
  }

  all(): ApiClient[] {
    return this.#setting.clients.all().map(shown)
  }

  /**
   * As it is then, or was when it was removed; undefined: there is none. What changes is noticed and recorded by whoever
   * reads the files; here is recorded what changed nothing. @throws ApiRefusal where its file cannot be changed
   */
  change(name: string, change: ClientChange, actor: Actor): Promise<ApiClient | undefined> {
    const tell = (outcome: 'done' | 'failed', detail: string) =>
      this.#setting.audit.count({ ...actor, what: EVENTS[change.kind], object: name, outcome, detail })
    return this.#turns.take(name, async () => {
      const found = this.#find(name)
      if (!found) {
        tell('failed', 'there is no such thing')
        return undefined
      }
      try {
        if (await this.#write(found, change, actor)) await this.#setting.readAgain()
        else tell('done', 'it was so already')
      } catch (error) {
        tell('failed', (error as Error).message)
        throw error
      }
      return shown(this.#find(name) ?? found)
    })
  }

  #find(name: string): Client | undefined {
    return this.#setting.clients.all().find((client) => client.name === name)
  }

  /** False: it is so already. */
  async #write({ name, file }: Client, change: ClientChange, actor: Actor): Promise<boolean> {
    const { projectFolder, expect, withdraw } = this.#setting
    const path = join(projectFolder, file)
    const failed = (error: NodeJS.ErrnoException) => {
      throw unchangeable(`${file} cannot be changed (${error.code})`)
    }
    const announced = async (write: () => Promise<void>) => {
      expect(name, actor)
      try {
        await write()
      } catch (error) {
        withdraw(name, actor)
        throw error
      }
      return true
    }
    if (change.kind === 'remove') return announced(() => unlink(path).catch(failed))
    const text = await readFile(path, 'utf8').catch(failed)
    const { client } = readClient({ file, text })
    if (!client) throw unchangeable(`${file} has mistakes; sluice check shows them`)
    const changes = changesOf(client, change)
    if (!changes) return false
    return announced(async () => {
      const trouble = await replaceFile(path, editedYaml(text, changes)).catch(failed)
      if (trouble) throw unchangeable(`${file}: ${trouble.message}. ${trouble.hint}`)
    })
  }
}

const EVENTS: Readonly<Record<ClientChange['kind'], AuditEvent>> = {
  grant: 'role.granted',
  revoke: 'role.revoked',
  enable: 'client.enabled',
  disable: 'client.disabled',
  remove: 'client.removed',
}

function unchangeable(detail: string): ApiRefusal {
  return new ApiRefusal(409, 'client.unchangeable', detail)
}

/** Undefined: it is so already. */
function changesOf({ roles, enabled }: Client, change: ClientChange): Record<string, unknown> | undefined {
  switch (change.kind) {
    case 'grant':
      return roles.includes(change.role) ? undefined : { roles: [...roles, change.role] }
    case 'revoke':
      return roles.includes(change.role) ? { roles: roles.filter((role) => role !== change.role) } : undefined
    case 'enable':
      return enabled ? undefined : { enabled: undefined }
    case 'disable':
      return enabled ? { enabled: false } : undefined
    case 'remove':
      return undefined
  }
}

function shown(client: Client): ApiClient {
  const { name, file, clientId, callerId, description, enabled, roles, hashes, apiKeys, tokenLifetime } =
    client
  return {
    name,
    file,
    clientId,
    caller: callerId,
    ...(description !== undefined && { description }),
    enabled,
    roles: [...roles],
    secrets: hashes.length,
    apiKeys: apiKeys.length,
    tokenLifetime,
  }
}
