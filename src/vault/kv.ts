import type { VaultClient } from './client.ts'
import type { VaultSession } from './session.ts'
import { away, Trouble } from './trouble.ts'

/** A secret as Vault keeps it: fields with values. */
export interface KeptSecret {
  readonly version: number | undefined
  readonly fields: Readonly<Record<string, unknown>>
  /** The same for the same fields. */
  readonly text: string
}

/** Reads the newest version of a secret; with another token once, where the one that was there is dead. */
export async function readSecret(
  path: string,
  mount: string,
  client: VaultClient,
  session: VaultSession,
): Promise<KeptSecret | Trouble> {
  for (let again = false; ; again = true) {
    const token = await session.token()
    if (token instanceof Trouble) return token
    const answer = await client.ask('GET', `${mount}/data/${path}`, token)
    if (answer instanceof Trouble) return answer
    const { status, body, said } = answer
    if (status === 200) return secretIn(body, mount)
    if (status === 404) return missing(path, mount, said, body)
    if (status !== 403) return away(`Vault answers with ${status}${said === '' ? '' : `: ${said}`}`)
    if (again || !(await session.isDead(token)))
      return new Trouble(
        'forbidden',
        `may not be read: Vault says ${said === '' ? '403' : `"${said}"`}`,
        `The policy of the engine's login has to allow "read" on ${mount}/data/${path}.`,
      )
  }
}

function secretIn(body: unknown, mount: string): KeptSecret | Trouble {
  const inner = (body as { data?: { data?: unknown; metadata?: { version?: unknown } } | null } | undefined)
    ?.data
  const fields = inner?.data
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields) || inner?.metadata === undefined)
    return new Trouble(
      'away',
      `cannot be read: what "${mount}" answers is not of KV version 2`,
      'Name a mount of KV version 2 in vault.mount.',
    )
  const version = inner.metadata.version
  return {
    version: typeof version === 'number' ? version : undefined,
    fields: fields as Record<string, unknown>,
    text: JSON.stringify(fields),
  }
}

function missing(path: string, mount: string, said: string, body: unknown): Trouble {
  if (/no handler for route|unsupported path/i.test(said))
    return new Trouble(
      'away',
      `cannot be read: Vault has nothing mounted at "${mount}"`,
      'Name the mount of KV version 2 in vault.mount.',
    )
  const metadata = (body as { data?: { metadata?: unknown } | null } | undefined)?.data?.metadata
  return metadata === undefined || metadata === null
    ? new Trouble(
        'missing',
        'is not in Vault',
        /^data\//.test(path) || path.startsWith(`${mount}/`)
          ? `Write the path below the mount: without "${mount}/" and "data/".`
          : `Put it there: vault kv put -mount=${mount} ${path} FIELD=-`,
      )
    : new Trouble(
        'missing',
        'is deleted in Vault',
        `Take it back, or put a new version there: vault kv undelete -mount=${mount} -versions=N ${path}`,
      )
}
