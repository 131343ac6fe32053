import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { story } from './story.ts'

/** As one line: reports break lines where the page ends. */
function flat(text: string): string {
  return text.replace(/\s+/g, ' ')
}

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

    const once = { asked: 1, tokenRequests: 1, tokens: 1, refused: 0 }
    assert.deepEqual(partner.counts('client_im_read'), { ...once, calls: 21 })
    assert.deepEqual(partner.counts('client_im_write'), { ...once, calls: 2 })
    await engine.stop()
    assert.deepEqual(await leaks(), [])
  })

  it('gets a token and uses it in a call with one command, as two steps of curl do', async (t) => {
    const { npx, partner, leaks } = await story(t)
    const { code, stdout, stderr } = await npx(
      'credential',
      'test',
      'im_read',
      '--call',
      'participants?$top=1',
    )
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /1 token request +ok\n +asked {2}POST http:\/\/127\.0\.0\.1:\d+\/oauth\/token\n/)
    assert.match(flat(stdout), /status 200, token type Bearer, lifetime 30 min, granted scope im\.read/)
    assert.match(stdout, /2 call +ok\n +asked {2}GET http:\S+\/successfactors\/im\/participants\n/)
    assert.match(flat(stdout), /authorization \(Bearer\).* query \$top got status 200.*"id":"P-0001"/)
    assert.deepEqual(partner.counts('client_im_read'), {
      asked: 1,
      tokenRequests: 1,
      tokens: 1,
      calls: 1,
      refused: 0,
    })
    assert.deepEqual(await leaks(), [])
  })

  it('row 1, 400 of the token service: tells which field is wrong, after one attempt', async (t) => {
    const { sluice, changeCredential, partner, leaks } = await story(t)
    await changeCredential('im_read', (text) => `${text}grantTypeIn: query\n`)
    const { code, stderr } = await sluice('run', 'im-participants')
    assert.equal(code, 1)
    assert.match(stderr, /FAILED im-participants/)
    assert.match(
      stderr,
      /credential\.refused in step "http": .*"im_read": 400 invalid_request \(grant_type is missing/,
    )
    assert.match(stderr, /which field is wrong/)
    assert.equal(partner.counts('client_im_read').asked, 1)

    const tested = await sluice('credential', 'test', 'im_read')
    assert.equal(tested.code, 1)
    assert.match(
      flat(tested.stdout),
      /query grant_type fields client_id, client_secret, scope got status 400, error invalid_request.* why .*grant_type is missing in the body.* fix .*which field is wrong.*grantTypeIn: body/,
    )
    assert.match(flat(tested.stdout), /--try asks once in each of \d other common ways/)
    assert.equal(partner.counts('client_im_read').asked, 2)
    assert.deepEqual(await leaks(), [])
  })

  it('row 2, 401 of the token service: a wrong secret is asked with once, and no other way works', async (t) => {
    const { sluice, environment, partner, leaks } = await story(t)
    environment['IM_READ_SECRET'] = 'not-the-secret'
    const wrong = await sluice('run', 'im-participants')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /credential\.refused .*"im_read": 401 invalid_client/)
    assert.match(wrong.stderr, /Verify clientId and clientSecret/)
    const { asked } = partner.counts('client_im_read')
    assert.equal(asked, 1)

    const tested = await sluice('credential', 'test', 'im_read', '--try')
    assert.equal(tested.code, 1)
    assert.match(tested.stderr, /^warning: --try: each wrong attempt may count/)
    const text = flat(tested.stdout)
    assert.match(text, /1 token request failed .* got status 401, error invalid_client/)
    assert.match(text, /why .*the client id or the client secret is wrong, or the client was deleted/)
    assert.match(text, /fix Verify clientId and clientSecret, look whether the variable or file/)
    assert.match(text, /Nor does another common way: look at clientId, clientSecret/)
    const steps = tested.stdout.match(/^ {2}\d+ token request/gm)!
    assert.ok(steps.length > 3)
    assert.equal(partner.counts('client_im_read').asked, 1 + steps.length, 'each way is tried once')
    assert.equal(partner.counts('client_im_read').tokens, 0)
    assert.deepEqual(await leaks('not-the-secret'), [])
  })

  it('row 3, 403 of the token service: the scope is not granted to the client, and without it there is a token', async (t) => {
    const { sluice, changeCredential, partner, leaks } = await story(t)
    await changeCredential('im_read', (text) => text.replace('scope: im.read', 'scope: im.read im.write'))
    const { code, stderr } = await sluice('run', 'im-participants')
    assert.equal(code, 1)
    assert.match(stderr, /credential\.refused .*403 invalid_scope \(the scope im\.write is not granted/)
    assert.match(stderr, /Check scope: .*admin console/)
    assert.equal(partner.counts('client_im_read').asked, 1)

    const tested = await sluice('credential', 'test', 'im_read', '--try')
    assert.equal(tested.code, 1)
    const text = flat(tested.stdout)
    assert.match(
      text,
      /got status 403, error invalid_scope.* why .*im\.write is not granted.* fix Check scope: /,
    )
    assert.match(
      text,
      /token request with no scope ok .*granted scope im\.read.* change .*im_read\.yaml: # take out "scope"/,
    )
    assert.deepEqual(await leaks(), [])
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
    assert.equal(partner.counts('client_im_read').asked, 5, 'one token more, and no other')
    const log = await sluice('log', problem.run)
    assert.match(log.stdout, /receiver\.unauthorized: .*refused the credential "im_read" with status 401/)
    assert.match(log.stdout, /the token was renewed just now .*and refused again/)

    const tested = await sluice('credential', 'test', 'im_read', '--call', 'participants')
    assert.equal(tested.code, 1)
    const text = flat(tested.stdout)
    assert.match(text, /asked by the running engine.* 1 token request ok /)
    assert.match(
      text,
      /2 call failed .*got status 401.* why .*refused the credential "im_read" with status 401/,
    )
    assert.match(text, /fix .*Tokens can be obtained, so check the roles of the client/)
    assert.match(text, /im_read gets a token, but the call with it failed\./)
    assert.equal(
      partner.counts('client_im_read').asked,
      6,
      'the one of the test; another one would be in vain',
    )

    partner.control.refuse(false)
    const works = await sluice('credential', 'test', 'im_read', '--call', 'participants?$top=1')
    assert.equal(works.code, 0, works.stdout)
    await engine.stop()
    assert.deepEqual(await leaks(), [])
  })

  it('row 5, 429 of the token service: says that something asks for too many tokens, and asks no more', async (t) => {
    const { sluice, partner, environment, leaks } = await story(t, { tokensPerMinute: 1 })
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
    assert.equal(partner.counts('client_im_read').asked, 2, 'it is told to wait longer than it may')

    const tested = await sluice('credential', 'test', 'im_read', '--try')
    assert.equal(tested.code, 1)
    assert.match(
      flat(tested.stdout),
      /got status 429, error too_many_requests.* why .*keep the one you have.* fix .*look which other program uses the same client/,
    )
    assert.equal(partner.counts('client_im_read').asked, 3, 'another way would not help')
    assert.deepEqual(await leaks(), [])
  })

  it('a token service that is out of order is asked again by a run, and once by a test', async (t) => {
    const { sluice, partner, changeCredential, leaks } = await story(t)
    await changeCredential('im_read', (text) => `${text}retry: { delay: 100ms }\n`)
    partner.control.fail({ status: 503, times: 2 })
    const works = await sluice('run', 'im-participants')
    assert.equal(works.code, 0, works.stderr)
    assert.equal(partner.counts('client_im_read').asked, 3)

    partner.control.fail({ status: 500, times: 10 })
    const failed = await sluice('run', 'im-participants')
    assert.equal(failed.code, 1)
    assert.match(
      failed.stderr,
      /credential\.unreachable .*cannot answer now: 500 server_error .*\(3 attempts\)/,
    )
    assert.match(failed.stderr, /Look whether the token service is up/)
    assert.equal(partner.counts('client_im_read').asked, 6)

    const tested = await sluice('credential', 'test', 'im_read')
    assert.equal(tested.code, 1)
    assert.match(
      flat(tested.stdout),
      /got status 500, error server_error.* fix Look whether the token service is up/,
    )
    assert.doesNotMatch(tested.stdout, /--try/)
    assert.equal(partner.counts('client_im_read').asked, 7)
    assert.deepEqual(await leaks(), [])
  })

  it('403 of the API: tells a token without the scope from a bad one, and asks for no new one', async (t) => {
    const { sluice, changeCredential, partner, leaks } = await story(t)
    const tested = await sluice('credential', 'test', 'im_write', '--call', 'participants')
    assert.equal(tested.code, 1)
    assert.match(
      flat(tested.stdout),
      /2 call failed .* got status 403.*insufficient_scope.* fix The receiver says that a scope is missing \(im\.read\): .*`scope`/,
    )
    assert.equal(partner.counts('client_im_write').asked, 1)

    await changeCredential('im_write', (text) =>
      text
        .replace('client_im_write', 'client_im_read')
        .replace('IM_WRITE_SECRET', 'IM_READ_SECRET')
        .replace('scope: im.write', 'scope: im.read'),
    )
    const { code, stderr } = await sluice('run', 'im-credits')
    assert.equal(code, 1)
    assert.match(stderr, /receiver\.status in step "http": .*403/)
    assert.match(stderr, /a scope is missing \(im\.write\): give the client/)
    assert.equal(partner.counts('client_im_read').asked, 1)
    assert.equal(partner.control.credits.length, 0)
    assert.deepEqual(await leaks(), [])
  })

  it('finds out how the service wants to be asked: id and secret in the body, a form', async (t) => {
    const { sluice, changeCredential, leaks } = await story(t)
    await changeCredential('im_read', (text) =>
      text.replace('clientAuthentication: body', 'clientAuthentication: header'),
    )
    await changeCredential('Leonardo-IoT', (text) => `${text}contentType: application/json\n`)
    const header = await sluice('credential', 'test', 'im_read', '--try')
    assert.equal(header.code, 1)
    assert.match(
      flat(header.stdout),
      /authorization \(Basic\).* token request with clientAuthentication: body ok .* change .*im_read\.yaml: clientAuthentication: body .* write it into/,
    )
    const json = await sluice('credential', 'test', 'Leonardo-IoT', '--try')
    assert.equal(json.code, 1)
    assert.match(
      flat(json.stdout),
      /the content type must be application\/x-www-form-urlencoded.* change .*Leonardo-IoT\.yaml: contentType: application\/x-www-form-urlencoded /,
    )
    assert.deepEqual(await leaks(), [])
  })

  it('names the curly quotes of a pasted scope where they stand, and asks for nothing', async (t) => {
    const { sluice, changeCredential, partner } = await story(t)
    await changeCredential('lms_admin_OAuth2', (text) =>
      text.replace(/^scope:\n(?: +.*\n)+/m, 'scope: \'{ “userId”: “svc”, "companyId": "acme" }\'\n'),
    )
    const check = await sluice('check')
    assert.equal(check.code, 1)
    assert.match(check.stdout, /lms_admin_OAuth2\.yaml:\d+:11: .*“/)
    const tested = await sluice('credential', 'test', 'lms_admin_OAuth2')
    assert.equal(tested.code, 1)
    assert.match(
      flat(tested.stdout),
      /settings failed why .*lms_admin_OAuth2\.yaml:\d+:11: .*“.* fix .*straight quote/,
    )
    assert.equal(partner.counts('acme').asked, 0)
  })

  it('drops a token by hand: the running engine asks anew, and without an engine there is nothing to drop', async (t) => {
    const { start, sluice, partner, leaks } = await story(t)
    const alone = await sluice('credential', 'invalidate', 'im_read')
    assert.equal(alone.code, 0)
    assert.match(alone.stdout, /nothing to drop: no engine runs here/)

    const engine = await start()
    const read = async () => (await fetch(`${engine.url}/http/participants`)).status
    assert.deepEqual([await read(), await read()], [200, 200])
    assert.equal(partner.counts('client_im_read').asked, 1)
    const dropped = await sluice('credential', 'invalidate', 'im_read')
    assert.equal(dropped.code, 0, dropped.stderr)
    assert.match(dropped.stdout, /"im_read": the token is dropped/)
    assert.deepEqual([await read(), await read()], [200, 200])
    assert.equal(partner.counts('client_im_read').asked, 2)
    await engine.stop()
    assert.deepEqual(await leaks(), [])
  })
})
