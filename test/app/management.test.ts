import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { Validator } from '@seriousme/openapi-schema-validator'
import { operations } from '../../src/server/api/index.ts'
import { MessageLogReader } from '../../src/store/reading.ts'
import { sign, testKey, tokenService } from '../access/issuer-fixture.ts'
import { basic, startManaged, type ManagedProject } from '../support/management.ts'

const FLOWS = {
  'flows/echo.yaml':
    'logLevel: trace\nsearchable: [x-order]\nsteps:\n  - log: { message: "got ${body}", attach: { name: in.txt, content: "${body}" } }\n  - set: { headers: { x-order: "17" } }\n',
  'flows/bytes.yaml': 'steps:\n  - set: { headers: { x: y } }\n',
  'flows/fails.yaml': 'steps:\n  - fail: { message: not today, code: shop.closed }\n',
  'flows/sub/greet.yaml':
    'parameters: { who: { type: text, default: you } }\nsteps:\n  - set: { body: "hello ${param.who}" }\n',
  'security-material/api.yaml': 'type: bearer\nbaseUrl: https://api.example.com\ntoken: ${env:T}\n',
}
const environment = { T: 'hidden-token-of-the-api' }

const start = (t: Parameters<typeof startManaged>[0]) => startManaged(t, FLOWS, { environment })

const shapes = new Ajv({ strict: false })
const checked = new Map<string, ReturnType<Ajv['compile']>>()

/** The answer, which has to be as the operation says. */
async function done(
  project: ManagedProject,
  id: string,
  path: string,
  body?: unknown,
  who: 'viewer' | 'operator' | 'admin' = 'admin',
): Promise<any> {
  const one = operations.find((operation) => operation.id === id)!
  const got = await project.ask(who, one.method, path, body)
  assert.equal(got.status, 200, `${one.method} ${path}: ${got.text}`)
  assert.equal(got.headers['cache-control'], 'no-store')
  assert.equal(got.headers['x-content-type-options'], 'nosniff')
  const validate = checked.get(id) ?? shapes.compile(one.result!)
  checked.set(id, validate)
  assert.ok(validate(got.json()), `${id}: ${JSON.stringify(validate.errors)}\n${got.text}`)
  return got.json()
}

