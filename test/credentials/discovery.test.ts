import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { decodeJwt } from 'jose'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { startService, TestCaller, type Asked, type Said } from '../support/credentials.ts'
import { pemOf, rsa } from '../support/keys.ts'
import { failureOf, gate, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

const HOUR = 60 * 60_000
const RFC8414 = '/.well-known/oauth-authorization-server'
const OIDC = '/.well-known/openid-configuration'

/** A service that tells where it is. @param metadata what it says, by path; null: 404 */
async function setUp(
  t: TestContext,
  metadata: (origin: string, asked: Asked) => Record<string, Said | object | null>,
  options: Partial<OAuth2Options> = {},
  path = '',
) {
  const service = await startService(t, (asked, count) => {
    if (asked.method === 'POST') return { body: { access_token: `token-number-${count}`, expires_in: 3600 } }
    const said = metadata(origin, asked)[asked.url] ?? null
    if (said === null) return { status: 404, body: 'no' }
    return 'status' in said ? (said as Said) : { body: said }
  })
  const origin = `http://127.0.0.1:${service.port}`
  const lines = () => service.asked.map(({ method, url }) => `${method} ${url}`)
  const setup = await setUpOAuth2(t, service.answer, {
    tokenServiceUrl: undefined as never,
    issuer: origin + path,
    retry: { attempts: 1 },
    ...options,
  })
  return { ...setup, service, origin, lines }
}

const plain = (origin: string) => ({ [RFC8414]: { issuer: origin, token_endpoint: `${origin}/oauth/token` } })

test('the metadata of the issuer says where the token service is; it is read once for many callers', async (t) => {
  const { get, lines, authorizer, log, origin, clock } = await setUp(t, plain)
  const grants = await Promise.all(Array.from({ length: 20 }, get))
  assert.equal(new Set(grants.map(tokenOf)).size, 1)
  assert.deepEqual(lines(), [`GET ${RFC8414}`, 'POST /oauth/token'])
  assert.equal(log.count('the issuer says where the token service is'), 1)
  await clock.advance(60_000)
  assert.equal(
    authorizer.state().details['token service'],
    `${origin}/oauth/token, as the issuer said 60 s ago`,
  )
})

test('an issuer with a path: before it as RFC 8414 says, then behind it as OpenID Connect does', async (t) => {
  const { get, lines } = await setUp(
    t,
    (origin) => ({
      [`/realms/acme${OIDC}`]: { issuer: `${origin}/realms/acme`, token_endpoint: `${origin}/t` },
    }),
    {},
    '/realms/acme',
  )
  await get()
  assert.deepEqual(lines(), [`GET ${RFC8414}/realms/acme`, `GET /realms/acme${OIDC}`, 'POST /t'])
})

const refused: readonly [
  title: string,
  metadata: (origin: string) => Record<string, Said | object | null>,
  wanted: RegExp,
][] = [
  [
    'no document',
    () => ({}),
    /the metadata of the issuer of credential "im_write" \(127\.0\.0\.1:\d+\) is not there: 404$/,
  ],
  [
    'a redirect',
    () => ({
      [RFC8414]: { status: 302, headers: { location: '/x' } },
      [OIDC]: { status: 307, headers: { location: '/x' } },
    }),
    /leads elsewhere \(302\), which is not followed/,
  ],
  [
    'another issuer',
    (origin) => ({ [RFC8414]: { issuer: `${origin}/`, token_endpoint: `${origin}/t` } }),
    /is that of another issuer: http:\/\/127\.0\.0\.1:\d+\/$/,
  ],
  ['no issuer', (origin) => ({ [OIDC]: { token_endpoint: `${origin}/t` } }), /does not say whose it is/],
  [
    'no JSON',
    () => ({ [RFC8414]: { status: 200, body: '<html>' }, [OIDC]: { status: 200, body: '<html>' } }),
    /is no JSON/,
  ],
  [
    'no token endpoint',
    (origin) => ({ [RFC8414]: { issuer: origin } }),
    /does not say where the token service is/,
  ],
  [
    'a token endpoint by plain http elsewhere',
    (origin) => ({ [RFC8414]: { issuer: origin, token_endpoint: 'http://evil.example.com/t' } }),
    /names a token service whose address uses http to another machine/,
  ],
  [
    'a token endpoint on another host',
    (origin) => ({ [RFC8414]: { issuer: origin, token_endpoint: 'https://evil.example.com/t' } }),
    /names a token service on another host: evil\.example\.com/,
  ],
  [
    'a token endpoint that is hidden in __proto__',
    (origin) => ({
      [RFC8414]: { status: 200, body: `{"issuer":"${origin}","__proto__":{"token_endpoint":"${origin}/t"}}` },
    }),
    /does not say where/,
  ],
  [
    'too much',
    () => ({ [RFC8414]: { status: 200, body: `{"x":"${'x'.repeat(300_000)}"}` } }),
    /is larger than 256 KB/,
  ],
  [
    'a service that is down',
    () => ({ [RFC8414]: { status: 503 }, [OIDC]: { status: 503 } }),
    /is not there: 503/,
  ],
]

for (const [title, metadata, wanted] of refused)
  test(`no token is asked for: ${title}`, async (t) => {
    const { get, lines } = await setUp(t, metadata)
    const failure = await failureOf(get())
    assert.match(failure.message, wanted)
    assert.ok(failure.hint)
    assert.deepEqual(
      lines().filter((line) => line.startsWith('POST')),
      [],
    )
    assert.equal(failure.code, title.includes('down') ? 'credential.unreachable' : 'credential.answer')
  })

test('a token service on a host that the credential names', async (t) => {
  const other = await startService(t, () => ({
    body: { access_token: 'token-from-elsewhere', expires_in: 60 },
  }))
  const { get } = await setUp(t, (origin) => ({ [RFC8414]: { issuer: origin, token_endpoint: other.url } }), {
    tokenServiceHosts: [`127.0.0.1:${other.port}`],
  })
  assert.equal(tokenOf(await get()), 'Bearer token-from-elsewhere')
})

test('later it is read again in the background; what was known stays while nothing else can be had', async (t) => {
  let mode: 'first' | 'down' | 'moved' = 'first'
  const { get, lines, clock, log, authorizer } = await setUp(
    t,
    (origin) =>
      mode === 'down' ? {} : { [RFC8414]: { issuer: origin, token_endpoint: `${origin}/${mode}` } },
    { lifetime: 30 * 60_000, maxLifetime: 30 * 60_000 },
  )
  await get()
  mode = 'down'
  await clock.advance(HOUR + 1000)
  await get()
  await log.seen('could not be read again')
  assert.deepEqual(
    lines().filter((line) => line.startsWith('POST')),
    ['POST /first', 'POST /first'],
  )
  mode = 'moved'
  await clock.advance(HOUR)
  await get()
  await log.seen('the issuer says where the token service is', 2)
  authorizer.invalidate!()
  await get()
  assert.equal(lines().at(-1), 'POST /moved')
})

test('a caller that gives up while the metadata is read ends only its own wait', async (t) => {
  const { open, passed } = gate()
  const setup = await setUp(t, plain)
  const { answer } = setup.service
  setup.service.answer = async (asked, count) => {
    if (asked.method === 'GET') await passed
    return answer(asked, count)
  }
  const impatient = new TestCaller(setup.clock.ticks() + 1000)
  const first = failureOf(Promise.resolve(setup.authorizer.authorize(impatient)).then(() => undefined))
  const second = setup.get()
  await setup.clock.advance(1001)
  assert.equal((await first).code, 'credential.timeout')
  open()
  assert.match(tokenOf(await second), /^Bearer token-number-/)
})

test('a token service that is gone from its address is looked for again', async (t) => {
  let at = 'old'
  const { get, lines, service, log, authorizer } = await setUp(t, (origin) => ({
    [RFC8414]: { issuer: origin, token_endpoint: `${origin}/${at}` },
  }))
  await get()
  at = 'new'
  const { answer } = service
  service.answer = (asked, count) => (asked.url === '/old' ? { status: 404 } : answer(asked, count))
  authorizer.invalidate!()
  await failureOf(get())
  authorizer.invalidate!()
  await failureOf(get())
  await log.seen('the issuer says where the token service is', 2)
  authorizer.invalidate!()
  await get()
  assert.equal(lines().at(-1), 'POST /new')
})

test('audience: issuer, and tokenUrl for where it was found', async (t) => {
  for (const audience of ['issuer', 'tokenUrl']) {
    const { get, service, origin } = await setUp(t, plain, {
      clientSecret: undefined as never,
      clientAssertion: { key: new Secret(pemOf(rsa)), audience: [audience] },
    })
    await get()
    const jwt = new URLSearchParams(service.asked.at(-1)!.body).get('client_assertion')!
    assert.equal(decodeJwt(jwt).aud, audience === 'issuer' ? origin : `${origin}/oauth/token`)
  }
})

test('without a certificate the addresses for certificates do not count', async (t) => {
  const { get, lines } = await setUp(t, (origin) => ({
    [RFC8414]: {
      issuer: origin,
      token_endpoint: `${origin}/usual`,
      mtls_endpoint_aliases: { token_endpoint: `${origin}/mtls` },
    },
  }))
  await get()
  assert.equal(lines().at(-1), 'POST /usual')
})
