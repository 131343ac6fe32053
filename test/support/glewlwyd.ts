import { accessSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import { startForeign } from './foreign-server.ts'

const TABLES = '/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz'
const MODULES = '/usr/lib/glewlwyd'

/** Why Glewlwyd cannot be started here; undefined where it can. */
export const noGlewlwyd = missing('/usr/bin/glewlwyd', TABLES, join(MODULES, 'plugin'))

function missing(...files: string[]): string | undefined {
  try {
    for (const file of files) accessSync(file)
    return undefined
  } catch {
    return 'Glewlwyd is not here whole: apt-get install --no-install-recommends glewlwyd'
  }
}

/** What it signs with: a secret, or keys as PEM. */
export type GlewlwydKey =
  | { readonly 'jwt-type': 'sha'; readonly key: string }
  | { readonly 'jwt-type': 'rsa' | 'ecdsa'; readonly key: string; readonly cert: string }

const SHARED: GlewlwydKey = { 'jwt-type': 'sha', key: 'a-key-of-the-tests-0123456789' }

export interface GlewlwydClient {
  readonly id: string
  readonly secret: string
  readonly scopes: readonly string[]
}

export interface GlewlwydUser {
  readonly name: string
  readonly password: string
  readonly scopes: readonly string[]
}

/** Glewlwyd, an OAuth server in C, with these clients and users. */
export async function startGlewlwyd(
  clients: readonly GlewlwydClient[],
  users: readonly GlewlwydUser[],
  key: GlewlwydKey = SHARED,
) {
  const { url, stop } = await startForeign({
    command: 'glewlwyd',
    probe: '/config',
    prepare(folder, port) {
      const path = join(folder, 'glewlwyd.db')
      const database = new DatabaseSync(path)
      database.exec(gunzipSync(readFileSync(TABLES)).toString())
      database.close()
      const configuration = join(folder, 'glewlwyd.conf')
      writeFileSync(
        configuration,
        `port=${port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:${port}"
api_prefix="api"
log_mode="console"
log_level="ERROR"
session_key="GLEWLWYD"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="${MODULES}/user"
client_module_path="${MODULES}/client"
user_auth_scheme_module_path="${MODULES}/scheme"
plugin_module_path="${MODULES}/plugin"
hash_algorithm="SHA256"
database={type="sqlite3" path="${path}"}
`,
      )
      return ['-c', configuration]
    },
  })
  try {
    await setUp(url, clients, users, key)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, tokenServiceUrl: `${url}/api/oidc/token`, stop }
}

/** What an administrator does in the web pages of Glewlwyd. */
async function setUp(
  url: string,
  clients: readonly GlewlwydClient[],
  users: readonly GlewlwydUser[],
  key: GlewlwydKey,
) {
  const post = async (path: string, content: object, cookie = '') => {
    const answer = await fetch(`${url}/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(content),
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
    return answer.headers.getSetCookie().map((line) => line.split(';')[0]!)
  }
  const cookie = (await post('auth/', { username: 'admin', password: 'password' })).join('; ')
  const scopes = new Set([...clients, ...users].flatMap((one) => one.scopes))
  for (const name of scopes) await post('scope/', { name, display_name: name }, cookie)
  await post(
    'mod/plugin/',
    {
      module: 'oidc',
      name: 'oidc',
      display_name: 'oidc',
      parameters: {
        iss: url,
        'jwt-key-size': '256',
        ...key,
        'access-token-duration': 30,
        'refresh-token-duration': 1_209_600,
        'code-duration': 600,
        'refresh-token-rolling': true,
        'allow-non-oidc': true,
        'auth-type-client-enabled': true,
        'auth-type-password-enabled': true,
        'auth-type-refresh-enabled': true,
        'auth-type-code-enabled': false,
        'auth-type-token-enabled': false,
        'auth-type-id-token-enabled': false,
        'auth-type-none-enabled': false,
        'auth-type-device-enabled': false,
        scope: [],
      },
    },
    cookie,
  )
  for (const { id, secret, scopes: scope } of clients)
    await post(
      'client/',
      {
        client_id: id,
        name: id,
        confidential: true,
        enabled: true,
        client_secret: secret,
        password: secret,
        scope,
        authorization_type: ['client_credentials', 'password', 'refresh_token'],
        token_endpoint_auth_method: ['client_secret_basic', 'client_secret_post'],
      },
      cookie,
    )
  for (const { name: username, password, scopes: scope } of users)
    await post('user/', { username, name: username, password, enabled: true, scope }, cookie)
}
