import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { story } from './story.ts'

const root = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)
const curl = async (...args: string[]) => (await run('curl', ['-s', ...args])).stdout

/** Seed 002: register a client, get a token, call the flow. */
describe('story 002: OAuth client credentials for those who call', () => {
  it('registers a client, gets a token and calls, with the lines of the README', async (t) => {
    const { start, sluice, environment, copyMaterial, leaks } = await story(t)
    const material = await copyMaterial()
    const engine = await start()
    const address = `${engine.url}/http/product`
    for (const how of [['-G'], ['-d', '{}']]) {
      const refused = await curl('-i', ...how, address)
      assert.match(
        refused,
        /^HTTP\/1\.1 401 [^]*www-authenticate: Bearer realm="sluice"[^]*"access\.missing"/i,
      )
    }

    const readme = await readFile(join(root, 'README.md'), 'utf8')
    const lines = /^## Tokens for those who call$[^]*?^```sh\n([^]*?)^```$/m.exec(readme)![1]!
    const script = `${lines.replaceAll('http://127.0.0.1:8080', engine.url)}\nprintf "\\n%s %s\\n" "$SECRET" "$TOKEN"`
    const { stdout } = await run('bash', ['-euc', script], { cwd: root, env: environment })
    const [, secret, token] = /(\S+) (\S+)\n$/.exec(stdout) as unknown as [string, string, string]
    assert.match(stdout, /^wrote \S+shop\.yaml\n[^]*roles +ESBMessaging\.send\n/)
    const product =
      /\{"id":"COURSE-007","title":"[^"]+","price":\d+,"currency":"[A-Z]{3}","askedBy":"oauth_client_shop"\}/g
    assert.equal(stdout.match(product)?.length, 2, stdout)
    const file = await readFile(join(material, 'shop.yaml'), 'utf8')
    assert.ok(file.includes('secretHash: $scrypt$') && !file.includes(secret))

    const answer = JSON.parse(
      await curl(
        ...['-X', 'POST', '-u', `shop:${secret}`],
        `${engine.url}/oauth2/api/v1/token?grant_type=client_credentials&token_format=jwt`,
      ),
    ) as Record<string, unknown>
    assert.deepEqual(
      { ...answer, access_token: '' },
      { access_token: '', token_type: 'Bearer', expires_in: 3600, scope: 'ESBMessaging.send' },
    )
    assert.equal(token.split('.').length, 3, 'a JWT')

    const shown = await sluice('flow', 'show', 'product')
    assert.match(shown.stdout, /callers +clients with the role "ESBMessaging\.send": shop\n/)
    const call = (...how: string[]) => curl('-i', '-H', `authorization: Bearer ${token}`, ...how)
    assert.match(await call(address), /^HTTP\/1\.1 200 [^]*"id":"COURSE-001"/)
    assert.match(await call(`${address}?id=COURSE-999999`), /^HTTP\/1\.1 404 [^]*"product\.unknown"/)
    assert.equal((await sluice('client', 'revoke', 'shop', 'ESBMessaging.send')).code, 0)
    await engine.shows(/shop\W+was changed/)
    for (const how of [[`${address}?id=COURSE-007`], ['-d', '{}', address]])
      assert.match(await call(...how), /^HTTP\/1\.1 403 [^]*"access\.role"/)
    await engine.stop()
    assert.deepEqual(await leaks(token, secret), [])
  })

  it('fetches a CSRF token first, as callers do that were made for CPI', async (t) => {
    const { start, sluice, copyMaterial } = await story(t)
    await copyMaterial()
    const made = await sluice('client', 'create', 'shop')
    const secret = /^ {2}secret +(\S+)$/m.exec(made.stdout)![1]!
    const engine = await start()
    const address = `${engine.url}/http/product`
    const caller = ['-u', `shop:${secret}`]
    const fetched = await curl('-i', ...caller, '-H', 'X-CSRF-Token: Fetch', address)
    assert.match(fetched, /^HTTP\/1\.1 200 /)
    const csrf = /^x-csrf-token: (\S+)/im.exec(fetched)![1]!
    const body = '{"productIdentifier": "COURSE-007"}'
    const json = ['-H', 'content-type: application/json', '-d', body]
    const product = await curl(...caller, '-H', `X-CSRF-Token: ${csrf}`, ...json, address)
    assert.equal((JSON.parse(product) as { id: string }).id, 'COURSE-007')
    const runs = await sluice('log', '--flow', 'product', '--json')
    assert.equal(runs.stdout.trim().split('\n').length, 1, 'one run: the token was fetched without any')
    await engine.stop()
  })
})
