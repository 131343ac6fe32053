import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { KeySeal } from '../../src/access/key-seal.ts'
import { SigningKeys } from '../../src/access/signing-keys.ts'
import { Secret } from '../../src/core/secret.ts'
import type { StateStore } from '../../src/core/stores.ts'
import { SealedTokens } from '../../src/store/stored-tokens.ts'
import { askHidden } from '../../src/commands/hidden-question.ts'
import type { CommandIo } from '../../src/commands/command.ts'
import { makeIdentity, recipientOf } from '../../src/security/secret-cipher.ts'
import { SLOT } from '../store/stored-tokens-behaviour.ts'
import { stores } from '../store/support.ts'
import { sluice, type CommandSetting } from '../support/command-line.ts'
import { projectFolder } from '../support/project.ts'
import { KEY, RECIPIENT, secretFile } from '../support/secrets.ts'

const FILE = 'security-material/secrets.yaml'
const KEY_FILE = 'data/age.key'
const bearer = (secret: string) =>
  `type: bearer\ntoken: \${secret:${secret}}\nbaseUrl: https://api.example.com/\n`

/** A project, and the command in it. */
function setUp(t: TestContext, files: Record<string, string> = {}, environment: Record<string, string> = {}) {
  const folder = projectFolder(t, files)
  const outputs: string[] = []
  return {
    folder,
    outputs,
    read: (file: string) => readFileSync(join(folder, file), 'utf8'),
    at: (file: string) => join(folder, file),
    async secret(args: string[], setting: CommandSetting = {}) {
      const done = await sluice(t, ['secret', ...args], {}, { folder, environment, ...setting })
      outputs.push(done.stdout, done.stderr)
      return done
    },
    async check(args: string[] = []) {
      const done = await sluice(t, ['check', ...args], {}, { folder, environment })
      outputs.push(done.stdout, done.stderr)
      return done
    },
  }
}

test('the first secret makes a key; a credential that uses it is complete; nothing shows a value', async (t) => {
  const { secret, check, read, at, outputs } = setUp(t, { 'security-material/lms.yaml': bearer('lms') })
  assert.match((await check()).stdout, /lms\.yaml:2:8: warning: the secret "lms" is not there/)
  assert.equal((await check(['--secrets'])).code, 1)
  const first = await secret(['set', 'lms'], { input: 'geheim-of-lms-1\n' })
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /^made a key, data\/age\.key .*\n {2}public: age1\w+\n {2}Keep a copy/)
  assert.match(first.stdout, /added the secret "lms" to security-material\/secrets\.yaml\nused by "lms"\n$/)
  const again = await secret(['set', 'lms'], { input: 'geheim-of-lms-2\r\n' })
  assert.equal(again.stdout, `changed the secret "lms" in ${FILE}\nused by "lms"\n`)
  assert.equal((await check(['--secrets'])).code, 0)
  assert.match(read(KEY_FILE), /^# created: .*\n# public key: age1\w+\nAGE-SECRET-KEY-1\w+\n$/)
  if (process.platform !== 'win32') {
    assert.equal(statSync(at(KEY_FILE)).mode & 0o777, 0o600)
    assert.equal(statSync(at('data')).mode & 0o777, 0o700)
  }
  assert.deepEqual(readdirSync(at('security-material')).toSorted(), ['lms.yaml', 'secrets.yaml'])
  const key = /AGE-SECRET-KEY-1\w+/.exec(read(KEY_FILE))![0]
  const all = [...outputs, read(FILE)].join('\n')
  assert.ok(!all.includes(key))
  assert.doesNotMatch(all, /geheim/)
})

test('set works without the key; then check warns, and --secrets makes it an error', async (t) => {
  const { secret, check, at } = setUp(t, {
    [FILE]: await secretFile({ old: 'geheim-of-old' }),
    'security-material/api.yaml': bearer('api'),
  })
  const { code, stdout } = await secret(['set', 'api'], { input: 'geheim-of-api' })
  assert.equal(code, 0)
  assert.doesNotMatch(stdout, /made a key/)
  assert.ok(!existsSync(at(KEY_FILE)))
  const checked = await check()
  assert.equal(checked.code, 0)
  assert.match(checked.stdout, /api\.yaml:2:8: warning: the secret "api" cannot be read without the key/)
  assert.match(checked.stdout, /help: Put the key into data\/age\.key, or set SLUICE_SECRET_KEY\./)
  assert.equal((await check(['--secrets'])).code, 1)
  mkdirSync(at('data'))
  writeFileSync(at(KEY_FILE), KEY, { mode: 0o600 })
  assert.equal((await check(['--secrets'])).code, 0)
})

