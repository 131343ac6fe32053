import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commands } from '../../src/commands/index.ts'
import { sluice } from '../support/command-line.ts'

const good =
  'steps:\n  - endpoint: { path: /a, access: public }\n  - respond: { body: { got: "${body.n}" } }\n'

test('every command has a help text with its examples', async (t) => {
  for (const { name, examples } of commands) {
    const { code, stdout } = await sluice(t, [...name.split(' '), '--help'])
    assert.equal(code, 0, name)
    assert.match(stdout, /Usage: sluice/)
    for (const example of examples) assert.ok(stdout.includes(example), `${name}: ${example}`)
  }
})

test('help fits a terminal of 80 columns', async (t) => {
  const groups = [[], ['new'], ['flow'], ['credential']]
  for (const words of [...groups, ...commands.map(({ name }) => name.split(' '))]) {
    const { stdout } = await sluice(t, [...words, '--help'], {}, { columns: 80 })
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  }
})

test('an error is broken where the terminal ends; elsewhere it stays on one line', async (t) => {
  const args = ['start', '--log-level', 'loud']
  const [shown, piped] = [
    await sluice(t, args, {}, { terminal: true, columns: 80 }),
    await sluice(t, args, {}, { columns: 80 }),
  ]
  for (const line of shown.stderr.split('\n')) assert.ok(line.length <= 80, line)
  assert.equal(shown.stderr.replaceAll(/\s+/g, ' '), piped.stderr.replaceAll(/\s+/g, ' '))
  assert.equal(piped.stderr.split('\n').length, 2)
})

