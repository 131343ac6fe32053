import { isRole, ROLE_HINT } from '../../core/access.ts'
import type { ClientChange } from './managed-engine.ts'
import { ApiRefusal, DONE, operation, type ApiCall, type Operation } from './operation.ts'
import { PAGE, pageByName } from './paging.ts'
import { Client, Name, PageOf, Thing } from './schemas.ts'

const params = Thing({ client: Name('Name of the client.') })
const withRole = Thing({ client: Name('Name of the client.'), role: Name('The role.') })
const tag = 'clients'
const role = 'sluice.admin'
const conflict = 'The file of the client cannot be changed.'

type Call = Pick<ApiCall<{ client: string }, unknown, unknown>, 'engine' | 'params' | 'actor'>

function change({ engine, params, actor }: Call, what: ClientChange) {
  return engine.changeClient(params.client, what, actor)
}

function checked(name: string): string {
  if (!isRole(name)) throw new ApiRefusal(400, 'request.invalid', `"${name}" is no role. ${ROLE_HINT}`)
  return name
}

export const clientOperations: readonly Operation[] = [
  operation({
    id: 'listClients',
    method: 'GET',
    path: '/clients',
    role,
    tag,
    summary: 'Clients, by name',
    description:
      'They are made, and get secrets and API keys, with `sluice client create`, `rotate` and `api-key` only: no secret goes over this API.',
    query: Thing(PAGE),
    result: PageOf(Client),
    handle: ({ engine, query }) => pageByName(engine.clients(), query),
  }),
  operation({
    id: 'showClient',
    method: 'GET',
    path: '/clients/{client}',
    role,
    tag,
    summary: 'A client',
    params,
    result: Client,
    handle: ({ engine, params }) => engine.clients().find(({ name }) => name === params.client),
  }),
  operation({
    id: 'grantRole',
    event: 'role.granted',
    method: 'PUT',
    path: '/clients/{client}/roles/{role}',
    role,
    tag,
    conflict,
    summary: 'Gives a client a role; it counts with its next request',
    params: withRole,
    result: Client,
    handle: (call) => change(call, { kind: 'grant', role: checked(call.params.role) }),
  }),
  operation({
    id: 'revokeRole',
    event: 'role.revoked',
    method: 'DELETE',
    path: '/clients/{client}/roles/{role}',
    role,
    tag,
    conflict,
    summary: 'Takes a role from a client, whatever its tokens say',
    params: withRole,
    result: Client,
    handle: (call) => change(call, { kind: 'revoke', role: call.params.role }),
  }),
  operation({
    id: 'enableClient',
    event: 'client.enabled',
    method: 'POST',
    path: '/clients/{client}/enable',
    role,
    tag,
    conflict,
    summary: 'Lets a disabled client call again',
    params,
    result: Client,
    handle: (call) => change(call, { kind: 'enable' }),
  }),
  operation({
    id: 'disableClient',
    event: 'client.disabled',
    method: 'POST',
    path: '/clients/{client}/disable',
    role,
    tag,
    conflict,
    summary: 'Lets a client get no tokens and call nothing',
    params,
    result: Client,
    handle: (call) => change(call, { kind: 'disable' }),
  }),
  operation({
    id: 'removeClient',
    event: 'client.removed',
    method: 'DELETE',
    path: '/clients/{client}',
    role,
    tag,
    conflict,
    summary: 'Removes a client and its file; its tokens end',
    params,
    handle: async (call) => ((await change(call, { kind: 'remove' })) ? DONE : undefined),
  }),
]
