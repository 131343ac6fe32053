import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { runCommandLine } from '../../src/commands/index.ts'
import type { Keys } from '../../src/terminal.ts'
import { projectFolder } from '../support/project.ts'

const answering = (path: string, text: string) =>
  `steps:\n  - endpoint: { path: ${path}, method: GET, access: public }\n  - respond: { body: "${text}" }\n`

/** `sluice dev` in this process, on a terminal that is made of nothing; it ends with the test. */
async function dev(
  t: TestContext,
  files: Record<string, string>,
  { args = [], terminal = true, ready }: { args?: string[]; terminal?: boolean; ready?: () => void } = {},
) {
  const folder = projectFolder(t, files)
  const abort = new AbortController()
  const waiting = new Set<() => void>()
  let out = ''
  let from = 0
  let keys: Keys | undefined
  let hangUp = () => {}
  let interrupts = 0
  let stderr = ''
  const ended = runCommandLine(['dev', '--listen', '127.0.0.1:0', ...args], {
    stdout(text) {
      out += text
      for (const look of waiting) look()
    },
    stderr: (text) => (stderr += text),
    stdin: new PassThrough(),
    color: false,
    colorErrors: false,
    terminal,
    columns: 200,
    workingFolder: folder,
    environment: {},
    signal: abort.signal,
    onHangup: (action) => (hangUp = action),
    ...(ready && { ready }),
    ...(terminal && {
      screen: {
        columns: () => 80,
        rows: () => 40,
        onResize: () => {},
        interrupt() {
          interrupts++
          abort.abort()
        },
        suspend: () => {},
        takeKeys(taker) {
          keys = taker
          return () => (keys = undefined)
        },
      },
    }),
  })
  t.after(async () => {
    abort.abort()
    await ended
  })
  /** Resolves to the match in what came after the one before. */
  const shows = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(out.slice(from))
        if (!match) return
        from += match.index + match[0].length
        waiting.delete(look)
        resolve(match)
      }
      waiting.add(look)
      look()
      void ended.then((code) => reject(new Error(`ended with ${code} before ${pattern}:\n${out}${stderr}`)))
    })
  return {
    folder,
    shows,
    ended,
    write: (file: string, text: string) => writeFileSync(join(folder, file), text),
    press: (text: string) => {
      for (const key of text) keys!.pressed(key)
    },
    stop: () => abort.abort(),
    hangUp: () => hangUp(),
    interrupts: () => interrupts,
    takesKeys: () => keys !== undefined,
    output: () => out,
    errors: () => stderr,
  }
}

test('what is saved takes effect and is told once: the mistake, that the version before goes on, that it is mended', async (t) => {
  const { shows, write, output, press, ended, takesKeys } = await dev(t, {
    'flows/a.yaml': answering('/a', 'a1'),
  })
  const [, url] = await shows(/Sluice \S+ on (\S+)/)
  const ask = async () => (await fetch(`${url}/http/a`)).text()
  await shows(/1 flow up · 0 runs · \? keys/)
  write('flows/a.yaml', answering('/a', 'a2'))
  await shows(/↻ reloaded a\n/)
  assert.equal(await ask(), 'a2')
  await shows(/✓ a  .*endpoint/)
  const broken = answering('/a', '${bdy}')
  write('flows/a.yaml', broken)
  await shows(
    /flows\/a\.yaml:3:\d+: .*"bdy"[^]*3 \|[^]*\^[^]*1 error in 1 file[^]*the version before goes on: a\n/,
  )
  write('flows/a.yaml', broken)
  press('p')
  await shows(/1 error in 1 file/)
  assert.equal(await ask(), 'a2')
  write('flows/a.yaml', answering('/a', 'a3'))
  await shows(/↻ reloaded a\n[^]*✓ flows\/a\.yaml: fixed\n/)
  assert.equal(output().match(/goes on: a\n/g)!.length, 1)
  assert.equal(
    output().match(/1 error in 1 file/g)!.length,
    2,
    'when it was saved, and when it was asked for',
  )
  press('q')
  assert.equal(await ended, 0)
  assert.match(output(), /stopping: what runs may finish; Ctrl-C ends it at once …\n$/)
  assert.ok(!takesKeys())
})

