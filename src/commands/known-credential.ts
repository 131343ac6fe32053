import { fillIn } from '../known-services.ts'
import { entry, prose } from '../reference/skeleton.ts'
import { flagOf, UsageError, type CommandIo } from './command.ts'
import { told, writeChecked } from './new-file.ts'
import type { Questions } from './questions.ts'
import { secretStep } from './secret-reference.ts'
import { answersFor, givenValues, type ServiceAnswers } from './service-answers.ts'
import { aboutService, type Service } from './service-choice.ts'

/** Where a new credential goes. */
interface CredentialPlace {
  /** Absolute, without its ending. */
  readonly path: string
  readonly name: string
  /** Of the encrypted secrets. Absolute. */
  readonly secretsFile: string
}

/**
 * Writes the credential of a known service; gives what is told of it.
 * @param fields that a flag says, which the service may ask for
 */
export async function newKnownCredential(
  io: CommandIo,
  options: Record<string, unknown>,
  fields: readonly string[],
  service: Service,
  { path, name, secretsFile }: CredentialPlace,
  questions: Questions | undefined,
): Promise<string> {
  const foreign = [...fields, 'type'].find(
    (field) => options[field] !== undefined && !Object.hasOwn(service.asks ?? {}, field),
  )
  if (foreign !== undefined)
    throw new UsageError(`${flagOf(foreign)}: with --like the file says it; change it there`)
  const given = givenValues(service, options, fields)
  const answers = await answersFor(service, name, given, secretsFile, questions)
  const { examples, references } = answers
  const shown = await writeChecked(io, options, path, 'credential', textOf(service, answers, options))
  const edit: [string, string][] =
    examples.length === 0 ? [] : [[`edit ${shown}`, `examples in it: ${examples.join(', ')}`]]
  const secrets = await Promise.all(
    [...references.values()].map((reference) => secretStep(reference, secretsFile, io)),
  )
  return told(shown, [...edit, ...secrets.flat(), ...nextSteps(name)], aboutService(service, io.columns))
}

/** What follows with every credential. */
export function nextSteps(name: string): (readonly [string, string])[] {
  return [
    [`npx sluice credential test ${name}`, 'tells each step, and what to mend'],
    ['npx sluice check', 'after each change of it'],
  ]
}

/** The file, with what is special about the service on top. */
function textOf(
  { name, special, limits, docs, credential }: Service,
  { values, references, examples }: ServiceAnswers,
  options: Record<string, unknown>,
): string {
  const description = options['description']
  const filled = fillIn(credential, values, references)
  return [
    ...prose(`${name}. ${special}`),
    ...prose(limits ?? ''),
    ...(docs === undefined ? [] : [`# See ${docs}`]),
    ...(examples.length === 0 ? [] : prose('Addresses and ids are examples: put in your own.')),
    '',
    ...(description === undefined ? [] : entry('description', description)),
    filled,
  ].join('\n')
}