test('values that are none are refused, and nothing is written', async (t) => {
  const { secret, at } = setUp(t)
  for (const [input, says] of [
    ['', /the value is empty; nothing was written/],
    ['\n', /is empty/],
    [' \t\n', /is empty/],
    ['x'.repeat(64 * 1024 + 3), /has more than 64 KB/],
  ] as const) {
    const { code, stderr, stdout } = await secret(['set', 'a'], { input })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, says)
  }
  for (const name of ['1a', 'a/b', 'geheim value']) {
    const { code, stderr } = await secret(['set', name], { input: 'x' })
    assert.equal(code, 2)
    assert.match(stderr, /cannot be the name of a secret/)
  }
  const given = await secret(['set', 'a', 'geheim-7f3a'], { input: 'x' })
  assert.equal(given.code, 2)
  assert.doesNotMatch(given.stderr, /geheim/)
  assert.deepEqual([existsSync(at(FILE)), existsSync(at(KEY_FILE))], [false, false])
})

test('a person is asked, and the terminal shows nothing of what is typed', async () => {
  const ask = async (typed: string, parts = [typed]) => {
    const modes: boolean[] = []
    const stdin = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => void modes.push(raw) })
    let shown = ''
    const io = { stdin, stderr: (text: string) => (shown += text), signal: new AbortController().signal }
    const answer = askHidden(io as unknown as CommandIo, 'Value').finally(() => {
      assert.equal(shown, 'Value: \n')
      assert.deepEqual(modes, [true, false])
    })
    for (const part of parts) stdin.write(part)
    return answer
  }
  assert.equal(await ask('geheim\r'), 'geheim')
  assert.equal(await ask('gehx\x7fei\x1b[Dm ä😀😀\x7f\r'), 'gehim ä😀'.replace('gehim', 'geheim'))
  assert.equal(await ask('falsch\x15richtig\n'), 'richtig')
  assert.equal(await ask('', ['ge', 'heim', '\r']), 'geheim')
  await assert.rejects(ask('ge\x03'), { exitCode: 130 })
  await assert.rejects(ask('\x04'), { exitCode: 1 })
  await assert.rejects(ask('line 1\rline 2\r'), /several lines were pasted.*sluice secret set NAME < FILE/s)
})

test('set asks on a terminal', async (t) => {
  const { secret, read } = setUp(t, {}, { SLUICE_SECRET_KEY: KEY })
  const { code, stderr } = await secret(['set', 'a'], { answers: ['geheim'] })
  assert.deepEqual([code, stderr], [0, 'Value of "a" (not shown): \n'])
  assert.match(read(FILE), new RegExp(`  - ${RECIPIENT}\n`))
})

test('many at once: no secret is lost, and the file has its mode', async (t) => {
  const { secret, at } = setUp(t, { [FILE]: await secretFile({ old: 'x' }), [KEY_FILE]: KEY })
  chmodSync(at(FILE), 0o640)
  const names = Array.from({ length: 8 }, (_, n) => `s${n}`)
  const done = await Promise.all(names.map((name) => secret(['set', name], { input: `value of ${name}` })))
  assert.deepEqual(
    done.map(({ code }) => code),
    names.map(() => 0),
  )
  const { stdout } = await secret(['list', '--json'])
  const list = JSON.parse(stdout) as { name: string; state: string }[]
  assert.deepEqual(
    list.map(({ name, state }) => [name, state]),
    ['old', ...names].map((name) => [name, 'ready']),
  )
  if (process.platform !== 'win32') assert.equal(statSync(at(FILE)).mode & 0o777, 0o640)
})

