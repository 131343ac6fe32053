import { url as debuggerUrl } from 'node:inspector'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

if (Number(process.versions.node.split('.')[0]) < 26) {
  process.stderr.write(
    `sluice needs Node 26; this is ${process.version}. Start it with \`npx sluice\` or \`npm start\`: they bring their own Node.\n`,
  )
  process.exit(3)
}

// Compiled code, types stripped, is kept beside the dependencies: the next start takes half the time and memory.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/sluice', import.meta.url)))
const { runCommandLine } = await import('./commands/index.ts')
const { exposures } = await import('./exposure.ts')
const { Faults } = await import('./faults.ts')
const { terminalOf } = await import('./terminal.ts')
setTimeout(flushCompileCache, 2000).unref()

const faults = new Faults()
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (thrown: unknown) => {
    const stderr = (text: string) => process.stderr.write(text)
    faults.end(thrown, stderr).then(
      () => process.exit(3),
      () => process.exit(3),
    )
  })

const interrupted = new AbortController()
let last = 0
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    // A launcher may pass on what the terminal sent to the whole group: one signal in two copies.
    if (interrupted.signal.aborted && performance.now() - last > 500) process.exit(130)
    last = performance.now()
    interrupted.abort()
  })
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
// Whoever read the log of an engine may be gone; the engine goes on.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

/** Ctrl-C as a key: there are no copies of it. */
function interrupt(): void {
  if (interrupted.signal.aborted) process.exit(130)
  last = performance.now()
  interrupted.abort()
}
const screen = terminalOf(process.stdin, process.stdout, process, interrupt, process.env['TERM'])
const isPlain = Boolean(process.env['NO_COLOR']) || process.env['TERM'] === 'dumb'

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  stdin: process.stdin,
  color: process.stdout.isTTY === true && !isPlain,
  colorErrors: process.stderr.isTTY === true && !isPlain,
  terminal: process.stderr.isTTY === true,
  columns: process.stdout.columns || 200,
  workingFolder: resolve('.'),
  environment: process.env,
  exposed: exposures({ flags: process.execArgv, environment: process.env, debuggerUrl: debuggerUrl() }),
  signal: interrupted.signal,
  onHangup: (action) => process.on('SIGHUP', action),
  ready: () => process.send?.('ready'),
  faults,
  ...(screen && { screen }),
})
