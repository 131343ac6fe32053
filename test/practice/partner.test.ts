import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { startPartner, type PartnerSetting } from '../../practice/partner.ts'
import { ManualClock } from '../support/clock.ts'

const secrets = {
  learning: 'secret-of-learning',
  incentiveRead: 'secret-of-read',
  incentiveWrite: 'secret-of-write',
  incentiveBoth: 'secret-of-both',
  iot: 'secret-of-iot',
  jam: 'secret-of-jam',
  jamUser: 'password-of-jam',
  neo: 'secret-of-neo',
}
const SCOPE = { userId: 'svc', companyId: 'acme', userType: 'admin', resourceType: 'learning_public_api' }
const LEARNING = '/learning/oauth-api/rest/v1/token'
const ITEMS = '/learning/odatav4/public/admin/Items'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, any>
}

async function partnerFor(t: TestContext, setting: Partial<PartnerSetting> = {}) {
  const clock = new ManualClock()
  const lines: string[] = []
  const partner = await startPartner({ secrets, clock, log: (line) => void lines.push(line), ...setting })
  t.after(() => partner.close())

  async function call(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(new URL(path, partner.url), init)
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answer['body'],
    }
  }
  const get = (path: string, token?: string) =>
    call(path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
  const post = (path: string, body: string, type: string, more: Record<string, string> = {}) =>
    call(path, { method: 'POST', body, headers: { 'content-type': type, ...more } })

  return {
    partner,
    clock,
    lines,
    call,
    get,
    post,
    learningToken: (request: unknown, authorization = basic('acme', secrets.learning)) =>
      post(LEARNING, JSON.stringify(request), 'application/json', { authorization }),
    incentiveToken: (fields: Record<string, string>) => post('/oauth/token', form(fields), FORM),
    iotToken: (fields: Record<string, string>, authorization = basic('iot-tenant', secrets.iot)) =>
      post('/iot/oauth/token', form(fields), FORM, { authorization }),
  }
}

const FORM = 'application/x-www-form-urlencoded'

function form(fields: Record<string, string>): string {
  return new URLSearchParams(fields).toString()
}

function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

function asRead(scope?: string) {
  return {
    grant_type: 'client_credentials',
    client_id: 'client_im_read',
    client_secret: secrets.incentiveRead,
    ...(scope === undefined ? {} : { scope }),
  }
}

function asWrite(scope = 'im.write') {
  return {
    grant_type: 'client_credentials',
    client_id: 'client_im_write',
    client_secret: secrets.incentiveWrite,
    scope,
  }
}

const GRANT = { grant_type: 'client_credentials' }

