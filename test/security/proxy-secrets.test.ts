import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxySecrets } from '../../src/security/proxy-secrets.ts'

const pair = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString('base64')

test('the password in the URL of a proxy is a secret, as written and as it is sent', () => {
  assert.deepEqual(proxySecrets('http://user:pass%2Fword@proxy.example.com:3128', {}), [
    'pass%2Fword',
    'pass/word',
    pair('user', 'pass/word'),
  ])
})

test('the proxies of the environment count, too, in both cases and with or without a scheme', () => {
  const environment = {
    HTTP_PROXY: 'http://a:first-password@proxy:1',
    https_proxy: 'b:second-password@proxy:2',
    NO_PROXY: 'c:no-password@proxy',
  }
  const found = proxySecrets(undefined, environment)
  for (const secret of ['first-password', pair('b', 'second-password')])
    assert.ok(found.includes(secret), secret)
  assert.equal(found.length, 6)
})

test('a proxy without a password has no secret; one that is odd does not fail', () => {
  assert.deepEqual(
    proxySecrets('http://proxy:3128', { HTTPS_PROXY: '', HTTP_PROXY: 'http://user@proxy' }),
    [],
  )
  assert.deepEqual(proxySecrets('http://u:100%@x@proxy', {}), ['100%@x', '100%@x', pair('u', '100%@x')])
})
