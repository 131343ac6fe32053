import { didYouMean } from '../core/problem.ts'
import { examplesOf, referencesOf, type ServiceAsk, type ServiceReference } from '../known-services.ts'
import { UsageError } from './command.ts'
import type { Questions } from './questions.ts'
import { askReference, readReference, usualReference } from './secret-reference.ts'
import type { Service } from './service-choice.ts'

/** What the credential of a service is filled with. */
export interface ServiceAnswers {
  readonly values: Readonly<Record<string, string>>
  /** Where secrets and keys are kept, by the reference of the list. */
  readonly references: ReadonlyMap<string, string>
  /** Names of values that are still examples. */
  readonly examples: readonly string[]
}

/**
 * What a service needs: as flags say it, else as a person answers. Where nothing is said and nobody can be asked, the
 * examples stay.
 * @param given by the names of the service, as flags say them
 * @param secretsFile of the encrypted secrets, absolute
 */
export async function answersFor(
  service: Service,
  name: string,
  given: ReadonlyMap<string, string>,
  secretsFile: string,
  questions: Questions | undefined,
): Promise<ServiceAnswers> {
  const wanted = referencesOf(service.credential)
  checkGiven(service, given, wanted)
  const asks = Object.entries(service.asks ?? {})
  const missing = asks.filter(([ask, { usual }]) => !given.has(ask) && usual !== true)
  const asExample = !questions && given.size === 0
  if (missing.length > 0 && !questions && !asExample) throw missingValues(missing)
  const values = { ...examplesOf(service.asks), ...Object.fromEntries(given) }
  if (missing.length > 0 && questions)
    for (const [ask, about] of asks)
      if (!given.has(ask)) values[ask] = await askValue(service, ask, about, questions)
  const references = new Map<string, string>()
  for (const one of wanted) {
    const flag = given.get(one.field)
    const kept = flag === undefined ? keptAt(one, name, secretsFile, questions) : readReference(flag)!
    references.set(one.reference, await kept)
  }
  return { values, references, examples: asExample ? missing.map(([ask]) => ask) : [] }
}

function missingValues(missing: readonly (readonly [string, ServiceAsk])[]): UsageError {
  const lines = missing.map(
    ([ask, { question, example }]) => `\n  --set ${ask}=...  ${question}, such as ${example}`,
  )
  return new UsageError(`missing:${lines.join('')}`)
}

/** Where a secret or key is kept: as a person answers who was asked before, or the usual place. */
async function keptAt(
  one: ServiceReference,
  name: string,
  secretsFile: string,
  questions: Questions | undefined,
): Promise<string> {
  const usual = usualOf(name, one)
  if (!questions?.asked) return usual
  const encrypted = usual.replace(/^env:(.*)$/, (_, variable: string) => `secret:${variable.toLowerCase()}`)
  return askReference(`Where "${one.field}" is kept`, usual, encrypted, secretsFile, questions)
}

/** `NAME=VALUE` of the flags, with the secret of a service that has one only. @throws UsageError */
export function givenValues(
  service: Service,
  options: Record<string, unknown>,
  flags: readonly string[],
): Map<string, string> {
  const given = new Map<string, string>()
  const put = (name: string, value: string) => {
    if (given.has(name)) throw new UsageError(`--set: "${name}" is there twice`)
    given.set(name, value)
  }
  for (const text of (options['set'] as string[] | undefined) ?? []) {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? []
    if (name === undefined) throw new UsageError('--set wants NAME=VALUE, such as --set clientId=...')
    put(name, value!.trim())
  }
  for (const flag of flags) {
    const value = options[flag] as string | undefined
    if (value !== undefined && Object.hasOwn(service.asks ?? {}, flag)) put(flag, value)
  }
  const secret = options['secret'] as string | undefined
  if (secret === undefined) return given
  const fields = referencesOf(service.credential).map(({ field }) => field)
  if (fields.length !== 1)
    throw new UsageError(
      `--secret: ${service.name} has ${fields.length === 0 ? 'none' : `several: ${fields.map((field) => `--set ${field}=env:NAME`).join(', ')}`}`,
    )
  put(fields[0]!, secret)
  return given
}

function checkGiven(
  service: Service,
  given: ReadonlyMap<string, string>,
  wanted: readonly ServiceReference[],
): void {
  const fields = wanted.map(({ field }) => field)
  const known = [...Object.keys(service.asks ?? {}), ...fields]
  for (const [name, value] of given) {
    if (!known.includes(name))
      throw new UsageError(
        `--set: ${service.name} asks for no "${name}"${didYouMean(name, known)}; it asks for: ${known.join(', ')}`,
      )
    if (fields.includes(name) && readReference(value) === undefined)
      throw new UsageError(
        `--set ${name} wants env:NAME, secret:NAME or file:/path: where it is kept, never the secret itself`,
      )
    const ask = service.asks?.[name]
    const complaint = ask && badValue(service.credential, name, ask, value)
    if (complaint !== undefined) throw new UsageError(`--set ${name}: ${complaint}`)
  }
}

function askValue(
  { credential }: Service,
  name: string,
  ask: ServiceAsk,
  questions: Questions,
): Promise<string> {
  const complain = (answer: string) => badValue(credential, name, ask, answer)
  return ask.usual
    ? questions.ask(ask.question, ask.example, complain)
    : questions.ask(`${ask.question}, such as ${ask.example}`, undefined, complain)
}

/** What a value may be follows from where it goes; a reference may stand anywhere. */
function badValue(credential: string, name: string, ask: ServiceAsk, value: string): string | undefined {
  if (/^\$\{(env|file|secret|param):[^{}\s]+\}$/.test(value)) return undefined
  if (/\p{Cc}|\{\{|\$\{/u.test(value)) return 'text of one line is wanted, without "{{" and "${"'
  const isPart = (pattern: string) =>
    new RegExp(pattern.replace('NAME', `\\{\\{${name}\\}\\}`), 'm').test(credential)
  if (isPart("Url: '?NAME"))
    return URL.canParse(value) && value.startsWith('http') ? undefined : 'a URL is needed: https://...'
  if (isPart('://[^/\\s]*NAME') && !/^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(:\d+)?$/.test(value))
    return `only this part of the address, as in ${ask.example}`
  if (isPart('://[^/\\s]*/\\S*NAME') && !/^[^\s/?#\\]+$/.test(value))
    return `only this part of the address, as in ${ask.example}`
  return undefined
}

/** The variable or file by the name of the credential, so that two of one service do not share it. */
function usualOf(name: string, { field, reference }: ServiceReference): string {
  const file = /^file:(.*\/)?[^/]*?(\.\w+)?$/.exec(reference)
  return file ? `file:${file[1] ?? ''}${name}${file[2] ?? ''}` : usualReference(name, field)
}
