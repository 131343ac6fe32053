import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as oauth from 'oauth4webapi'
import { AuthorizationServer, type OpenSetting } from '../../src/access/authorization-server.ts'
import { makeSecretHash } from '../../src/access/secret-hash.ts'
import { SCHEMES, type AccessRule } from '../../src/core/access.ts'
import { TrustedProxies } from '../../src/net/trusted-proxies.ts'
import type { ReferenceSources } from '../../src/security/references.ts'
import { makeIdentity } from '../../src/security/secret-cipher.ts'
import { startServer } from '../server/start-server.ts'
import { ManualClock } from '../support/clock.ts'
import { TestLog, testWorld } from '../support/credentials.ts'

export const SECRET = 'secret-of-the-shop-1234567890'
export const ISSUER = 'https://flows.example.com'
/** There is nothing that files could refer to. */
export const NO_SOURCES: ReferenceSources = {
  projectFolder: '/nowhere',
  environment: {},
  parameters: {},
  backends: [],
  secret: () => ({ state: 'missing', why: 'is not there', hint: '' }),
}
const AGE_KEY = { SLUICE_SECRET_KEY: await makeIdentity() }

/** Without an age key in the environment one is made in the folder. */
export function sealIn(folder: string, environment: Record<string, string> = AGE_KEY): OpenSetting['seal'] {
  const keyFile = join(folder, 'age.key')
  return { keys: { environment, keyFile, shownKeyFile: keyFile }, mayMakeKey: true, hide: () => {} }
}

/** Made once: it is what costs. */
export const HASH = await makeSecretHash(SECRET)

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** An engine's door: the token service, and endpoints that want the roles or the ways in that their paths name: `/http/orders.write`, `/http/by-basic`. */
export async function door(
  t: TestContext,
  clients: Record<string, string> = { shop: '' },
  folder?: string,
  own: Partial<OpenSetting> = {},
) {
  const clock = new ManualClock()
  const log = new TestLog()
  const data = folder ?? mkdtempSync(join(tmpdir(), 'sluice-access-'))
  let ids = 0
  const access = new AuthorizationServer({
    world: { ...testWorld(t, clock), newId: () => `refusal-${++ids}` },
    log,
    signing: { dev: false, hide: () => {} },
  })
  /** From now on these are the clients; a text without a hash gets that of `SECRET`. */
  const write = (texts: Record<string, string>) =>
    access.clients.load(
      Object.entries(texts).map(([name, text]) => ({
        file: `security-material/${name}.yaml`,
        text: `type: client\n${/secretHash|apiKeyHash|jwks|certificates/.test(text) ? '' : `secretHash: ${HASH}\n`}${text}`,
      })),
    )
  write(clients)
  const opened = await access.open({
    folder: data,
    proxies: new TrustedProxies([]),
    seal: sealIn(data),
    certificateHeader: undefined,
    authorities: () => [],
    issuer: () => ISSUER,
    audience: () => ISSUER,
    ...own,
  })
  t.after(async () => {
    await opened.close()
    if (folder === undefined) rmSync(data, { recursive: true, force: true })
  })
  const { routes, url } = await startServer(t, { addresses: opened.addresses })
  let bodies = 0
  const serve = (path: string, rule: AccessRule) =>
    routes.serve({ path, methods: ['POST'] }, path, (request) => {
      void (async () => {
        const caller = await access.admit(rule, path.slice(1), request)
        if (!caller) return
        request.proceed()
        request.raw.resume()
        bodies++
        request.answer(200, [], Buffer.from(JSON.stringify(caller)))
      })()
    })
  for (const role of ['ESBMessaging.send', 'orders.write']) serve(`/${role}`, { roles: [role], all: false })
  for (const scheme of SCHEMES)
    serve(`/by-${scheme}`, { roles: ['ESBMessaging.send'], all: false, schemes: [scheme] })

  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const answer = await fetch(url + path, { method: 'POST', ...init })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) }
  }
  const basic = (id = 'shop', secret = SECRET) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  })
  const token = async (form: Record<string, string> = {}, headers: Record<string, string> = basic()) =>
    String(
      (
        await ask('/oauth2/token', {
          headers,
          body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
        })
      ).body['access_token'],
    )
  const call = (token: string, path = '/http/ESBMessaging.send') =>
    ask(path, { headers: { authorization: `Bearer ${token}` }, body: '{}' })
  return { clock, log, data, access, write, url, ask, basic, token, call, opened, bodies: () => bodies }
}

/** What oauth4webapi finds out about an engine that calls itself `ISSUER` and is somewhere else. */
export async function discovered(url: string) {
  const options = {
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: (address: string, init: object) => fetch(address.replace(ISSUER, url), init),
  }
  const issuer = new URL(ISSUER)
  const answer = await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' })
  return { options, server: await oauth.processDiscoveryResponse(issuer, answer) }
}
