import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { story } from './story.ts'

/** Seed 001: OAuth2 credentials by name, for the Learning API and for IoT, and no token in a flow. */
describe('story 001: a flow names a credential', { concurrency: 2 }, () => {
  it('reads the learning items by the credential alone, and keeps them as an attachment', async (t) => {
    const { sluice, partner, leaks } = await story(t)
    const run = await sluice('run', 'lms-items')
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr, /COMPLETED lms-items/)
    const id = /run (\S+)/.exec(run.stderr)![1]!

    const log = await sluice('log', id)
    assert.equal(log.code, 0, log.stderr)
    assert.match(log.stdout, /COMPLETED/)
    assert.match(log.stdout, /credentials\s+lms_admin_OAuth2/)
    for (const step of ['http', 'script', 'log'])
      assert.match(log.stdout, new RegExp(`[├└]─ ✓ ${step}\\b.*lms-items\\.yaml:\\d+`))
    assert.match(log.stdout, /88 learning items on offer/)
    assert.match(log.stdout, /attachment "items\.json"/)

    const attachment = await sluice('log', id, '--attachment', 'items.json')
    assert.equal(attachment.code, 0, attachment.stderr)
    const items = JSON.parse(attachment.stdout) as { id: string }[]
    assert.equal(items.length, 88)
    assert.deepEqual(items[0], { id: 'COURSE-001', title: 'Safety at work, part 1', hours: 2 })

    assert.equal(partner.counts('acme').tokens, 1)
    assert.deepEqual(await leaks(), [])
  })

  it('reads all pages with one credential, writes each item with another, and collects what fails', async (t) => {
    const { sluice, partner, leaks } = await story(t)
    const run = await sluice('run', 'nightly-credits')
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(JSON.parse(run.stdout), { count: 250, failed: 44 })
    assert.equal(partner.control.credits.length, 175)
    assert.deepEqual(partner.counts('acme'), { asked: 1, tokenRequests: 1, tokens: 1, calls: 3, refused: 0 })
    const { asked, tokens, calls } = partner.counts('client_im_write')
    assert.deepEqual({ asked, tokens, calls }, { asked: 1, tokens: 1, calls: 219 })
    const id = /run (\S+)/.exec(run.stderr)![1]!
    const log = await sluice('log', id)
    assert.match(log.stdout, /credentials +lms_admin_OAuth2, im_write/)
    assert.match(log.stdout, /250 items, 44 failed/)
    assert.match(log.stdout, /item 4 \("COURSE-005"\) failed: POST .* answered 422/)
    const summary = await sluice('log', id, '--attachment', 'summary.json')
    assert.deepEqual(JSON.parse(summary.stdout), { count: 250, failed: 44 })
    assert.deepEqual(await leaks(), [])
  })

  it('starts the timers at once, and asks for a token once for many runs', async (t) => {
    const { start, sluice, npx, going, partner, leaks } = await story(t, { trace: true })
    const engine = await start()
    await engine.shows(/lms-items\s+every 1m/)
    const follow = going('log', '--follow', '--status', 'COMPLETED')
    await follow.shows(/COMPLETED\s+lms-items/)
    await follow.shows(/COMPLETED\s+iot-measurements/)
    await follow.stop()

    const orders = await Promise.all(
      [1, 12].map((seats) =>
        fetch(`${engine.url}/http/orders`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ item: 'COURSE-002', seats }),
        }),
      ),
    )
    assert.deepEqual(
      orders.map(({ status }) => status),
      [200, 200],
    )
    const course = { item: 'COURSE-002', title: 'Data protection, part 1' }
    assert.deepEqual(await Promise.all(orders.map((order) => order.json())), [
      { ...course, seats: 1, total: 155 },
      { ...course, seats: 12, total: 1674 },
    ])
    const unknown = await fetch(`${engine.url}/http/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ item: 'COURSE-999' }),
    })
    assert.equal(unknown.status, 404)
    assert.match(((await unknown.json()) as { detail: string }).detail, /no such course/)

    const list = await npx('credential', 'list')
    assert.match(list.stdout, /lms_admin_OAuth2\s+.*oauth2.*ready/)
    assert.match(list.stdout, /Leonardo-IoT\s+.*oauth2.*ready/)
    assert.match(list.stdout, /im_read\s+.*oauth2.*unused/)
    const show = await sluice('credential', 'show', 'lms_admin_OAuth2')
    assert.match(show.stdout, /application\/json/)
    assert.match(show.stdout, /"?resourceType"?.*learning_public_api/)
    assert.match(show.stdout, /price-order/)
    assert.match(show.stdout, /\[secret\]/)

    const { tokenRequests, calls } = partner.counts('acme')
    assert.equal(tokenRequests, 1)
    assert.ok(calls >= 4, `${calls} calls: the timer's and three orders`)
    assert.equal(partner.counts('iot-tenant').tokens, 1)
    const ended = await engine.stop()
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(await leaks(), [])
  })

  it('checks the shipped project: nothing wrong, and without the secrets a warning for each', async (t) => {
    const { sluice, environment } = await story(t)
    environment['ENGINE_URL'] = 'http://127.0.0.1:8080'
    const whole = await sluice('check')
    assert.equal(whole.code, 0, whole.stdout + whole.stderr)
    assert.match(whole.stdout, /^\d+ flows, no problems$/m)

    delete environment['LMS_CLIENT_SECRET']
    const unset = await sluice('check')
    assert.equal(unset.code, 0)
    assert.match(unset.stdout, /security-material\/lms_admin_OAuth2\.yaml:\d+:\d+: .*LMS_CLIENT_SECRET/)
    assert.match(unset.stdout, /price-order/)
    assert.equal((await sluice('check', '--secrets')).code, 1)
  })

  it('names the curly quote of a scope that was copied from a web page, and its column', async (t) => {
    const { sluice, changeCredential } = await story(t)
    await changeCredential('lms_admin_OAuth2', (text) =>
      text.replace(/^scope:\n(?: +.*\n)+/m, 'scope: \'{ “userId”: “svc”, "companyId": "acme" }\'\n'),
    )
    const { code, stdout } = await sluice('check')
    assert.equal(code, 1)
    assert.match(stdout, /lms_admin_OAuth2\.yaml:\d+:11: .*“/)
    assert.match(stdout, /straight quote/)
  })

  it('has no token, no secret and no authorization header in a shipped flow or credential', async () => {
    const folder = join(import.meta.dirname, '..', '..')
    for (const flow of ['lms-items', 'im-participants', 'im-credits', 'iot-measurements', 'price-order']) {
      const text = await readFile(join(folder, 'flows', `${flow}.yaml`), 'utf8')
      assert.doesNotMatch(text, /authorization|bearer|secret|token/i)
      assert.ok(text.split('\n').length <= 20, `${flow}.yaml is longer than 20 lines`)
    }
  })
})
