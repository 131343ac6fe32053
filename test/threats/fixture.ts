import type { TestContext } from 'node:test'
import { inspect } from 'node:util'
import type { World } from '../../src/core/world.ts'
import type { MaterialSetting } from '../../src/security/material.ts'
import { receiver, sender, testWorld, type Receiver, type SendOne } from '../net/fixture.ts'
import { leaksIn } from '../app/canary/search.ts'
import { setUpMaterial } from '../support/material.ts'

/** Long enough to be told from other text. */
export const SECRET = 'Zq7-threat-secret-0123456789'
export const TOKEN = 'Xk9-threat-token-9876543210'

/** A real credential of the security material, and the real sender. */
export function withCredential(
  t: TestContext,
  yaml: string,
  world: World = testWorld(t),
  environment: Record<string, string> = {},
  changes: Partial<MaterialSetting> = {},
) {
  const { material, file, redactor } = setUpMaterial(t, {
    world,
    environment: { SECRET, TOKEN, ...environment },
    ...changes,
  })
  const problems = material.load([file(yaml)])
  const send: SendOne = sender(t, world)
  return { problems, send, credential: material.reference('x'), material, redactor }
}

/** A token service at /token, and an API that says "done". */
export function tokenService(t: TestContext, answer: object = {}): Promise<Receiver> {
  return receiver(t, (request, reply) => {
    reply.setHeader('content-type', 'application/json')
    reply.end(
      request.url === '/token'
        ? JSON.stringify({ access_token: TOKEN, token_type: 'Bearer', expires_in: 600, ...answer })
        : '"done"',
    )
  })
}

/** A credential of the type oauth2 whose token service and API are this receiver. */
export function oauth(origin: string, lines = ''): string {
  return `type: oauth2\ntokenServiceUrl: ${origin}/token\nbaseUrl: ${origin}/\nclientId: acme\nclientSecret: \${env:SECRET}\n${lines}`
}

/** What of the secrets can be read from a value, however it is printed. */
export function leaks(value: unknown, more: Record<string, string> = {}): string[] {
  const { message, stack, hint, cause } = (value ?? {}) as Record<string, unknown>
  const texts = [inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value), message, stack, hint]
  return leaksIn([...texts, inspect(cause, { depth: 9 })].map(String).join('\n'), { SECRET, TOKEN, ...more })
}
