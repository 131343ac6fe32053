import type { TestContext } from 'node:test'
import { makeSecretHash } from '../../src/access/secret-hash.ts'
import { call, type Got } from './http.ts'
import { startProject, type ProjectOptions, type RunningProject } from './project.ts'

export const SECRET = 'secret-of-the-managers-1234567890'
/** Made once: it is what costs. */
const HASH = await makeSecretHash(SECRET)

export type Manager = 'viewer' | 'operator' | 'admin' | 'nobody'

/** Files of clients named after their role. */
export const MANAGERS: Readonly<Record<string, string>> = Object.fromEntries(
  ['viewer', 'operator', 'admin', 'nobody'].map((name) => [
    `security-material/${name}.yaml`,
    `type: client\nsecretHash: ${HASH}\nroles: [sluice.${name}]\n`,
  ]),
)

export function basic(name: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${name}:${SECRET}`).toString('base64')}` }
}

export interface ManagedProject extends RunningProject {
  readonly management: string
  /** One request to the management listener; with a body, as JSON. */
  ask(
    who: Manager | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Got>
}

/** An engine with a management listener, and clients that have its roles. */
export async function startManaged(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  { settings, ...options }: ProjectOptions = {},
): Promise<ManagedProject> {
  const project = await startProject(
    t,
    { ...MANAGERS, ...files },
    { ...options, settings: { management: '127.0.0.1:0', ...settings } },
  )
  const management = project.app.control.status().management!
  return {
    ...project,
    management,
    ask: (who, method, path, body, headers = {}) =>
      call(management + path, {
        method,
        headers: {
          ...(who && basic(who)),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  }
}
