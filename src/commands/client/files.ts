import { readFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readClient, type Client } from '../../access/client-file.ts'
import { isOfType, nameOf } from '../../security/material-name.ts'
import { TOKEN_PATH } from '../../access/token-service.ts'
import type { Settings } from '../../config.ts'
import { isRole, ROLE_HINT } from '../../core/access.ts'
import { didYouMean, type Problem } from '../../core/problem.ts'
import { callableOrigin } from '../../issuer-setting.ts'
import { printProblems } from '../../flow/print.ts'
import { readMaterial } from '../../security/material-files.ts'
import { connectControl } from '../../server/control-client.ts'
import { Stop, UsageError, type CommandIo } from '../command.ts'
import { schemeOf } from '../../tls-setting.ts'
import { settingOptions, settingsFor } from '../project-setting.ts'

/** A chosen secret has so many characters at least. */
const SHORTEST = 16

export const clientArgument = { name: 'client', description: 'name of the client' }

export const clientOptions = [
  { flags: '--json', description: 'as JSON' },
  ...settingOptions.filter(({ flags }) => /^--(security-material|data) /.test(flags)),
]

export interface ClientFiles {
  readonly settings: Settings
  /** By name. */
  readonly clients: readonly Client[]
  /** Names of the issuers whose tokens are taken, too. */
  readonly issuers: readonly string[]
  readonly problems: readonly Problem[]
  readonly texts: ReadonlyMap<string, string>
}

/** The clients of a project, as their files say. */
export async function clientFiles(io: CommandIo, given: Record<string, unknown>): Promise<ClientFiles> {
  const settings = await settingsFor(io, given)
  return { settings, ...(await readClients(settings)) }
}

export async function readClients(
  settings: Pick<Settings, 'securityMaterial' | 'projectFolder'>,
): Promise<Omit<ClientFiles, 'settings'>> {
  const { files } = await readMaterial(settings.securityMaterial, settings.projectFolder)
  const own = files.filter((file) => !file.unreadable && isOfType(file, 'client'))
  const read = own.map(readClient)
  return {
    clients: read.flatMap(({ client }) => client ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    issuers: files.filter((file) => isOfType(file, 'issuer')).map(({ file }) => nameOf(file)),
    problems: read.flatMap(({ problems }) => problems),
    texts: new Map(own.map(({ file, text }) => [file, text])),
  }
}

/** Tells what is wrong with files of clients. */
export function tellProblems({ problems, texts }: ClientFiles, io: CommandIo): void {
  if (problems.length > 0)
    io.stderr(
      printProblems(problems, (file) => texts.get(file), { color: io.colorErrors, columns: io.columns }),
    )
}

/** One client by name. @throws Stop where there is none, or its file has mistakes */
export async function clientFile(
  io: CommandIo,
  given: Record<string, unknown>,
  name: string,
): Promise<{ client: Client; path: string; text: string; settings: Settings }> {
  const files = await clientFiles(io, given)
  const { clients, settings } = files
  const client = clients.find((one) => one.name === name)
  if (client) {
    const path = join(settings.projectFolder, client.file)
    return { client, path, text: await readFile(path, 'utf8'), settings }
  }
  tellProblems(files, io)
  const near = didYouMean(
    name,
    clients.map((one) => one.name),
  )
  throw new Stop(1, `there is no client "${name}"${near === '' ? '; `sluice client list` lists them' : near}`)
}

/**
 * A running engine records who changes a client; without one, the next that starts notices the change itself.
 * @param write changes its file; where it fails, the change is no longer expected
 */
export async function announced<Result>(
  name: string,
  { data }: Pick<Settings, 'data'>,
  write: () => Promise<Result>,
): Promise<Result> {
  const engine = await connectControl(data).catch(() => undefined)
  await engine?.announceClientChange(name).catch(() => undefined)
  try {
    return await write()
  } catch (error) {
    await engine?.withdrawClientChange(name).catch(() => undefined)
    throw error
  }
}

export function checkedRoles(roles: readonly string[]): readonly string[] {
  for (const role of roles) if (!isRole(role)) throw new UsageError(`"${role}" is no role. ${ROLE_HINT}`)
  return [...new Set(roles)]
}

/** A secret that nobody can guess: a new one, or what comes in on standard input. */
export async function secretFor(
  io: CommandIo,
  given: Record<string, unknown>,
): Promise<{ secret: string; isNew: boolean }> {
  if (!given['secretStdin']) return { secret: randomBytes(32).toString('base64url'), isNew: true }
  let text = ''
  for await (const chunk of io.stdin) text += String(chunk)
  const secret = text.replace(/\r?\n$/, '')
  if (secret.length < SHORTEST || secret.length > 1000 || /[\0-\x1f\x7f]/.test(secret))
    throw new UsageError(
      `--secret-stdin wants a secret of ${SHORTEST} to 1000 characters on one line of standard input`,
    )
  return { secret, isNew: false }
}

/** Where clients of this project get tokens: as the running engine or the settings say. */
export async function engineAddress(settings: Settings): Promise<string> {
  const { access, data, listen } = settings
  if (access.issuer !== undefined) return access.issuer.replace(/\/$/, '')
  const engine = await connectControl(data)
  const url = engine && (await engine.status()).listen
  if (url !== undefined) return callableOrigin(url)
  return callableOrigin(`${schemeOf(settings)}://${listen.includes(':') ? listen : `127.0.0.1:${listen}`}`)
}

/**
 * A running engine reads what was written at once, so that the next request finds it. One that cannot be asked reads it
 * as soon as it sees the change.
 */
export async function letEngineRead({ data }: Settings): Promise<void> {
  const engine = await connectControl(data).catch(() => undefined)
  await engine?.readMaterial().catch(() => undefined)
}

export function tokenAddress(engine: string): string {
  return `${engine}${TOKEN_PATH}`
}
