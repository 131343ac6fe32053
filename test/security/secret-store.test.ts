import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createRedactor } from '../../src/security/redaction.ts'
import { makeIdentity, recipientOf } from '../../src/security/secret-cipher.ts'
import { SecretStore } from '../../src/security/secret-store.ts'
import { projectWith } from '../support/files.ts'
import { KEY, RECIPIENT, secretFile } from '../support/secrets.ts'

const SECRETS = 'security-material/secrets.yaml'
const TEXT = await secretFile({ a: 'value-of-a-0123', b: 'value-of-b-0123', long: 'l1\nl2\n€😀' })
/** Two lines of secrets, each under the name of the other. */
const SWAPPED = TEXT.replace(/^ {2}a: (.*)\n {2}b: (.*)$/m, '  a: $2\n  b: $1')

function setUp(
  t: TestContext,
  text: string | undefined,
  environment: Record<string, string> = { SLUICE_SECRET_KEY: KEY },
) {
  const projectFolder = projectWith(
    t,
    text === undefined ? { 'data/x': '' } : { [SECRETS]: text, 'data/x': '' },
  )
  const redactor = createRedactor()
  const at = (file: string) => join(projectFolder, file)
  const store = new SecretStore({
    file: at(SECRETS),
    keyFile: at('data/age.key'),
    projectFolder,
    environment,
    redactor,
  })
  return { store, redactor, at, write: (file: string, content: string) => writeFileSync(at(file), content) }
}

test('secrets are opened by name, several lines and all of Unicode too', async (t) => {
  const { store, redactor } = setUp(t, TEXT)
  await store.open(['a', 'long'])
  assert.deepEqual(store.value('a'), { value: 'value-of-a-0123' })
  assert.deepEqual(store.value('long'), { value: 'l1\nl2\n€😀' })
  assert.deepEqual(store.problems, [])
  assert.equal(redactor.text(`key ${KEY}`), 'key [secret]')
})

test('an encrypted text tells little of the length of its secret', async () => {
  const short = await secretFile({ a: 'x' })
  const long = await secretFile({ a: 'x'.repeat(80) })
  assert.equal(short.length, long.length)
})

test('what stands at another name is not taken for it', async (t) => {
  const { store } = setUp(t, SWAPPED)
  await store.open(['a', 'b', 'long'])
  for (const [name, other] of ['ab', 'ba']) {
    const opened = store.value(name!)
    assert.ok('message' in opened)
    assert.equal(opened.state, 'misplaced')
    assert.equal(opened.message, `what stands at the secret "${name}" was encrypted as "${other}"`)
    assert.match(opened.hint, /sluice secret set [ab]$/)
    assert.equal(opened.related![0]!.file, SECRETS)
  }
  assert.ok('value' in store.value('long'))
})

test('a damaged text is told, whichever of its characters is another', async (t) => {
  const encrypted = /^ {2}a: \S+ (\S+)$/m.exec(TEXT)![1]!
  const { store, write } = setUp(t, TEXT)
  for (let index = 0; index < encrypted.length - 2; index += 13) {
    const other = encrypted[index] === 'A' ? 'B' : 'A'
    write(SECRETS, TEXT.replace(encrypted, encrypted.slice(0, index) + other + encrypted.slice(index + 1)))
    await store.open(['a'])
    const opened = store.value('a')
    assert.ok('message' in opened, `character ${index}`)
    assert.match(opened.message, /is damaged|is encrypted for another key/)
  }
  write(SECRETS, TEXT.replace(encrypted, encrypted.slice(0, -8)))
  await store.open(['a'])
  assert.equal((store.value('a') as { state: string }).state, 'damaged')
})

test('without a key it says where to put one; it is watched until it is there', async (t) => {
  const { store, at, write } = setUp(t, TEXT, {})
  await store.open(['a'])
  assert.deepEqual(store.value('a'), {
    state: 'no key',
    why: 'cannot be read without the key',
    hint: 'Put the key into data/age.key, or set SLUICE_SECRET_KEY.',
    kept: true,
  })
  assert.deepEqual(store.files, [at(SECRETS), at('data/age.key')])
  write('data/age.key', `# public key: ${RECIPIENT}\n${KEY}\n`)
  await store.open(['a'])
  assert.ok('value' in store.value('a'))
  assert.deepEqual(store.files, [at(SECRETS)])
})

test('another key is told from a damaged text, and says for whom it is', async (t) => {
  const other = await makeIdentity()
  const { store, at } = setUp(t, TEXT, { SLUICE_SECRET_KEY: other })
  await store.open(['a'])
  const opened = store.value('a')
  assert.ok('message' in opened)
  assert.equal(
    opened.message,
    'the secret "a" is encrypted for another key than the one of SLUICE_SECRET_KEY',
  )
  assert.ok(opened.hint.endsWith(`sluice secret rekey --add ${await recipientOf(other)}`))
  assert.equal(opened.related![0]!.message, `encrypted for ${RECIPIENT.slice(0, 16)}…`)
  assert.ok(!JSON.stringify(opened).includes(other))
  assert.deepEqual(store.files, [at(SECRETS), at('data/age.key')])
})

