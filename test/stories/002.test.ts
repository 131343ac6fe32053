import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { story } from './story.ts'

const run = promisify(execFile)
const curl = async (...args: string[]) => (await run('curl', ['-s', ...args])).stdout

/** Seed 002: register a client, get a token, call the flow. */
describe('story 002: OAuth client credentials for those who call', () => {
  it('registers a client, gets a token with curl, and calls with it', async (t) => {
    const { start, sluice, environment, leaks } = await story(t)
    const folder = await mkdtemp(join(tmpdir(), 'sluice-story-002-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    environment['SLUICE_FLOWS'] = join(folder, 'flows')
    environment['SLUICE_SECURITY_MATERIAL'] = join(folder, 'security-material')
    await mkdir(join(folder, 'flows'))
    await writeFile(
      join(folder, 'flows', 'hello.yaml'),
      'steps:\n  - endpoint: { path: /hello, access: { role: ESBMessaging.send } }\n  - set: { body: { hello: "${trigger.caller.id}" } }\n',
    )
    const made = await sluice('client', 'create', 'partner')
    assert.equal(made.code, 0, made.stderr)
    const secret = /^ {2}secret +(\S+)$/m.exec(made.stdout)![1]!
    const engine = await start()
    const address = `${engine.url}/http/hello`
    assert.match(await curl('-i', '-d', '{}', address), /^HTTP\/1\.1 401 /)

    const answer = JSON.parse(
      await curl(
        ...['-X', 'POST', '-u', `partner:${secret}`],
        `${engine.url}/oauth2/api/v1/token?grant_type=client_credentials&token_format=jwt`,
      ),
    ) as Record<string, unknown>
    assert.deepEqual([answer['token_type'], answer['expires_in']], ['Bearer', 3600])
    const token = String(answer['access_token'])
    const call = () => curl('-i', '-H', `authorization: Bearer ${token}`, '-d', '{}', address)
    assert.match(await call(), /^HTTP\/1\.1 200 [^]*\{"hello":"oauth_client_partner"\}$/)

    const shown = await sluice('flow', 'show', 'hello')
    assert.match(shown.stdout, /callers +clients with the role "ESBMessaging\.send": partner\n/)
    assert.equal((await sluice('client', 'revoke', 'partner', 'ESBMessaging.send')).code, 0)
    await engine.shows(/partner\W+was changed/)
    assert.match(await call(), /^HTTP\/1\.1 403 /)
    await engine.stop()
    assert.deepEqual(await leaks(token), [])
  })
})
