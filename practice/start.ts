// What `npm start` runs: the practice partner, and the engine with the shipped flows against it.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join, relative } from 'node:path'
import { CALLER, engineAddress, engineSettings, makeClient } from './engine.ts'
import { practiceEnvironment, variablesOf } from './environment.ts'
import { startPartner } from './partner.ts'

const projectFolder = join(import.meta.dirname, '..')
const flags = process.argv.slice(2)

async function startPractice() {
  const settings = await engineSettings(flags)
  const file = join(settings.data, 'practice.env')
  const { secrets, save } = await practiceEnvironment(file)
  const calls = await makeClient(settings, secrets.productClient)
  const engine = await engineAddress(settings)
  const log = (line: string) => void process.stderr.write(`partner: ${line}\n`)
  const partner = await startPartner({ secrets, ...(process.env['PRACTICE_LOG'] ? { log } : {}) })
  return {
    partner,
    calls,
    ownFlags: engine.flags,
    environment: variablesOf(secrets, partner.url, engine.url),
    shown: relative(projectFolder, file),
    save: () => save(partner.url, engine.url),
  }
}

const { partner, calls, ownFlags, environment, shown, save } = await startPractice().catch((error: Error) => {
  process.stderr.write(`the practice could not be started: ${error.message}\n`)
  process.exit(3)
})
process.stdout.write(
  `Practice partner on ${partner.url}: a stand-in for the systems that the shipped flows call.\n`,
)

// --disable-sigusr1: nobody opens the engine's debugger from outside.
const engine = spawn(
  process.execPath,
  ['--disable-sigusr1', join(projectFolder, 'src', 'main.ts'), 'start', ...flags, ...ownFlags],
  {
    cwd: projectFolder,
    env: { SLUICE_WATCH: 'true', ...process.env, ...environment },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  },
)
// Not before the engine serves: one that finds its data folder taken must leave the file of the other alone.
engine.once('message', () => {
  engine.disconnect()
  if (calls)
    process.stdout.write(
      `The flow ${CALLER} calls the endpoint product every minute, with a token of this engine's own token service.\n`,
    )
  save().then(
    () => process.stdout.write(`Address and secrets of the practice partner: ${shown}.\n`),
    (error: Error) => process.stderr.write(`${shown} could not be written: ${error.message}\n`),
  )
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => engine.kill(signal))
engine.on('error', (error) => {
  process.stderr.write(`the engine could not be started: ${error.message}\n`)
  process.exit(3)
})
engine.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal!]
  void partner.close()
})
