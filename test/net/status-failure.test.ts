import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Body } from '../../src/core/body.ts'
import { Message } from '../../src/core/message.ts'
import { statusFailure, unfollowedRedirect } from '../../src/net/status-failure.ts'
import { prepareHttp } from '../steps/http-fixture.ts'
import { failureOf, receiver, testCredential, TestGrant, TestRun } from './fixture.ts'

const URL_WITH_KEY = 'https://api.example.com/orders?key=SECRET'

function answer(status: number, headers: Record<string, string> = {}) {
  return { status, headers, url: URL_WITH_KEY, body: Body.ofText('SECRET') }
}

const INSUFFICIENT = 'Bearer realm="x", error="insufficient_scope", scope="im.admin"'
const hints: [
  name: string,
  status: number,
  credential: string | undefined,
  authenticate: string | undefined,
  hint: string,
][] = [
  [
    '401 without a credential',
    401,
    undefined,
    undefined,
    'The receiver wants to know who calls: name a credential, `credential: <name>`.',
  ],
  [
    '401 where a redirect took the credential away',
    401,
    'shop_api',
    undefined,
    'A redirect led to this host, where the credential "shop_api" does not go along. Use the final URL in the flow; its host must be one of the credential\'s `allowedHosts`.',
  ],
  [
    '403 without a credential',
    403,
    undefined,
    undefined,
    'The receiver forbids this. It may want to know who calls: name a credential, `credential: <name>`.',
  ],
  [
    '403 with a credential: its token was taken',
    403,
    'shop_api',
    undefined,
    'The receiver forbids this: check the roles and scopes of the client that the credential "shop_api" stands for.',
  ],
  [
    '403 that names the scope',
    403,
    'shop_api',
    INSUFFICIENT,
    'The receiver says that a scope is missing (im.admin): give the client of the credential "shop_api" the scope or role, and check its `scope`, if it has one.',
  ],
  [
    '403 that does not name the scope',
    403,
    'shop_api',
    'Bearer error=insufficient_scope, scope="im.\u00e4 <x>"',
    'The receiver says that a scope is missing: give the client of the credential "shop_api" the scope or role, and check its `scope`, if it has one.',
  ],
]
for (const [name, status, credential, authenticate, hint] of hints)
  test(`what to do about ${name}`, () => {
    const headers = authenticate === undefined ? {} : { 'www-authenticate': authenticate }
    const failure = statusFailure('GET', answer(status, headers), credential, 0)
    assert.equal(failure.message, `GET "api.example.com" answered ${status}`)
    assert.equal(failure.hint, hint)
    assert.deepEqual(failure.receiver, { status, host: 'api.example.com' })
    assert.ok(!inspect(failure).includes('SECRET'))
  })

test('a redirect to a host that wants to know who calls: the hint says why the credential was not there', async (t) => {
  const other = await receiver(t, (_, reply) => reply.writeHead(401).end())
  const home = await receiver(t, (_, reply) => reply.writeHead(302, { location: `${other.origin}/x` }).end())
  const credential = testCredential(home.origin, [new TestGrant('T1'), new TestGrant('T2')])
  const { step } = await prepareHttp(t, 'url: x\ncredential: shop_api\nfollowRedirects: true', {
    credentials: [credential],
  })
  const failure = await failureOf(async () => step.run(new Message(Body.empty()), new TestRun()))
  assert.equal(failure.message, `GET "${new URL(other.origin).host}" answered 401`)
  assert.match(
    failure.hint!,
    /^A redirect led to this host, where the credential "shop_api" does not go along/,
  )
  assert.deepEqual([credential.authorized, other.requests.length], [1, 1])
})

const targets: [location: string, message: string, hint: RegExp][] = [
  ['/b', '', /`followRedirects: true`; /],
  ['https://api.example.com:443/b', '', /`followRedirects: true`; /],
  [
    'https://cdn.example.com/b?key=SECRET',
    ' to "cdn.example.com"',
    /`followRedirects: true` \(a credential does not go along to another host\); /,
  ],
  ['https://user:SECRET@evil.example/', ' to "evil.example"', /another host/],
  [Buffer.from('https://bücher.example/').toString('latin1'), ' to "xn--bcher-kva.example"', /another host/],
  ['https://', '', /Call the final URL/],
]
for (const [location, to, hint] of targets)
  test(`a redirect that is not followed: ${JSON.stringify(location)}`, () => {
    const failure = unfollowedRedirect('POST', answer(302, { location }))
    assert.equal(failure.message, `POST "api.example.com" answered 302, a redirect${to}`)
    assert.match(failure.hint!, hint)
    assert.ok(!inspect(failure).includes('SECRET'))
  })

test('403 of SAP Gateway that wants a CSRF token: the hint says where it comes from', () => {
  const { hint } = statusFailure('POST', answer(403, { 'x-csrf-token': 'Required' }), 's4', 0)
  assert.match(hint!, /`x-csrf-token` .* cookies .*`headers: \{ x-csrf-token: fetch \}`/)
})
