import assert from 'node:assert/strict'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { makeIdentity } from '../../src/security/secret-cipher.ts'
import { startService, type Asked, type Said } from '../support/credentials.ts'
import { startCommand, startEngine } from '../support/process.ts'
import { projectFolder } from '../support/project.ts'

const FLOW =
  'steps:\n  - endpoint: { path: /call, access: public }\n  - http: { url: /items, credential: api }\n'
const FIRST = 'refresh-token-number-0'
const post = (url: string) =>
  fetch(`${url}/http/call`, { method: 'POST', signal: AbortSignal.timeout(15_000) })

/** A token service that takes each refresh token once, an API that takes its tokens, and a project that uses both. */
async function setUp(t: TestContext, more: string) {
  const seen = { good: 0, tokens: 0, refreshTokens: [] as string[], calls: [] as string[] }
  const hooks: {
    /** Before the service does anything about a token request. */
    token?: () => Promise<void>
    /** When the service has rotated, in place of its answer. */
    rotated?: () => Promise<Said>
    /** When a call with a token has come. */
    call?: () => void | Promise<void>
  } = {}
  const service = await startService(t, async ({ url, body, headers }: Asked): Promise<Said> => {
    if (url.startsWith('/items')) {
      seen.calls.push(headers.authorization!)
      await hooks.call?.()
      return { body: { fine: true } }
    }
    await hooks.token?.()
    const given = new URLSearchParams(body).get('refresh_token')
    if (given !== null) {
      seen.refreshTokens.push(given)
      if (given !== `refresh-token-number-${seen.good}`)
        return { status: 400, body: { error: 'invalid_grant' } }
      seen.good++
      if (hooks.rotated) return hooks.rotated()
    }
    return {
      body: {
        access_token: `access-token-number-${++seen.tokens}`,
        expires_in: 3600,
        ...(given !== null && { refresh_token: `refresh-token-number-${seen.good}` }),
      },
    }
  })
  const origin = `http://127.0.0.1:${service.port}`
  const folder = projectFolder(t, {
    'flows/call.yaml': FLOW,
    '.env': `SECRET=client-secret-0123456789\nREFRESH=${FIRST}\n`,
    'security-material/api.yaml': `type: oauth2\ntokenServiceUrl: ${service.url}\nclientId: acme\nclientSecret: \${env:SECRET}\nbaseUrl: ${origin}/\n${more}`,
  })
  return {
    folder,
    service,
    seen,
    hooks,
    env: (refresh: string) =>
      writeFileSync(join(folder, '.env'), `SECRET=client-secret-0123456789\nREFRESH=${refresh}\n`),
    run: () => startCommand(t, folder, ['run', 'call']).ended,
    command: (...args: string[]) => startCommand(t, folder, args).ended,
    engine: () => startEngine(t, folder),
  }
}

const REFRESHING = 'grantType: refresh_token\nrefreshToken: ${env:REFRESH}\n'

/** No file of the data folder shows a token. */
function assertSealed(folder: string): void {
  for (const file of readdirSync(join(folder, 'data'), { withFileTypes: true })) {
    if (!file.isFile()) continue
    const bytes = readFileSync(join(folder, 'data', file.name))
    for (const word of ['refresh-token-number', 'access-token-number', FIRST])
      assert.ok(!bytes.includes(word), file.name)
    for (const word of ['refresh-token-number-1', 'access-token-number-1'])
      assert.ok(!bytes.includes(Buffer.from(word).toString('base64').slice(2, -4)), file.name)
  }
}

test('killed in the moment in which the first call with the new token arrives, the engine has the newest refresh token', async (t) => {
  const { folder, seen, hooks, engine } = await setUp(t, REFRESHING)
  for (const round of [1, 2, 3]) {
    const running = await engine()
    hooks.call = () => {
      process.kill(running.pid, 'SIGKILL')
      return new Promise(() => {})
    }
    await assert.rejects(post(running.url))
    assert.equal((await running.ended).signal, 'SIGKILL')
    assert.deepEqual([seen.good, seen.calls.length], [round, round])
    assertSealed(folder)
  }
  delete hooks.call
  const running = await engine()
  assert.equal((await post(running.url)).status, 200)
  assert.deepEqual(
    seen.refreshTokens,
    [0, 1, 2, 3].map((number) => `refresh-token-number-${number}`),
  )
  running.kill('SIGTERM')
  assert.equal((await running.ended).code, 0)
  assertSealed(folder)
})

test('killed before the service has done anything, the next engine asks with the same refresh token', async (t) => {
  const { seen, hooks, engine, run } = await setUp(t, REFRESHING)
  const running = await engine()
  hooks.token = () => {
    process.kill(running.pid, 'SIGKILL')
    return new Promise(() => {})
  }
  await assert.rejects(post(running.url))
  await running.ended
  delete hooks.token
  const { code, stderr } = await run()
  assert.equal(code, 0, stderr)
  assert.deepEqual(seen.refreshTokens, [FIRST])
})