describe('learning', () => {
  it('hands out a token of 30 minutes for JSON, Basic and a JSON object as scope', async (t) => {
    const { learningToken, get, partner } = await partnerFor(t)
    const { status, body, headers } = await learningToken({ ...GRANT, scope: SCOPE })
    assert.equal(status, 200)
    assert.equal(body['token_type'], 'Bearer')
    assert.equal(body['expires_in'], 1800)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal((await get(ITEMS, body['access_token'])).status, 200)
    assert.deepEqual(partner.counts('acme'), {
      asked: 1,
      tokenRequests: 1,
      tokens: 1,
      calls: 1,
      refused: 0,
    })
  })

  const refusals: [why: string, request: unknown, error: string, text: RegExp][] = [
    ['a scope that is text', { ...GRANT, scope: JSON.stringify(SCOPE) }, 'invalid_scope', /JSON object/],
    ['no scope', GRANT, 'invalid_scope', /JSON object/],
    ['a scope without userId', { ...GRANT, scope: { ...SCOPE, userId: '' } }, 'invalid_scope', /no userId/],
    ['another company', { ...GRANT, scope: { ...SCOPE, companyId: 'other' } }, 'invalid_scope', /companyId/],
    ['another userType', { ...GRANT, scope: { ...SCOPE, userType: 'root' } }, 'invalid_scope', /userType/],
    [
      'another resourceType',
      { ...GRANT, scope: { ...SCOPE, resourceType: 'x' } },
      'invalid_scope',
      /resourceType/,
    ],
    ['no grant type', { scope: SCOPE }, 'invalid_request', /grant_type is missing/],
    [
      'another grant type',
      { grant_type: 'password', scope: SCOPE },
      'unsupported_grant_type',
      /client_credentials/,
    ],
    ['a body that is a list', [GRANT], 'invalid_request', /no JSON object/],
  ]
  for (const [why, request, error, text] of refusals)
    it(`refuses ${why}`, async (t) => {
      const { learningToken, partner } = await partnerFor(t)
      const answer = await learningToken(request)
      assert.equal(answer.status, 400)
      assert.equal(answer.body['error'], error)
      assert.match(answer.body['error_description'], text)
      assert.equal(partner.counts('acme').tokens, 0)
    })

  it('refuses a form, and says which content type it wants', async (t) => {
    const { post } = await partnerFor(t)
    const answer = await post(LEARNING, form(GRANT), FORM, { authorization: basic('acme', secrets.learning) })
    assert.equal(answer.status, 400)
    assert.match(
      answer.body['error_description'],
      /application\/json, found "application\/x-www-form-urlencoded"/,
    )
  })

  it('refuses a wrong secret, an unknown client and no authentication alike with 401', async (t) => {
    const { learningToken } = await partnerFor(t)
    for (const authorization of [basic('acme', 'wrong'), basic('nobody', secrets.learning), 'Bearer abc']) {
      const answer = await learningToken({ ...GRANT, scope: SCOPE }, authorization)
      assert.equal(answer.status, 401)
      assert.equal(answer.body['error'], 'invalid_client')
      assert.match(answer.headers.get('www-authenticate')!, /^Basic /)
    }
  })

  it('takes no GET for a token', async (t) => {
    const { call } = await partnerFor(t)
    const answer = await call(LEARNING)
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.get('allow'), 'POST')
  })

  it('gives all items page by page along @odata.nextLink', async (t) => {
    const { learningToken, get } = await partnerFor(t)
    const token = (await learningToken({ ...GRANT, scope: SCOPE })).body['access_token'] as string
    const sizes: number[] = []
    const ids = new Set<string>()
    for (let next: string | undefined = ITEMS; next !== undefined;) {
      const { status, body }: Answer = await get(next, token)
      assert.equal(status, 200)
      sizes.push(body['value'].length)
      for (const { itemID } of body['value']) ids.add(itemID)
      next = body['@odata.nextLink']
    }
    assert.deepEqual(sizes, [100, 100, 50])
    assert.equal(ids.size, 250)
  })

  it('knows $top, $skip and $count, over page ends too, and refuses what it does not know', async (t) => {
    const { learningToken, get } = await partnerFor(t)
    const token = (await learningToken({ ...GRANT, scope: SCOPE })).body['access_token'] as string
    const few = await get(`${ITEMS}?$top=3&$skip=2&$count=true`, token)
    assert.deepEqual(
      few.body['value'].map(({ itemID }: { itemID: string }) => itemID),
      ['COURSE-003', 'COURSE-004', 'COURSE-005'],
    )
    assert.equal(few.body['@odata.count'], 250)
    assert.equal(few.body['@odata.nextLink'], undefined)

    const first = await get(`${ITEMS}?$top=150`, token)
    const second = await get(first.body['@odata.nextLink'], token)
    assert.deepEqual([first.body['value'].length, second.body['value'].length], [100, 50])
    assert.equal(second.body['@odata.nextLink'], undefined)

    assert.deepEqual((await get(`${ITEMS}?$skip=900`, token)).body['value'], [])
    assert.equal((await get(`${ITEMS}?$top=some`, token)).status, 400)
    assert.equal((await get(`${ITEMS}?$orderby=title`, token)).status, 400)
  })

  it('gives one item by its id', async (t) => {
    const { learningToken, get } = await partnerFor(t)
    const token = (await learningToken({ ...GRANT, scope: SCOPE })).body['access_token'] as string
    assert.equal((await get(`${ITEMS}/COURSE-007`, token)).body['itemID'], 'COURSE-007')
    assert.equal((await get(`${ITEMS}/COURSE-999`, token)).status, 404)
  })

  it('lets no token of the userType "user" reach admin/', async (t) => {
    const { learningToken, get } = await partnerFor(t)
    const token = (await learningToken({ ...GRANT, scope: { ...SCOPE, userType: 'user' } })).body[
      'access_token'
    ]
    assert.equal((await get(ITEMS, token)).status, 403)
  })

  it('refuses calls without a token, with another one, and with one that expired', async (t) => {
    const { learningToken, iotToken, get, clock, partner } = await partnerFor(t)
    assert.equal((await get(ITEMS)).headers.get('www-authenticate'), 'Bearer realm="learning"')
    const foreign = (await iotToken(GRANT)).body['access_token'] as string
    for (const token of ['invented', foreign]) {
      const answer = await get(ITEMS, token)
      assert.equal(answer.status, 401)
      assert.match(answer.headers.get('www-authenticate')!, /error="invalid_token"/)
    }
    const token = (await learningToken({ ...GRANT, scope: SCOPE })).body['access_token'] as string
    clock.jump(1800_000 - 1)
    assert.equal((await get(ITEMS, token)).status, 200)
    clock.jump(1)
    const late = await get(ITEMS, token)
    assert.equal(late.status, 401)
    assert.match(late.body['error_description'], /expired/)
    assert.equal(partner.counts('acme').refused, 1)
  })
})

