import type { Settings } from '../config.ts'
import { readEnvironment } from '../security/environment.ts'
import { SecretsRefusal, type SecretFiles } from '../security/secret-changes.ts'
import { isSecretName, secretNamesIn } from '../security/secret-file.ts'
import { shownFrom } from '../security/secret-store.ts'
import { readMaterial } from '../security/material-files.ts'
import { Stop, UsageError, type CommandIo } from './command.ts'
import { settingOptions, settingsFor } from './project-setting.ts'

/** Where the credentials, the secrets and the key are. */
export const secretOptions = settingOptions.filter(({ flags }) => /^--(security-material|data) /.test(flags))

export interface SecretProject extends SecretFiles {
  /** Folder of the credentials. Absolute. */
  readonly securityMaterial: string
  readonly projectFolder: string
  readonly settings: Settings
}

export async function secretProject(io: CommandIo, options: Record<string, unknown>): Promise<SecretProject> {
  const settings = await settingsFor(io, options)
  const { secret, securityMaterial, projectFolder } = settings
  return {
    ...secret,
    shownFile: shownFrom(projectFolder, secret.file),
    shownKeyFile: shownFrom(projectFolder, secret.keyFile),
    environment: await readEnvironment(projectFolder, io.environment),
    securityMaterial,
    projectFolder,
    settings,
  }
}

/** Names of credentials by the secrets that they refer to, in order. */
export async function usersOfSecrets({
  file,
  securityMaterial,
  projectFolder,
}: SecretProject): Promise<Map<string, string[]>> {
  const { files } = await readMaterial(securityMaterial, projectFolder, file)
  const users = new Map<string, string[]>()
  for (const credential of files)
    for (const name of secretNamesIn(credential.text))
      users.set(name, [...(users.get(name) ?? []), credential.file.replace(/^.*\/|\.ya?ml$/g, '')])
  return users
}

export function checkSecretName(name: string): void {
  if (!isSecretName(name))
    throw new UsageError(
      'that cannot be the name of a secret: a letter, then at most 149 letters, digits, "_", "." and "-"',
    )
}

/** Turns a refusal into the end of a command, with exit code 1. */
export async function orStop<T>(action: Promise<T>): Promise<T> {
  try {
    return await action
  } catch (error) {
    if (error instanceof SecretsRefusal) throw new Stop(1, `${error.message}\n  ${error.hint}`)
    const { code, path, syscall } = error as NodeJS.ErrnoException
    if (syscall !== undefined) throw new Stop(1, `nothing was changed: ${code} at ${path ?? syscall}`)
    throw error
  }
}

export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}
