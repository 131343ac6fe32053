import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { startService } from '../support/credentials.ts'
import { pemOf, rsa } from '../support/keys.ts'
import { numbered } from '../support/oauth2.ts'
import { isSigned } from '../support/saml.ts'
import { imageSetting } from './dockerfile.ts'

const CHECKOUT = join(import.meta.dirname, '../..')
const NOBODY = 65534
const isRoot = process.getuid?.() === 0

/** What npm and the installed package see: nothing of this test run. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(SLUICE|NODE_TEST|NODE_OPTIONS|npm_(?!config_(?:registry|cache|userconfig)))/i.test(name),
  ),
)

let folder: string
let tarball: string
/** Of a project that `sluice init` of the package made, with its dependency installed. */
let project: string

/** Runs a program to its end; one that fails tells all it said. */
function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env: environment, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error)
        reject(
          new Error(`${command} ${args.join(' ')} (${error.code ?? error.message}):\n${stdout}${stderr}`),
        )
      else resolve({ stdout, stderr })
    })
  })
}

const npmInstall = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-package-'))
  chmodSync(folder, 0o755)
  await run('npm', ['pack', '--pack-destination', folder, '--loglevel=error'], CHECKOUT)
  tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  const first = join(folder, 'first')
  mkdirSync(first)
  await run('npm', [...npmInstall, `../${tarball}`], first)
  await run('npx', ['--no', 'sluice', 'init', 'app'], first)
  project = join(first, 'app')
  await run('npm', npmInstall, project)
})