describe('incentive management', () => {
  it('hands out a token of 30 minutes for a form with the credentials in it', async (t) => {
    const { incentiveToken } = await partnerFor(t)
    const { status, body } = await incentiveToken(asRead('im.read'))
    assert.equal(status, 200)
    assert.equal(body['expires_in'], 1800)
    assert.equal(body['scope'], 'im.read')
  })

  it('grants what the client has when no scope is asked for', async (t) => {
    const { incentiveToken } = await partnerFor(t)
    assert.equal((await incentiveToken(asRead())).body['scope'], 'im.read')
    const both = { ...asRead(), client_id: 'client_im_both', client_secret: secrets.incentiveBoth }
    assert.equal((await incentiveToken(both)).body['scope'], 'im.read im.write')
    assert.equal((await incentiveToken({ ...both, scope: 'im.write' })).body['scope'], 'im.write')
  })

  it('row 1: 400 names the field that is missing, unknown or twice', async (t) => {
    const { incentiveToken, post } = await partnerFor(t)
    const { grant_type: _, ...noGrant } = asRead()
    const typo = await incentiveToken({ ...noGrant, grand_type: 'client_credentials' })
    assert.equal(typo.status, 400)
    assert.equal(typo.body['error'], 'invalid_request')
    assert.equal(
      typo.body['error_description'],
      'grant_type is missing in the body; "grand_type" is not known',
    )

    const { client_secret: secret, ...inHeader } = asRead()
    const basically = await post('/oauth/token', form(inHeader), FORM, {
      authorization: basic('client_im_read', secret),
    })
    assert.equal(basically.status, 400)
    assert.match(basically.body['error_description'], /client_secret is missing in the body/)

    const twice = await post('/oauth/token', `${form(asRead('im.read'))}&scope=im.read`, FORM)
    assert.match(twice.body['error_description'], /scope is there twice/)
    const asJson = await post('/oauth/token', JSON.stringify(asRead()), 'application/json')
    assert.match(asJson.body['error_description'], /found "application\/json"/)
    assert.equal(
      (await incentiveToken({ ...asRead(), grant_type: 'password' })).body['error'],
      'unsupported_grant_type',
    )
    assert.equal((await incentiveToken(asRead('im.admin'))).body['error'], 'invalid_scope')
  })

  it('row 2: 401 for a wrong secret, an unknown client and a deleted one', async (t) => {
    const { incentiveToken, partner } = await partnerFor(t)
    assert.equal((await incentiveToken({ ...asRead(), client_secret: 'wrong' })).status, 401)
    assert.equal((await incentiveToken({ ...asRead(), client_id: 'nobody' })).status, 401)
    partner.control.deleteClient('client_im_read')
    const deleted = await incentiveToken(asRead())
    assert.equal(deleted.status, 401)
    assert.equal(deleted.body['error'], 'invalid_client')
    partner.control.restoreClient('client_im_read')
    assert.equal((await incentiveToken(asRead())).status, 200)
  })

  it('row 3: 403 for a scope that is not granted to the client', async (t) => {
    const { incentiveToken } = await partnerFor(t)
    const answer = await incentiveToken(asRead('im.read im.write'))
    assert.equal(answer.status, 403)
    assert.match(answer.body['error_description'], /im\.write is not granted/)
  })

  it('row 4: 401 of the API for a token that expired or was revoked', async (t) => {
    const { incentiveToken, get, clock, partner } = await partnerFor(t)
    const tokenOf = async () => (await incentiveToken(asRead())).body['access_token'] as string
    const first = await tokenOf()
    assert.equal((await get('/successfactors/im/participants', first)).status, 200)
    partner.control.revoke('client_im_write')
    assert.equal((await get('/successfactors/im/participants', first)).status, 200)
    partner.control.revoke('client_im_read')
    const revoked = await get('/successfactors/im/participants', first)
    assert.equal(revoked.status, 401)
    assert.match(revoked.body['error_description'], /revoked/)

    const second = await tokenOf()
    clock.jump(1800_000)
    assert.match((await get('/successfactors/im/participants', second)).body['error_description'], /expired/)

    partner.control.refuse(true)
    assert.equal((await get('/successfactors/im/participants', await tokenOf())).status, 401)
    partner.control.refuse(false)
    assert.equal((await get('/successfactors/im/participants', await tokenOf())).status, 200)
  })

  it('row 5: 429 with Retry-After for too many tokens in a minute, for that client alone', async (t) => {
    const { incentiveToken, clock, partner } = await partnerFor(t, { tokensPerMinute: 2 })
    assert.equal((await incentiveToken(asRead())).status, 200)
    clock.jump(20_000)
    assert.equal((await incentiveToken(asRead())).status, 200)
    const refused = await incentiveToken(asRead())
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '40')
    assert.equal((await incentiveToken(asWrite())).status, 200)
    clock.jump(40_000)
    assert.equal((await incentiveToken(asRead())).status, 200)
    assert.equal(partner.counts('client_im_read').tokenRequests, 4)
    assert.equal(partner.counts('client_im_read').tokens, 3)
  })

  it('gives the participants that $filter and $top ask for', async (t) => {
    const { incentiveToken, get } = await partnerFor(t)
    const token = (await incentiveToken(asRead())).body['access_token'] as string
    const of = (query: string) => get(`/successfactors/im/participants?${query}`, token)
    const active = (await of(`$filter=${encodeURIComponent("status eq 'ACTIVE'")}`)).body['value']
    assert.equal(active.length, 32)
    assert.ok(active.every(({ status }: { status: string }) => status === 'ACTIVE'))
    assert.equal((await of('$top=1')).body['value'].length, 1)
    assert.equal((await of('$filter=status')).status, 400)
  })

  it('refuses a token without the scope with 403 insufficient_scope', async (t) => {
    const { incentiveToken, get, post } = await partnerFor(t)
    const reader = (await incentiveToken(asRead())).body['access_token'] as string
    const writer = (await incentiveToken(asWrite())).body['access_token'] as string
    const read = await get('/successfactors/im/participants', writer)
    assert.equal(read.status, 403)
    assert.equal(
      read.headers.get('www-authenticate'),
      'Bearer realm="incentive", error="insufficient_scope", scope="im.read"',
    )
    const written = await post('/successfactors/im/credits', '{}', 'application/json', {
      authorization: `Bearer ${reader}`,
    })
    assert.equal(written.status, 403)
  })

  it('writes a credit, and says what is wrong with another', async (t) => {
    const { incentiveToken, post, get, partner } = await partnerFor(t)
    const token = (await incentiveToken(asWrite())).body['access_token'] as string
    const write = (credit: unknown) =>
      post('/successfactors/im/credits', JSON.stringify(credit), 'application/json', {
        authorization: `Bearer ${token}`,
      })
    const good = { participantId: 'P-0001', amount: 12.5, currency: 'EUR' }
    const written = await write(good)
    assert.equal(written.status, 201)
    assert.equal(written.body['id'], 'C-000001')
    assert.deepEqual(partner.control.credits, [{ id: 'C-000001', ...good }])
    for (const [name, credit] of [
      ['participant', { ...good, participantId: 'P-0005' }],
      ['amount', { ...good, amount: '12' }],
      ['currency', { ...good, currency: 'euro' }],
    ] as const) {
      const refused = await write(credit)
      assert.equal(refused.status, 422)
      assert.equal(refused.body['error'].code, name)
    }
    assert.equal(partner.control.credits.length, 1)
    const reader = (await incentiveToken(asRead())).body['access_token'] as string
    assert.equal((await get('/successfactors/im/credits', reader)).body['value'].length, 1)
  })
})

