import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Body } from '../../src/core/body.ts'
import { failureOf } from './fixture.ts'
import { ADDED, API_HEADERS, GRANT, places, type Seen } from './redirect-fixture.ts'

const STATUSES = [301, 302, 303, 307, 308]

/** To the origin itself, with all of the credential. */
const KEPT = 'home, with the credential'
/** To this receiver, with nothing of the credential. */
const ALONE = { home: 'home, without', other: 'other, without', plain: 'plain, without' }

const targets: [name: string, location: string, outcome: string | RegExp][] = [
  ['a path', '/next', KEPT],
  ['a path below', 'next', KEPT],
  ['the same origin', 'https://api.example.com/next', KEPT],
  ['upper case', 'HTTPS://API.EXAMPLE.COM/next', KEPT],
  ['the default port written out', 'https://api.example.com:443/next', KEPT],
  ['the default port with zeros', 'https://api.example.com:0443/next', KEPT],
  ['an empty port', 'https://api.example.com:/next', KEPT],
  ['no scheme', '//api.example.com/next', KEPT],
  ['backslashes', 'https:\\\\api.example.com\\next', KEPT],
  ['a percent-encoded letter', 'https://%61pi.example.com/next', KEPT],
  ['full-width letters', 'https://ａｐｉ.example.com/next', KEPT],
  ['an empty user', 'https://@api.example.com/next', KEPT],

  ['a dot after the host', 'https://api.example.com./next', ALONE.home],
  ['another port, where the credential may go', 'https://api.example.com:8443/next', ALONE.other],
  ['another port', 'https://api.example.com:9443/next', ALONE.other],
  ['another host, where the credential may go', 'https://cdn.example.net/next', ALONE.other],
  ['another host', 'https://evil.example/next', ALONE.other],
  ['another host without a scheme', '//evil.example/next', ALONE.other],
  ['another host with backslashes', '\\\\evil.example\\next', ALONE.other],
  ['another host with both', '/\\evil.example/next', ALONE.other],
  ['another host with a tab', '/\t/evil.example/next', ALONE.other],
  ['a scheme with a tab', 'ht\ttps://evil.example/next', ALONE.other],
  ['the host as the beginning of another', 'https://api.example.com.evil.example/next', ALONE.other],
  ['a percent-encoded dot', 'https://api.example.com%2Eevil.example/next', ALONE.other],
  ['a host below', 'https://evil.api.example.com/next', ALONE.other],
  ['a backslash as the end of the host', 'https://evil.example\\@api.example.com/next', ALONE.other],
  ['a hash as the end of the host', 'https://evil.example#@api.example.com/', ALONE.other],
  ['a Cyrillic letter', 'https://\u0430pi.example.com/next', ALONE.other],
  ['its punycode', 'https://xn--pi-6kc.example.com/next', ALONE.other],
  ['another script', 'https://bücher.example/next', ALONE.other],
  ['an address, where the credential may go', 'https://127.0.0.1/next', ALONE.other],
  ['an address in one number', 'https://2130706433/next', ALONE.other],
  ['an octal address', 'https://0177.0.0.1/next', ALONE.other],
  ['a hexadecimal address', 'https://0x7f.1/next', ALONE.other],
  ['an address with zeros', 'https://127.000.000.001/next', ALONE.other],
  ['an address in IPv6', 'https://[::ffff:127.0.0.1]/next', ALONE.other],

  ['http', 'http://api.example.com/next', /from https to http at "api\.example\.com"/],
  ['http on the port of https', 'http://api.example.com:443/next', /from https to http/],
  ['http at another host', 'http://evil.example/next', /from https to http at "evil\.example"/],
  ['http on this machine', 'http://127.0.0.1/next', /from https to http at "127\.0\.0\.1"/],
  ['a user', 'https://api@evil.example/next', /to a URL with a user name at "evil\.example"/],
  ['the host as a user', 'https://api.example.com@evil.example/next', /user name at "evil\.example"/],
  ['a password', 'https://user:SECRET@api.example.com/next', /user name at "api\.example\.com"/],
  ['host and port as user and password', 'https://api.example.com:443@evil.example/', /user name/],
  ['a percent-encoded slash', 'https://api.example.com%2F.evil.example/', /no URL/],
  ['a percent-encoded at sign', 'https://api.example.com%40evil.example/', /no URL/],
  ['no host', 'https://', /no URL/],
  ['a port that is none', 'https://api.example.com:99999/', /no URL/],
  ['another scheme', 'ftp://api.example.com/', /to "ftp:"/],
  ['a script', 'javascript:alert("SECRET")', /to "javascript:"/],
  ['a file', 'file:///etc/passwd', /to "file:"/],
]

