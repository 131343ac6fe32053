import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { call, rawCall } from '../support/http.ts'
import { door, SECRET } from './fixture.ts'

const run = promisify(execFile)
const GRANT = 'grant_type=client_credentials'
const TYPE = 'application/x-www-form-urlencoded'

describe('the token service, before a client that waits to be asked for its body (Expect: 100-continue),', () => {
  it('asks for it, answers, and keeps the connection', async (t) => {
    const { url, basic } = await door(t)
    let asked = 0
    const got = await call(`${url}/oauth2/token`, {
      method: 'POST',
      headers: {
        ...basic(),
        'content-type': TYPE,
        'content-length': String(GRANT.length),
        expect: '100-continue',
        connection: 'keep-alive',
      },
      body: GRANT,
      onContinue: () => asked++,
    })
    assert.equal(got.status, 200, got.text)
    assert.equal(got.headers.connection, 'keep-alive')
    assert.equal(asked, 1)
  })

  it('is understood by curl', async (t) => {
    const { url } = await door(t)
    const form = ['-d', GRANT, '-d', `client_id=shop`, '--data-urlencode', `client_secret=${SECRET}`]
    const patient = ['--expect100-timeout', '50', '--max-time', '40', '-H', 'Expect: 100-continue']
    const { stdout } = await run('curl', ['-s', ...patient, ...form, `${url}/oauth2/token`])
    assert.equal((JSON.parse(stdout) as { token_type: string }).token_type, 'Bearer')
  })

  it('does not ask for one that it would not take, and closes', async (t) => {
    const { url } = await door(t)
    const ask = (method: string, length: number, path = '/oauth2/token') =>
      rawCall(
        url,
        `${method} ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: ${TYPE}\r\ncontent-length: ${length}\r\nexpect: 100-continue\r\n\r\n`,
      )
    const large = await ask('POST', 100_000)
    assert.match(large, /^HTTP\/1\.1 413 [^]*connection: close[^]*the body is too large/i)
    assert.match(await ask('PUT', 10), /^HTTP\/1\.1 405 [^]*connection: close/i)
    assert.match(await ask('GET', 10, '/oauth2/jwks'), /^HTTP\/1\.1 200 [^]*connection: close/i)
  })
})
