import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import type { Said } from '../support/credentials.ts'
import { failureOf, SECOND, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

/** What token services answer, and what is made of it: a token and its life in seconds, or a failure. */
interface Row {
  readonly title: string
  readonly answer: Said
  readonly options?: Partial<OAuth2Options>
  readonly token?: string
  /** s */
  readonly life?: number
  readonly failure?: { readonly code: string; readonly message: RegExp; readonly attempts?: number }
}

const HOUR = 3600
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const token = { access_token: 'a-token' }
/** The clock of these tests is not the one that the server would tell. */
const NO_DATE = { date: '' }

const rows: Row[] = [
  { title: 'lifetime as a number', answer: { body: { ...token, expires_in: 1800 } }, life: 1800 },
  { title: 'lifetime as text', answer: { body: { ...token, expires_in: '3599' } }, life: 3599 },
  { title: 'lifetime as a float', answer: { body: { ...token, expires_in: 59.5 } }, life: 59.5 },
  { title: 'lifetime 0', answer: { body: { ...token, expires_in: 0 } }, life: HOUR },
  { title: 'no lifetime', answer: { body: token }, life: HOUR },
  {
    title: 'no lifetime, and one in the settings',
    answer: { body: token },
    options: { lifetime: 300 * SECOND },
    life: 300,
  },
  { title: '2 s', answer: { body: { ...token, expires_in: 2 } }, life: 2 },
  {
    title: '58 days',
    answer: { body: { ...token, expires_in: 5_011_271 } },
    options: { maxLifetime: 366 * 24 * HOUR * SECOND },
    life: 5_011_271,
  },
  { title: '58 days, capped', answer: { body: { ...token, expires_in: 5_011_271 } }, life: 24 * HOUR },
  {
    title: 'lifetime in ms',
    answer: { body: { ...token, expires_in: 1_800_000 } },
    options: { response: { unit: 'ms' } },
    life: 1800,
  },
  {
    title: 'an end as date and time with an offset',
    answer: { body: { ...token, expiry: '2026-11-21T13:30:00+01:00' } },
    options: { response: { expiresAt: 'body.expiry' } },
    life: 1800,
  },
  {
    title: 'an end without a zone is in UTC',
    answer: { body: { ...token, expiry: '2026-11-21 12:10:00' } },
    options: { response: { expiresAt: 'body.expiry' } },
    life: 600,
  },
  {
    title: 'an end as an epoch in s',
    answer: { body: { ...token, exp: Date.parse('2026-11-21T12:10:00Z') / 1000 } },
    options: { response: { expiresAt: 'body.exp' } },
    life: 600,
  },
  {
    title: 'an end as an epoch in ms, as text',
    answer: { body: { ...token, exp: String(Date.parse('2026-11-21T12:10:00Z')) } },
    options: { response: { expiresAt: 'body.exp' } },
    life: 600,
  },
  {
    title: "an end counts from the service's own clock",
    answer: {
      headers: { date: 'Sat, 21 Nov 2026 09:00:00 GMT' },
      body: { ...token, expiry: 'Sat, 21 Nov 2026 09:05:00 GMT' },
    },
    options: { response: { expiresAt: 'body.expiry' } },
    life: 300,
  },
  {
    title: 'an end in the past says nothing',
    answer: { body: { ...token, expiry: '2020-01-01T00:00:00Z' } },
    options: { response: { expiresAt: 'body.expiry' } },
    life: HOUR,
  },
  {
    title: 'an end that is no date says nothing',
    answer: { body: { ...token, expiry: 'soon' } },
    options: { response: { expiresAt: 'body.expiry' } },
    life: HOUR,
  },
  {
    title: 'a nested token',
    answer: { body: { data: { token: 'inner', ttl: 60 } } },
    options: { response: { token: 'body.data.token', expiresIn: 'body.data.ttl' } },
    token: 'inner',
    life: 60,
  },
  {
    title: 'other names',
    answer: { body: { AccessToken: 'Camel', ExpiresIn: '120' } },
    options: { response: { token: 'body.AccessToken', expiresIn: 'body.ExpiresIn' } },
    token: 'Camel',
    life: 120,
  },
  {
    title: 'the whole body as the token',
    answer: { headers: { 'content-type': 'text/plain' }, body: 'plain-token\n' },
    options: { response: { format: 'text' } },
    token: 'plain-token',
    life: HOUR,
  },
  {
    title: 'a token in a header',
    answer: { headers: { 'x-auth-token': 'from-a-header' }, body: {} },
    options: { response: { token: 'headers["X-Auth-Token"]' } },
    token: 'from-a-header',
    life: HOUR,
  },
  {
    title: 'an answer as a form',
    answer: { headers: form, body: 'access_token=form-token&expires_in=5183999&x=%7E' },
    options: { response: { format: 'form' }, maxLifetime: 366 * 24 * HOUR * SECOND },
    token: 'form-token',
    life: 5_183_999,
  },
  {
    title: 'a form whose names are those of prototypes',
    answer: { headers: form, body: '__proto__=x&access_token=form-token' },
    options: { response: { format: 'form' } },
    token: 'form-token',
    life: HOUR,
  },
  ...['BearerToken', 'bearer', 'Application Access Token', 'MAC'].map((token_type) => ({
    title: `token type ${token_type}`,
    answer: { body: { ...token, token_type } },
    token: 'a-token',
  })),
  { title: '201', answer: { status: 201, body: token }, token: 'a-token' },
  { title: 'scope null', answer: { body: { ...token, scope: null } }, token: 'a-token' },
  { title: 'no scopes', answer: { body: { ...token, scope: [] } }, token: 'a-token' },
  {
    title: 'success as a number',
    answer: { body: { ...token, errcode: 0 } },
    options: { response: { success: 'body.errcode == 0' } },
    token: 'a-token',
  },
  {
    title: '200 with an error',
    answer: { body: { error: 'invalid_client', error_description: 'Unknown client' } },
    failure: { code: 'credential.refused', message: /: 200 invalid_client \(Unknown client\)$/ },
  },
  {
    title: '200 with an error code of its own',
    answer: { body: { errcode: 40_013, errmsg: 'invalid appid' } },
    failure: { code: 'credential.refused', message: /: 200 40013 \(invalid appid\)$/ },
  },
  {
    title: '200 that is no success',
    answer: { body: { success: false, code: 'E17', message: 'locked', access_token: 'not-to-be-used' } },
    options: { response: { success: 'body.success' } },
    failure: { code: 'credential.refused', message: /: 200 E17 \(locked\)$/ },
  },
  {
    title: 'an error one level down',
    answer: { status: 400, body: { error: { code: 'bad_app', message: 'No such app' } } },
    failure: { code: 'credential.refused', message: /: 400 bad_app \(No such app\)$/ },
  },
  {
    title: '401 with a message alone',
    answer: { status: 401, body: { message: 'Unauthorized' } },
    failure: { code: 'credential.refused', message: /: 401 \(Unauthorized\)$/ },
  },
  {
    title: '400 as RFC 6749 has it',
    answer: { status: 400, body: { error: 'invalid_grant' } },
    failure: { code: 'credential.refused', message: /: 400 invalid_grant$/ },
  },
  {
    title: '401 with a challenge',
    answer: {
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="x"' },
      body: { error: 'invalid_client' },
    },
    failure: { code: 'credential.refused', message: /: 401 invalid_client$/ },
  },
  {
    title: '403 with nothing',
    answer: { status: 403 },
    failure: { code: 'credential.refused', message: /: 403$/ },
  },
  {
    title: '429 that asks to wait longer than the deadline',
    answer: { status: 429, headers: { 'retry-after': '31' } },
    failure: { code: 'credential.refused', message: /: 429$/ },
  },
  ...[
    [500, '<html>'],
    [502, '<html>'],
    [503, ''],
    [504, '{"error":"x"}'],
  ].map(([status, body]) => ({
    title: `${status}`,
    answer: { status: status as number, body: body as string },
    failure: {
      code: 'credential.unreachable',
      message: new RegExp(`cannot answer now: ${status}.* \\(3 attempts\\)$`),
      attempts: 3,
    },
  })),
  {
    title: 'a token where the expression does not look',
    answer: { body: token },
    options: { response: { token: 'body.data.token' } },
    failure: {
      code: 'credential.answer',
      message: /answered without a text where "response\.token" looks for the token: 200$/,
    },
  },
  {
    title: 'an expression that fails',
    answer: { body: { ...token, ttl: '60' } },
    options: { response: { expiresIn: 'body.ttl * 60' } },
    failure: { code: 'credential.answer', message: /cannot read, "response\.expiresIn": .*"\*".*: 200$/ },
  },
  {
    title: 'a success that is no yes or no',
    answer: { body: { ...token, ok: 'yes' } },
    options: { response: { success: 'body.ok' } },
    failure: { code: 'credential.answer', message: /cannot read, "response\.success": / },
  },
  {
    title: 'JSON where a form is wanted',
    answer: { headers: { 'content-type': 'application/json' }, body: token },
    options: { response: { format: 'form' } },
    failure: { code: 'credential.answer', message: /sent "application\/json" that is no form: 200$/ },
  },
  {
    title: 'nothing where a text is wanted',
    answer: { body: '' },
    options: { response: { format: 'text' } },
    failure: { code: 'credential.answer', message: /sent an empty answer: 200$/ },
  },
  {
    title: 'HTML as the token',
    answer: { body: '<html>Log in</html>' },
    options: { response: { format: 'text' } },
    failure: { code: 'credential.answer', message: /characters that cannot stand in a header: 200$/ },
  },
]

for (const { title, answer, options = {}, token, life, failure } of rows)
  test(`${title}: ${failure ? failure.code : 'a token'}`, async (t) => {
    const said = { headers: NO_DATE, ...answer }
    const { clock, log, service, get } = await setUpOAuth2(t, () => said, options, 0.5)
    if (failure) {
      const failing = failureOf(get())
      for (let attempt = 1; attempt < (failure.attempts ?? 1); attempt++) {
        await log.seen('it is tried again', attempt)
        await clock.advance(4 * SECOND)
      }
      const { code, message, hint } = await failing
      assert.equal(code, failure.code)
      assert.match(message, failure.message)
      assert.ok(hint, 'it says what to do')
      assert.equal(service.asked.length, failure.attempts ?? 1)
      return
    }
    const grant = await get()
    if (token !== undefined) assert.equal(tokenOf(grant), `Bearer ${token}`)
    if (life === undefined) return
    const margin = Math.min(60, life / 2)
    const lead = Math.min(30, life / 4) / 2
    await clock.advance((life - margin - lead) * SECOND - 1)
    assert.equal(await get(), grant)
    assert.equal(service.asked.length, 1, 'kept until its last minute or half of its life')
    await clock.advance(lead * SECOND + 1)
    await get()
    assert.equal(service.asked.length, 2, 'and no longer')
  })