describe('iot', () => {
  it('hands out a token of 15 minutes for Basic and a form without a scope', async (t) => {
    const { iotToken, get, clock } = await partnerFor(t)
    const { status, body } = await iotToken(GRANT)
    assert.equal(status, 200)
    assert.equal(body['expires_in'], 900)
    const token = body['access_token'] as string
    assert.equal((await get('/iot/things', token)).body['value'].length, 4)
    const measured = await get('/iot/measurements?thingId=kiln-1&$top=3', token)
    assert.deepEqual(
      measured.body['value'].map(({ thingId }: { thingId: string }) => thingId),
      ['kiln-1', 'kiln-1', 'kiln-1'],
    )
    assert.equal(measured.body['value'][0].time, '2026-11-21T12:00:00.000Z')
    assert.equal((await get('/iot/measurements?thingId=none', token)).status, 404)
    clock.jump(900_000)
    assert.equal((await get('/iot/things', token)).status, 401)
  })

  it('refuses a scope, JSON, a wrong secret and a missing grant type', async (t) => {
    const { iotToken, post } = await partnerFor(t)
    assert.equal((await iotToken({ ...GRANT, scope: 'x' })).body['error'], 'invalid_scope')
    assert.equal((await iotToken({})).body['error'], 'invalid_request')
    assert.equal((await iotToken(GRANT, basic('iot-tenant', 'wrong'))).status, 401)
    const authorization = basic('iot-tenant', secrets.iot)
    const asJson = await post('/iot/oauth/token', JSON.stringify(GRANT), 'application/json', {
      authorization,
    })
    assert.equal(asJson.status, 400)
  })

  it('takes an id and a secret that were form-encoded for Basic', async (t) => {
    const odd = 'a+b %/:ä'
    const { iotToken } = await partnerFor(t, { secrets: { ...secrets, iot: odd } })
    assert.equal((await iotToken(GRANT, basic('iot-tenant', form({ x: odd }).slice(2)))).status, 200)
  })
})