test('list tells who uses what, what is missing and what cannot be read', async (t) => {
  const text = await secretFile({ a: 'geheim-a', b: 'geheim-b', c: 'geheim-c', foreign: 'geheim' })
  const foreign = await secretFile({ foreign: 'geheim' }, [(await recipientOf(await makeIdentity()))!])
  const line = (of: string, name: string) => new RegExp(`^  ${name}: .*$`, 'm').exec(of)![0]
  const odd = text
    .replace(line(text, 'foreign'), line(foreign, 'foreign'))
    .replace(line(text, 'b'), line(text, 'c').replace('c:', 'b:'))
    .replace(/^( {2}c: \S+ \S{100}).*$/m, '$1')
  const { secret } = setUp(t, {
    [FILE]: odd,
    [KEY_FILE]: KEY,
    'security-material/one.yaml': bearer('a'),
    'security-material/sub/two.yaml': bearer('a'),
    'security-material/three.yaml': bearer('none'),
    'security-material/four.yaml': `# \${secret:c}\n${bearer('b')}`,
  })
  const { code, stdout } = await secret(['list'], { columns: 80 })
  assert.equal(code, 0)
  assert.equal(
    stdout.split('\n\n')[0],
    `SECRET   CHANGED                  STATE      CREDENTIALS
a        2026-11-29 10:00:00 UTC  ready      one, two
b        2026-11-29 10:00:00 UTC  misplaced  four
c        2026-11-29 10:00:00 UTC  damaged    -
foreign  2026-11-29 10:00:00 UTC  other key  -
none     -                        missing    three`,
  )
  assert.match(stdout, /^what stands at the secret "b" was encrypted as "c"\n {2}A line was moved/m)
  assert.match(
    stdout,
    /^the secret "none" is not in security-material\/secrets\.yaml\n {2}Put it there: sluice secret set none$/m,
  )
  assert.doesNotMatch(stdout, /geheim/)
  const empty = setUp(t)
  assert.equal((await empty.secret(['list'])).stdout, `there are no secrets in ${FILE}\n`)
})

test('remove names who uses it, and wants --force then', async (t) => {
  const { secret, read } = setUp(t, {
    [FILE]: await secretFile({ used: 'x', unused: 'y' }),
    'security-material/one.yaml': bearer('used'),
  })
  assert.equal((await secret(['remove', 'unused'])).stdout, `removed the secret "unused" from ${FILE}\n`)
  const refused = await secret(['remove', 'used'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /is used by "one"; without it their requests fail\n {2}--force removes it/)
  assert.match(read(FILE), /^ {2}used: /m)
  const forced = await secret(['remove', 'used', '--force'])
  assert.deepEqual([forced.code, forced.stdout.split('\n')[1]], [0, '"one" cannot be used without it'])
  assert.doesNotMatch(read(FILE), /^ {2}used: /m)
  const none = await secret(['remove', 'usde'])
  assert.deepEqual([none.code, none.stderr], [1, `sluice: there is no secret "usde" in ${FILE}\n`])
})

test('rekey: a new key takes over, the old one stays until it is finished', async (t) => {
  const { secret, check, read, at } = setUp(t, {
    [FILE]: await secretFile({ a: 'geheim-a', b: 'geheim-b' }),
    [KEY_FILE]: `${KEY}\n`,
    'security-material/one.yaml': bearer('a'),
  })
  chmodSync(at(KEY_FILE), 0o600)
  const before = read(FILE)
  const { code, stdout } = await secret(['rekey'])
  assert.equal(code, 0)
  assert.match(stdout, /^encrypted all 2 secrets in security-material\/secrets\.yaml anew, with a new key\n/)
  assert.ok(!read(FILE).includes(RECIPIENT))
  assert.match(read(FILE), /^ {2}a: 2026-11-29T10:00:00Z /m)
  assert.equal(read(KEY_FILE).match(/^AGE-SECRET-KEY-1/gm)!.length, 2)
  assert.deepEqual([(await check(['--secrets'])).code], [0])

  const after = read(FILE)
  writeFileSync(at(FILE), before)
  assert.equal((await check(['--secrets'])).code, 0, 'the file before can still be read')
  writeFileSync(at(FILE), after)

  const finished = await secret(['rekey', '--finish'])
  assert.equal(finished.stdout, `took the old key out of ${KEY_FILE}\n  public: ${RECIPIENT}\n`)
  assert.ok(!read(KEY_FILE).includes(KEY))
  assert.equal((await check(['--secrets'])).code, 0)
  assert.equal((await secret(['rekey', '--finish'])).stdout, `there is no old key in ${KEY_FILE}\n`)
  if (process.platform !== 'win32') assert.equal(statSync(at(KEY_FILE)).mode & 0o777, 0o600)

  writeFileSync(at(FILE), before)
  const old = await check()
  assert.equal(old.code, 1)
  assert.match(
    old.stdout,
    /one\.yaml:2:8: the secret "a" is encrypted for another key than the one of data\/age\.key \[credential\/secret\]/,
  )
})

test('rekey --finish encrypts what else the data folder holds for the new key, and changes nothing while an engine has it', async (t) => {
  const KEYS_FILE = 'data/access-keys.json'
  const { secret, read, folder, at } = setUp(t, {
    [FILE]: await secretFile({ a: 'geheim-a' }),
    [KEY_FILE]: `${KEY}\n`,
  })
  const engine = await stores(t, { folder: join(folder, 'data') })
  const tokensOf = (state: StateStore) =>
    new SealedTokens({
      state,
      clock: engine.clock,
      log: engine.log,
      redactor: { add: () => {} },
      keys: { environment: {}, keyFile: at(KEY_FILE), shownKeyFile: KEY_FILE },
      mayMakeKey: false,
    })
  const signingKeys = () => {
    const sealing = {
      keys: { environment: {}, keyFile: at(KEY_FILE), shownKeyFile: KEY_FILE },
      mayMakeKey: false,
      hide: () => {},
    }
    return SigningKeys.open(at(KEYS_FILE), engine.clock, new KeySeal(at(KEYS_FILE), sealing, engine.log))
  }
  const { kid } = (await signingKeys()).current()
  await tokensOf(engine.state).keep(SLOT, new Secret('the-newest-refresh-token'))
  assert.equal((await secret(['rekey'])).code, 0)
  const both = read(KEY_FILE)
  const refused = await secret(['rekey', '--finish'])
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /nothing was changed: the tokens that are kept may need the old key, and another engine .*uses ".*"\n {2}Stop the engine, finish, and start it again\./,
  )
  assert.equal(read(KEY_FILE), both)
  await engine.close()
  const finished = await secret(['rekey', '--finish'])
  assert.deepEqual([finished.code, finished.stderr], [0, ''])
  assert.ok(!read(KEY_FILE).includes(KEY))
  const later = await stores(t, { folder: join(folder, 'data') })
  assert.equal(
    (await tokensOf(later.state).read(SLOT))?.content.reveal(),
    'the-newest-refresh-token',
    'the new key opens it',
  )
  assert.ok(!read(KEYS_FILE).includes(RECIPIENT))
  assert.equal((await signingKeys()).current().kid, kid, 'the new key opens the signing keys, too')
})

