import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { story } from '../stories/story.ts'

const root = join(import.meta.dirname, '..', '..')
const collection = join(root, 'docs', 'guide', 'postman-collection.json')
const newman = join(root, 'node_modules', 'newman', 'bin', 'newman.js')

interface Event {
  readonly listen: string
}

interface Collection {
  readonly variable: readonly { readonly key: string; readonly value: string }[]
  readonly item: readonly { readonly name: string; readonly event: readonly Event[] }[]
}

/** Runs the shipped collection, as Postman does: its requests in order, with the checks that stand in it. */
async function runCollection(t: TestContext, secretFor: (secret: string) => string) {
  const { start, sluice, copyMaterial, environment, leaks } = await story(t)
  await copyMaterial()
  const made = await sluice('client', 'create', 'shop')
  const secret = /^ {2}secret +(\S+)$/m.exec(made.stdout)![1]!
  const engine = await start()
  const variables = { url: engine.url, clientSecret: secretFor(secret) }
  const flags = Object.entries(variables).flatMap(([key, value]) => ['--env-var', `${key}=${value}`])
  const ran = await promisify(execFile)(
    process.execPath,
    [newman, 'run', collection, ...flags, '--color', 'off', '--disable-unicode'],
    { env: environment },
  ).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
  )
  await engine.stop()
  assert.deepEqual(await leaks(), [])
  return ran
}

describe('newman, the runner of Postman', () => {
  it('gets a token by Basic and calls with it, as the shipped collection says', async (t) => {
    const { code, stdout } = await runCollection(t, (secret) => secret)
    assert.equal(code, 0, stdout)
    const { item } = JSON.parse(await readFile(collection, 'utf8')) as Collection
    for (const { name } of item) assert.ok(stdout.includes(name), name)
    assert.match(stdout, /assertions +\| +11 +\| +0 /)
  })

  it('sees what a wrong secret gets', async (t) => {
    const { code, stdout } = await runCollection(t, () => 'wrong-secret-of-the-shop')
    assert.equal(code, 1)
    assert.match(stdout, /oauth2\/api\/v1\/token\S+ \[401 Unauthorized/)
  })
})

it('the collection holds no secret and no token', async () => {
  const { variable } = JSON.parse(await readFile(collection, 'utf8')) as Collection
  assert.deepEqual(
    variable.filter(({ value }) => value !== '').map(({ key, value }) => `${key} ${value}`),
    ['url http://127.0.0.1:8080', 'clientId shop'],
  )
})