after(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

test('the package holds what runs and what is read, and nothing else', async () => {
  const { stdout } = await run('tar', ['-tzf', tarball], folder)
  const files = stdout
    .trim()
    .split('\n')
    .map((file) => file.replace(/^package\//, ''))
  for (const file of [
    'package.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'bin/sluice.js',
    'bin/health.js',
    'dist/main.js',
    'dist/main.js.map',
    'dist/script-host.cjs',
    'dist/sqlite/worker.js',
    'dist/sqlite/reading-worker.js',
    'dist/third-party-licenses.txt',
    'docs/guide/credentials.md',
    'docs/reference/flow.schema.json',
    'docs/reference/failures/receiver.status.md',
    'starter/gitignore',
    'packaging/sluice.service',
  ])
    assert.ok(files.includes(file), file)
  const strange = files.filter(
    (file) =>
      !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|(bin|dist|docs|starter)\/.*|packaging\/sluice\.service)$/.test(
        file,
      ),
  )
  assert.deepEqual(strange, [])
  const built = files.filter((file) => /^dist\/.*\.js$/.test(file))
  assert.ok(built.every((file) => files.includes(`${file}.map`)))
})

test('the licenses of all packages in the bundles are there', () => {
  const text = readFileSync(join(project, 'node_modules/sluice/dist/third-party-licenses.txt'), 'utf8')
  for (const name of ['fastify', 'undici', 'vm2', 'acorn', 'yaml', 'xml-crypto', '@sinclair/typebox'])
    assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\n\n[^]{200}`, 'm'), name)
})

test('an installed package brings its Node and nothing else', () => {
  const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))
  assert.deepEqual(
    installed.filter((name) => !/^node(-bin-\w+)?$/.test(name)),
    ['sluice'],
  )
  const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    dependencies: { sluice: string }
  }
  assert.equal(dependencies.sluice, `file:../../${tarball}`)
})

test('in the made project: check, start, a call of its endpoint, log, SIGTERM', async (t) => {
  const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string }
  assert.equal((await run('npx', ['sluice', '--version'], project)).stdout, `${version}\n`)
  assert.equal((await run('npx', ['sluice', 'check'], project)).stdout, '4 flows, no problems\n')
  const options = ['start', '--listen', '127.0.0.1:0', '--management', '127.0.0.1:0', '--dev']
  const engine = start(t, join(project, 'node_modules/.bin/sluice'), options, { cwd: project })
  const order = await post(`${await engine.url}/http/orders`, { item: 'book', quantity: 2 })
  assert.deepEqual(
    [order.status, await order.json()],
    [201, { item: 'book', quantity: 2, total: 25, currency: 'EUR' }],
  )
  const link = /http\S+\/login\?code=\S+/.exec(engine.output())![0]
  const cookie = (await fetch(link, { redirect: 'manual' })).headers.get('set-cookie')!.split(';')[0]!
  const runs = await fetch(new URL('/api/runs?flow=order', link), { headers: { cookie } })
  assert.equal(((await runs.json()) as { items: { flow: string }[] }).items[0]!.flow, 'order')
  assert.match(await (await fetch(new URL('/openapi', link), { headers: { cookie } })).text(), /\/orders/)
  engine.kill('SIGTERM')
  assert.equal(await engine.ended, 0, engine.output())
  const { stdout } = await run(join(project, 'node_modules/.bin/sluice'), ['log', '--flow', 'order'], project)
  assert.match(stdout, /COMPLETED +order/)
})

test('what is loaded only where it is needed is in the package: a SAML assertion is signed', async (t) => {
  const service = await startService(t, numbered(60))
  const own = join(folder, 'saml')
  mkdirSync(join(own, 'security-material'), { recursive: true })
  writeFileSync(join(own, 'key.pem'), pemOf(rsa))
  writeFileSync(
    join(own, 'security-material/sf.yaml'),
    `type: oauth2\ngrantType: saml2-bearer\ntokenServiceUrl: ${service.url}\nclientId: acme\nassertion: { key: '\${file:key.pem}', subject: svc }\nbaseUrl: https://api.example.com/\n`,
  )
  const { stdout } = await run(
    join(project, 'node_modules/.bin/sluice'),
    ['credential', 'test', 'sf', '--data', 'data'],
    own,
  )
  assert.match(stdout, /sf gets a token/)
  const assertion = new URLSearchParams(service.asked[0]!.body).get('assertion')!
  assert.ok(isSigned(Buffer.from(assertion, 'base64url').toString(), rsa.publicKey))
})

test('a fault in the package names the files that it was written in', async () => {
  const script = `const { Faults } = await import(process.argv[1]); console.log(new Faults().describe(new Error('odd'))); new Faults().describe({ get a() { throw new Error('deep') } })`
  const { stdout } = await run(
    process.execPath,
    ['--input-type=module', '-e', script, chunk('faults')],
    project,
  )
  assert.match(stdout, /Error: odd/)
  const broken = `const { Faults } = await import(process.argv[1]); const faults = new Faults(); faults.guard({ redact() { throw new Error('deep') } }); try { faults.redact('a') } catch (error) { console.log(new Faults().describe(error)) }`
  const deep = await run(process.execPath, ['--input-type=module', '-e', broken, chunk('faults')], project)
  assert.match(deep.stdout, /at Faults\.redact \(src\/faults\.ts:\d+:\d+\)/)
})

function chunk(name: string): string {
  const dist = join(project, 'node_modules/sluice/dist')
  return join(
    dist,
    readdirSync(dist).find((file) => file.startsWith(`${name}-`) && file.endsWith('.js'))!,
  )
}

test('as in the container: another user, nothing to be written but data; health check, scripts, SIGTERM', async (t) => {
  const image = imageSetting()
  const opt = join(folder, 'opt')
  const data = join(folder, 'data')
  const flows = join(folder, 'project')
  for (const path of [opt, data, flows]) mkdirSync(path)
  await run('tar', ['-xzf', tarball, '-C', opt, '--strip-components=1'], folder)
  for (const file of ['flows', 'sluice.yaml']) await run('cp', ['-r', join(project, file), flows], folder)
  if (isRoot) chownSync(data, NOBODY, NOBODY)
  const unwritable = [opt, flows]
  for (const path of unwritable) await run('chmod', ['-R', 'a-w,a+rX', path], folder)
  t.after(() => run('chmod', ['-R', 'u+w', ...unwritable], folder))
  const before = unwritable.flatMap(tree)

  const words = (command: readonly string[]) =>
    command.map((word) => (word === 'node' ? process.execPath : word.replace(/^\/opt\/sluice/, opt)))
  const [node, ...args] = words(image.command)
  const setting = { cwd: flows, ...(isRoot && { uid: NOBODY, gid: NOBODY }) }
  const inside = { ...image.environment, SLUICE_DATA: data, SLUICE_LISTEN: '127.0.0.1:0' }
  const engine = start(t, node!, args, { ...setting, env: { PATH: process.env['PATH'], ...inside } })
  const url = await engine.url
  assert.equal((await post(`${url}/http/orders`, { item: 'book', quantity: 1 })).status, 201, engine.output())

  const health = async (listen: string) => {
    const [command, ...rest] = words(image.health)
    const child = spawn(command!, rest, { ...setting, env: { SLUICE_LISTEN: listen }, stdio: 'ignore' })
    return new Promise<number | null>((resolve) => child.once('close', resolve))
  }
  const port = new URL(url).port
  for (const listen of [`0.0.0.0:${port}`, `127.0.0.1:${port}`, port])
    assert.equal(await health(listen), 0, listen)
  engine.kill(image.stopSignal)
  assert.equal(await engine.ended, 0, engine.output())
  assert.equal(await health(`0.0.0.0:${port}`), 1)
  assert.deepEqual(unwritable.flatMap(tree), before)
  assert.ok(readdirSync(data).includes('log.db'))
  if (isRoot) assert.equal(lstatSync(join(data, 'log.db')).uid, NOBODY)
})

/** Every path below a folder with what tells that it changed. */
function tree(path: string): string[] {
  return (readdirSync(path, { recursive: true }) as string[]).map((name) => {
    const { mtimeMs, size } = lstatSync(join(path, name))
    return `${name} ${size} ${mtimeMs}`
  })
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

function start(
  t: TestContext,
  command: string,
  args: readonly string[],
  options: import('node:child_process').SpawnOptions,
) {
  const child = spawn(command, args, { env: environment, ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const url = new Promise<string>((resolve, reject) => {
    const read = (part: Buffer) => {
      output += part.toString()
      const [, address] = /Sluice \S+ on (\S+)\n[^]*Ctrl-C/.exec(output) ?? []
      if (address !== undefined) resolve(address)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    void ended.then((code) => reject(new Error(`ended with ${code}:\n${output}`)))
  })
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { url, ended, output: () => output, kill: (signal: NodeJS.Signals) => void child.kill(signal) }
}
