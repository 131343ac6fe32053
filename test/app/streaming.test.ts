import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { test, type TestContext } from 'node:test'
import { call } from '../support/http.ts'
import { startEngine } from '../support/process.ts'
import { projectFolder } from '../support/project.ts'

const MEGABYTE = 1024 * 1024
const LARGE = 256 * MEGABYTE
/** What makes the engine's heap and buffers as large as streaming makes them. */
const WARM = 64 * MEGABYTE

/** Sends as many bytes as the path says to whoever asks, and counts what it is sent. */
async function receiver(t: TestContext) {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let taken = 0
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      request.on('data', (bytes: Buffer) => (taken += bytes.length))
      request.on('end', () => response.end('taken'))
      return
    }
    let left = Number(request.url!.slice(1))
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': left })
    const send = () => {
      while (left > 0) {
        left -= chunk.length
        if (!response.write(chunk)) return void response.once('drain', send)
      }
      response.end()
    }
    send()
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, taken: () => taken }
}

/** Largest resident memory of a process so far, bytes. @see proc_pid_status(5) */
function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

async function stream(engine: string, size: number): Promise<void> {
  const [answer] = (await once(get(`${engine}/http/reply/${size}`), 'response')) as [AsyncIterable<Buffer>]
  let received = 0
  for await (const bytes of answer) received += bytes.length
  assert.equal(received, size)
  const copied = await call(`${engine}/http/copy/${size}`, { method: 'POST' })
  assert.equal(copied.text, 'taken')
}

test('256 MB go from a receiver into the reply, and into another request, in constant memory', async (t) => {
  const { url, taken } = await receiver(t)
  const http = `http: { url: "${url}/\${trigger.params.size}" }`
  const folder = projectFolder(t, {
    'flows/reply.yaml': `steps:\n  - endpoint: { path: "/reply/{size}", method: GET, access: public }\n  - ${http}\n`,
    'flows/copy.yaml': `steps:\n  - endpoint: { path: "/copy/{size}", access: public }\n  - ${http}\n  - http: { method: POST, url: "${url}/take" }\n`,
  })
  const engine = await startEngine(t, folder)
  await stream(engine.url, WARM)
  const before = peakMemory(engine.pid)
  await stream(engine.url, LARGE)
  assert.equal(taken(), WARM + LARGE)
  const grown = (peakMemory(engine.pid) - before) / MEGABYTE
  assert.ok(grown < 100, `the engine's memory grew by ${grown.toFixed(0)} MB`)
})
