import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  judgeTokenAnswer,
  USUAL_READING,
  type IssuedToken,
  type TokenRejection,
} from '../../src/credentials/token-response.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-28T12:00:00Z')
const defaults = { lifetime: HOUR, maxLifetime: 24 * HOUR }

function judge(
  body: unknown,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
) {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return judgeTokenAnswer(
    { status, headers: { 'content-type': 'application/json', ...headers }, body: bytes, askedAt: NOW },
    defaults,
    USUAL_READING,
    (text) => text.replaceAll('known-secret', '[secret]'),
  )
}

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`
}

const lifetimes: [title: string, expires: string, ms: number][] = [
  ['a number', '1800', 1_800_000],
  ['a float', '59.5', 59_500],
  ['numeric text', '"3599"', 3_599_000],
  ['text with a fraction and spaces', '" 1800.5 "', 1_800_500],
  ['longer than is allowed', '5011271', 24 * HOUR],
  ['0', '0', HOUR],
  ['negative', '-1', HOUR],
  ['null', 'null', HOUR],
  ['missing', 'undefined', HOUR],
  ['infinite', '1e400', HOUR],
  ['text that is no number', '"soon"', HOUR],
  ['hexadecimal text', '"0x10"', HOUR],
  ['negative text', '"-5"', HOUR],
  ['empty text', '""', HOUR],
  ['true', 'true', HOUR],
  ['a list', '[1800]', HOUR],
  ['a map', '{"s":1}', HOUR],
]
for (const [title, expires, ms] of lifetimes) {
  test(`lifetime: ${title}`, () => {
    const expiry = expires === 'undefined' ? '' : `,"expires_in":${expires}`
    const judged = judge(`{"access_token":"t"${expiry}}`) as IssuedToken
    assert.deepEqual([judged.kind, judged.lifetime], ['token', ms])
  })
}

test('lifetime: a JWT tells its own where the answer does not', () => {
  const judged = judge({ access_token: jwt({ iat: 1000, exp: 1900 }), expires_in: 0 }) as IssuedToken
  assert.equal(judged.lifetime, 900_000)
})

test('lifetime: the answer goes before the JWT, and a JWT without iat tells nothing', () => {
  assert.equal(
    (judge({ access_token: jwt({ iat: 1, exp: 2 }), expires_in: 60 }) as IssuedToken).lifetime,
    60_000,
  )
  assert.equal((judge({ access_token: jwt({ exp: 99 }) }) as IssuedToken).lifetime, HOUR)
})

const tokens: [
  title: string,
  body: unknown,
  expected: Partial<IssuedToken>,
  about?: { status?: number; headers?: Record<string, string> },
][] = [
  ['status 201', { access_token: 'abc' }, { token: 'abc' }, { status: 201 }],
  ['another token type', { access_token: 'abc', token_type: 'BearerToken' }, { token: 'abc' }],
  [
    'JSON under another content type',
    { access_token: 'abc' },
    { token: 'abc' },
    { headers: { 'content-type': 'text/plain' } },
  ],
  ['a byte order mark', '\ufeff{"access_token":"abc"}', { token: 'abc' }],
  ['scope as text', { access_token: 'a', scope: 'im.read' }, { scope: 'im.read' }],
  ['scope as list', { access_token: 'a', scope: ['x', 'y', 3] }, { scope: 'x y' }],
  ['scope null', { access_token: 'a', scope: null }, { scope: undefined }],
  ['an empty error beside a token', { access_token: 'a', error: '' }, { token: 'a' }],
  [
    'content-encoding identity',
    { access_token: 'a' },
    { token: 'a' },
    { headers: { 'content-encoding': 'identity' } },
  ],
]
for (const [title, body, expected, about] of tokens) {
  test(`a token: ${title}`, () => {
    const judged = judge(body, about)
    assert.equal(judged.kind, 'token')
    for (const [name, value] of Object.entries(expected))
      assert.equal(judged[name as keyof typeof judged], value)
  })
}

const rejections: [
  title: string,
  body: unknown,
  about: { status?: number; headers?: Record<string, string> },
  expected: Partial<TokenRejection>,
][] = [
  [
    'RFC error',
    { error: 'invalid_client', error_description: 'Client authentication failed' },
    { status: 401 },
    { why: 'refused', error: 'invalid_client', description: 'Client authentication failed' },
  ],
  [
    '200 with an error',
    { error: 'invalid_scope' },
    {},
    { why: 'refused', error: 'invalid_scope', status: 200 },
  ],
  [
    '200 with an error beside a token',
    { access_token: 'a', error: 'invalid_scope' },
    {},
    { why: 'refused', error: 'invalid_scope', status: 200 },
  ],
  ['200 with an error that passes', { error: 'temporarily_unavailable' }, {}, { why: 'busy' }],
  ['400 with an error that passes', { error: 'temporarily_unavailable' }, { status: 400 }, { why: 'busy' }],
  ['403 with nothing', '', { status: 403 }, { why: 'refused', status: 403 }],
  ['404 with a page', '<html>', { status: 404 }, { why: 'refused' }],
  ['408', '', { status: 408 }, { why: 'busy' }],
  ['425', '', { status: 425 }, { why: 'busy' }],
  ['429', { error: 'slow_down' }, { status: 429 }, { why: 'busy', error: 'slow_down' }],
  ['500', 'oops', { status: 500 }, { why: 'busy' }],
  ['503 with a page', '<html>', { status: 503, headers: { 'content-type': 'text/html' } }, { why: 'busy' }],
  [
    'a redirect',
    '',
    { status: 307, headers: { location: 'https://evil.example/' } },
    { why: 'unusable', flaw: 'redirected; redirects of a token service are not followed' },
  ],
  ['204', '', { status: 204 }, { why: 'unusable' }],
  [
    'HTML with status 200',
    '<html>Log in</html>',
    { headers: { 'content-type': 'text/html; charset=utf-8' } },
    { why: 'unusable', flaw: 'sent "text/html" that is no JSON object' },
  ],
  ['nothing with status 200', '', {}, { why: 'unusable', flaw: 'sent an empty answer' }],
  ['a list', '["t"]', {}, { why: 'unusable', flaw: 'sent an answer that is no JSON object' }],
  ['null', 'null', {}, { why: 'unusable' }],
  ['a text', '"token"', {}, { why: 'unusable' }],
  ['broken JSON', '{"access_token":"a"', {}, { why: 'unusable' }],
  [
    'no token',
    { token_type: 'Bearer' },
    {},
    { why: 'unusable', flaw: 'answered without a text "access_token"' },
  ],
  ['an empty token', { access_token: '' }, {}, { why: 'unusable' }],
  ['a number for a token', { access_token: 5 }, {}, { why: 'unusable' }],
  [
    'a token with a line end',
    { access_token: 'a\r\nx-evil: 1' },
    {},
    { why: 'unusable', flaw: 'sent a token with characters that cannot stand in a header' },
  ],
  ['a token with a space', { access_token: 'Bearer abc' }, {}, { why: 'unusable' }],
  ['a token beyond ASCII', { access_token: 'tökén' }, {}, { why: 'unusable' }],
  [
    'a token of more than 64 KB',
    { access_token: 'x'.repeat(65_537) },
    {},
    { why: 'unusable', flaw: 'sent a token of more than 64 KB' },
  ],
  ['a token in __proto__', '{"__proto__":{"access_token":"polluted"}}', {}, { why: 'unusable' }],
  [
    'compressed',
    Buffer.from([0x1f, 0x8b]),
    { headers: { 'content-encoding': 'gzip' } },
    { why: 'unusable', flaw: 'sent a compressed answer, which was not asked for' },
  ],
]
for (const [title, body, about, expected] of rejections) {
  test(`a rejection: ${title}`, () => {
    const judged = judge(body, about)
    assert.equal(judged.kind, 'rejection')
    for (const [name, value] of Object.entries(expected))
      assert.equal(judged[name as keyof typeof judged], value)
  })
}

test('what the service says is cut to printable characters and length', () => {
  const judged = judge(
    {
      error: `bad\u0000\u001b[31m${'e'.repeat(100)}`,
      error_description: `line\r\none \u202eevil ${'d'.repeat(400)}`,
    },
    { status: 400 },
  ) as TokenRejection
  assert.match(judged.error!, /^bad \[31me+\.\.\.$/)
  assert.equal(judged.error!.length, 64)
  assert.match(judged.description!, /^line one evil d+\.\.\.$/)
  assert.equal(judged.description!.length, 300)
})

test('the words of a service are told without secrets, which are taken out before they are cleaned and cut', () => {
  const said = (description: string, more = {}) => {
    const judged = judge(
      { error: 'invalid_client', error_description: description, ...more },
      { status: 401 },
    )
    return (judged as TokenRejection).description
  }
  assert.equal(said('wrong: known-secret'), 'wrong: [secret]')
  assert.equal(said(`${'-'.repeat(290)}known-secret`), `${'-'.repeat(290)}[secret]`)
  assert.equal(said(`${'-'.repeat(295)}known-secret`), `${'-'.repeat(295)}[s...`)
  assert.equal(said('for tok-0123456789 only', { access_token: 'tok-0123456789' }), 'for [secret] only')
  const typed = judge('x', { headers: { 'content-type': 'text/known-secret' } }) as TokenRejection
  assert.match(typed.flaw!, /"text\/\[secret\]"/)
})