test('a data folder that cannot be made is told with what to do', async (t) => {
  for (const command of [['start'], ['dev'], ['run', 'a']])
    for (const data of ['a.txt', 'a.txt/b']) {
      const { code, stderr } = await sluice(t, [...command, '--data', data], { 'a.txt': '' })
      assert.equal(code, 3)
      assert.match(
        stderr,
        /^sluice: the data folder ".*a\.txt.*" cannot be made: a file .*\n {2}Choose another one \(--data/,
      )
    }
})

test('flow show and credential show: a name that is none', async (t) => {
  const files = {
    'flows/orders.yaml': good,
    'security-material/shop.yaml': 'type: bearer\ntoken: ${env:X}\nbaseUrl: https://a.example.com\n',
  }
  for (const [args, says] of [
    [['flow', 'show', 'ordrs'], 'there is no flow "ordrs"; did you mean "orders"?'],
    [['flow', 'show', 'nothing'], 'there is no flow "nothing"; `sluice flow list` lists them'],
    [['credential', 'show', 'shpo'], 'there is no credential "shpo"; did you mean "shop"?'],
    [
      ['credential', 'show', 'nothing'],
      'there is no credential "nothing"; `sluice credential list` lists them',
    ],
  ] as const) {
    const { code, stderr } = await sluice(t, [...args], files)
    assert.deepEqual([code, stderr], [1, `sluice: ${says}\n`])
  }
})

test('an unknown command or flag exits with 2 and suggests the near one', async (t) => {
  const command = await sluice(t, ['strat'])
  assert.equal(command.code, 2)
  assert.match(command.stderr, /unknown command 'strat'[^]*Did you mean start/)
  const flag = await sluice(t, ['check', '--secret'])
  assert.equal(flag.code, 2)
  assert.match(flag.stderr, /unknown option '--secret'[^]*--secrets/)
  assert.equal((await sluice(t, ['run'])).code, 2)
  assert.equal((await sluice(t, ['flow', 'lst'])).code, 2)
})

test('--version and --help exit with 0; no command at all shows the help', async (t) => {
  assert.match((await sluice(t, ['--version'])).stdout, /^\d+\.\d+\.\d+/)
  assert.equal((await sluice(t, ['--help'])).code, 0)
  assert.match((await sluice(t, [])).stderr, /Usage: sluice/)
})

test('check: 0 without errors, 1 with errors, and --json gives the problems', async (t) => {
  const fine = await sluice(t, ['check'], { 'flows/a.yaml': good })
  assert.deepEqual([fine.code, fine.stdout], [0, '1 flow, no problems\n'])
  const bad = await sluice(t, ['check'], { 'flows/a.yaml': good, 'flows/b.yaml': 'steps:\n  - lgo: x\n' })
  assert.equal(bad.code, 1)
  assert.match(bad.stdout, /flows\/b\.yaml:2:5: .*"lgo".*did you mean "log"/)
  const json = await sluice(t, ['check', '--json'], {}, { folder: bad.folder })
  assert.equal((JSON.parse(json.stdout) as { problems: { line: number }[] }).problems[0]!.line, 2)
  assert.match((await sluice(t, ['check'])).stdout, /flows:1:1: warning: there is no such folder/)
})

test('check: a secret that is not set is a warning that names the flows, and an error with --secrets', async (t) => {
  const files = {
    'flows/a.yaml': 'steps:\n  - timer: { every: 1h }\n  - http: { url: /x, credential: api }\n',
    'security-material/api.yaml':
      'type: bearer\ntoken: ${env:NOT_SET_HERE}\nbaseUrl: https://api.example.com\n',
  }
  const lenient = await sluice(t, ['check'], files)
  assert.equal(lenient.code, 0)
  assert.match(lenient.stdout, /security-material\/api\.yaml:2:8: warning: .*NOT_SET_HERE.*\n[^]*\b1 warning/)
  assert.match(lenient.stdout, /flow "a"/)
  assert.equal((await sluice(t, ['check', '--secrets'], files)).code, 1)
})

test('check: two flows on one path and method are a problem that names both places', async (t) => {
  const { code, stdout } = await sluice(t, ['check'], {
    'flows/a.yaml': good,
    'flows/b.yaml': good,
    'flows/c.yaml': good.replace('path: /a', 'path: /a, method: GET'),
  })
  assert.equal(code, 1)
  assert.match(stdout, /flows\/b\.yaml:2:\d+: .*"a"/)
  assert.match(stdout, /flows\/a\.yaml:2/)
  assert.doesNotMatch(stdout, /flows\/c\.yaml/)
})

test('check: wrong settings are problems like others, and the rest is checked all the same', async (t) => {
  const files = {
    'sluice.yaml': 'listn: 1\nshutdown: { grace: 30 }\n',
    'flows/a.yaml': 'steps:\n  - lgo: x\n',
  }
  const { code, stdout, folder } = await sluice(t, ['check'], files)
  assert.equal(code, 1)
  assert.match(stdout, /sluice\.yaml:1:1: .*"listn".*"listen"/)
  assert.match(stdout, /sluice\.yaml:2:20: [^]*shutdown: \{ grace: 30 \}/)
  assert.match(stdout, /flows\/a\.yaml:2:5: .*"lgo"[^]*3 errors in 2 files/)
  const json = await sluice(t, ['check', '--json'], {}, { folder })
  assert.equal((JSON.parse(json.stdout) as { errors: number }).errors, 3)
})

test('a wrong value of a flag is wrong usage; one of a variable is a problem without a position', async (t) => {
  const flag = await sluice(t, ['start', '--log-level', 'loud'])
  assert.deepEqual(
    [flag.code, flag.stderr],
    [
      2,
      'sluice: option --log-level: "loud" is no value of the setting "log.level"; "debug", "info", "warn" or "error" is wanted\n',
    ],
  )
  for (const command of ['run', 'start']) {
    const variable = await sluice(
      t,
      [command, ...(command === 'run' ? ['a'] : [])],
      { 'flows/a.yaml': good },
      { environment: { SLUICE_LOG_LEVEL: 'loud' } },
    )
    assert.equal(variable.code, 1)
    assert.match(
      variable.stderr,
      /^environment variable SLUICE_LOG_LEVEL: "loud" is no value of the setting "log\.level"; [^\n]*\n\n1 error\n$/,
    )
  }
})

test('a project folder that is not there is wrong usage', async (t) => {
  const missing = await sluice(t, ['-C', 'nowhere', 'check'])
  assert.deepEqual([missing.code, missing.stderr], [2, 'sluice: --project: there is no folder "nowhere"\n'])
  const file = await sluice(t, ['-C', 'a.yaml', 'check'], { 'a.yaml': '' })
  assert.deepEqual([file.code, file.stderr], [2, 'sluice: --project: "a.yaml" is no folder\n'])
})

test('run: a message log elsewhere is named where it says how to look into it', async (t) => {
  const files = {
    'flows/a.yaml': 'steps:\n  - fail: { message: no }\n',
    'there/sluice.yaml': '',
    'there/flows/a.yaml': 'steps:\n  - fail: { message: no }\n',
  }
  const { stderr, folder } = await sluice(t, ['run', 'a'], files)
  assert.match(stderr, /see: sluice log [0-9a-f]{12}\n/)
  const shown = async (args: string[], environment: Record<string, string> = {}) =>
    /see: (.*) [0-9a-f]{12}\n/.exec((await sluice(t, args, {}, { folder, environment })).stderr)?.[1]
  assert.equal(await shown(['run', 'a', '--data', 'my logs']), "sluice log --data 'my logs'")
  assert.equal(await shown(['run', 'a', '--data', "it's"]), String.raw`sluice log --data 'it'\''s'`)
  assert.equal(await shown(['run', 'a', '--data', './data']), 'sluice log')
  assert.equal(await shown(['run', 'a'], { SLUICE_DATA: 'other' }), 'sluice log --data other')
  assert.equal(await shown(['-C', 'there', 'run', 'a']), 'sluice log --data there/data')
})

test('run: Ctrl-C while it waits for the body ends it', async (t) => {
  const abort = new AbortController()
  const args = ['run', 'a', '--body', '-']
  const running = sluice(
    t,
    args,
    { 'flows/a.yaml': good },
    {
      answers: ['{'],
      signal: abort.signal,
      onStderr: (text) =>
        text.startsWith('Type the body; Ctrl-D ends it.') && setImmediate(() => abort.abort()),
    },
  )
  const { code, stderr } = await running
  assert.deepEqual(
    [code, stderr],
    [130, 'Type the body; Ctrl-D ends it.\nsluice: interrupted; nothing was run\n'],
  )
})

test('run: prints the outcome and the reply, takes a body from standard input, and exits with 0', async (t) => {
  const { code, stdout, stderr } = await sluice(
    t,
    ['run', 'a', '--body', '-'],
    { 'flows/a.yaml': good },
    { input: '{"n": 5}' },
  )
  assert.equal(code, 0)
  assert.equal(stdout, '{"got":5}\n')
  assert.match(stderr, /COMPLETED a in .* run [0-9a-f-]{36}/)
})

test('run: a failed flow exits with 1 and says where and why', async (t) => {
  const { code, stdout, stderr } = await sluice(t, ['run', 'a'], {
    'flows/a.yaml': 'steps:\n  - fail: { message: no stock, code: order.stock }\n',
  })
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /FAILED a/)
  assert.match(stderr, /order\.stock in step "fail": no stock\n\s+at flows\/a\.yaml:2:5/)
})

