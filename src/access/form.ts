import type { IncomingMessage, ServerResponse } from 'node:http'
import { queryOf } from '../core/url-query.ts'

/** Bytes and ms that the body of a request to the token service may take. */
const LARGEST = 64 * 1024
const PATIENCE = 10_000

/** What is wrong with a request, as RFC 6749 5.2 tells it. */
export interface FormMistake {
  readonly status: number
  readonly text: string
}

/** The parameters of query and body together; each is there once. */
export async function readForm(
  raw: IncomingMessage,
  reply: ServerResponse,
): Promise<Map<string, string> | FormMistake> {
  const body = await readBody(raw, reply)
  if (typeof body !== 'string') return body
  const type = raw.headers['content-type'] ?? ''
  if (body !== '' && !/^application\/x-www-form-urlencoded *(;|$)/i.test(type))
    return { status: 400, text: 'the body is not application/x-www-form-urlencoded' }
  const query = new URLSearchParams(queryOf(raw.url!))
  for (const name of ['client_secret', 'client_assertion', 'token'])
    if (query.has(name)) return { status: 400, text: `"${name}" must not stand in the address` }
  const form = new Map<string, string>()
  for (const [name, value] of [...query, ...new URLSearchParams(body)]) {
    if (form.has(name)) return { status: 400, text: 'a parameter is there more than once' }
    if (value !== '') form.set(name, value)
  }
  return form
}

const TOO_LARGE: FormMistake = { status: 413, text: 'the body is too large' }

function readBody(raw: IncomingMessage, reply: ServerResponse): Promise<string | FormMistake> {
  if (Number(raw.headers['content-length']) > LARGEST) {
    raw.resume()
    return Promise.resolve(TOO_LARGE)
  }
  if (raw.headers.expect !== undefined) reply.writeContinue()
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => done({ status: 408, text: 'the body took too long' }), PATIENCE)
    const done = (result: string | FormMistake) => {
      clearTimeout(timer)
      raw.off('data', take).off('end', ended).off('close', broken).resume()
      resolve(result)
    }
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > LARGEST) done(TOO_LARGE)
      else chunks.push(chunk)
    }
    const ended = () => done(Buffer.concat(chunks).toString('utf8'))
    const broken = () => done({ status: 400, text: 'the body was cut off' })
    raw.on('data', take).once('end', ended).once('close', broken)
  })
}
