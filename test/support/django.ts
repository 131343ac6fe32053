import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { startForeign } from './foreign-server.ts'

/** Debian's, which its packages are for. */
const PYTHON = '/usr/bin/python3'
const script = join(import.meta.dirname, 'django-oauth.py')

/** Why django-oauth-toolkit cannot be started here; undefined where it can. */
export const noDjango: string | undefined =
  spawnSync(PYTHON, ['-c', 'import django, oauth2_provider']).status === 0
    ? undefined
    : 'django-oauth-toolkit is not here: apt-get install --no-install-recommends python3-django-oauth-toolkit'

export interface DjangoSetting {
  readonly scopes: readonly string[]
  readonly clients: readonly {
    readonly id: string
    readonly secret: string
    readonly grant: 'client-credentials' | 'password'
  }[]
  readonly users: readonly { readonly name: string; readonly password: string }[]
}

/** django-oauth-toolkit, an OAuth server in Python, with these clients and users. */
export async function startDjango(setting: DjangoSetting) {
  const { url, stop } = await startForeign({
    command: PYTHON,
    probe: '/',
    prepare: (_folder, port) => [script, String(port)],
    input: JSON.stringify(setting),
  })
  return { tokenServiceUrl: `${url}/token/`, stop }
}