test('run: headers and parameters reach the flow; unknown ones are named', async (t) => {
  const files = {
    'flows/a.yaml':
      'parameters: { n: { type: number, default: 1 } }\nsteps:\n  - set: { body: "${param.n + 1} ${headers[\'x-a\']}" }\n',
  }
  assert.equal(
    (await sluice(t, ['run', 'a', '--param', 'n=41', '--header', 'X-A: b'], files)).stdout,
    '42 b\n',
  )
  const unknown = await sluice(t, ['run', 'a', '--param', 'm=41'], files)
  assert.deepEqual(
    [unknown.code, unknown.stderr],
    [2, 'sluice: the flow "a" has no parameter "m"; it has "n"\n'],
  )
  const wrong = await sluice(t, ['run', 'a', '--param', 'n=many', '--json'], files)
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /^sluice: .*"n".*number.*\n$/)
  assert.equal((await sluice(t, ['run', 'a', '--param', 'n'], files)).code, 2)
})

test('run: an unknown flow suggests the near one; a broken one shows its problems', async (t) => {
  const files = { 'flows/orders.yaml': good, 'flows/bad.yaml': 'steps:\n  - lgo: x\n' }
  const unknown = await sluice(t, ['run', 'order'], files)
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /no flow "order"; did you mean "orders"\?/)
  const broken = await sluice(t, ['run', 'bad'], files)
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /flows\/bad\.yaml:2:5/)
})

test('run --json gives outcome and reply as one document', async (t) => {
  const { stdout } = await sluice(
    t,
    ['run', 'a', '--json', '--body', '-'],
    { 'flows/a.yaml': good },
    { input: '{"n": 5}' },
  )
  const report = JSON.parse(stdout) as {
    status: string
    duration: number
    reply: { body: string; status: number }
  }
  assert.match(String(report.duration), /^\d+(\.\d{1,3})?$/)
  assert.deepEqual([report.status, report.reply.status, report.reply.body], ['COMPLETED', 200, '{"got":5}'])
})

test('flow list and flow show say what starts a flow, what it needs and where its steps stand', async (t) => {
  const files = {
    'flows/a.yaml': good,
    'flows/night.yaml':
      'description: At night.\nsteps:\n  - timer: { cron: "0 2 * * *", timezone: Europe/Brussels }\n  - choose:\n      cases:\n        - if: "true"\n          steps: [{ log: x }]\n',
    'flows/off.yaml': 'enabled: false\nsteps: [{ log: x }]\n',
  }
  const list = await sluice(t, ['flow', 'list'], files)
  assert.match(list.stdout, /a\s+stopped\s+endpoint POST \/a/)
  assert.match(list.stdout, /night\s+stopped\s+timer cron 0 2 \* \* \*/)
  assert.match(list.stdout, /off\s+disabled/)
  const show = await sluice(t, ['flow', 'show', 'night'], files)
  assert.match(show.stdout, /At night\./)
  assert.match(show.stdout, /choose\s+choose\s+flows\/night\.yaml:4[^]*log\s+log\s+flows\/night\.yaml:7/)
  assert.equal((await sluice(t, ['flow', 'show', 'nigt'], files)).code, 1)
})
