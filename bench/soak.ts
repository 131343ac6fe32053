// npm run soak: a real engine under mixed load against a receiver that goes wrong at random; then kill -9 under load.
//   npm run soak -- --minutes 2 --kills 5 --seed 7 --rate 200 --callers 48 --keep
// Not part of the tests. Ends with 1 when a check failed; the same seed gives the same chances, though not the same order.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Chance } from './soak/chance.ts'
import { Checks } from './soak/checks.ts'
import { printTallies } from './soak/findings.ts'
import { killPhase } from './soak/kill-phase.ts'
import { loadPhase, type PhaseSetting } from './soak/load-phase.ts'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    rate: { type: 'string', default: '200' },
    callers: { type: 'string', default: '48' },
    keep: { type: 'boolean', default: false },
  },
})
const minutes = Number(options.minutes)
const kills = Number(options.kills)
const seed = Number(options.seed)

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())

const folder = mkdtempSync(join(tmpdir(), 'sluice-soak-'))
const project = join(folder, 'project')
cpSync(fileURLToPath(new URL('./soak/project', import.meta.url)), project, { recursive: true })
process.once('exit', () => {
  if (!options.keep) rmSync(folder, { recursive: true, force: true })
})

const checks = new Checks()
const write = (line: string): void => void process.stdout.write(`${line}\n`)
const setting: PhaseSetting = {
  folder,
  project,
  seed,
  chance: new Chance(seed),
  callers: Number(options.callers),
  rate: Number(options.rate),
  checks,
  signal: interrupted.signal,
  write,
}

write(`soak: ${minutes} min, ${kills} kills, seed ${seed}, at most ${options.rate} requests a second`)
if (options.keep) write(`kept in ${folder}`)
try {
  if (minutes > 0) printTallies((await loadPhase({ ...setting, minutes })).tallies, write)
  write('')
  if (kills > 0) printTallies((await killPhase({ ...setting, kills })).tallies, write)
} catch (error) {
  if (!interrupted.signal.aborted)
    checks.of('the soak goes through', 'yes').miss(String((error as Error).stack))
}
if (interrupted.signal.aborted) {
  write('interrupted')
  process.exitCode = 130
} else {
  checks.print(write)
  process.exitCode = checks.failed ? 1 : 0
}
