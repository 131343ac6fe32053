import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { variablesOf } from '../../practice/environment.ts'
import { startPartner, type Partner } from '../../practice/partner.ts'

const projectFolder = join(import.meta.dirname, '..', '..')
const bin = join(projectFolder, 'bin', 'sluice.js')

/** Every command starts a process; what they all compile is compiled once. */
const compileCache = await mkdtemp(join(tmpdir(), 'sluice-stories-'))
after(() => rm(compileCache, { recursive: true, force: true }))

const secrets = {
  learning: 'story-secret-of-learning',
  incentiveRead: 'story-secret-of-im-read',
  incentiveWrite: 'story-secret-of-im-write',
  iot: 'story-secret-of-iot',
  jam: 'story-secret-of-jam',
  jamUser: 'story-password-of-jam',
  neo: 'story-secret-of-neo',
  productClient: 'story-secret-of-product-client',
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that goes on. */
export interface Going {
  /** Resolves to the match as soon as its output has one. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  /** Asks it to end, as Ctrl-C does. */
  stop(): Promise<Ended>
}

export interface Engine extends Going {
  readonly url: string
}

/** A user in a checkout: the shipped flows and credentials, a data folder of their own, the partner beside them. */
export interface Story {
  readonly partner: Partner
  readonly dataFolder: string
  readonly environment: Record<string, string | undefined>
  /** Runs `sluice` to its end. */
  sluice(...args: string[]): Promise<Ended>
  /** The same as `npx sluice`. */
  npx(...args: string[]): Promise<Ended>
  going(...args: string[]): Going
  /** `sluice start`, up to where it serves. */
  start(): Promise<Engine>
  /** From now on the security material is a copy; resolves to its folder. */
  copyMaterial(): Promise<string>
  /** From now on the credentials are a copy in which this one reads otherwise. */
  changeCredential(name: string, change: (text: string) => string): Promise<void>
  /** Files and outputs that hold a secret or a token, or one of these texts: none. */
  leaks(...texts: string[]): Promise<string[]>
}

export interface StorySetting {
  readonly tokensPerMinute?: number
  /** The engine tells and keeps all it can, payloads too. */
  readonly trace?: boolean
}

export async function story(
  t: TestContext,
  { trace = false, ...setting }: StorySetting = {},
): Promise<Story> {
  const partner = await startPartner({ secrets, ...setting })
  t.after(() => partner.close())
  const folder = await mkdtemp(join(tmpdir(), 'sluice-story-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const dataFolder = join(folder, 'data')
  const material = join(folder, 'security-material')
  const environment: Record<string, string | undefined> = {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(SLUICE|PRACTICE|NODE_TEST)_/.test(name)),
    ),
    ...variablesOf(secrets, partner.url),
    SLUICE_DATA: dataFolder,
    SLUICE_LISTEN: '127.0.0.1:0',
    NO_COLOR: '1',
    NO_UPDATE_NOTIFIER: '1',
    NODE_COMPILE_CACHE: compileCache,
  }
  if (trace) {
    environment['SLUICE_LOG_LEVEL'] = 'debug'
    environment['SLUICE_FLOWS'] = join(folder, 'flows')
    await tracedFlows(join(folder, 'flows'))
  }
  const copyMaterial = async () => {
    await cp(join(projectFolder, 'security-material'), material, {
      recursive: true,
      force: false,
      // What npm start made here is of another data folder.
      filter: (file) => !file.endsWith('product-client.yaml'),
    })
    environment['SLUICE_SECURITY_MATERIAL'] = material
    return material
  }
  const outputs: { args: readonly string[]; text: string }[] = []
  const begin = (args: readonly string[], program = [process.execPath, bin]) => {
    const begun = command([...program, ...args], environment)
    t.after(() => begun.stop())
    outputs.push({ args, text: '' })
    const at = outputs.length - 1
    const ended = begun.ended.then((result) => {
      outputs[at] = { args, text: result.stdout + result.stderr }
      return result
    })
    return { ...begun, ended }
  }
  return {
    partner,
    dataFolder,
    environment,
    sluice: (...args) => begin(args).ended,
    npx: (...args) => begin(args, ['npx', '--no-install', 'sluice']).ended,
    going: (...args) => begin(args),
    async start() {
      const engine = begin(['start'])
      const shown = await engine.shows(/ on (http:\/\/\S+)[^]*Ctrl-C/)
      return { ...engine, url: shown[1]! }
    },
    copyMaterial,
    async changeCredential(name, change) {
      const file = join(await copyMaterial(), `${name}.yaml`)
      const text = await readFile(file, 'utf8')
      const changed = change(text)
      if (changed === text) throw new Error(`nothing was changed in ${name}.yaml`)
      await writeFile(file, changed)
    },
    async leaks(...texts) {
      const guarded = [...Object.values(secrets), ...partner.control.tokens(), ...texts].flatMap((text) => [
        text,
        ...[0, 1, 2].map((before) => base64Part(text, before)),
        encodeURIComponent(text),
      ])
      const found = outputs.map(({ args, text }): [string, string] => [
        `output of sluice ${args.join(' ')}`,
        text,
      ])
      // A command that starts no engine makes no data folder.
      for (const entry of await readdir(dataFolder, { withFileTypes: true }).catch(() => []))
        if (entry.isFile())
          found.push([`file ${entry.name}`, await readFile(join(dataFolder, entry.name), 'latin1')])
      return found
        .filter(([, text]) => guarded.some((secret) => text.includes(secret)))
        .map(([where]) => where)
    },
  }
}

/** What base64 makes of a text that stands behind so many other bytes, as in a Basic header. */
function base64Part(text: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
  return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6))
}

/** The shipped flows, each with everything kept. */
async function tracedFlows(folder: string): Promise<void> {
  await cp(join(projectFolder, 'flows'), folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    await writeFile(file, `logLevel: trace\n${await readFile(file, 'utf8')}`)
  }
}

function command([program, ...args]: readonly string[], environment: Record<string, string | undefined>) {
  const child = spawn(program!, args, { cwd: projectFolder, env: environment, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  let looked = () => {}
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    looked()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    looked()
  })
  child.stdin.end()
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code, stdout, stderr })
      looked()
    })
  })
  return {
    ended,
    shows: (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        looked = () => {
          const match = pattern.exec(stdout + stderr)
          if (match) resolve(match)
          else if (child.exitCode !== null)
            reject(new Error(`${args.join(' ')} ended without ${pattern}:\n${stdout}${stderr}`))
        }
        looked()
      }),
    stop() {
      if (child.exitCode === null) child.kill('SIGINT')
      return ended
    },
  }
}