test('what is read and done over the API, as its schemas say', async (t) => {
  const project = await start(t)
  const status = await done(project, 'getStatus', '/api/status', undefined, 'viewer')
  assert.deepEqual([status.ready, status.health.status, status.management], [true, 'up', project.management])

  const first = await done(project, 'listFlows', '/api/flows?limit=2', undefined, 'viewer')
  assert.deepEqual(
    first.items.map(({ name }: { name: string }) => name),
    ['bytes', 'echo'],
  )
  const second = await done(project, 'listFlows', `/api/flows?limit=2&cursor=${first.next}`)
  assert.deepEqual([second.items[1].name, second.next], ['sub/greet', undefined])
  assert.equal((await done(project, 'showFlow', '/api/flows/sub%2Fgreet')).name, 'sub/greet')

  const echoed = await done(
    project,
    'runFlow',
    '/api/flows/echo/runs',
    { body: 'hi', headers: { 'Content-Type': 'text/plain' } },
    'operator',
  )
  assert.deepEqual([echoed.status, echoed.reply.body, echoed.reply.encoding], ['COMPLETED', 'hi', 'text'])
  const bytes = await done(project, 'runFlow', '/api/flows/bytes/runs', {
    body: Buffer.from([0, 255, 1]).toString('base64'),
    encoding: 'base64',
    headers: { 'content-type': 'application/octet-stream' },
  })
  assert.deepEqual(
    [bytes.reply.encoding, [...Buffer.from(bytes.reply.body, 'base64')]],
    ['base64', [0, 255, 1]],
  )
  const greeted = await done(project, 'runFlow', '/api/flows/sub%2Fgreet/runs', { parameters: { who: 'me' } })
  assert.equal(greeted.reply.body, 'hello me')
  const failed = await done(project, 'runFlow', '/api/flows/fails/runs', {})
  assert.deepEqual([failed.status, failed.failure.code], ['FAILED', 'shop.closed'])

  const page = await done(project, 'listRuns', '/api/runs?limit=3', undefined, 'viewer')
  assert.equal(page.items.length, 3)
  const rest = await done(project, 'listRuns', `/api/runs?limit=3&cursor=${page.next}`)
  assert.deepEqual([rest.items.length, rest.next, rest.items[0].id], [1, undefined, echoed.id])
  const found = async (query: string) =>
    (await done(project, 'listRuns', `/api/runs?${query}`)).items.map(({ id }: { id: string }) => id)
  assert.deepEqual(await found('status=FAILED&status=ABANDONED'), [failed.id])
  assert.deepEqual(await found('flow=sub/*&flow=fails'), [failed.id, greeted.id])
  assert.deepEqual(await found('code=shop.*'), [failed.id])
  assert.deepEqual(await found('text=got%20hi'), [echoed.id])
  assert.deepEqual(await found('header=x-order%3D17'), [echoed.id])
  assert.deepEqual(await found(`since=${Date.now() + 60_000}`), [])

  const run = await done(project, 'showRun', `/api/runs/${echoed.id}`, undefined, 'viewer')
  assert.deepEqual(
    [run.lines[0].text, run.attachments[0].name, run.searchable, 'snapshots' in run],
    ['got hi', 'in.txt', { 'x-order': '17' }, false],
  )
  const { items } = await done(
    project,
    'listSnapshots',
    `/api/runs/${echoed.id}/snapshots`,
    undefined,
    'operator',
  )
  assert.equal(items.at(-1).headers['x-order'], '17')
  const attached = await project.ask('operator', 'GET', `/api/runs/${echoed.id}/attachments/in.txt`)
  assert.deepEqual(
    [attached.text, attached.headers['content-disposition'], attached.headers['content-security-policy']],
    ['hi', "attachment; filename*=UTF-8''in.txt", "sandbox; default-src 'none'"],
  )

  const level = await done(
    project,
    'setLevel',
    '/api/flows/echo/level',
    { level: 'none', for: '5m' },
    'operator',
  )
  assert.deepEqual([level.level, level.own], ['none', 'trace'])
  assert.equal((await done(project, 'resetLevel', '/api/flows/echo/level')).level, 'trace')

  const credentials = await done(project, 'listCredentials', '/api/credentials', undefined, 'viewer')
  assert.deepEqual([credentials.items[0].name, credentials.items[0].settings.token], ['api', '[secret]'])
  assert.equal((await done(project, 'showCredential', '/api/credentials/api')).type, 'bearer')
  assert.equal((await done(project, 'testCredential', '/api/credentials/api/test', {}, 'operator')).ok, true)
  assert.equal((await done(project, 'invalidateCredential', '/api/credentials/api/invalidate')).name, 'api')
  const { revocation } = await done(project, 'revokeCredential', '/api/credentials/api/revoke')
  assert.deepEqual(revocation, { outcome: 'impossible' })

  assert.deepEqual((await done(project, 'reload', '/api/reload', undefined, 'operator')).unchanged, 4)

  const audit = await done(
    project,
    'listAudit',
    '/api/audit?what=flow.*&what=reload&limit=4',
    undefined,
    'viewer',
  )
  assert.deepEqual(
    audit.items.map(({ what, who, outcome }: Record<string, string>) => `${what} ${who} ${outcome}`),
    [
      'reload oauth_client_operator done',
      'flow.level oauth_client_admin done',
      'flow.level oauth_client_operator done',
      'flow.run oauth_client_admin failed',
    ],
  )
  assert.equal(audit.items[0].address, '127.0.0.1')
  const earlier = await done(
    project,
    'listAudit',
    `/api/audit?what=flow.*&what=reload&limit=4&cursor=${audit.next}`,
  )
  assert.deepEqual(
    earlier.items.map(({ object }: { object: string }) => object),
    ['sub/greet', 'bytes', 'echo'],
  )
})