test('the keys of the environment and of the file are tried together', async (t) => {
  const both = await secretFile({ a: 'for the file' })
  const { store, write } = setUp(t, both, {
    SLUICE_SECRET_KEY: `${await makeIdentity()}, ${await makeIdentity()}`,
  })
  write('data/age.key', `# old\n${await makeIdentity()}\n\n${KEY} # new\n`)
  await store.open(['a'])
  assert.deepEqual(store.value('a'), { value: 'for the file' })
})

test('what is no key is told without being shown, and without a line of its file', async (t) => {
  const { store, at, write } = setUp(t, TEXT, { SLUICE_SECRET_KEY: 'AGE-SECRET-KEY-1GEHEIM' })
  write('data/age.key', 'geheim-geheim\n')
  await store.open(['a'])
  assert.deepEqual(
    store.problems.map(({ file, line, severity, message }) => [file, line, severity, message]),
    [
      ['environment variable SLUICE_SECRET_KEY', 0, 'error', 'this is no key'],
      ...(process.platform === 'win32'
        ? []
        : [['data/age.key', 0, 'warning', 'others on this machine can read the key of the secrets']]),
      ['data/age.key', 0, 'error', 'this is no key'],
    ],
  )
  assert.doesNotMatch(JSON.stringify(store.problems), /geheim/i)
  chmodSync(at('data/age.key'), 0o600)
  write('data/age.key', KEY)
  await store.open(['a'])
  assert.deepEqual(
    store.problems.map(({ file }) => file),
    ['environment variable SLUICE_SECRET_KEY'],
  )
  assert.ok('value' in store.value('a'))
})

test('a secret or a file that is not there has no value; a file with mistakes keeps what was', async (t) => {
  const { store, at, write } = setUp(t, TEXT)
  await store.open(['a', 'lnog'])
  const missing = store.value('lnog')
  assert.ok('why' in missing)
  assert.equal(missing.why, `is not in ${SECRETS}`)
  assert.equal(missing.hint, 'Did you mean "long"? If not, put it there: sluice secret set lnog')
  assert.equal(missing.kept, undefined)

  write(SECRETS, TEXT.slice(0, -40))
  await store.open(['a', 'lnog'])
  for (const name of ['a', 'lnog']) {
    const opened = store.value(name)
    assert.ok('why' in opened)
    assert.match(
      opened.why,
      /^cannot be read: security-material\/secrets\.yaml:\d+: the file is half-written/,
    )
    assert.equal(opened.kept, true)
  }
  assert.equal(store.problems.length, 1)

  write(SECRETS, TEXT.replace(/^ {2}a: /m, '  a '))
  await store.open(['a', 'b'])
  assert.match((store.value('a') as { why: string }).why, /:6: this is no line of a secret file$/)
  assert.ok('value' in store.value('b'))

  rmSync(at(SECRETS))
  await store.open(['a'])
  const gone = store.value('a')
  assert.ok('why' in gone)
  assert.equal(gone.why, `is not there: there is no ${SECRETS}`)
  assert.equal(gone.kept, undefined)
  assert.deepEqual(store.problems, [])
})

test('what was decrypted is not decrypted again: the key may be gone by then', async (t) => {
  const { store, at, write } = setUp(t, TEXT, {})
  write('data/age.key', KEY)
  await store.open(['a', 'b'])
  rmSync(at('data/age.key'))
  write(SECRETS, `${TEXT}\n`)
  await store.open(['b', 'a'])
  assert.deepEqual(store.value('a'), { value: 'value-of-a-0123' })
  assert.deepEqual(store.value('b'), { value: 'value-of-b-0123' })
})

test('of a thousand secrets only those that are asked for are decrypted', async (t) => {
  // All others are for another key: had they been opened, they would be known.
  const text = await secretFile({ wanted: 'value-of-wanted' })
  const other = await secretFile({ other: 'x' }, [(await recipientOf(await makeIdentity()))!])
  const [, line] = /^ {2}other(: .*)$/m.exec(other)!
  const lines = Array.from({ length: 1000 }, (_, n) => `  secret-${n}${line}`)
  const { store, at } = setUp(t, text.replace('secrets:\n', `secrets:\n${lines.join('\n')}\n`))
  await store.open(['wanted'])
  assert.deepEqual(store.value('wanted'), { value: 'value-of-wanted' })
  assert.equal(store.names().length, 1001)
  assert.deepEqual(store.files, [at(SECRETS)])
  assert.deepEqual(store.value('secret-1'), {
    state: 'unreadable',
    why: 'is not decrypted yet',
    hint: 'Write the reference on one line, without escapes.',
    kept: true,
  })
})
