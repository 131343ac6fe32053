import type { TestContext } from 'node:test'
import { Agent, buildConnector } from 'undici'
import { createHostRules, readHostRule } from '../../src/security/hosts.ts'
import {
  certificate,
  receiver,
  sender,
  testCredential,
  TestGrant,
  testWorld,
  type Receiver,
  type SendOne,
} from './fixture.ts'

/** A key with characters that are written in several ways. */
export const KEY = 'a~b c+d/e%f-SECRET'
const ENCODED = new URLSearchParams({ key: KEY }).toString()

/** What the credential puts on a request: nothing of it may reach another origin. */
export const GRANT = new TestGrant('TOKEN-SECRET', {
  headers: [
    'authorization',
    'Bearer TOKEN-SECRET',
    'X-Api-Key',
    'HEADER-SECRET',
    'cookie',
    'key=COOKIE-SECRET',
  ],
  query: ENCODED,
})
export const API_HEADERS = [
  'x-tenant',
  'TENANT-SECRET',
  'user-agent',
  'AGENT-SECRET',
  'referer',
  'https://REFERER-SECRET/',
]
export const API_QUERY = 'client=100&tag=QUERY-SECRET'
export const ADDED = `${API_QUERY}&${ENCODED}`

/** Made once: it takes a while. */
let shared: { readonly key: string; readonly cert: string } | undefined

export interface Seen {
  readonly at: 'home' | 'other' | 'plain'
  readonly line: string
  readonly headers: Receiver['requests'][number]['headers']
  readonly body: string
}

export interface Places {
  /** In order, at all three. */
  readonly seen: Seen[]
  readonly send: SendOne
  readonly credential: ReturnType<typeof testCredential>
}

/**
 * Three receivers on loopback: `https://api.example.com` is one; every other host or port is another, by https or by
 * http. The first request of a test is redirected; what comes then is answered.
 * @param answer status and location for the first request, or for each as long as there are some
 */
export async function places(
  t: TestContext,
  answer: { status: number; locations: string[] },
): Promise<Places> {
  const tls = (shared ??= certificate(t, { name: 'DNS:api.example.com' }))
  const seen: Seen[] = []
  const ports: Record<string, number> = {}
  for (const at of ['home', 'other', 'plain'] as const) {
    const { port } = await receiver(
      t,
      (request, reply, body) => {
        const location = answer.locations[seen.length]
        seen.push({ at, line: `${request.method} ${request.url}`, headers: request.headers, body })
        if (location === undefined) return void reply.end(at)
        reply.writeHead(answer.status, { location: Buffer.from(location).toString('latin1') }).end()
      },
      at === 'plain' ? undefined : tls,
    )
    ports[at] = port
  }
  const connect = buildConnector({ ca: tls.cert })
  const agent = new Agent({
    connect: ({ protocol, hostname, port, ...rest }, callback) => {
      const isHome = /^api\.example\.com\.?$/.test(hostname) && (port === '' || port === '443')
      const at = protocol === 'http:' ? 'plain' : isHome ? 'home' : 'other'
      connect(
        { ...rest, protocol, hostname: '127.0.0.1', port: String(ports[at]), servername: 'api.example.com' },
        callback,
      )
    },
  })
  t.after(() => agent.destroy())
  const rules = createHostRules(
    ['api.example.com', 'api.example.com:8443', 'cdn.example.net', '127.0.0.1'].map(readHostRule) as never,
  )
  return {
    seen,
    send: sender(t, testWorld(t, { dispatcherFor: () => agent })),
    credential: testCredential('https://api.example.com/', [GRANT], {
      apiHeaders: API_HEADERS,
      apiQuery: API_QUERY,
      allows: (url) => rules.allows(url),
      hosts: rules.names,
    }),
  }
}
