import { readFile } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import { whyStopped, type FlowState, type RunReport } from '../core/control.ts'
import { sayDuration } from '../core/duration.ts'
import { nearest } from '../core/problem.ts'
import { WRONG_PARAMETER } from '../flow/parameters.ts'
import { printProblems } from '../flow/print.ts'
import { connectControl } from '../server/control-client.ts'
import { Stop, UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { paint } from './paint.ts'
import {
  appSettingFor,
  logCommandFor,
  namedValues,
  parameterOption,
  settingOptions,
} from './project-setting.ts'
import { canAsk } from './questions.ts'
import { checkProcess } from './safe-process.ts'
import { sayItem } from './run-words.ts'
import { waiting } from './waiting.ts'

export const runCommand: CommandDefinition = {
  name: 'run',
  summary: 'Runs a flow once, now, and prints how it ended and its reply.',
  arguments: [{ name: 'flow', description: 'name of the flow' }],
  options: [
    { flags: '--body <file>', description: 'file with the body of the message; - reads standard input' },
    {
      flags: '--header <name:value>',
      description: 'header of the message; may be given several times',
      repeatable: true,
    },
    parameterOption,
    { flags: '--json', description: 'outcome and reply as JSON' },
    ...settingOptions,
  ],
  examples: [
    'sluice run lms-items',
    'sluice run price-order --body order.json',
    'echo \'{"qty": 2}\' | sluice run price-order --body -',
  ],
  details:
    'Runs in the engine that uses this data folder, if one is running, else in a process of its own.\nExit code: 0 completed, 1 failed, 2 wrong usage, 3 a fault.',
  async run(io, [flow], options) {
    checkProcess(io)
    const setting = await appSettingFor(io, {
      ...(io.environment['SLUICE_LOG_LEVEL'] ? {} : { logLevel: 'warn' }),
      ...options,
    })
    const body = await bodyFrom(options['body'] as string | undefined, io)
    const headers = Object.fromEntries(
      Object.entries(namedValues(options['header'], ':', '--header', 'name:value')).map(([name, value]) => [
        name.toLowerCase(),
        value,
      ]),
    )
    const request = { ...(body === undefined ? {} : { body }), headers, parameters: setting.parameters }
    const engine = await connectControl(setting.settings.data)
    if (engine) {
      const report = await waiting(io, RUNS, engine.run(flow!, request, io.signal)).catch(interrupted(io))
      if (!report) throw notRunning(flow!, await engine.flows())
      return show(report, io, options, setting.settings.data)
    }
    const { startApp } = await import('../app.ts')
    const app = await waiting(io, 'reading the files', startApp(setting, true))
    try {
      const entry = app.project.flows.find(({ name }) => name === flow)
      if (entry && !entry.prepared) {
        const wrong = entry.problems.find(({ code }) => code === WRONG_PARAMETER)
        if (wrong) throw new UsageError(wrong.message)
        io.stderr(
          printProblems(entry.problems, (file) => app.project.texts.get(file), {
            color: io.colorErrors,
            columns: io.columns,
          }),
        )
        return 1
      }
      const report = await waiting(io, RUNS, app.control.run(flow!, request, io.signal))
      if (!report) throw notRunning(flow!, app.control.flows())
      return await show(report, io, options, setting.settings.data)
    } finally {
      await app.stop()
    }
  },
}

const RUNS = 'the flow runs; Ctrl-C cancels it'

/** Ctrl-C ends the wait; the engine cancels the run. */
function interrupted(io: CommandIo): (error: unknown) => never {
  return (error) => {
    throw io.signal.aborted ? new Stop(130, 'interrupted; the run is cancelled') : error
  }
}

async function bodyFrom(source: string | undefined, io: CommandIo): Promise<Uint8Array | undefined> {
  if (source === undefined) return undefined
  if (source === '-') {
    if (canAsk(io)) io.stderr('Type the body; Ctrl-D ends it.\n')
    const chunks: Buffer[] = []
    try {
      for await (const chunk of addAbortSignal(io.signal, io.stdin)) chunks.push(Buffer.from(chunk as Buffer))
    } catch (error) {
      throw io.signal.aborted ? new Stop(130, 'interrupted; nothing was run') : error
    }
    return Buffer.concat(chunks)
  }
  return readFile(source).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--body: cannot read "${source}" (${error.code})`)
  })
}

function notRunning(flow: string, flows: readonly Pick<FlowState, 'name' | 'state' | 'reason'>[]): Stop {
  const why = whyStopped(flow, flows)
  if (why !== undefined) return new Stop(1, why)
  const names = flows.map(({ name }) => name)
  const near = nearest(flow, names)
  const hint =
    near === undefined
      ? `there ${names.length === 0 ? 'are none' : `are: ${names.join(', ')}`}`
      : `did you mean "${near}"?`
  return new UsageError(`there is no flow "${flow}"; ${hint}`)
}

async function show(
  report: RunReport,
  io: CommandIo,
  options: Record<string, unknown>,
  dataFolder: string,
): Promise<number> {
  const { reply, failure } = report
  if (report.id === undefined && failure?.code === 'request.invalid') throw new UsageError(failure.message)
  if (options['json']) {
    const text = reply && { ...reply, body: Buffer.from(reply.body).toString('utf8') }
    const duration = Math.round(report.duration * 1000) / 1000
    io.stdout(`${JSON.stringify({ ...report, duration, reply: text }, undefined, 2)}\n`)
    return failure ? 1 : 0
  }
  const color = paint(io.colorErrors)
  const outcome = failure ? color.red(report.status) : color.green(report.status)
  io.stderr(
    report.id === undefined
      ? `${outcome} ${report.flow}\n`
      : `${outcome} ${report.flow} in ${sayDuration(report.duration)}  ${color.dim(`run ${report.id}`)}\n`,
  )
  if (failure) {
    const { step, item } = failure
    const where = [
      ...(step === undefined ? [] : [`step "${step}"`]),
      ...(item === undefined ? [] : [sayItem(item)]),
    ]
    io.stderr(
      `  ${failure.code}${where.length === 0 ? '' : ` in ${where.join(' of ')}`}: ${failure.message}\n`,
    )
    if (failure.position !== undefined) io.stderr(`  at ${failure.position}\n`)
    if (failure.hint !== undefined) io.stderr(`  ${color.dim(failure.hint)}\n`)
    if (report.id !== undefined)
      io.stderr(`  ${color.dim(`see: ${await logCommandFor(dataFolder, io)} ${report.id.slice(-12)}`)}\n`)
    return 1
  }
  if (reply) {
    const type = reply.headers['content-type']
    io.stderr(
      color.dim(`reply ${reply.status}${type === undefined ? '' : ` ${type}`}, ${reply.body.length} bytes\n`),
    )
    if (reply.body.length > 0) io.stdout(`${Buffer.from(reply.body).toString('utf8')}\n`)
  }
  return 0
}
