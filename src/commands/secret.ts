import { didYouMean, type Problem } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { removeSecret } from '../security/secret-changes.ts'
import { SecretStore } from '../security/secret-store.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { paint, table } from './paint.ts'
import { shorten } from './plain-text.ts'
import {
  checkSecretName,
  orStop,
  quoted,
  secretOptions,
  secretProject,
  usersOfSecrets,
  type SecretProject,
} from './secret-files.ts'
import { wrap } from './wrap.ts'

/** A secret for people; never its value. */
interface SecretReport {
  readonly name: string
  /** RFC 3339; undefined where it is missing. */
  readonly changed: string | undefined
  readonly state: string
  /** Those that refer to it. */
  readonly credentials: readonly string[]
  /** What is wrong, and what to do. */
  readonly why?: string
  readonly hint?: string
}

export const secretListCommand: CommandDefinition = {
  name: 'secret list',
  summary: 'Lists the encrypted secrets: when they were set, who uses them, which are missing; no values.',
  options: [{ flags: '--json', description: 'as JSON' }, ...secretOptions],
  examples: ['sluice secret list'],
  details: `States: ready; no key: there is none here; other key: it is encrypted for another one; damaged; misplaced: it was
encrypted under another name; missing: a credential refers to it, and it is not there; unreadable: the file is.
Exit code: 0 listed, 2 wrong usage, 3 a fault.`,
  async run(io, _args, options) {
    const project = await secretProject(io, options)
    const { reports, problems } = await reportsOf(project)
    if (options['json']) io.stdout(`${JSON.stringify(reports, undefined, 2)}\n`)
    else io.stdout(printSecretList(reports, project, io))
    if (problems.length > 0) io.stderr(printProblems(problems, () => undefined, { color: io.colorErrors }))
    return 0
  },
}

export const secretRemoveCommand: CommandDefinition = {
  name: 'secret remove',
  summary: 'Removes an encrypted secret; one that a credential uses only with --force.',
  arguments: [{ name: 'name', description: 'name of the secret' }],
  options: [{ flags: '--force', description: 'also where credentials use it' }, ...secretOptions],
  examples: ['sluice secret remove im_read'],
  details: `The file in the history of your version control still holds it: what nobody may use any more has to end
at its service.
Exit code: 0 removed, 1 not removed, 2 wrong usage, 3 a fault.`,
  async run(io, [name], options) {
    checkSecretName(name!)
    const project = await secretProject(io, options)
    const users = (await usersOfSecrets(project)).get(name!)
    if (users && !options['force'])
      throw new Stop(
        1,
        `the secret "${name}" is used by ${quoted(users)}; without it their requests fail\n  --force removes it all the same.`,
      )
    const { was, left } = await orStop(removeSecret(project, name!))
    if (!was)
      throw new Stop(1, `there is no secret "${name}" in ${project.shownFile}${didYouMean(name!, left)}`)
    io.stdout(`removed the secret "${name}" from ${project.shownFile}\n`)
    if (users) io.stdout(`${quoted(users)} cannot be used without it\n`)
    return 0
  },
}

async function reportsOf(
  project: SecretProject,
): Promise<{ reports: SecretReport[]; problems: readonly Problem[] }> {
  const users = await usersOfSecrets(project)
  const store = new SecretStore({ ...project, redactor: { add: () => () => {} } })
  await store.open(users.keys())
  const names = [...new Set([...store.names(), ...users.keys()])].toSorted()
  await store.open(names)
  const reports = names.map((name): SecretReport => {
    const opened = store.value(name)
    const credentials = users.get(name) ?? []
    const shared = { name, changed: store.changed(name), credentials }
    if ('value' in opened) return { ...shared, state: 'ready' }
    const why = 'why' in opened ? `the secret "${name}" ${opened.why}` : opened.message
    return { ...shared, state: opened.state, why, hint: opened.hint }
  })
  return { reports, problems: store.problems }
}

function printSecretList(
  reports: readonly SecretReport[],
  { shownFile }: SecretProject,
  { color, columns }: CommandIo,
): string {
  if (reports.length === 0) return `there are no secrets in ${shownFile}\n`
  const colors = paint(color)
  const name = Math.max(6, ...reports.map((report) => report.name.length))
  const left = Math.max(20, columns - name - 36)
  const lines = table([
    ['SECRET', 'CHANGED', 'STATE', 'CREDENTIALS'].map(colors.dim),
    ...reports.map(({ name: secret, changed, state, credentials }) => [
      secret,
      changed?.replace('T', ' ').replace('Z', ' UTC') ?? '-',
      state === 'ready' ? colors.green(state) : colors.red(state),
      shorten(credentials.join(', ') || '-', left),
    ]),
  ])
  const troubles = new Map(
    reports.flatMap(({ why, hint }) => (why === undefined ? [] : [[hint!, why] as const])).toReversed(),
  )
  if (troubles.size === 0) return lines
  const width = Math.max(40, Math.min(columns, 100))
  const told = [...troubles]
    .toReversed()
    .flatMap(([hint, why]) => [
      ...wrap(why, width).map((line) => `${colors.red(line)}\n`),
      ...wrap(hint, width - 2).map((line) => `  ${line}\n`),
    ])
  return `${lines}\n${told.join('')}`
}