test('killed while the answer was on its way, the next engine tries the token before, and tells what to do', async (t) => {
  const { seen, hooks, engine, run, env, command } = await setUp(t, REFRESHING)
  const running = await engine()
  hooks.rotated = () => {
    process.kill(running.pid, 'SIGKILL')
    return new Promise(() => {})
  }
  await assert.rejects(post(running.url))
  await running.ended
  delete hooks.rotated
  const { code, stderr } = await run()
  assert.equal(code, 1)
  assert.match(stderr, /credential\.refused/)
  assert.match(stderr, /A request with this refresh token, sent at \S+, got no answer here/)
  assert.match(stderr, /let the user log in once more/)
  assert.deepEqual(seen.refreshTokens, [FIRST, FIRST])
  const tested = await command('credential', 'test', 'api')
  assert.equal(tested.code, 1)
  assert.match(tested.stdout.replaceAll(/\s+/g, ' '), /got no answer here/)

  env('refresh-token-number-1')
  assert.equal((await run()).code, 0)
  assert.deepEqual(seen.refreshTokens.slice(-1), ['refresh-token-number-1'])
})

test('an engine that is stopped while a token is asked for waits for the answer', async (t) => {
  const { seen, hooks, engine, run } = await setUp(t, REFRESHING)
  const running = await engine()
  const asked = new Promise<void>((resolve) => {
    hooks.rotated = async () => {
      running.kill('SIGTERM')
      resolve()
      await new Promise((answer) => setTimeout(answer, 300))
      return { body: { access_token: 'access-token-number-1', refresh_token: 'refresh-token-number-1' } }
    }
  })
  const reply = post(running.url).catch(() => undefined)
  await asked
  await running.ended
  await reply
  delete hooks.rotated
  assert.equal((await run()).code, 0)
  assert.deepEqual(seen.refreshTokens, [FIRST, 'refresh-token-number-1'])
})

test('sluice run and credential test without an engine use and keep the same refresh token as the engine', async (t) => {
  const { folder, seen, engine, run, command } = await setUp(t, REFRESHING)
  assert.equal((await run()).code, 0)
  const tested = await command('credential', 'test', 'api')
  assert.equal(tested.code, 0, tested.stdout + tested.stderr)
  const running = await engine()
  assert.equal((await post(running.url)).status, 200)
  assert.equal((await command('credential', 'test', 'api')).code, 0)
  assert.deepEqual(
    seen.refreshTokens,
    [0, 1, 2, 3].map((number) => `refresh-token-number-${number}`),
  )
  const { stdout } = await command('credential', 'show', 'api')
  assert.match(stdout, /refresh token +given by the service/)
  assert.doesNotMatch(stdout + running.output(), /token-number/)
  assertSealed(folder)
})

test('with a wrong key nothing is asked and people are told; with the right one it goes on by itself', async (t) => {
  const { folder, seen, engine, run, command } = await setUp(t, REFRESHING)
  assert.equal((await run()).code, 0)
  const key = join(folder, 'data', 'age.key')
  renameSync(key, `${key}.kept`)
  writeFileSync(key, `${await makeIdentity()}\n`, { mode: 0o600 })
  const running = await engine()
  await running.shows(/the kept refresh token cannot be read/)
  const failed = await post(running.url)
  assert.equal(failed.status, 502)
  assert.equal(seen.refreshTokens.length, 1)
  const list = await command('credential', 'list')
  assert.match(list.stdout, /api .*locked/)
  const shown = (await command('credential', 'show', 'api')).stdout.replaceAll(/\s+/g, ' ')
  assert.match(shown, /is encrypted for another key than data\/age\.key has/)
  assert.match(shown, /Put the key that it was encrypted with into data\/age\.key or SLUICE_SECRET_KEY/)
  renameSync(`${key}.kept`, key)
  for (;;) if ((await post(running.url)).status === 200) break
  assert.deepEqual(seen.refreshTokens, [FIRST, 'refresh-token-number-1'])
})

test('exclusive: an engine that was killed is followed by one that has its token', async (t) => {
  const { folder, seen, engine, run, command } = await setUp(t, 'exclusive: true\n')
  const running = await engine()
  assert.equal((await post(running.url)).status, 200)
  running.kill('SIGKILL')
  await running.ended
  assertSealed(folder)
  const next = await engine()
  assert.equal((await post(next.url)).status, 200)
  next.kill('SIGTERM')
  await next.ended
  assert.equal((await run()).code, 0)
  assert.equal(seen.tokens, 1)
  assert.equal(new Set(seen.calls).size, 1)

  const dropped = await command('credential', 'invalidate', 'api')
  assert.equal(dropped.stdout, '"api": the token that was kept for the next engine is dropped\n')
  assert.match((await command('credential', 'invalidate', 'api')).stdout, /^nothing to drop: /)
  assert.equal((await run()).code, 0)
  assert.equal(seen.tokens, 2)
  const tested = await command('credential', 'test', 'api')
  assert.match(tested.stdout.replaceAll(/\s+/g, ' '), /a new token ends the one before/)
  assert.equal((await run()).code, 0)
  assert.deepEqual(seen.calls.slice(-1), ['Bearer access-token-number-3'])
})

test('exclusive: a test does not end the token of an engine that does not answer', async (t) => {
  const { folder, seen, engine, command } = await setUp(t, 'exclusive: true\n')
  await engine()
  renameSync(join(folder, 'data', 'sluice.sock'), join(folder, 'data', 'elsewhere.sock'))
  const { code, stderr } = await command('credential', 'test', 'api')
  assert.equal(code, 3)
  assert.match(stderr, /nothing was asked: "api" keeps its token, and another engine \(pid \d+\) uses/)
  assert.equal(seen.tokens, 0)
})
