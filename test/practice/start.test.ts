import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, it, type TestContext } from 'node:test'
import { MessageLogReader } from '../../src/store/reading.ts'
import { startCommand } from '../support/process.ts'

const root = join(import.meta.dirname, '..', '..')
const start = join(root, 'practice', 'start.ts')

/** `npm start`, with a data folder, security material and ports of its own. */
async function started(t: TestContext, listen: string, shared?: string) {
  const dataFolder = shared ?? (await mkdtemp(join(tmpdir(), 'sluice-start-')))
  const material = join(dataFolder, 'security-material')
  await cp(join(root, 'security-material'), material, {
    recursive: true,
    force: false,
    filter: (file) => !file.endsWith('product-client.yaml'),
  })
  const child = spawn(process.execPath, [start], {
    env: {
      ...process.env,
      SLUICE_DATA: dataFolder,
      SLUICE_SECURITY_MATERIAL: material,
      SLUICE_LISTEN: listen,
      NO_COLOR: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
    await rm(dataFolder, { recursive: true, force: true })
  })
  let output = ''
  const shown = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output)
        if (match) resolve(match)
      }
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text
          look()
        })
      child.once('close', () => reject(new Error(`ended without ${pattern}: ${output}`)))
      look()
    })
  const client = () => readFile(join(material, 'product-client.yaml'), 'utf8')
  return { child, ended, shown, dataFolder, client, output: () => output }
}

/** Resolves when the timer's first run is over; an engine that stops refuses what it calls itself. */
async function circleClosed(t: TestContext, dataFolder: string): Promise<void> {
  const command = ['log', '--follow', '--flow', 'product-caller', '--data', dataFolder]
  const follow = startCommand(t, dataFolder, command)
  await follow.shows(/(COMPLETED|FAILED) +product-caller/)
  follow.kill('SIGINT')
  await follow.ended
}

/** Flow and status of every run that the message log has. */
function runsOf(dataFolder: string): string[] {
  const reader = new MessageLogReader(dataFolder)
  const runs = reader.runs({ limit: 100 }).map(({ flow, status }) => `${flow} ${status}`)
  reader.close()
  return runs
}

describe('npm start', { concurrency: 2 }, () => {
  it('starts the partner and the engine against it, and ends both at SIGTERM', async (t) => {
    const { child, ended, shown, dataFolder, output } = await started(t, '127.0.0.1:0')
    const match = await shown(
      /Practice partner on (http:\S+): a stand-in[^]* on (http:\S+)[^]*Ctrl-C[^]*practice\.env\.\n/,
    )
    const [, partner, engine] = match
    const participants = await fetch(`${engine}/http/participants`)
    assert.equal(participants.status, 200)
    assert.equal(((await participants.json()) as unknown[]).length, 32)
    const { clients } = (await (await fetch(`${partner}/control`)).json()) as {
      clients: Record<string, { tokens: number }>
    }
    assert.equal(clients['client_im_read']!.tokens, 1)
    if (process.platform !== 'win32')
      assert.equal((await stat(join(dataFolder, 'practice.env'))).mode & 0o777, 0o600)
    assert.doesNotMatch(output(), /Not running/)

    const text = await readFile(join(dataFolder, 'practice.env'), 'utf8')
    assert.ok(text.includes(`PRACTICE_URL=${partner}\n`))
    await circleClosed(t, dataFolder)
    const second = await started(t, '127.0.0.1:0', dataFolder)
    assert.equal(await second.ended, 3)
    assert.equal(await readFile(join(dataFolder, 'practice.env'), 'utf8'), text)

    child.kill('SIGTERM')
    assert.equal(await ended, 0)
    assert.ok(runsOf(dataFolder).includes('product-caller COMPLETED'), output())
    await assert.rejects(fetch(`${partner}/control`))
  })

  it("shows the engine's error when its port is taken, and ends with its exit code", async (t) => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    t.after(() => taken.close())
    const { port } = taken.address() as { port: number }
    const { ended, shown, dataFolder } = await started(t, `127.0.0.1:${port}`)
    await shown(new RegExp(`cannot listen on 127.0.0.1:${port}`))
    assert.equal(await ended, 3)
    await assert.rejects(stat(join(dataFolder, 'practice.env')), { code: 'ENOENT' })
    assert.deepEqual(runsOf(dataFolder), [], 'no timer fires where the engine does not serve')
  })

  it('makes the client of its own engine once, anew where its secret is gone, and keeps the secret out of sight', async (t) => {
    const first = await started(t, '127.0.0.1:0')
    const [, url] = await first.shown(
      /Sluice \S+ on (\S+)[^]*product-caller calls the endpoint product every minute, [^]*practice\.env/,
    )
    const file = join(first.dataFolder, 'practice.env')
    const { PRODUCT_CLIENT_SECRET: secret, ENGINE_URL } = parseEnv(await readFile(file, 'utf8'))
    assert.equal(ENGINE_URL, url)
    const made = await first.client()
    assert.match(made, /^type: client\n.*\nclientId: product-client\n.*\nroles: \[ESBMessaging\.send\]$/m)
    const ask = (credential: string) =>
      fetch(`${url}/http/product?id=COURSE-001`, {
        headers: { authorization: `Basic ${btoa(`product-client:${credential}`)}` },
      })
    assert.equal((await ask(secret!)).status, 200)
    assert.equal((await ask(`${secret}x`)).status, 401)
    await circleClosed(t, first.dataFolder)
    first.child.kill('SIGTERM')
    assert.equal(await first.ended, 0)
    assert.ok(!made.includes(secret!) && !first.output().includes(secret!))

    for (const kept of [true, false]) {
      if (!kept) await rm(file)
      const again = await started(t, '127.0.0.1:0', first.dataFolder)
      await again.shown(/practice\.env\.\n/)
      const { code, stderr } = await startCommand(t, first.dataFolder, [
        ...['run', 'product-caller', '--data', first.dataFolder],
      ]).ended
      assert.equal(code, 0, stderr)
      again.child.kill('SIGTERM')
      assert.equal(await again.ended, 0)
      assert.equal((await again.client()) === made, kept)
    }
  })
})
