import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { parseEnv } from 'node:util'
import { practiceEnvironment, variablesOf } from '../../practice/environment.ts'

async function fileFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-practice-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'data', 'practice.env')
}

it('makes secrets that nobody knows, and keeps them in a file for its owner alone', async (t) => {
  const file = await fileFor(t)
  const { secrets, save } = await practiceEnvironment(file)
  await save('http://127.0.0.1:4711', 'http://127.0.0.1:8080')
  const environment = variablesOf(secrets, 'http://127.0.0.1:4711', 'http://127.0.0.1:8080')
  const values = Object.values(secrets)
  assert.equal(new Set(values).size, 8)
  assert.ok(values.every((secret) => secret.length >= 32))
  assert.equal(environment['PRACTICE_URL'], 'http://127.0.0.1:4711')
  assert.equal(environment['ENGINE_URL'], 'http://127.0.0.1:8080')
  assert.equal(environment['PRODUCT_CLIENT_SECRET'], secrets.productClient)
  assert.equal(environment['LMS_CLIENT_SECRET'], secrets.learning)
  assert.deepEqual({ ...parseEnv(await readFile(file, 'utf8')) }, environment)
  if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600)
})

it('uses the secrets of the file again, fills in what is missing, and writes the new address', async (t) => {
  const file = await fileFor(t)
  const first = await practiceEnvironment(file)
  await first.save('http://127.0.0.1:1111', 'http://127.0.0.1:8080')
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace(/^IOT_CLIENT_SECRET=.*$/m, 'IOT_CLIENT_SECRET='),
  )
  const second = await practiceEnvironment(file)
  assert.deepEqual({ ...second.secrets, iot: '' }, { ...first.secrets, iot: '' })
  assert.ok(second.secrets.iot.length >= 32)
  await second.save('http://127.0.0.1:2222', 'http://127.0.0.1:8081')
  const text = await readFile(file, 'utf8')
  assert.match(text, /^PRACTICE_URL=http:\/\/127\.0\.0\.1:2222$/m)
  assert.match(text, /^ENGINE_URL=http:\/\/127\.0\.0\.1:8081$/m)
})
