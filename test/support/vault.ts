import type { TestContext } from 'node:test'
import { startService, type Asked, type Said } from './credentials.ts'

export const ROOT = 'hvs.token-of-the-test-root'
export const ROLE_ID = 'role-id-of-the-test'
export const SECRET_ID = 'secret-id-of-the-test-0123'
export const JWT = 'jwt-of-the-service-account-0123'

const DENIED: Said = { status: 403, body: { errors: ['1 error occurred:\n\t* permission denied\n\n'] } }

/** What the HTTP API of Vault says, as its documentation has it; no Vault is behind it. */
export async function startVault(t: TestContext) {
  const state = {
    secrets: {} as Record<
      string,
      { data: Record<string, unknown>; version: number } | 'deleted' | 'forbidden'
    >,
    tokens: new Set([ROOT]),
    /** Seconds; 0: without an end. */
    lease: 0,
    renewable: true,
    /** Answered to everything. */
    all: undefined as Said | undefined,
    /** Answered to renewals. */
    renewal: undefined as Said | undefined,
    logins: 0,
  }

  function granted(): Said {
    const token = `hvs.token-of-login-${++state.logins}`
    state.tokens.add(token)
    return {
      body: { auth: { client_token: token, lease_duration: state.lease, renewable: state.renewable } },
    }
  }

  function login(body: string, is: Record<string, string>): Said {
    const sent = JSON.parse(body) as Record<string, string>
    const right = Object.entries(is).every(([name, value]) => sent[name] === value)
    return right ? granted() : { status: 400, body: { errors: ['invalid role or secret ID'] } }
  }

  function answer({ method, url, headers, body }: Asked): Said {
    if (state.all) return state.all
    const path = url.replace('/v1/', '')
    if (path === 'auth/approle/login') return login(body, { role_id: ROLE_ID, secret_id: SECRET_ID })
    if (path === 'auth/kubernetes/login') return login(body, { role: 'sluice', jwt: JWT })
    const token = String(headers['x-vault-token'])
    if (!state.tokens.has(token)) return DENIED
    if (path === 'auth/token/lookup-self')
      return { body: { data: { ttl: state.lease, renewable: state.renewable } } }
    if (path === 'auth/token/renew-self' && method === 'POST')
      return (
        state.renewal ?? {
          body: { auth: { client_token: token, lease_duration: state.lease, renewable: state.renewable } },
        }
      )
    if (!path.startsWith('secret/data/'))
      return { status: 404, body: { errors: [`no handler for route "${path}". route entry not found.`] } }
    const secret = state.secrets[path.slice('secret/data/'.length)]
    if (secret === undefined) return { status: 404, body: { errors: [] } }
    if (secret === 'forbidden') return DENIED
    if (secret === 'deleted')
      return { status: 404, body: { data: { data: null, metadata: { version: 2, deletion_time: 'then' } } } }
    return { body: { data: { data: secret.data, metadata: { version: secret.version } } } }
  }

  const service = await startService(t, answer)
  return {
    state,
    service,
    address: `http://127.0.0.1:${service.port}`,
    put(path: string, data: Record<string, unknown>, version = 1) {
      state.secrets[path] = { data, version }
    },
    /** Requests to this path below `/v1/`. */
    asked: (path: string) => service.asked.filter(({ url }) => url === `/v1/${path}`),
  }
}
