import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { startService } from '../support/credentials.ts'
import { failureOf, numbered, SECOND, SECRET, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

const STATUSES = [300, 301, 302, 303, 304, 305, 307, 308]

/** Where the token service says that it moved to; `other` is a service that would give a token to anyone. */
const targets: [name: string, location: (own: string, other: string) => string | undefined][] = [
  ['no location', () => undefined],
  ['an empty location', () => ''],
  ['the same address', (own) => own],
  ['another path of the same host', () => '/oauth2/token'],
  ['another host', (_, other) => other],
  ['another host by its name', (_, other) => other.replace('127.0.0.1', 'localhost')],
  ['another host without a scheme', (_, other) => other.slice('http:'.length)],
  ['a host that nobody has', () => 'https://evil.example/token?client_secret='],
]
for (const status of STATUSES)
  for (const [name, locationOf] of targets)
    for (const clientAuthentication of ['header', 'body'] as const)
      test(`a token service that answers ${status} with ${name} is asked once, and nobody else is (secret in the ${clientAuthentication})`, async (t) => {
        const other = await startService(t, numbered(3600))
        const { get, service, authorizer, clock } = await setUpOAuth2(
          t,
          ({ url }) => {
            if (url !== '/token') return { body: { access_token: 'moved-token', expires_in: 3600 } }
            const location = locationOf(service.url, other.url)
            return {
              status,
              ...(location !== undefined && { headers: { location } }),
              body: { access_token: 'token-of-a-redirect', expires_in: 3600 },
            }
          },
          { clientAuthentication },
        )
        const failure = await failureOf(get())
        const host = `127.0.0.1:${service.port}`
        assert.equal(failure.code, 'credential.answer')
        assert.equal(
          failure.message,
          `the token service of credential "im_write" (${host}) redirected; redirects of a token service are not followed: ${status}`,
        )
        assert.match(failure.hint!, /^Write the address where the service ends up into tokenServiceUrl\./)
        assert.deepEqual(failure.receiver, { status, host })
        assert.doesNotMatch(
          inspect([failure, authorizer.state()], { depth: 9 }),
          new RegExp(`${SECRET}|moved-token`),
        )

        await clock.advance(29 * SECOND)
        assert.equal((await failureOf(get())).code, 'credential.answer')
        assert.deepEqual(
          service.asked.map(({ url }) => url),
          ['/token'],
          'not tried again, not followed, and remembered',
        )
        assert.equal(other.asked.length, 0)
      })

test('a redirect is remembered as a refusal is, and asked about again after a while', async (t) => {
  const { get, service, clock } = await setUpOAuth2(t, (asked, count) =>
    count === 1 ? { status: 307, headers: { location: '/other' } } : numbered(3600)(asked, count),
  )
  await failureOf(get())
  await clock.advance(30 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-number-2')
  assert.equal(service.asked.length, 2)
})

test('a redirect keeps the old token until shortly before its end', async (t) => {
  const { get, service, clock } = await setUpOAuth2(t, (asked, count) =>
    count === 1 ? numbered(100)(asked, count) : { status: 308, headers: { location: '/other' } },
  )
  await get()
  await clock.advance(60 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-number-1')
  assert.equal(service.asked.length, 2)
})
