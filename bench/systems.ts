import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Of the system's clock, a second. */
const TICKS = 100

export interface System {
  readonly name: string
  readonly port: number
  readonly url: string
  readonly pid: number
  /** ms from the start of the process to its first line. */
  readonly startedIn: number
  stop(): Promise<void>
}

/** The system under test runs on core 0, everything else on core 1, where the machine lets us say so. */
function pinned(core: number, command: string, args: string[]): [string, string[]] {
  return process.platform === 'linux' ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]
}

function started(
  name: string,
  core: number,
  args: string[],
  env: Record<string, string>,
  ready: RegExp,
): Promise<System> {
  const at = performance.now()
  const [command, words] = pinned(core, process.execPath, args)
  const child: ChildProcess = spawn(command, words, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = () => void child.kill()
  process.once('exit', end)
  const stopped = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void stopped.then(() => process.removeListener('exit', end))
  return new Promise((resolve, reject) => {
    let output = ''
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${output}`)))
    child.stdout!.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const url = ready.exec(output)?.[1]
      if (url === undefined) return
      child.stdout!.removeAllListeners('data').resume()
      resolve({
        name,
        url,
        port: Number(new URL(url).port),
        pid: child.pid!,
        startedIn: performance.now() - at,
        stop: async () => {
          child.kill('SIGTERM')
          await stopped
        },
      })
    })
  })
}

export function startReceiver(env: Record<string, string> = {}): Promise<System> {
  return started('receiver', 1, [join(folder, 'receiver.ts')], env, /listening (\S+)/)
}

export async function startByHand(receiver: System): Promise<System> {
  const data = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const system = await started(
    'by hand',
    0,
    [join(folder, 'by-hand.ts')],
    { BENCH_RECEIVER: receiver.url, BENCH_LOG: join(data, 'by-hand.log') },
    /listening (\S+)/,
  )
  return {
    ...system,
    stop: () => system.stop().finally(() => rmSync(data, { recursive: true, force: true })),
  }
}

export async function startSluice(
  receiver: Pick<System, 'url'>,
  flows = join(folder, 'flows'),
  environment: Readonly<Record<string, string>> = {},
): Promise<System> {
  const data = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const system = await started(
    'sluice',
    0,
    ['--disable-sigusr1', main, 'start', '--project', folder],
    {
      BENCH_RECEIVER: receiver.url,
      BENCH_SECRET: 'bench-secret',
      SLUICE_LISTEN: '127.0.0.1:0',
      SLUICE_DATA: data,
      SLUICE_FLOWS: flows,
      SLUICE_LOG_LEVEL: 'warn',
      NO_COLOR: '1',
      ...environment,
    },
    /Sluice \S+ on (\S+)/,
  )
  return {
    ...system,
    stop: () => system.stop().finally(() => rmSync(data, { recursive: true, force: true })),
  }
}

/** What a receiver has seen so far. */
export interface Counts {
  readonly tokens: number
  readonly calls: number
  readonly refused: number
  readonly accepted: number
  readonly doubled: number
}

export async function countsOf(receiver: System): Promise<Counts> {
  return (await (await fetch(`${receiver.url}/counts`)).json()) as Counts
}

/** Resident memory of a process, MB; 0 where it cannot be read. */
export function residentMemory(pid: number): number {
  return memory(pid, /VmRSS:\s+(\d+)/)
}

/** The most that it ever was. */
export function peakMemory(pid: number): number {
  return memory(pid, /VmHWM:\s+(\d+)/)
}

function memory(pid: number, line: RegExp): number {
  try {
    return Number(line.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** s of processor time that a process has taken; 0 where it cannot be read. */
export function processorTime(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  } catch {
    return 0
  }
}