test('keys: run one of several, the last failure, the last runs, credentials, help', async (t) => {
  const { shows, press } = await dev(t, {
    'flows/bad.yaml': 'steps:\n  - fail: { message: no luck }\n',
    'flows/good.yaml': 'steps:\n  - respond: { body: "fine" }\n',
    'security-material/api.yaml': 'type: bearer\ntoken: literal-token\nbaseUrl: https://api.example.com\n',
  })
  await shows(/token: \*+\n[^]*1 warning in 1 file[^]*2 flows up/)
  press('f')
  await shows(/no run has failed/)
  press('r')
  await shows(/Run which flow\?[^]*> 1  bad[^]*2  good/)
  press('b\r')
  await shows(/✗ bad [^]*flow\.failed: no luck/)
  press('rgoo\r')
  await shows(/✓ good [^]*reply 200 text\/plain.*\n +fine\n/)
  press('f')
  await shows(/FAILED\nflow +bad \(version/)
  press('l')
  await shows(/STARTED[^]*FAILED[^]*COMPLETED/)
  press('c')
  await shows(/CREDENTIAL[^]*api +bearer/)
  press('?')
  await shows(/r +run a flow now/)
})

test('a credential that comes lets the flow run that was broken without it', async (t) => {
  const { shows, write } = await dev(t, {
    'flows/a.yaml': 'steps:\n  - timer: { every: 1h }\n  - http: { url: /x, credential: api }\n',
    'flows/b.yaml': answering('/b', 'b'),
    'security-material/other.yaml': 'type: bearer\ntoken: literal-token\nbaseUrl: https://api.example.com\n',
  })
  await shows(/no credential "api"[^]*keys/)
  write(
    'security-material/api.yaml',
    'type: bearer\ntoken: ${env:NOT_SET_HERE}\nbaseUrl: https://127.0.0.1:1\n',
  )
  await shows(/✓ flows\/a\.yaml: fixed/)
})

test('changed settings are named, and R starts the engine with them; wrong ones leave it as it is', async (t) => {
  const { shows, write, press } = await dev(t, { 'flows/a.yaml': answering('/a', 'a1') })
  await shows(/\? keys/)
  write('sluice.yaml', 'limits: { body: 1MB }\n')
  await shows(/changed settings that need a restart: limits\.body \(press R\)/)
  await shows(/settings changed/)
  write('sluice.yaml', 'limits: { body: big }\n')
  await shows(/sluice\.yaml:1:17: [^]*1 error in 1 file/)
  press('R')
  await shows(/not restarted: the settings have mistakes/)
  write('sluice.yaml', 'limits: { body: 1MB }\n')
  await shows(/sluice\.yaml: fixed/)
  press('R')
  await shows(/restarting: [^]*Sluice \S+ on http[^]*1 flow up · 0 runs · \? keys/)
})

test('without a terminal: plain lines, no keys, and the signal ends it', async (t) => {
  const { shows, stop, ended, output, takesKeys } = await dev(
    t,
    { 'flows/a.yaml': answering('/a', 'a1') },
    { terminal: false, args: ['--flow', 'b', '--steps'] },
  )
  await shows(/There is no flow "b" yet; did you mean "a"\?: no run is shown\./)
  assert.ok(!takesKeys())
  stop()
  assert.equal(await ended, 0)
  assert.doesNotMatch(output(), /\x1b|\? keys/)
})

test('the window is closed, told twice as by a launcher: what runs may finish, and nothing is written any more', async (t) => {
  const { shows, hangUp, ended, interrupts, output } = await dev(t, { 'flows/a.yaml': answering('/a', 'a1') })
  await shows(/\? keys/)
  const before = output()
  hangUp()
  hangUp()
  assert.equal(await ended, 0)
  assert.equal(interrupts(), 1)
  assert.equal(output(), before)
})

test('a fault after the engine began stops it, and gives the keys back', async (t) => {
  const ready = () => {
    throw new Error('odd')
  }
  const { ended, takesKeys, errors, output } = await dev(
    t,
    { 'flows/a.yaml': answering('/a', 'a1') },
    { ready },
  )
  assert.equal(await ended, 3)
  assert.match(errors(), /a fault: Error: odd/)
  assert.ok(!takesKeys())
  const [, url] = /Sluice \S+ on (\S+)/.exec(output())!
  await assert.rejects(fetch(`${url}/http/a`))
})

test('q while the engine is stopped and started again ends it', async (t) => {
  const { shows, press, ended } = await dev(t, { 'flows/a.yaml': answering('/a', 'a1') })
  await shows(/\? keys/)
  press('R')
  await shows(/restarting/)
  press('qqq')
  assert.equal(await ended, 0)
})
