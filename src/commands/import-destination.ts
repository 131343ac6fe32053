import { readFile } from 'node:fs/promises'
import { basename, dirname, relative, resolve, sep } from 'node:path'
import { stringify } from 'yaml'
import { readDocument } from '../core/document.ts'
import { hasErrors } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { isCredentialName } from '../security/material-name.ts'
import { readDestination } from '../security/destination.ts'
import { Stop, UsageError, type CommandDefinition } from './command.ts'
import { folderOptions, pathOf, refuseExisting, shownPath, told, writeChecked } from './new-file.ts'
import { settingsFor } from './project-setting.ts'

/** Properties that hold a secret, with what its variable is called. */
const SECRETS = {
  clientSecret: 'CLIENT_SECRET',
  tokenServicePassword: 'TOKEN_SERVICE_PASSWORD',
  Password: 'PASSWORD',
} as const

export const importDestinationCommand: CommandDefinition = {
  name: 'import destination',
  summary: 'Writes a destination of SAP BTP as a credential, with its secrets as references.',
  arguments: [{ name: 'file', description: 'as it was exported: properties or JSON' }],
  options: [
    { flags: '--name <name>', description: "name of the credential (default: the destination's)" },
    { flags: '--stdout', description: 'shows it and writes nothing' },
    ...folderOptions,
  ],
  examples: [
    'sluice import destination jam.properties',
    'sluice import destination jam.json --name jam --stdout',
  ],
  details: `What the engine makes of the destination is written as a credential of its own, to be changed like any other. To go on with
the exported file instead, write a credential with type: destination and file: (docs/reference/credentials/destination.md).
Secrets are never copied: the credential refers to variables, and you set them.
Exit code: 0 written, 1 not written, 2 wrong usage, 3 a fault.`,
  async run(io, [given], options) {
    const settings = await settingsFor(io, options)
    const path = resolve(io.workingFolder, given!)
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Stop(
        1,
        error.code === 'ENOENT' ? `there is no file "${given}"` : `"${given}" cannot be read (${error.code})`,
      )
    })
    const name =
      (options['name'] as string | undefined) ?? nameIn(text) ?? basename(path).replace(/\.\w+$/, '')
    if (!isCredentialName(name))
      throw new UsageError(
        `"${name}" cannot be the name of a credential: a letter, then at most 149 letters, digits, "_", "." and "-"; choose one with --name`,
      )
    const prefix = name.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase()
    const secrets = { ...SECRETS, ...keyStoreSecrets(text) }
    const references = Object.fromEntries(
      Object.entries(secrets).map(([property, word]) => [property, `\${env:${prefix}_${word}}`]),
    )
    const shown = relative(io.projectFolder, path).split(sep).join('/')
    const asCredential = stringify({ type: 'destination', file: basename(path), override: references })
    const { document } = readDocument(`${dirname(shown)}/${name}.yaml`, asCredential)
    const read = readDestination(document!, io.projectFolder)
    const problems = read.problems.filter(({ code, file }) => code !== 'destination/unused' || file === shown)
    if (problems.length > 0)
      io.stderr(
        printProblems(problems, (file) => (file === shown ? text : undefined), { color: io.colorErrors }),
      )
    if (!read.document || hasErrors(problems)) throw new Stop(1, `"${given}" was not imported`)
    const credential = stringify(inOrder(read.document.value as Record<string, unknown>), { lineWidth: 0 })
    if (options['stdout']) {
      io.stdout(credential)
      return 0
    }
    const file = pathOf(settings.securityMaterial, name)
    await refuseExisting(io, file)
    const written = await writeChecked(io, options, file, 'credential', credential)
    const variables = Object.values(references)
      .filter((reference) => credential.includes(reference))
      .map((reference) => /\$\{env:(.*)\}/.exec(reference)![1]!)
    io.stdout(
      told(shownPath(io, resolve(io.projectFolder, written)), [
        ...variables.map((variable): [string, string] => [
          `add ${variable}=... to .env`,
          'the secret; or set it in the environment',
        ]),
        [`npx sluice credential test ${name}`, 'tells each step, and what to mend'],
      ]),
    )
    return 0
  },
}

/** Key stores and trust stores that always have a password, or that one is written for. */
function keyStoreSecrets(text: string): Readonly<Record<string, string>> {
  const found = text.matchAll(
    /\b((?:tokenService\.)?KeyStore|TrustStore)(?:Password"?\s*[=:]|Location"?\s*[=:]\s*"?[^"\n]*\.(?:p12|pfx)\b)/gi,
  )
  return Object.fromEntries(
    Array.from(found, ([, store]) => [
      `${store}Password`,
      `${store!
        .replace('.', '')
        .replaceAll(/(?<=[a-z])[A-Z]/g, '_$&')
        .toUpperCase()}_PASSWORD`,
    ]),
  )
}

/** The name that the destination has. */
function nameIn(text: string): string | undefined {
  return /^\s*"?Name"?\s*[=:]\s*"?([\w.-]+)/m.exec(text)?.[1]
}

/** As people write it: what it is, then where tokens come from, then the rest. */
function inOrder(fields: Record<string, unknown>): Record<string, unknown> {
  const first = [
    'type',
    'description',
    'tokenServiceUrl',
    'tokenServiceUrlType',
    'tenants',
    'clientId',
    'clientSecret',
    'clientAuthentication',
  ]
  const keys = [
    ...first.filter((key) => Object.hasOwn(fields, key)),
    ...Object.keys(fields).filter((key) => !first.includes(key)),
  ]
  return Object.fromEntries(keys.map((key) => [key, fields[key]]))
}
