import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { checkProject, startApp, type App } from '../../src/app.ts'
import type { AppSetting } from '../../src/assembly.ts'
import { loadSettings } from '../../src/config.ts'
import type { RunReport } from '../../src/core/control.ts'
import type { Problem } from '../../src/core/problem.ts'

export interface ProjectOptions {
  readonly environment?: Record<string, string>
  readonly parameters?: Record<string, string>
  readonly settings?: Record<string, string>
  /** Flows and credentials may have mistakes. */
  readonly broken?: boolean
}

/** A project folder with these files; it goes when the test ends. */
export function projectFolder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return folder
}

export async function settingOf(
  folder: string,
  options: ProjectOptions,
  write: (line: string) => void,
): Promise<AppSetting> {
  const environment = { SLUICE_LISTEN: '127.0.0.1:0', ...options.environment }
  const { settings, problems } = await loadSettings(folder, environment, options.settings ?? {})
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
  return {
    settings,
    environment,
    parameters: options.parameters ?? {},
    color: false,
    terminal: false,
    writeLog: write,
  }
}

export async function problemsOf(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: ProjectOptions = {},
): Promise<readonly Problem[]> {
  return (await checkProject(await settingOf(projectFolder(t, files), options, () => {}))).problems
}

export interface RunningProject {
  readonly app: App
  readonly url: string
  readonly folder: string
  /** Lines of the engine's log. */
  readonly log: string[]
  /** Resolves to the first line that matches as soon as there are `count` of them. */
  logged(pattern: RegExp, count?: number): Promise<string>
  /** Runs a flow by hand. */
  run(flow: string, body?: unknown, headers?: Record<string, string>): Promise<RunReport>
}

/** An engine over these files, on a free port; it stops when the test ends. */
export async function startProject(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: ProjectOptions = {},
): Promise<RunningProject> {
  // Hooks run in this order: the engine still writes into the folder while it stops.
  let started: App | undefined
  t.after(() => started?.stop())
  const folder = projectFolder(t, files)
  const log: string[] = []
  const waiting = new Set<() => void>()
  const write = (line: string) => {
    log.push(line)
    for (const look of waiting) look()
  }
  const app = await startApp(await settingOf(folder, options, write))
  started = app
  const errors = app.project.problems.filter(({ severity }) => severity === 'error')
  if (errors.length > 0 && !options.broken)
    throw new Error(
      errors.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n'),
    )
  return {
    app,
    folder,
    log,
    url: app.url!,
    logged: (pattern, count = 1) =>
      new Promise((resolve) => {
        const look = () => {
          const found = log.filter((line) => pattern.test(line))
          if (found.length < count) return
          waiting.delete(look)
          resolve(found[0]!)
        }
        waiting.add(look)
        look()
      }),
    async run(flow, body, headers = {}) {
      const bytes =
        body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
      const report = await app.control.run(flow, {
        ...(bytes === undefined ? {} : { body: bytes }),
        headers,
        parameters: {},
      })
      if (!report)
        throw new Error(
          `no flow "${flow}" runs: ${JSON.stringify(app.control.flows().map(({ name, state, reason }) => ({ name, state, reason })))}`,
        )
      return report
    },
  }
}

/** The reply of a run as text. */
export function replyText(report: RunReport): string {
  return Buffer.from(report.reply!.body).toString('utf8')
}
