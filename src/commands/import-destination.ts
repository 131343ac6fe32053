import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { stringify } from 'yaml'
import { readDocument } from '../core/document.ts'
import { hasErrors, type Place, type Problem } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { readDestination, type ReadDestination } from '../security/destination.ts'
import { secretReferences, type SecretReferences } from '../security/destination-secrets.ts'
import { isCredentialName } from '../security/material-name.ts'
import { Stop, UsageError, type CommandDefinition } from './command.ts'
import { folderOptions, pathOf, refuseExisting, shownPath, told, writeChecked } from './new-file.ts'
import { settingsFor } from './project-setting.ts'

export const importDestinationCommand: CommandDefinition = {
  name: 'import destination',
  summary: 'Writes a destination of SAP BTP as a credential, with its secrets as references.',
  arguments: [{ name: 'file', description: 'as it was exported: properties or JSON' }],
  options: [
    { flags: '--name <name>', description: "name of the credential (default: the destination's)" },
    {
      flags: '--tenant <name>',
      description: 'a tenant that flows may name, where tokenServiceURLType is Common; may repeat',
      repeatable: true,
    },
    { flags: '--stdout', description: 'shows it and writes nothing' },
    ...folderOptions,
  ],
  examples: [
    'sluice import destination jam.properties',
    'sluice import destination jam.json --name jam --stdout',
  ],
  details: `What the engine makes of the destination is written as a credential of its own, to be changed like any other. To go on with
the exported file instead, write a credential with type: destination and file: (docs/reference/credentials/destination.md).
Secrets are never copied: the credential refers to variables, and you set them. Headers and parameters that are called like a
secret count as one.
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
    const shown = relative(io.projectFolder, path).split(sep).join('/')
    const folder = relative(io.projectFolder, resolve(io.projectFolder, settings.securityMaterial))
    const file = relative(resolve(io.projectFolder, folder), path)
    const tenants = options['tenant'] as string[] | undefined
    const read = (references?: SecretReferences): ReadDestination => {
      const asCredential = stringify({
        type: 'destination',
        file: file.split(sep).join('/'),
        ...(tenants && { tenants }),
      })
      const { document } = readDocument(join(folder, 'import.yaml').split(sep).join('/'), asCredential)
      return readDestination(document!, io.projectFolder, references)
    }
    const tell = (problems: readonly Problem[], source?: string): void => {
      if (problems.length === 0) return
      const inExport = problems.map((one) => (one.file === shown ? one : { ...one, ...wholeFile(shown) }))
      io.stderr(
        printProblems(inExport, (file) => (file === shown ? source : undefined), { color: io.colorErrors }),
      )
    }
    const { properties, problems: unreadable } = read()
    if (!properties) {
      tell(unreadable)
      throw new Stop(1, `"${given}" was not imported`)
    }
    const name =
      (options['name'] as string | undefined) ?? properties['Name'] ?? basename(path).replace(/\.\w+$/, '')
    if (!isCredentialName(name)) throw new UsageError(notAName(name))
    const references = secretReferences(
      properties,
      `${name.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase()}_`,
    )
    const { document, problems } = read(references)
    tell(problems, masked(text, references.secrets))
    if (!document || hasErrors(problems)) throw new Stop(1, `"${given}" was not imported`)
    const fields = document.value as Record<string, unknown>
    const isCommon = fields['tokenServiceUrlType'] === 'common'
    if (tenants && !isCommon)
      throw new UsageError(
        '--tenant is for a destination whose tokenServiceURLType is Common; this one is not',
      )
    const lacksTenants = isCommon && !tenants
    const plain = stringify(inOrder(fields), { lineWidth: 0 })
    const credential = lacksTenants ? plain.replace(COMMON, `$&${TENANTS}`) : plain
    if (options['stdout']) {
      io.stdout(credential)
      return 0
    }
    const target = pathOf(resolve(io.projectFolder, folder), name)
    await refuseExisting(io, target)
    const written = await writeChecked(
      io,
      options,
      target,
      'credential',
      credential,
      ({ code }) => lacksTenants && code === 'credential/tenant',
    )
    io.stdout(
      told(shownPath(io, resolve(io.projectFolder, written)), [
        ...variablesIn(credential).map((variable): [string, string] => [
          `add ${variable}=... to .env`,
          'the secret; or set it in the environment',
        ]),
        ...missingStores(io.projectFolder, credential).map((store): [string, string] => [
          `copy ${basename(store)} to ${dirname(store)}/`,
          'the key store or trust store that it names',
        ]),
        ...(lacksTenants
          ? [[`name tenants in ${shownPath(io, `${target}.yaml`)}`, NO_TENANTS] as [string, string]]
          : []),
        [`npx sluice credential test ${name}`, 'tells each step, and what to mend'],
      ]),
    )
    return 0
  },
}

/** After this line the tenants have their place. */
const COMMON = /^tokenServiceUrlType: common\n/m
const TENANTS = '# tenants: [acme]  # subdomains of the tenants that flows may name; needed\n'
const NO_TENANTS = 'it loads once they are there; --tenant NAME writes them'

function notAName(name: string): string {
  const possible = name
    .replace(/^[^A-Za-z]+/, '')
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '_')
    .slice(0, 150)
  const example = isCredentialName(possible) ? possible : 'NAME'
  return `"${name}" cannot be the name of a credential: a letter, then at most 149 letters, digits, "_", "." and "-"; give another one: --name ${example}`
}

function wholeFile(file: string): Place {
  return { file, line: 1, column: 1, endLine: 1, endColumn: 1 }
}

/** Those that the credential refers to. */
function variablesIn(credential: string): string[] {
  return [...new Set(credential.match(/(?<=\$\{env:)[^}]+(?=\})/g))]
}

/** Files of the credential that are not there yet, as it names them. */
function missingStores(projectFolder: string, credential: string): string[] {
  const named = credential.matchAll(/\$\{file:([^}]+)\}/g)
  return [...new Set(Array.from(named, ([, file]) => file!))].filter(
    (file) => !existsSync(resolve(projectFolder, file)),
  )
}

/** The text with stars where it has secrets, also as JSON and properties write them: problems show lines of it. */
function masked(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      secret.replaceAll(/[\\:=#! ]/g, String.raw`\$&`),
    ])
    .toSorted((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, () => '*'.repeat(secret.length)), text)
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
