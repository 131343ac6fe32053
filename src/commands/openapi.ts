import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { hasErrors } from '../core/problem.ts'
import { UsageError, type CommandDefinition } from './command.ts'
import { appSettingFor, listenOption, parameterOption, settingOptions } from './project-setting.ts'

export const openapiCommand: CommandDefinition = {
  name: 'openapi',
  summary: 'Prints what the endpoints take and answer, as OpenAPI 3.1, for those who call them.',
  options: [
    { flags: '--out <file>', description: 'write it into a file' },
    {
      flags: '--url <url>',
      description: 'where callers reach the engine (default: access.issuer, or the address of listen)',
    },
    listenOption,
    ...settingOptions,
    parameterOption,
  ],
  examples: ['sluice openapi', 'sluice openapi --out openapi.json --url https://flows.example.com'],
  details: `Nothing is started: it is made of the files. Flows that have mistakes or are not enabled are not in it. A running
engine serves the same at /openapi.json of the listener "management", and with the setting openapi on that of the endpoints;
/openapi there is a page to read.
Exit code: 0 fine, 1 a flow has mistakes and was left out, 2 wrong usage, 3 a fault.`,
  async run(io, _args, given) {
    const setting = await appSettingFor(io, given)
    const url = urlOf(given['url'] as string | undefined)
    const { text, problems } = await (await import('../project-at-rest.ts')).describeProject(setting, url)
    const out = given['out'] as string | undefined
    if (out === undefined) io.stdout(text)
    else {
      await writeFile(resolve(io.workingFolder, out), text)
      io.stdout(`wrote ${out}\n`)
    }
    if (!hasErrors(problems)) return 0
    io.stderr('Flows that have mistakes are left out; sluice check shows the mistakes.\n')
    return 1
  },
}

function urlOf(url: string | undefined): string | undefined {
  if (url === undefined || (/^https?:\/\//.test(url) && URL.canParse(url))) return url
  throw new UsageError(`--url is "${url}"; a URL such as https://flows.example.com is wanted`)
}
