import type { CredentialInvalidation } from '../core/control.ts'
import { connectControl } from '../server/control-client.ts'
import type { CommandDefinition } from './command.ts'
import { unknown } from './credential-test.ts'
import { dataOption, settingsFor } from './project-setting.ts'

export const credentialInvalidateCommand: CommandDefinition = {
  name: 'credential invalidate',
  summary: 'Drops the token that the running engine keeps: the next request asks for a new one.',
  arguments: [{ name: 'credential', description: 'name of the credential' }],
  options: [dataOption, { flags: '--json', description: 'as JSON' }],
  examples: ['sluice credential invalidate im_read'],
  details: `For a token whose rights have changed since, or that was revoked. A remembered refusal is forgotten, too. Requests that \
are under way end with the token that they have. A token that a receiver refuses is dropped without being told.
Exit code: 0 done, or nothing to do, 2 wrong usage, 3 a fault.`,
  async run(io, [name], options) {
    const { data } = await settingsFor(io, options)
    const engine = await connectControl(data)
    const done = await engine?.invalidateCredential(name!)
    if (engine && !done)
      throw unknown(
        name!,
        (await engine.credentials()).map((entry) => entry.name),
      )
    if (options['json']) io.stdout(`${JSON.stringify(done ?? null, undefined, 2)}\n`)
    else
      io.stdout(
        done
          ? `${told(done)}\n`
          : 'nothing to drop: tokens live only in a running engine, and none runs here\n',
      )
    return 0
  },
}

function told({ name, type, keeps, status }: CredentialInvalidation): string {
  if (!keeps) return `nothing to drop: nothing is kept for "${name}" (${type}, ${status})`
  if (status === 'unused') return `nothing to drop: "${name}" has no token yet`
  return status === 'refused' || status === 'unreachable'
    ? `"${name}": the failure is forgotten; the next request asks the token service at once`
    : `"${name}": the token is dropped; ${status === 'renewing' ? 'a new one is being asked for' : 'the next request asks for a new one'}`
}
