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
  options: [
    ...settingOptions,
    {
      flags: '--revoke',
      description: 'tell the token service that the token is no longer wanted (RFC 7009)',
    },
    { flags: '--json', description: 'as JSON' },
  ],
  examples: ['sluice credential invalidate im_read', 'sluice credential invalidate im_read --revoke'],
  details: `For a token whose rights have changed since, or that was revoked. A remembered refusal is forgotten, too. Requests that \
are under way end with the token that they have. A token that a receiver refuses is dropped without being told.
With --revoke the token service is told, too, at the \`revocationUrl\` of the credential, or where the metadata of its \
\`issuer\` says: a token that leaked is then no longer good anywhere. Where it does not work the token is dropped all the same.
Exit code: 0 done, or nothing to do, 1 the token could not be revoked, 2 wrong usage, 3 a fault.`,
  async run(io, [name], options) {
    const quiet = io.environment['SLUICE_LOG_LEVEL'] ? {} : { logLevel: 'error' }
    const setting = await appSettingFor(io, { ...quiet, ...options })
    const engine = await connectControl(setting.settings.data)
    const wantsRevocation = options['revoke'] === true
    const done = await (wantsRevocation
      ? engine?.revokeCredential(name!)
      : engine?.invalidateCredential(name!))
    if (engine && !done)
      throw unknown(
        name!,
        (await engine.credentials()).map((entry) => entry.name),
      )
    const alone = engine ? undefined : await dropAlone(name!, setting, wantsRevocation)
    const revocation = (done ?? alone)?.revocation
    if (options['json']) io.stdout(`${JSON.stringify(done ?? alone ?? null, undefined, 2)}\n`)
    else
      io.stdout(
        done
          ? `${told(done)}\n`
          : alone
            ? `"${name}": the token that was kept for the next engine is dropped\n`
            : 'nothing to drop: no engine runs here, and none is kept for the next one\n',
      )
    if (!options['json'] && revocation) io.stdout(toldOfRevocation(name!, revocation))
    return revocation?.outcome === 'failed' || revocation?.outcome === 'impossible' ? 1 : 0
  },
}

/** What is kept where no engine runs. Undefined: nothing is. */
async function dropAlone(
  name: string,
  setting: AppSetting,
  wantsRevocation: boolean,
): Promise<Pick<CredentialInvalidation, 'name' | 'revocation'> | undefined> {
  const { dropKeptToken } = await import('../credential-test-alone.ts')
  const { isThere, dropped, names, revocation } = await dropKeptToken(name, setting, wantsRevocation)
  if (!isThere) throw unknown(name, names)
  return dropped ? { name, ...(revocation && { revocation }) } : undefined
}

function toldOfRevocation(
  name: string,
  revocation: NonNullable<CredentialInvalidation['revocation']>,
): string {
  switch (revocation.outcome) {
    case 'revoked':
      return `"${name}": the token service was told that the token is no longer wanted\n`
    case 'nothing':
      return `"${name}": there was no token to revoke\n`
    case 'impossible':
      return `"${name}": the token could not be revoked: the credential does not say where\n  Add revocationUrl, where the service has such an address.\n`
    case 'failed':
      return `"${name}": the token could not be revoked: ${revocation.reason}\n${revocation.hint === undefined ? '' : `  ${revocation.hint}\n`}`
  }
}

function told({ name, type, keeps, status }: CredentialInvalidation): string {
  if (!keeps) return `nothing to drop: nothing is kept for "${name}" (${type}, ${status})`
  if (status === 'unused') return `nothing to drop: "${name}" has no token yet`
  return status === 'refused' || status === 'unreachable'
    ? `"${name}": the failure is forgotten; the next request asks the token service at once`
    : `"${name}": the token is dropped; ${status === 'renewing' ? 'a new one is being asked for' : 'the next request asks for a new one'}`
}
