import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** A server that is a program of somebody else. */
export interface ForeignServer {
  readonly url: string
  readonly folder: string
  stop(): Promise<void>
}

export interface ForeignProgram {
  readonly command: string
  /** Writes what the program needs into its folder, and says its arguments. */
  prepare(folder: string, port: number): readonly string[]
  readonly input?: string
  /** Answers below 500 as soon as it serves. */
  readonly probe: string
}

const ATTEMPTS = 600
/** ms */
const PAUSE = 25

/**
 * Starts a program on a free port and in a folder of its own, and waits until it serves. Once more where it does not:
 * somebody else may have taken the port meanwhile.
 */
export async function startForeign(program: ForeignProgram): Promise<ForeignServer> {
  return launch(program).catch(() => launch(program))
}

async function launch(program: ForeignProgram): Promise<ForeignServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-foreign-'))
  const port = await freePort()
  const child = spawn(program.command, program.prepare(folder, port), {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  child.stdin.end(program.input)
  let output = ''
  const keep = (chunk: Buffer) => void (output = (output + chunk.toString()).slice(-4000))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.once('error', ({ message }) => void (output += message))
  const ended = once(child, 'close')
  const isOver = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < ATTEMPTS && !isOver(); attempt++) {
    if (await serves(url + program.probe)) return { url, folder, stop }
    await setTimeout(PAUSE)
  }
  await stop()
  throw new Error(`${program.command} does not serve:\n${output}`)
}

async function serves(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url)
    await answer.arrayBuffer()
    return answer.status < 500
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
