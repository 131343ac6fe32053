// What `npm start` runs: the practice partner, and the engine with the shipped flows against it.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { practiceEnvironment, variablesOf } from './environment.ts'
import { startPartner } from './partner.ts'

const projectFolder = join(import.meta.dirname, '..')
const file = join(resolve(projectFolder, process.env['SLUICE_DATA'] || 'data'), 'practice.env')

async function startPractice() {
  const { secrets, save } = await practiceEnvironment(file)
  const log = (line: string) => void process.stderr.write(`partner: ${line}\n`)
  const partner = await startPartner({ secrets, ...(process.env['PRACTICE_LOG'] ? { log } : {}) })
  return { partner, environment: variablesOf(secrets, partner.url), save: () => save(partner.url) }
}

const { partner, environment, save } = await startPractice().catch((error: Error) => {
  process.stderr.write(`the practice partner could not be started: ${error.message}\n`)
  process.exit(3)
})
process.stdout.write(
  `Practice partner on ${partner.url}: a stand-in for the systems that the shipped flows call.\n`,
)

// --disable-sigusr1: nobody opens the engine's debugger from outside.
const engine = spawn(
  process.execPath,
  ['--disable-sigusr1', join(projectFolder, 'src', 'main.ts'), 'start', ...process.argv.slice(2)],
  {
    cwd: projectFolder,
    env: { SLUICE_WATCH: 'true', ...process.env, ...environment },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  },
)
// Not before the engine serves: one that finds its data folder taken must leave the file of the other alone.
engine.once('message', () => {
  engine.disconnect()
  const shown = relative(projectFolder, file)
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