function hasAll({ headers, line }: Seen): boolean {
  const lines = [...GRANT.headers, ...API_HEADERS]
  return (
    line.includes(ADDED) &&
    lines.every((_, i) => i % 2 === 1 || headers[lines[i]!.toLowerCase()] === lines[i + 1])
  )
}

function hasNothing({ headers, line }: Seen): boolean {
  const names = ['authorization', 'x-api-key', 'cookie', 'x-tenant', 'referer']
  return (
    names.every((name) => headers[name] === undefined) &&
    !/SECRET|client|tag|key/.test(line + JSON.stringify(headers)) &&
    headers['user-agent'] === 'sluice/test' &&
    headers['x-own'] === '1'
  )
}

for (const status of STATUSES)
  for (const [name, location, expected] of targets)
    test(`${status} to ${name}: ${JSON.stringify(location)}`, async (t) => {
      const { send, credential, seen } = await places(t, { status, locations: [location] })
      const sending = send({ url: 'first?a=1', followRedirects: 3, headers: ['x-own', '1'] }, credential)
      if (typeof expected !== 'string') {
        const failure = await failureOf(sending)
        assert.equal(failure.code, 'receiver.redirect')
        assert.match(failure.message, expected)
        assert.match(failure.message, /^"api\.example\.com" redirected/)
        assert.deepEqual(failure.receiver, { status, host: 'api.example.com' })
        assert.ok(!inspect(failure, { depth: 9 }).includes('SECRET'))
        assert.equal(seen.length, 1)
        return
      }
      const answer = await sending
      assert.equal(answer.status, 200)
      assert.ok(!/SECRET|key=/.test(answer.url), answer.url)
      const [first, second] = seen
      assert.equal(seen.length, 2)
      assert.ok(hasAll(first!))
      const left = hasAll(second!)
        ? 'with the credential'
        : hasNothing(second!)
          ? 'without'
          : 'with some of it'
      assert.equal(`${second!.at}, ${left}`, expected, inspect(second))
      assert.equal(answer.body.text(), second!.at)
    })

for (const status of STATUSES)
  test(`${status} away, to further hosts, and home again: the credential does not come back`, async (t) => {
    const locations = ['https://a.example/1', 'https://b.example/2', '/3', 'https://api.example.com/4', '/5']
    const { send, credential, seen } = await places(t, { status, locations })
    await send({ url: 'first', followRedirects: 9, headers: ['x-own', '1'] }, credential)
    assert.deepEqual(
      seen.map(({ at, line }) => `${at} ${line.split('?')[0]!}`),
      ['home GET /first', 'other GET /1', 'other GET /2', 'other GET /3', 'home GET /4', 'home GET /5'],
    )
    assert.ok(seen.slice(1).every(hasNothing))
    assert.equal(credential.authorized, 1)
  })

test('a host that the credential may not go to is not reached with it within its origin either', async (t) => {
  const { send, credential, seen } = await places(t, { status: 307, locations: ['/next'] })
  let asked = 0
  const narrower = { ...credential.current(), allows: () => ++asked < 2 }
  const failure = await failureOf(
    send({ url: 'first', followRedirects: 1 }, { name: 'shop_api', current: () => narrower }),
  )
  assert.equal(failure.code, 'credential.host')
  assert.equal(seen.length, 1)
})

test('once the credential is left behind, http is as good as anywhere', async (t) => {
  const locations = ['https://cdn.example.net/1', 'http://cdn.example.net/2']
  const { send, credential, seen } = await places(t, { status: 302, locations })
  await send({ url: 'first', followRedirects: 9, headers: ['x-own', '1'] }, credential)
  assert.deepEqual(
    seen.map(({ at }) => at),
    ['home', 'other', 'plain'],
  )
  assert.ok(hasNothing(seen[2]!))
})

test('what the flow itself set for the receiver stays there, too, and its body goes on by 307', async (t) => {
  const { send, seen } = await places(t, { status: 307, locations: ['https://cdn.example.net/1'] })
  const headers = ['cookie', 'a=SECRET', 'proxy-authorization', 'SECRET', 'x-own', '1', 'content-type', 'a/b']
  await send({
    url: 'https://api.example.com/first',
    method: 'POST',
    body: Body.ofText('order'),
    followRedirects: 1,
    headers,
  })
  const { headers: sent, body, at } = seen[1]!
  assert.equal(at, 'other')
  assert.deepEqual([sent.cookie, sent['proxy-authorization'], sent['x-own']], [undefined, undefined, '1'])
  assert.deepEqual([sent['content-type'], body], ['a/b', 'order'])
})
