import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'

function digest(name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}

/** A secret with characters that each encoding changes. */
export function secretOf(name: string): string {
  const text = digest(name)
  return `${text.slice(0, 15)}+/"=%&? ä\\<${text.slice(15, 30)}`
}

/** What fits into a header. */
export function keyOf(name: string): string {
  return `${digest(name).slice(0, 20)}+/~.=${digest(name).slice(20)}`
}

/** The token that the service gives at this path. @param count how often it was asked */
export function tokenOf(path: string, count = 1): string {
  return keyOf(`token ${path} ${count}`)
}

interface Call {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly url: string
  readonly body: string
  /** The client's secret first, then all that was sent. */
  readonly said: string
  readonly token: string
}

type Way = (call: Call, response: ServerResponse) => void

function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(value))
}

/** As bytes, as far as a header can hold them. */
const inHeader = (text: string) =>
  Buffer.from(text)
    .toString('latin1')
    .replace(/[\0-\x1f\x7f]/g, ' ')
const inHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** How a token service may fail and tell what it was sent. */
export const TOKEN_WAYS: Readonly<Record<string, Way>> = {
  described: ({ said }, response) =>
    json(response, 401, { error: 'invalid_client', error_description: said }),
  coded: ({ said }, response) => json(response, 400, { error: said.slice(0, 60), error_description: 'no' }),
  long: ({ said }, response) =>
    json(response, 400, { error: 'invalid_request', error_description: `${'-'.repeat(270)}${said}` }),
  typed: ({ said }, response) => {
    response.writeHead(200, { 'content-type': `text/${encodeURIComponent(said)}` })
    response.end('no JSON')
  },
  both: ({ token, said }, response) =>
    json(response, 400, { error: 'odd', error_description: `${said} ${token}`, access_token: token }),
  inheaders: ({ said }, response) =>
    json(
      response,
      401,
      { error: 'invalid_client' },
      {
        'www-authenticate': `Basic realm="${inHeader(said)}"`,
        'x-seen': inHeader(said),
        'content-type': `text/${encodeURIComponent(said)}`,
      },
    ),
  redirecting: ({ said }, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:1/?${new URLSearchParams({ said }).toString()}` })
    response.end()
  },
  html: ({ said }, response) => {
    response.writeHead(500, { 'content-type': 'text/html' })
    response.end(`<pre>${inHtml(said)}</pre>`)
  },
  odd: ({ token }, response) => json(response, 200, { access_token: `${token}\r\nx: y`, expires_in: 600 }),
  large: ({ said }, response) => json(response, 200, { access_token: said.repeat(20_000) }),
  cut: ({ said }, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' })
    response.write(said)
    setImmediate(() => response.destroy())
  },
  unfit: ({ said }, response) =>
    void response.socket!.end(`HTTP/1.1 200 ${inHeader(said)}\r\n${inHeader(said)}\r\n\r\n`),
}

/** How a receiver may answer and tell what it was sent. */
export const API_WAYS: Readonly<Record<string, Way>> = {
  packed: ({ said }, response) => {
    response.writeHead(200, { 'content-encoding': encodeURIComponent(said) })
    response.end('packed')
  },
  echo: ({ said, headers, url, body }, response) =>
    json(response, 200, { said, seen: headers, url, body }, { 'x-seen': inHeader(said) }),
  php: ({ said }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ said }).replaceAll('/', '\\/'))
  },
  html: ({ said }, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end(`<p>${inHtml(said)}</p><p>${encodeURIComponent(said)}</p>`)
  },
  bytes: ({ said }, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    response.end(Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from(said), Buffer.from([0xff])]))
  },
  // The token lies across the place where a snapshot is cut.
  large: ({ said, headers }, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.end(`${'x'.repeat(64 * 1024 - 30)}${headers.authorization} ${said}${'y'.repeat(100_000)}`)
  },
  refuse: ({ said, headers }, response) =>
    json(
      response,
      401,
      { said, seen: headers },
      {
        'www-authenticate': `Bearer error="invalid_token", error_description="${inHeader(said)}"`,
      },
    ),
  fail: ({ said, url }, response) => json(response, 500, { said, url }, { 'retry-after': inHeader(said) }),
  redirecting: ({ said }, response) => {
    response.writeHead(302, { location: `/api/echo?${new URLSearchParams({ said }).toString()}` })
    response.end()
  },
  away: ({ said }, response) => {
    response.writeHead(307, { location: `http://${encodeURIComponent(inHeader(said))}.invalid/` })
    response.end()
  },
  garbled: ({ said }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`{"said": ${said}`)
  },
  cut: TOKEN_WAYS['cut']!,
  unfit: TOKEN_WAYS['unfit']!,
}

/** The secret of a client, as a service reads it. */
function clientSecretIn(authorization: string | undefined, body: string): string {
  const basic = /^Basic (.*)$/.exec(authorization ?? '')?.[1]
  if (basic !== undefined)
    return unescaped(
      Buffer.from(basic, 'base64')
        .toString()
        .replace(/^[^:]*:/, ''),
    )
  if (body.startsWith('{')) return (JSON.parse(body) as { client_secret?: string }).client_secret ?? ''
  return new URLSearchParams(body).get('client_secret') ?? ''
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

export interface CanaryService {
  readonly url: string
  /** Every token that was in an answer, by name. */
  readonly tokens: Record<string, string>
}

/**
 * A token service and an API in one. `/token/<credential>` gives a token, `/token/<way>` fails; `/api/<way>` answers.
 * Both tell all that they were sent: what a receiver gives back in clear is in the body and may reach the caller of the
 * flow, but no log, record or error. The find-destination API is the other exception: its callers get tokens.
 */
export async function canaryService(t: TestContext): Promise<CanaryService> {
  const counts = new Map<string, number>()
  const tokens: Record<string, string> = {}
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = request.url!
      const { headers } = request
      const [, kind, path = ''] = url.split(/[/?]/)
      const body = Buffer.concat(chunks).toString()
      const count = (counts.get(path) ?? 0) + 1
      if (kind === 'token') counts.set(path, count)
      const token = tokenOf(path, count)
      const said = [
        clientSecretIn(headers.authorization, body),
        ...Object.values(headers).flat(),
        unescaped(url),
        unescaped(body),
      ].join(' ')
      const call: Call = { path, headers, url, body, said, token }
      const way = kind === 'token' ? TOKEN_WAYS[path] : API_WAYS[path]
      if (kind === 'token') tokens[`token ${count} of ${path}`] = token
      if (way) way(call, response)
      else json(response, 200, { access_token: token, token_type: 'Bearer', expires_in: 600 })
    })
  })
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, tokens }
}
