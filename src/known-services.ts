import { readFile } from 'node:fs/promises'

/** A credential that is known to fit a service, as `docs/guide/providers.md` shows it. */
export interface KnownService {
  readonly name: string
  /** What is special about it. */
  readonly special: string
  /** What has to be done elsewhere. */
  readonly limits?: string
  /** Where it is described. */
  readonly docs?: string
  /** Text of its file, with examples for addresses and ids, and references for secrets. */
  readonly credential: string
}

/** All of them, by the word that `sluice new credential --like` takes. */
export async function readKnownServices(): Promise<ReadonlyMap<string, KnownService>> {
  const text = await readFile(new URL('../starter/services.json', import.meta.url), 'utf8')
  return new Map(Object.entries(JSON.parse(text) as Record<string, KnownService>))
}