test('clients are changed by their files, on record, and no secret or hash is told', async (t) => {
  const project = await start(t)
  const { folder, ask } = project
  const file = join(folder, 'security-material/nobody.yaml')
  writeFileSync(file, `# of the shop\n${readFileSync(file, 'utf8')}`)
  const roles = (client: { roles: string[] }) => client.roles
  assert.equal((await ask('nobody', 'GET', '/api/status')).status, 403)
  assert.deepEqual(roles(await done(project, 'grantRole', '/api/clients/nobody/roles/sluice.viewer')), [
    'sluice.nobody',
    'sluice.viewer',
  ])
  assert.equal((await ask('nobody', 'GET', '/api/status')).status, 200)
  await done(project, 'grantRole', '/api/clients/nobody/roles/sluice.viewer')
  assert.deepEqual(roles(await done(project, 'revokeRole', '/api/clients/nobody/roles/sluice.nobody')), [
    'sluice.viewer',
  ])
  assert.match(readFileSync(file, 'utf8'), /^# of the shop\n/)
  assert.equal((await done(project, 'disableClient', '/api/clients/nobody/disable')).enabled, false)
  assert.equal((await ask('nobody', 'GET', '/api/status')).status, 401)
  assert.equal((await done(project, 'enableClient', '/api/clients/nobody/enable')).enabled, true)
  const shown = await done(project, 'showClient', '/api/clients/nobody')
  assert.deepEqual([shown.secrets, shown.apiKeys, shown.tokenLifetime], [1, 0, 3_600_000])
  assert.doesNotMatch(JSON.stringify(await done(project, 'listClients', '/api/clients')), /scrypt|Hash/)
  const removed = await ask('admin', 'DELETE', '/api/clients/nobody')
  assert.deepEqual([removed.status, removed.text, existsSync(file)], [204, '', false])
  assert.equal((await ask('nobody', 'GET', '/api/status')).status, 401)
  assert.equal((await ask('admin', 'DELETE', '/api/clients/nobody')).status, 404)
  assert.equal((await ask('admin', 'PUT', '/api/clients/viewer/roles/no%20role')).status, 400)
  writeFileSync(join(folder, 'security-material/viewer.yaml'), 'type: client\nroles: nonsense: x\n')
  const broken = await ask('admin', 'PUT', '/api/clients/viewer/roles/x')
  assert.deepEqual([broken.status, broken.json().code], [409, 'client.unchangeable'])
  await project.app.flush()
  using reader = new MessageLogReader(join(folder, 'data'))
  assert.deepEqual(
    reader
      .audit({ limit: 100, object: ['nobody'], who: ['oauth_client_admin'] })
      .toReversed()
      .map(({ what, detail, address }) => [what, detail, address].join(' ').trimEnd()),
    [
      'role.granted sluice.viewer 127.0.0.1',
      'role.granted it was so already 127.0.0.1',
      'role.revoked sluice.nobody 127.0.0.1',
      'client.disabled  127.0.0.1',
      'client.enabled  127.0.0.1',
      'client.removed  127.0.0.1',
      'client.removed there is no such thing 127.0.0.1',
    ],
  )
  const [failed] = reader.audit({ limit: 1, object: ['viewer'], outcome: ['failed'] })
  assert.match(`${failed!.what} ${failed!.detail}`, /^role.granted .*viewer.yaml has mistakes/)
})

test('each operation wants its role, and greater ones have it, too', async (t) => {
  const project = await start(t)
  const order = ['viewer', 'operator', 'admin'] as const
  const path = (text: string) => `/api${text.replaceAll(/\{\w+\}/g, 'x')}`
  for (const { method, path: written, role, body } of operations) {
    const needed = order.indexOf(role.replace('sluice.', '') as 'viewer')
    const sent = body ? { level: 'info', for: '1m' } : undefined
    assert.equal((await project.ask(undefined, method, path(written), sent)).status, 401, written)
    assert.equal((await project.ask('nobody', method, path(written), sent)).status, 403, written)
    for (const [place, who] of order.entries()) {
      const { status, headers } = await project.ask(who, method, path(written), sent)
      if (place < needed) {
        assert.equal(status, 403, `${who} ${method} ${written}`)
        assert.match(String(headers['www-authenticate']), /insufficient_scope/)
      } else assert.notEqual(status, 403, `${who} ${method} ${written}`)
    }
  }
})

test('writes of callers that lack the role are on record, counted, and reads are not', async (t) => {
  const { ask } = await start(t)
  const refused = async (method: string, path: string, who: 'viewer' | undefined = 'viewer') =>
    (await ask(who, method, path, method === 'POST' ? {} : undefined)).status
  assert.equal(await refused('POST', '/api/flows/sub%2Fgreet/runs'), 403)
  assert.equal(await refused('POST', '/api/flows/sub%2Fgreet/runs'), 403)
  assert.equal(await refused('PUT', '/api/clients/nobody/roles/sluice.admin'), 403)
  assert.equal(await refused('GET', '/api/clients'), 403)
  const { items } = (await ask('viewer', 'GET', '/api/audit?outcome=refused')).json()
  assert.deepEqual(
    items.map(({ what, who, object, detail }: Record<string, string>) =>
      [what, who, object, detail].join(' '),
    ),
    [
      'role.granted oauth_client_viewer nobody it needs the role sluice.admin',
      'flow.run oauth_client_viewer sub/greet it needs the role sluice.operator',
    ],
  )
})

test('every operation that writes says what is on record of it', () => {
  for (const { id, method, event } of operations) assert.equal(event !== undefined, method !== 'GET', id)
})

test('a token of the engine opens it, and one of a client without the role does not', async (t) => {
  const { management, url, ask } = await start(t)
  const token = async (name: string) => {
    const answer = await fetch(`${url}/oauth2/token`, {
      method: 'POST',
      headers: basic(name),
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    return String(((await answer.json()) as Record<string, unknown>)['access_token'])
  }
  const status = async (name: string) =>
    (await fetch(`${management}/api/status`, { headers: { authorization: `Bearer ${await token(name)}` } }))
      .status
  assert.deepEqual([await status('viewer'), await status('nobody')], [200, 403])
  assert.equal(
    (await ask(undefined, 'GET', '/api/status', undefined, { authorization: 'Bearer x.y.z' })).status,
    401,
  )
})

test('what does not fit is refused as problem+json that names the place', async (t) => {
  const { ask, log, folder } = await startManaged(
    t,
    {
      ...FLOWS,
      'flows/off.yaml': 'enabled: false\nsteps:\n  - log: x\n',
    },
    { environment },
  )
  const refused = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const { status, headers: got, json } = await ask('admin', method, path, body, headers)
    assert.match(String(got['content-type']), /^application\/problem\+json/)
    return [status, json().detail ?? json().title]
  }
  const run = '/api/flows/echo/runs'
  assert.deepEqual(await refused('POST', run, { bdy: 'x' }), [400, 'body "/bdy": is not known here'])
  assert.deepEqual(await refused('POST', run, { body: 1 }), [400, 'body "/body": must be string'])
  const unread = (why: string) => [400, `body: it cannot be read as JSON (${why})`]
  assert.deepEqual(await refused('POST', run, '{'), unread('at character 2'))
  assert.deepEqual(await refused('POST', run, '{"a":1'), unread('at character 7'))
  assert.deepEqual(await refused('POST', run, '['), unread('it ends too early'))
  assert.deepEqual(await refused('POST', run, '[1, x]'), unread('at the first "x" that is out of place'))
  assert.deepEqual(await refused('POST', run, '{"a" hidden'), unread('at character 6'))
  assert.deepEqual(await refused('POST', run, '{"__proto__":{}}'), [
    400,
    'body: it has a key that JavaScript has a meaning for',
  ])
  assert.deepEqual(await refused('POST', '/api/flows/sub%2Fgreet/runs', { parameters: { whom: 'me' } }), [
    400,
    'the flow "sub/greet" has no parameter "whom"; it has "who"',
  ])
  for (const type of ['application/x-www-form-urlencoded', 'application/json'])
    assert.equal((await ask('admin', 'POST', '/api/reload', '', { 'content-type': type })).status, 200, type)
  for (const body of ['no base64!', 'YWJj$', 'YR==', 'Y', 'YQ==YQ=='])
    assert.deepEqual(
      await refused('POST', run, { body, encoding: 'base64' }),
      [400, '"body" is no base64, as "encoding" says'],
      body,
    )
  for (const body of ['YQ', 'YQ==', 'YW\nJj\n', ''])
    assert.equal((await ask('admin', 'POST', run, { body, encoding: 'base64' })).status, 200, body)
  assert.equal((await refused('POST', run))[0], 400)
  assert.equal((await refused('POST', run, 'x', { 'content-type': 'text/plain' }))[0], 415)
  assert.deepEqual(await refused('GET', '/api/flows?limt=2'), [400, 'query "/limt": is not known here'])
  assert.deepEqual(await refused('GET', '/api/flows?limit=0'), [400, 'query "/limit": must be >= 1'])
  assert.match(
    String((await refused('GET', '/api/runs?status=DONE'))[1]),
    /^query "\/status\/0": must be "PROCESSING" or .* or "ABANDONED"$/,
  )
  assert.match(String((await refused('GET', '/api/runs?header=x'))[1]), /name=value/)
  const many = (name: string, count: number, length = 5) =>
    Array.from({ length: count }, (_, i) => `${name}=${String(i).padEnd(length, '*')}`).join('&')
  for (const name of ['flow', 'code', 'credential', 'host', 'header'])
    assert.match(String((await refused('GET', `/api/runs?${many(name, 101)}`))[1]), /more than 100/)
  assert.match(String((await refused('GET', `/api/runs?${many('flow', 1, 301)}`))[1]), /more than 300/)
  assert.match(String((await refused('GET', `/api/audit?${many('what', 101)}`))[1]), /more than 100/)
  const most = `${['flow', 'code', 'credential', 'host'].map((name) => many(name, 100)).join('&')}&flow=*`
  assert.equal((await ask('admin', 'GET', `/api/runs?${most.replace('flow=0****&', '')}`)).status, 200)
  for (const list of ['flows', 'runs', 'audit'])
    assert.deepEqual((await refused('GET', `/api/${list}?cursor=nonsense`))[0], 400, list)
  assert.equal((await refused('PUT', '/api/flows/echo/level', { level: 'info', for: '25h' }))[0], 400)
  assert.equal(
    (await refused('PUT', '/api/flows/echo/level', { level: 'loud', for: '1h' }))[1],
    'body "/level": must be "none" or "info" or "debug" or "trace"',
  )
  assert.deepEqual(await refused('POST', '/api/reload', {}), [400, 'this address takes no body'])
  assert.equal((await refused('POST', '/api/credentials/api/test', { call: 'x'.repeat(70_000) }))[0], 413)
  for (const path of [
    '/api/flows/none',
    '/api/runs/none',
    '/api/runs/none/snapshots',
    '/api/credentials/none',
  ])
    assert.deepEqual((await refused('GET', path))[0], 404, path)
  assert.equal((await refused('POST', '/api/flows/none/runs', {}))[0], 404)
  assert.equal((await refused('POST', '/api/runs/none/cancel'))[0], 404)
  writeFileSync(join(folder, 'flows/broken.yaml'), 'steps:\n  - lgo: x\n')
  await ask('admin', 'POST', '/api/reload')
  const stopped = [
    'the flow "off" is disabled: enabled: false',
    /^the flow "broken" is broken: flows\/broken.yaml:\d/,
  ] as const
  assert.deepEqual(await refused('POST', '/api/flows/off/runs', {}), [409, stopped[0]])
  const [status, why] = await refused('POST', '/api/flows/broken/runs', {})
  assert.equal(status, 409)
  assert.match(String(why), stopped[1])
  const { items } = (await ask('admin', 'GET', '/api/audit?what=flow.run&object=off&object=broken')).json()
  assert.deepEqual(
    items.map(({ detail }: { detail: string }) => detail),
    [why, stopped[0]],
  )
  assert.deepEqual(await refused('PATCH', '/api/flows'), [405, 'it takes GET, HEAD'])
  assert.deepEqual(await refused('GET', '/api/clients/x/roles/y'), [405, 'it takes PUT, DELETE'])
  assert.equal((await ask(undefined, 'GET', '/api/flows/echo/runs')).headers.allow, 'POST')
  assert.deepEqual(
    log.filter((line) => /a fault/.test(line)),
    [],
  )
})

test('the description of the API is valid OpenAPI 3.1 with an operation for each', async (t) => {
  const { ask } = await start(t)
  const document = (await ask('viewer', 'GET', '/api/openapi.json')).json()
  const validator = new Validator()
  const { valid, errors } = await validator.validate(structuredClone(document))
  assert.ok(valid, JSON.stringify(errors))
  assert.equal(validator.version, '3.1')
  const ids = Object.values<Record<string, { operationId: string }>>(document.paths).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  )
  assert.deepEqual(ids.toSorted(), operations.map(({ id }) => id).toSorted())
  assert.match(
    document.components.securitySchemes.oauth2.flows.clientCredentials.tokenUrl,
    /^http.*\/oauth2\/token$/,
  )
})

test('bodies are taken as the page of the API shows them', async (t) => {
  const { ask } = await start(t)
  const page = (await ask('viewer', 'GET', '/api')).text.replaceAll(/&#(\d+);/g, (_, code: string) =>
    String.fromCharCode(Number(code)),
  )
  const withBody = operations.filter(({ body }) => body)
  assert.ok(withBody.length >= 3)
  for (const { id, method, path } of withBody) {
    const line = new RegExp(`curl -s -X ${method} .* -d (\\S+) \\S+${path.replace(/\{\w+\}/, '[A-Z]+')}`)
    const sent = line.exec(page)![1]!.replaceAll("'", '')
    const at = path.replace('{flow}', 'echo').replace('{credential}', 'api')
    const got = await ask('operator', method, `/api${at}`, sent)
    assert.equal(got.status, 200, `${id}: ${got.text}`)
  }
})

test('a token of another issuer opens what its roles open, and its caller is on record', async (t) => {
  const [service, key] = [await tokenService(t), await testKey('k1', 'RS256')]
  service.answer('/.well-known/openid-configuration', {
    issuer: service.url,
    jwks_uri: `${service.url}/keys`,
  })
  service.publish(key.jwk)
  const issuer = `type: issuer\nissuer: ${service.url}\naudience: flows\nroleClaims: roles\n`
  const { ask } = await startManaged(t, { ...FLOWS, 'security-material/idp.yaml': issuer }, { environment })
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: service.url, aud: 'flows', azp: 'ops', iat: now, exp: now + 60 }
  const bearer = async (roles: string[]) => ({
    authorization: `Bearer ${await sign(key, { ...claims, roles })}`,
  })
  const operator = await bearer(['sluice.operator'])
  assert.equal((await ask(undefined, 'POST', '/api/reload', undefined, operator)).status, 200)
  assert.equal((await ask(undefined, 'GET', '/api/clients', undefined, operator)).status, 403)
  assert.equal(
    (await ask(undefined, 'GET', '/api/status', undefined, await bearer(['orders.read']))).status,
    403,
  )
  const { items } = (await ask('viewer', 'GET', '/api/audit?what=reload')).json()
  assert.equal(items[0].who, 'idp:ops')
})

test('a caller that hangs up cancels the run', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.after(() => silent.close().closeAllConnections())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const project = await startManaged(t, {
    'flows/waits.yaml': `steps:\n  - http: { url: "http://127.0.0.1:${port}/" }\n`,
  })
  const running = request(`${project.management}/api/flows/waits/runs`, {
    method: 'POST',
    headers: { ...basic('operator'), 'content-type': 'application/json' },
  })
  running.on('error', () => {})
  running.end('{}')
  const [asked] = (await once(silent, 'request')) as [IncomingMessage]
  const cutOff = once(asked.socket, 'close')
  running.destroy()
  await cutOff
  const { items } = await done(project, 'listAudit', '/api/audit?what=flow.run')
  assert.deepEqual([items[0].who, items[0].outcome], ['oauth_client_operator', 'failed'])
  assert.equal((await done(project, 'listRuns', '/api/runs?flow=waits')).items[0].status, 'CANCELLED')
})
