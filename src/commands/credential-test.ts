import type { CredentialTestReport, CredentialTestRequest } from '../core/control.ts'
import { didYouMean } from '../core/problem.ts'
import { connectControl } from '../server/control-client.ts'
import { Stop, UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { appSettingFor, settingOptions } from './project-setting.ts'
import { checkProcess } from './safe-process.ts'
import { printCredentialTest } from './test-report.ts'
import { waiting } from './waiting.ts'

export const credentialTestCommand: CommandDefinition = {
  name: 'credential test',
  summary: 'Tries a credential, step by step: asks for a token, and calls the receiver with it.',
  arguments: [{ name: 'credential', description: 'name of the credential' }],
  options: [
    {
      flags: '--call <url>',
      description: "get this with the credential: absolute, or relative to the credential's baseUrl",
    },
    {
      flags: '--try',
      description:
        'where the token service says no, ask once in each other common way (wrong attempts may lock the client)',
    },
    { flags: '--json', description: 'the report as JSON' },
    ...settingOptions,
  ],
  examples: [
    'sluice credential test im_read',
    "sluice credential test im_read --call 'participants?$top=1'",
    'sluice credential test im_read --try',
  ],
  details: `It tells what was asked (names of headers and fields, never their secrets), what came back, why it failed and \
what to do. It asks at once, also where a refusal is remembered. A call is one GET by the rules of the engine: only to \
the credential's hosts, with a new token after a 401, redirects are told and not followed.
Asks in the engine that uses this data folder, if one is running, which keeps the token; else in a process of its own,
where a token is kept as well that the next engine needs (refresh_token, exclusive).
Exit code: 0 the settings as they are work, 1 they do not, 2 wrong usage, 3 a fault.`,
  async run(io, [name], options) {
    checkProcess(io)
    const call = options['call'] as string | undefined
    if (call?.trim() === '') throw new UsageError('--call wants a URL, or a path after the baseUrl')
    const request = { tryOthers: options['try'] === true, ...(call !== undefined && { call }) }
    if (request.tryOthers)
      io.stderr(
        'warning: --try: each wrong attempt may count at the token service, and too many lock the client.\n',
      )
    const { report, byEngine } = await waiting(
      io,
      'waiting for the answer; Ctrl-C ends it',
      testIn(name!, request, io, options),
    )
    if (io.signal.aborted) throw new Stop(130, 'interrupted')
    io.stdout(
      options['json']
        ? `${JSON.stringify(report, undefined, 2)}\n`
        : printCredentialTest(report, { ...io, ...request, call, byEngine }),
    )
    return report.ok ? 0 : 1
  },
}

interface Tested {
  readonly report: CredentialTestReport
  readonly byEngine: boolean
}

async function testIn(
  name: string,
  request: CredentialTestRequest,
  io: CommandIo,
  options: Record<string, unknown>,
): Promise<Tested> {
  const quiet = io.environment['SLUICE_LOG_LEVEL'] ? {} : { logLevel: 'error' }
  const setting = await appSettingFor(io, { ...quiet, ...options })
  const engine = await connectControl(setting.settings.data)
  if (engine) {
    const report = await engine.testCredential(name, request, io.signal).catch((error: unknown) => {
      throw io.signal.aborted ? new Stop(130, 'interrupted') : error
    })
    if (report) return { report, byEngine: true }
    throw unknown(
      name,
      (await engine.credentials()).map((entry) => entry.name),
    )
  }
  const { testCredentialAlone } = await import('../credential-test-alone.ts')
  const { report, names } = await testCredentialAlone(name, request, setting, io.signal).catch(
    (error: Error & { code?: string }) => {
      if (error.code !== 'store.in-use') throw error
      throw new Stop(
        3,
        `nothing was asked: "${name}" keeps its token, and ${error.message}, but does not answer\n  A test here would end the token of that process. Try again when it is up, or stop it first.`,
      )
    },
  )
  if (!report) throw unknown(name, names)
  return { report, byEngine: false }
}

export function unknown(name: string, names: readonly string[]): UsageError {
  const hint = didYouMean(name, names)
  const known = names.length === 0 ? '; there are none' : `; there are: ${names.join(', ')}`
  return new UsageError(`there is no credential "${name}"${hint === '' ? known : hint}`)
}
