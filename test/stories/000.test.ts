import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { story } from './story.ts'

/** Seed 000: a token is kept as long as it is good, scopes are kept small, and every error says what to do. */
describe('story 000: the token manager', { concurrency: 2 }, () => {
  it('reads with one credential and writes with another, with one token each for many runs', async (t) => {
    const { start, sluice, partner, leaks } = await story(t, { trace: true })
    const engine = await start()
    const read = () => fetch(`${engine.url}/http/participants`)
    const answers = await Promise.all(Array.from({ length: 20 }, read))
    for (const answer of answers) {
      assert.equal(answer.status, 200)
      assert.equal(((await answer.json()) as unknown[]).length, 32)
    }
    const byHand = await sluice('run', 'im-participants')
    assert.equal(byHand.code, 0, byHand.stderr)
    assert.equal((JSON.parse(byHand.stdout) as unknown[]).length, 32)

    const write = (sale: object) =>
      fetch(`${engine.url}/http/credits`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(sale),
      })
    const written = await write({ participantId: 'P-0002', amount: 250 })
    assert.equal(written.status, 201)
    const credit = { id: 'C-000001', participantId: 'P-0002', amount: 12.5, currency: 'EUR' }
    assert.deepEqual(await written.json(), credit)
    assert.equal((await write({})).status, 201)
    assert.deepEqual(partner.control.credits, [
      credit,
      { id: 'C-000002', participantId: 'P-0001', amount: 50, currency: 'EUR' },
    ])

    assert.deepEqual(partner.counts('client_im_read'), { tokenRequests: 1, tokens: 1, calls: 21, refused: 0 })
    assert.deepEqual(partner.counts('client_im_write'), { tokenRequests: 1, tokens: 1, calls: 2, refused: 0 })
    await engine.stop()
    assert.deepEqual(await leaks(), [])
  })

  it('row 1, 400 of the token service: tells which field is wrong', async (t) => {
    const { sluice, changeCredential } = await story(t)
    await changeCredential('im_read', (text) => `${text}grantTypeIn: query\n`)
    const { code, stderr } = await sluice('run', 'im-participants')
    assert.equal(code, 1)
    assert.match(stderr, /FAILED im-participants/)
    assert.match(
      stderr,
      /credential\.refused in step "http": .*"im_read": 400 invalid_request \(grant_type is missing/,
    )
    assert.match(stderr, /which field is wrong/)
  })

  it('row 2, 401 of the token service: a wrong secret is asked with once, and the message says what to verify', async (t) => {
    const { sluice, environment, partner, leaks } = await story(t)
    environment['IM_READ_SECRET'] = 'not-the-secret'
    const wrong = await sluice('run', 'im-participants')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /credential\.refused .*"im_read": 401 invalid_client/)
    assert.match(wrong.stderr, /Verify clientId and clientSecret/)
    assert.doesNotMatch(wrong.stderr, /not-the-secret/)

    assert.equal(partner.counts('client_im_read').tokens, 0)
    assert.deepEqual(await leaks(), [])
  })

  it('row 3, 403 of the token service: the scope is not granted to the client', async (t) => {
    const { sluice, changeCredential } = await story(t)
    await changeCredential('im_read', (text) => text.replace('scope: im.read', 'scope: im.read im.write'))
    const { code, stderr } = await sluice('run', 'im-participants')
    assert.equal(code, 1)
    assert.match(stderr, /credential\.refused .*403 invalid_scope \(the scope im\.write is not granted/)
    assert.match(stderr, /Check scope: .*admin console/)
  })

  it('row 4, 401 of the API: a revoked token is replaced, the request is sent again, and nobody notices', async (t) => {
    const { start, partner, sluice, leaks } = await story(t)
    const engine = await start()
    const read = async () => (await fetch(`${engine.url}/http/participants`)).status
    assert.equal(await read(), 200)
    partner.control.revoke('client_im_read')
    assert.deepEqual(await Promise.all(Array.from({ length: 10 }, read)), Array(10).fill(200))
    assert.equal(partner.counts('client_im_read').tokens, 2)
    for (const tokens of [3, 4]) {
      partner.control.revoke('client_im_read')
      assert.equal(await read(), 200)
      assert.equal(partner.counts('client_im_read').tokens, tokens)
    }

    partner.control.refuse(true)
    const refused = await fetch(`${engine.url}/http/participants`)
    assert.equal(refused.status, 502)
    const problem = (await refused.json()) as { code: string; run: string }
    assert.equal(problem.code, 'receiver.unauthorized')
    await engine.stop()
    const log = await sluice('log', problem.run)
    assert.match(log.stdout, /receiver\.unauthorized: .*refused the credential "im_read" with status 401/)
    assert.match(log.stdout, /the token was renewed just now .*and refused again/)
    assert.deepEqual(await leaks(), [])
  })

  it('row 5, 429 of the token service: says that something asks for too many tokens', async (t) => {
    const { sluice, partner, environment } = await story(t, { tokensPerMinute: 1 })
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'client_im_read',
      client_secret: environment['IM_READ_SECRET']!,
    })
    assert.equal((await fetch(`${partner.url}/oauth/token`, { method: 'POST', body: form })).status, 200)
    const { code, stderr } = await sluice('run', 'im-participants')
    assert.equal(code, 1)
    assert.match(stderr, /"im_read": 429 too_many_requests/)
    assert.match(stderr, /too many token requests/)
  })

  it('tells a token without the scope from a bad one: no new token is asked for', async (t) => {
    const { sluice, changeCredential, partner } = await story(t)
    await changeCredential('im_write', (text) =>
      text
        .replace('client_im_write', 'client_im_read')
        .replace('IM_WRITE_SECRET', 'IM_READ_SECRET')
        .replace('scope: im.write', 'scope: im.read'),
    )
    const { code, stderr } = await sluice('run', 'im-credits')
    assert.equal(code, 1)
    assert.match(stderr, /receiver\.status in step "http": .*403/)
    assert.equal(partner.counts('client_im_read').tokenRequests, 1)
    assert.equal(partner.control.credits.length, 0)
  })
})
