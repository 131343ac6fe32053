import { didYouMean } from '../core/problem.ts'
import { readKnownServices, type KnownService } from '../known-services.ts'
import { prose } from '../reference/skeleton.ts'
import { UsageError } from './command.ts'

export interface KnownCredential {
  /** Of the file, with what is special about the service before it. */
  readonly text: string
  /** `env:ZOOM_SECRET`, in order. */
  readonly references: readonly string[]
}

/** The credential that is known to fit a service. @throws UsageError where there is none */
export async function knownCredential(like: string): Promise<KnownCredential> {
  const services = await readKnownServices()
  const service = services.get(like.toLowerCase())
  if (!service) throw new UsageError(`--like: no service is known as "${like}"${othersLike(like, services)}`)
  const { name, special, limits, docs, credential } = service
  const about = [
    ...prose(`${name}. ${special}`),
    ...prose(limits ?? ''),
    ...(docs === undefined ? [] : [`# See ${docs}`]),
    ...prose('Addresses and ids are examples: put in your own.'),
  ]
  const text = [...about, '', credential].join('\n')
  const references = [...credential.matchAll(/\$\{((?:env|file):[^}]+)\}/g)].map(([, one]) => one!)
  return { text, references: [...new Set(references)] }
}

/** Those that have the word in them, that are written much like it, or all. */
function othersLike(like: string, services: ReadonlyMap<string, KnownService>): string {
  const word = like.toLowerCase()
  const all = [...services.keys()].toSorted()
  const near = all.filter((key) => `${key} ${services.get(key)!.name}`.toLowerCase().includes(word))
  if (word !== '' && near.length > 0) return `; there are: ${near.join(', ')}`
  return didYouMean(word, all) || `; there are: ${all.join(', ')}`
}
