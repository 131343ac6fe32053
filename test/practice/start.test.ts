import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'

const start = join(import.meta.dirname, '..', '..', 'practice', 'start.ts')

/** `npm start`, with a data folder and ports of its own. */
async function started(t: TestContext, listen: string, shared?: string) {
  const dataFolder = shared ?? (await mkdtemp(join(tmpdir(), 'sluice-start-')))
  const child = spawn(process.execPath, [start], {
    env: { ...process.env, SLUICE_DATA: dataFolder, SLUICE_LISTEN: listen, NO_COLOR: '1' },
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
  return { child, ended, shown, dataFolder, output: () => output }
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
    const second = await started(t, '127.0.0.1:0', dataFolder)
    assert.equal(await second.ended, 3)
    assert.equal(await readFile(join(dataFolder, 'practice.env'), 'utf8'), text)

    child.kill('SIGTERM')
    assert.equal(await ended, 0)
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
  })
})