describe('the partner', () => {
  it('can be told to misbehave over HTTP', async (t) => {
    const { call, iotToken, get, partner } = await partnerFor(t)
    const token = (await iotToken(GRANT)).body['access_token'] as string
    await call('/control/revoke?client=acme', { method: 'POST' })
    assert.equal((await get('/iot/things', token)).status, 200)
    await call('/control/revoke', { method: 'POST' })
    assert.equal((await get('/iot/things', token)).status, 401)

    await call('/control/refuse', { method: 'PUT' })
    assert.equal((await get('/iot/things', (await iotToken(GRANT)).body['access_token'])).status, 401)
    await call('/control/refuse', { method: 'DELETE' })
    assert.equal((await get('/iot/things', (await iotToken(GRANT)).body['access_token'])).status, 200)

    await call('/control/clients/iot-tenant', { method: 'DELETE' })
    assert.equal((await iotToken(GRANT)).status, 401)
    await call('/control/clients/iot-tenant', { method: 'PUT' })
    assert.equal((await iotToken(GRANT)).status, 200)

    assert.deepEqual((await call('/control')).body['clients']['iot-tenant'], partner.counts('iot-tenant'))
    assert.equal((await call('/control/clients/nobody', { method: 'DELETE' })).status, 404)
    assert.equal((await call('/control/revoke?client=nobody', { method: 'POST' })).status, 404)
    assert.equal((await call('/control/revoke')).status, 405)
  })

  it('counts every request for a token by its client, whatever the secret', async (t) => {
    const { incentiveToken, iotToken, learningToken, post, call, partner } = await partnerFor(t)
    await incentiveToken(asRead())
    await incentiveToken({ ...asRead(), client_secret: 'wrong' })
    const { client_secret: _, ...noSecret } = asRead()
    await incentiveToken(noSecret)
    await post('/oauth/token', JSON.stringify(asRead()), 'application/json')
    await post('/oauth/token', 'grant_type=client_credentials', FORM, {
      authorization: basic('client_im_read', 'wrong'),
    })
    await call('/oauth/token?client_id=client_im_read')
    await incentiveToken({ ...asRead(), client_id: 'nobody' })
    const { asked, tokenRequests } = partner.counts('client_im_read')
    assert.deepEqual({ asked, tokenRequests }, { asked: 6, tokenRequests: 1 })
    assert.deepEqual(Object.keys((await call('/control')).body['clients']).includes('nobody'), false)

    await learningToken(GRANT)
    assert.equal(partner.counts('acme').asked, 1)
    await iotToken(GRANT, basic('iot-tenant', 'wrong'))
    partner.control.deleteClient('iot-tenant')
    await iotToken(GRANT)
    assert.equal(partner.counts('iot-tenant').asked, 2)
  })

  it('has outages: each token service fails so often, and then works again', async (t) => {
    const { call, incentiveToken, iotToken, partner } = await partnerFor(t)
    const told = await call('/control/outage?status=503&times=2&retryAfter=3', { method: 'PUT' })
    assert.deepEqual(told.body, { outage: { status: 503, times: 2, retryAfter: 3 } })
    for (const _ of [1, 2]) {
      const failed = await incentiveToken(asRead())
      assert.equal(failed.status, 503)
      assert.equal(failed.headers.get('retry-after'), '3')
      assert.equal(failed.body['error'], 'temporarily_unavailable')
    }
    assert.equal((await incentiveToken(asRead())).status, 200)
    assert.equal((await iotToken(GRANT)).status, 503)
    await call('/control/outage', { method: 'DELETE' })
    assert.equal((await iotToken(GRANT)).status, 200)
    assert.deepEqual([partner.counts('client_im_read').asked, partner.counts('iot-tenant').asked], [3, 2])

    await call('/control/outage', { method: 'PUT' })
    const once = await iotToken(GRANT)
    assert.deepEqual([once.status, once.headers.get('retry-after')], [503, null])
    for (const wrong of ['status=200', 'status=many', 'times=0', 'retryAfter=soon'])
      assert.equal((await call(`/control/outage?${wrong}`, { method: 'PUT' })).status, 400, wrong)
  })

  it('answers 404 elsewhere and 413 to a request that is too large', async (t) => {
    const { call, post } = await partnerFor(t)
    assert.equal((await call('/nothing')).status, 404)
    assert.equal((await post('/oauth/token', 'x'.repeat(1024 * 1024 + 1), FORM)).status, 413)
  })

  it('writes a line for every request, with no secret and no token in it', async (t) => {
    const { lines, learningToken, incentiveToken, iotToken, get } = await partnerFor(t)
    const tokens = [
      (await learningToken({ ...GRANT, scope: SCOPE })).body['access_token'],
      (await incentiveToken(asRead())).body['access_token'],
      (await iotToken(GRANT)).body['access_token'],
    ] as string[]
    await incentiveToken({ ...asRead(), client_secret: 'wrong-secret' })
    await get(ITEMS, tokens[0])
    await get(ITEMS, tokens[1])
    await get('/successfactors/im/credits', tokens[1])
    assert.ok(lines.length >= 6, lines.join('\n'))
    for (const secret of [...tokens, ...Object.values(secrets), 'wrong-secret'])
      assert.ok(!lines.some((line) => line.includes(secret)), 'a line holds a secret or a token')
  })

  it('lets its port go when it is closed', async () => {
    const partner = await startPartner({ secrets })
    assert.equal((await fetch(`${partner.url}/control`)).status, 200)
    await partner.close()
    await assert.rejects(fetch(`${partner.url}/control`))
  })
})
