import { Type } from '@sinclair/typebox'
import { operation, type Operation } from './operation.ts'
import { PAGE, pageByName } from './paging.ts'
import { Credential, CredentialTest, Invalidation, Name, PageOf, Revoked, Thing } from './schemas.ts'

const params = Thing({ credential: Name('Name of the credential.') })
const tag = 'credentials'

export const credentialOperations: readonly Operation[] = [
  operation({
    id: 'listCredentials',
    method: 'GET',
    path: '/credentials',
    role: 'sluice.viewer',
    tag,
    summary: 'Credentials, by name; never a secret or a token',
    query: Thing(PAGE),
    result: PageOf(Credential),
    handle: ({ engine, query }) => pageByName(engine.control.credentials(), query),
  }),
  operation({
    id: 'showCredential',
    method: 'GET',
    path: '/credentials/{credential}',
    role: 'sluice.viewer',
    tag,
    summary: 'A credential',
    params,
    result: Credential,
    handle: ({ engine, params }) =>
      engine.control.credentials().find(({ name }) => name === params.credential),
  }),
  operation({
    id: 'testCredential',
    event: 'credential.tested',
    method: 'POST',
    path: '/credentials/{credential}/test',
    role: 'sluice.operator',
    tag,
    summary: 'Asks for a token now, and tells step by step what came back',
    description: 'A token that it gets is kept. Where it fails, `ok` is false and the step says why.',
    params,
    body: Thing(
      {
        call: Type.Optional(
          Type.String({
            description: 'What to get with the credential: absolute, or relative to its `baseUrl`.',
            maxLength: 2000,
          }),
        ),
        tryOthers: Type.Optional(
          Type.Boolean({
            description: 'Try other common ways where the token service says no.',
            default: false,
          }),
        ),
      },
      { examples: [{}] },
    ),
    result: CredentialTest,
    handle({ engine, params, body: { call, tryOthers = false }, actor, gone }) {
      const request = { tryOthers, ...(call !== undefined && { call }) }
      return engine.onBehalfOf(actor).testCredential(params.credential, request, gone)
    },
  }),
  operation({
    id: 'invalidateCredential',
    event: 'credential.invalidated',
    method: 'POST',
    path: '/credentials/{credential}/invalidate',
    role: 'sluice.operator',
    tag,
    summary: 'Forgets its token, so that the next request asks for a new one',
    params,
    result: Invalidation,
    handle: ({ engine, params, actor }) => engine.onBehalfOf(actor).invalidateCredential(params.credential),
  }),
  operation({
    id: 'revokeCredential',
    event: 'credential.revoked',
    method: 'POST',
    path: '/credentials/{credential}/revoke',
    role: 'sluice.operator',
    tag,
    summary: 'Forgets its token, and tells the token service that it is no longer wanted',
    params,
    result: Revoked,
    handle: ({ engine, params, actor }) => engine.onBehalfOf(actor).revokeCredential(params.credential),
  }),
]
