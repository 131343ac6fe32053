import { didYouMean } from '../core/problem.ts'
import { readKnownServices, referencesOf, type KnownService } from '../known-services.ts'
import { UsageError, type CommandIo } from './command.ts'
import { table } from './paint.ts'
import type { Questions } from './questions.ts'
import { wrap } from './wrap.ts'

/** A known service with the word that `--like` takes. */
export interface Service extends KnownService {
  readonly key: string
}

/** By the word of `--like`. @throws UsageError where there is none */
export async function findService(like: string): Promise<Service> {
  const services = await allServices()
  const service = services.find(({ key }) => key === like.toLowerCase())
  if (service) return service
  const near = matching(services, like)
  const others =
    near.length > 0
      ? `; there are: ${keysOf(near)}`
      : didYouMean(like.toLowerCase(), words(services)) || `; there are: ${keysOf(services)}`
  throw new UsageError(`--like: no service is known as "${like}"${others}`)
}

/** Asks which service the credential is for; undefined: none of them. */
export async function chooseService(io: CommandIo, questions: Questions): Promise<Service | undefined> {
  const services = await allServices()
  let shown: readonly Service[] = []
  for (;;) {
    const answer = await questions.ask(
      shown.length === 0
        ? `Service: a part of its name (${services.length} are known), * for all, empty for none`
        : 'Number or name, another part of a name, empty for none',
      '',
    )
    if (answer === '') return undefined
    const chosen = /^\d+$/.test(answer) ? shown[Number(answer) - 1] : undefined
    const found = chosen ? [chosen] : answer === '*' ? services : matching(services, answer)
    if (found.length === 1) {
      io.stderr(`  ${found[0]!.name}\n`)
      return found[0]
    }
    if (found.length === 0)
      io.stderr(
        `  no known service has "${answer}" in its name${didYouMean(answer.toLowerCase(), words(services))}\n`,
      )
    else {
      const rows = found.map(({ key, name }, index) => [String(index + 1).padStart(4), key, name])
      io.stderr(table(rows))
      shown = found
    }
  }
}

/** What `--list-services` shows: all, those with a part of a name, or all that one of them asks for. */
export async function listServices(io: CommandIo, part: string | undefined): Promise<string> {
  const services = await allServices()
  const found = part === undefined ? services : matching(services, part)
  if (found.length === 0)
    throw new UsageError(
      `--list-services: no known service has "${part}" in its name${didYouMean(part!.toLowerCase(), words(services))}`,
    )
  return found.length === 1 && part !== undefined
    ? describe(found[0]!, io)
    : table(found.map(({ key, name }) => [key, name]))
}

/** What is special about a service, and where it is described. */
export function aboutService({ name, special, limits, docs }: Service, columns: number): string {
  const parts = [`${name}. ${special}`, ...(limits === undefined ? [] : [limits])]
  const lines = parts.flatMap((part) => wrap(part, Math.min(columns, 96)))
  return [...lines, ...(docs === undefined ? [] : [`See ${docs}`]), ''].join('\n')
}

function describe(service: Service, io: CommandIo): string {
  const asks = Object.entries(service.asks ?? {}).map(([name, { question, example, usual }]) => [
    `  --set ${name}=...`,
    `${question}${usual ? ` [${example}]` : `, such as ${example}`}`,
  ])
  const secrets = referencesOf(service.credential).map(({ field, reference }) => [
    `  --set ${field}=...`,
    `where it is kept, such as ${reference}`,
  ])
  return `${aboutService(service, io.columns)}\nsluice new credential NAME --like ${service.key}\n${table([...asks, ...secrets])}`
}

async function allServices(): Promise<Service[]> {
  return [...(await readKnownServices())].map(([key, service]) => ({ key, ...service }))
}

/** Those with the part in their names; the one that is called so, where there is one. */
function matching(services: readonly Service[], part: string): readonly Service[] {
  const wanted = part.toLowerCase()
  const exact = services.filter(({ key, name }) => key === wanted || name.toLowerCase() === wanted)
  if (exact.length > 0) return exact
  return services.filter(({ key, name }) => `${key} ${name}`.toLowerCase().includes(wanted))
}

function words(services: readonly Service[]): string[] {
  return services.map(({ key }) => key)
}

function keysOf(services: readonly Service[]): string {
  return words(services).toSorted().join(', ')
}
