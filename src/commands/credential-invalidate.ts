import type { AppSetting } from '../assembly.ts'
import type { CredentialInvalidation } from '../core/control.ts'
import { connectControl } from '../server/control-client.ts'
import type { CommandDefinition } from './command.ts'
import { unknown } from './credential-test.ts'
import { appSettingFor, settingOptions } from './project-setting.ts'

export const credentialInvalidateCommand: CommandDefinition = {
  name: 'credential invalidate',
  summary: 'Drops the token that is kept: the next request asks for a new one.',
  arguments: [{ name: 'credential', description: 'name of the credential' }],
  options: [...settingOptions, { flags: '--json', description: 'as JSON' }],
  examples: ['sluice credential invalidate im_read'],
  details: `For a token whose rights have changed since, or that was revoked. A remembered refusal is forgotten, too. Requests that \
are under way end with the token that they have. A token that a receiver refuses is dropped without being told.
Exit code: 0 done, or nothing to do, 2 wrong usage, 3 a fault.`,
  async run(io, [name], options) {
    const quiet = io.environment['SLUICE_LOG_LEVEL'] ? {} : { logLevel: 'error' }
    const setting = await appSettingFor(io, { ...quiet, ...options })
    const engine = await connectControl(setting.settings.data)
    const done = await engine?.invalidateCredential(name!)
    if (engine && !done)
      throw unknown(
        name!,
        (await engine.credentials()).map((entry) => entry.name),
      )
    const alone = engine ? undefined : await dropAlone(name!, setting)
    if (options['json']) io.stdout(`${JSON.stringify(done ?? alone ?? null, undefined, 2)}\n`)
    else
      io.stdout(
        done
          ? `${told(done)}\n`
          : alone
            ? `"${name}": the token that was kept for the next engine is dropped\n`
            : 'nothing to drop: no engine runs here, and none is kept for the next one\n',
      )
    return 0
  },
}

/** What is kept where no engine runs. Undefined: nothing is. */
async function dropAlone(name: string, setting: AppSetting): Promise<{ name: string } | undefined> {
  const { dropKeptToken } = await import('../credential-test-alone.ts')
  const { isThere, dropped, names } = await dropKeptToken(name, setting)
  if (!isThere) throw unknown(name, names)
  return dropped ? { name } : undefined
}

function told({ name, type, keeps, status }: CredentialInvalidation): string {
  if (!keeps) return `nothing to drop: nothing is kept for "${name}" (${type}, ${status})`
  if (status === 'unused') return `nothing to drop: "${name}" has no token yet`
  return status === 'refused' || status === 'unreachable'
    ? `"${name}": the failure is forgotten; the next request asks the token service at once`
    : `"${name}": the token is dropped; ${status === 'renewing' ? 'a new one is being asked for' : 'the next request asks for a new one'}`
}
