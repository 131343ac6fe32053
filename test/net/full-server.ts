import { connect } from 'node:net'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'

const LISTEN = `
const { parentPort } = require('node:worker_threads')
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

/** A receiver that never accepts a connection, and whose queue of them is full: host and port. */
export async function fullServer(t: TestContext): Promise<string> {
  const worker = new Worker(LISTEN, { eval: true })
  t.after(() => worker.terminate())
  const [port] = (await once(worker, 'message')) as [number]
  for (let i = 0; i < 2; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    t.after(() => socket.destroy())
    await once(socket, 'connect')
  }
  return `127.0.0.1:${port}`
}
