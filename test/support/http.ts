import { connect } from 'node:net'
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Logger } from '../../src/core/services.ts'

export interface Got {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  text: string
  json: () => any
}

/** One request over a real socket; header names as they come, the body whole. */
export function call(
  url: string,
  options: {
    method?: string
    headers?: Record<string, string>
    body?: string | Buffer | Readable
    agent?: Agent
    onContinue?: () => void
  } = {},
): Promise<Got> {
  const { method = 'GET', headers = {}, body, agent, onContinue } = options
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers, agent: agent ?? false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const text = bytes.toString()
        resolve({
          status: answer.statusCode!,
          headers: answer.headers,
          body: bytes,
          text,
          json: () => JSON.parse(text),
        })
      })
    })
    sent.on('error', reject)
    if (onContinue) sent.on('continue', onContinue)
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
      if (onContinue) sent.flushHeaders()
      else sent.end(body)
      if (onContinue) sent.on('continue', () => sent.end(body))
    } else body.pipe(sent)
  })
}

/** Sends bytes as they are and returns all that comes back until the other side closes, or `until` is in it. */
export function rawCall(url: string, bytes: string, until?: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (until !== undefined && text.includes(until)) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

/** A log that keeps its lines. */
export function listLog(): Logger & {
  lines: { level: string; fields: Record<string, unknown>; text: string }[]
} {
  const lines: { level: string; fields: Record<string, unknown>; text: string }[] = []
  const at = (level: string) => (fields: object, text: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, text })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
