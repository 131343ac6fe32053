import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { EngineLog } from './engine-log.ts'
import type { Counts } from './receiver.ts'

const receiverFile = fileURLToPath(new URL('./receiver.ts', import.meta.url))
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** ms that a start may take. */
const START = 30_000
/** ms that a graceful end may take: the time of grace, and that of the last replies. */
const END = 45_000

interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A child that goes when this process goes. */
class Child {
  readonly process: ChildProcess
  readonly exit: Promise<Exit>
  ended = false

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.process = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const end = () => void this.process.kill('SIGKILL')
    process.once('exit', end)
    this.exit = new Promise((resolve) =>
      this.process.once('exit', (code, signal) => {
        this.ended = true
        process.removeListener('exit', end)
        resolve({ code, signal })
      }),
    )
  }

  /** What the pattern finds in the output; undefined when the process ended before. */
  async says(pattern: RegExp): Promise<RegExpExecArray | undefined> {
    const { stdout } = this.process
    let output = ''
    let timer: NodeJS.Timeout | undefined
    const said = new Promise<RegExpExecArray>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no ${pattern} within ${START} ms: ${output}`)), START)
      stdout!.on('data', (chunk: Buffer) => {
        const found = pattern.exec((output += chunk.toString()))
        if (found) resolve(found)
      })
    })
    try {
      return await Promise.race([said, this.exit.then(() => undefined)])
    } finally {
      clearTimeout(timer)
      stdout!.removeAllListeners('data').resume()
    }
  }
}

export interface Receiver {
  /** Where things go wrong. */
  readonly faulty: string
  /** Where they do not. */
  readonly plain: string
  counts(): Promise<Counts>
  stop(): Promise<void>
}

export async function startReceiver(seed: number): Promise<Receiver> {
  const child = new Child([receiverFile], { SOAK_SEED: String(seed) })
  child.process.stderr!.pipe(process.stderr)
  const [, faulty, plain] = (await child.says(/listening (\S+) (\S+)\n/)) ?? []
  if (faulty === undefined || plain === undefined) throw new Error('the receiver did not start')
  return {
    faulty,
    plain,
    counts: async () => (await (await fetch(`${plain}/counts`)).json()) as Counts,
    async stop() {
      child.process.kill('SIGKILL')
      await child.exit
    },
  }
}

export interface EngineSetting {
  /** The project. */
  readonly project: string
  readonly data: string
  readonly receiver: Receiver
  /** Where its log is kept. */
  readonly logFile: string
}

/** An engine: a process of its own, as people start it. */
export class Engine {
  readonly log: EngineLog
  private readonly child: Child
  private readonly file: WriteStream

  constructor({ project, data, receiver, logFile }: EngineSetting, log = new EngineLog()) {
    this.log = log
    this.file = createWriteStream(logFile, { flags: 'a' })
    this.child = new Child(['--disable-sigusr1', main, 'start', '--project', project], {
      SOAK_RECEIVER: receiver.faulty,
      SOAK_SECRET: 'soak-secret-value',
      SLUICE_PARAM_PLAIN: receiver.plain,
      SLUICE_LISTEN: '127.0.0.1:0',
      SLUICE_DATA: data,
      SLUICE_LOG_FORMAT: 'json',
      NO_COLOR: '1',
    })
    const { stderr } = this.child.process
    stderr!.on('data', (chunk: Buffer) => {
      this.file.write(chunk)
      log.take(chunk.toString())
    })
    stderr!.on('end', () => this.file.end())
  }

  get pid(): number {
    return this.child.process.pid!
  }

  get ended(): boolean {
    return this.child.ended
  }

  get exit(): Promise<Exit> {
    return this.child.exit
  }

  /** The address of its endpoints, when they are served; undefined when it ended before. */
  async ready(): Promise<string | undefined> {
    return (await this.child.says(/Sluice \S+ on (\S+)/))?.[1]
  }

  async kill(): Promise<void> {
    this.child.process.kill('SIGKILL')
    await this.exit
  }

  /** Ends it as an operator does. Undefined: it did not end in time, and was killed. */
  async stop(): Promise<Exit | undefined> {
    this.child.process.kill('SIGTERM')
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), END)))
    const exit = await Promise.race([this.exit, late])
    clearTimeout(timer)
    if (!exit) await this.kill()
    return exit
  }
}
