/**
 * Loaded into an engine's process before its own code (`NODE_OPTIONS=--import`): sees what goes over sockets, as a fault
 * in a library might, and once a token is among it, lets an error that nobody catches hold it in every way.
 */
import { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'

type Write = (this: Socket, chunk: unknown, ...others: unknown[]) => boolean

const prototype = Socket.prototype as unknown as { write: Write }
const { write } = prototype
let provoked = false

if (isMainThread)
  prototype.write = function (chunk, ...others) {
    const text = typeof chunk === 'string' ? chunk : Buffer.isBuffer(chunk) ? chunk.toString('latin1') : ''
    const token = /^GET \/api[^]*\r\nauthorization: Bearer (\S+)/i.exec(text)?.[1]
    if (token !== undefined && !provoked) {
      provoked = true
      provoke(token, text)
    }
    return write.call(this, chunk, ...others)
  }

function provoke(token: string, head: string): void {
  const way = process.env['FAULT']
  if (way === 'rejection') void Promise.reject(errorWith(token, head))
  else if (way === 'text') process.nextTick(raise, `cannot send ${token}`)
  else if (way === 'object')
    void Promise.reject({ token, bytes: Buffer.from(token), lines: head.split('\r\n') })
  else {
    process.nextTick(raise, errorWith(token, head))
    process.nextTick(raise, new Error(`once more: ${token}`))
  }
}

function raise(thrown: unknown): never {
  throw thrown
}

function errorWith(token: string, head: string): Error {
  const bytes = Buffer.from(token)
  const cause = Object.assign(new RangeError(`no room for ${token}`), {
    bytes,
    view: new Uint8Array(bytes),
    buffer: new Uint8Array(bytes).buffer,
    numbers: new Map([['bytes', bytes]]),
    json: JSON.stringify({ authorization: `Bearer ${token}` }),
    form: new URLSearchParams({ token }).toString(),
    deep: { a: { b: { c: { d: [head.split('\r\n')] } } } },
    padded: `${'x'.repeat(9990)}${token}`,
  })
  return Object.assign(new TypeError(`cannot send ${token}`, { cause }), {
    code: 'ERR_CANARY',
    header: ['authorization', `Bearer ${token}`],
    [token]: 1,
  })
}