test('rekey with the key in the environment says what to do with it', async (t) => {
  const { secret, read } = setUp(t, { [FILE]: await secretFile({ a: 'x' }) }, { SLUICE_SECRET_KEY: KEY })
  const { stdout } = await secret(['rekey'])
  assert.match(stdout, /SLUICE_SECRET_KEY holds the old key: put the new one into it, from data\/age\.key/)
  assert.ok(!read(KEY_FILE).includes(KEY))
  assert.match((await secret(['key'])).stdout, /\n {2}SLUICE_SECRET_KEY; the secrets are not for it\n/)
})

test('rekey --add and --remove: others may read the secrets, or may no longer', async (t) => {
  const other = await makeIdentity()
  const recipient = (await recipientOf(other))!
  const { secret, read, at } = setUp(t, { [FILE]: await secretFile({ a: 'geheim-a' }), [KEY_FILE]: KEY })
  assert.equal((await secret(['rekey', '--add', recipient])).code, 0)
  const { stdout } = await secret(['key'])
  assert.equal(
    stdout,
    `${RECIPIENT}\n  data/age.key; can read the secrets\n${recipient}\n  a key that is elsewhere; can read the secrets\n`,
  )
  const state = async () =>
    (JSON.parse((await secret(['list', '--json'])).stdout) as { state: string }[])[0]!.state
  writeFileSync(at(KEY_FILE), other)
  assert.equal(await state(), 'ready')
  assert.equal((await secret(['rekey', '--remove', RECIPIENT])).code, 0)
  assert.equal(await state(), 'ready')
  writeFileSync(at(KEY_FILE), KEY)
  assert.equal(await state(), 'other key')

  const text = read(FILE)
  for (const [args, says] of [
    [['--add', RECIPIENT], /"a" cannot be read with the key that is here/],
    [['--add', 'geheim'], /cannot be read/],
  ] as const) {
    const refused = await secret(['rekey', ...args])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, says)
  }
  writeFileSync(at(KEY_FILE), other)
  assert.match((await secret(['rekey', '--add', 'age1nobody'])).stderr, /"age1nobody" is no recipient/)
  assert.match(
    (await secret(['rekey', '--remove', recipient])).stderr,
    /you could not read the secrets any more/,
  )
  assert.match((await secret(['rekey', '--remove', RECIPIENT])).stderr, /are not encrypted for/)
  assert.equal(read(FILE), text)
})

test('rekey that cannot write the new key changes nothing', async (t) => {
  const { secret, read, at } = setUp(t, { [FILE]: await secretFile({ a: 'x' }) }, { SLUICE_SECRET_KEY: KEY })
  const before = read(FILE)
  mkdirSync(join(at(KEY_FILE), 'in-the-way'), { recursive: true })
  const { code, stderr } = await secret(['rekey'])
  assert.equal(code, 1, stderr)
  assert.match(stderr, /data\/age\.key/)
  assert.equal(read(FILE), before)
  assert.deepEqual(readdirSync(at('data')), ['age.key'])
})

test('a half-written file is not built upon', async (t) => {
  const half = (await secretFile({ a: 'x', b: 'y' })).slice(0, -60)
  const { secret, check, read } = setUp(t, {
    [FILE]: half,
    [KEY_FILE]: KEY,
    'security-material/one.yaml': bearer('a'),
  })
  for (const args of [['set', 'c'], ['remove', 'b'], ['rekey']]) {
    const { code, stderr } = await secret(args, { input: 'geheim' })
    assert.equal(code, 1)
    assert.match(
      stderr,
      /secrets\.yaml:7:1: the file is half-written.*\n {2}Take the file from version control/,
    )
  }
  assert.equal(read(FILE), half)
  const { code, stdout } = await check()
  assert.equal(code, 1)
  assert.match(
    stdout,
    /secrets\.yaml:7:1: the file is half-written: it does not end with a line "\.\.\." \[secret\/file\]/,
  )
  assert.match(
    stdout,
    /one\.yaml:2:8: warning: the secret "a" cannot be read: security-material\/secrets\.yaml:7: /,
  )
})

test('key --new makes one where there is none; another place by settings', async (t) => {
  const { secret, at, read } = setUp(t, {
    'sluice.yaml': 'secret: { file: keys/all.yaml, keyFile: keys/own.key }\n',
  })
  assert.match((await secret(['key'])).stdout, /there is no key yet/)
  const made = await secret(['key', '--new'])
  assert.match(made.stdout, /^made a key, keys\/own\.key /)
  assert.equal((await secret(['key', '--new'])).code, 1)
  assert.equal(
    (await secret(['set', 'a'], { input: 'x' })).stdout.split('\n')[0],
    'added the secret "a" to keys/all.yaml',
  )
  const [, recipient] = /public: (age1\w+)/.exec(made.stdout)!
  assert.ok(read('keys/all.yaml').includes(recipient!))
  assert.deepEqual(JSON.parse((await secret(['key', '--json'])).stdout), [
    { recipient, key: 'keys/own.key', opens: true },
  ])
  renameSync(at('keys/own.key'), at('keys/other.key'))
  assert.equal((await secret(['rekey'])).code, 1)
})

test('new credential takes secret:NAME, and says how to set it; the name of the file is refused', async (t) => {
  const args = ['new', 'credential', 'shop', '--type', 'bearer', '--base-url', 'https://a.example.com/']
  const { folder, read } = setUp(t)
  const made = await sluice(t, [...args, '--secret', 'secret:shop'], {}, { folder })
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /^ {2}npx sluice secret set shop +# asks for the secret, and encrypts it$/m)
  assert.match(read('security-material/shop.yaml'), /^token: \$\{secret:shop\}$/m)
  await sluice(t, ['secret', 'set', 'jam'], {}, { folder, input: 'x' })
  const there = await sluice(t, [...args, '--secret', '${secret:jam}'].with(2, 'jam'), {}, { folder })
  assert.equal(there.code, 0)
  assert.doesNotMatch(there.stdout, /secret set/)
  const taken = await sluice(t, args.with(2, 'secrets'), {}, { folder })
  assert.equal(taken.code, 1)
  assert.match(taken.stderr, /is the file of the encrypted secrets; choose another name/)
})

test('a person is offered the encrypted secrets first where there are some', async (t) => {
  const { folder, read } = setUp(t, { [FILE]: await secretFile({ x: 'y' }) })
  const answers = ['https://a.example.com/', '']
  const { code, stderr } = await sluice(
    t,
    ['new', 'credential', 'shop', '--type', 'bearer'],
    {},
    { folder, answers },
  )
  assert.equal(code, 0, stderr)
  assert.match(stderr, /Where its secret is kept: [^]*\[secret:shop\]: /)
  assert.match(read('security-material/shop.yaml'), /^token: \$\{secret:shop\}$/m)
})

test('a folder that cannot be written is told without a stack', async (t) => {
  const { secret } = setUp(t, { 'security-material': 'a file' }, { SLUICE_SECRET_KEY: KEY })
  const { code, stderr } = await secret(['set', 'a'], { input: 'geheim' })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^sluice: (nothing was changed: E\w+ at|security-material\/secrets\.yaml cannot be read)/,
  )
  assert.doesNotMatch(stderr, /geheim/)
})
