import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { settingsSchema } from '../../src/config.ts'
import { parseDuration } from '../../src/core/duration.ts'
import { projectFolder } from '../support/project.ts'
import { dockerStages, imageSetting } from './dockerfile.ts'

const ROOT = join(import.meta.dirname, '../..')
const GRACE = parseDuration(String(settingsSchema.properties.shutdown.properties.grace['default']))!
/** s that an engine may take for its end: grace, last replies, writing. */
const END = GRACE / 1000 + 10

test('Dockerfile: two stages, another user than root, words in exec form, data in a volume', () => {
  const [build, image] = dockerStages()
  assert.match(build![0]!.text, /^node:26-slim AS build$/)
  assert.equal(image![0]!.text, 'node:26-slim')
  const setting = imageSetting()
  assert.equal(setting.user, 'node')
  assert.equal(setting.volume, setting.environment['SLUICE_DATA'])
  assert.equal(setting.stopSignal, 'SIGTERM')
  assert.deepEqual(setting.command, ['node', '--disable-sigusr1', '/opt/sluice/dist/main.js', 'start'])
  assert.deepEqual(setting.health, ['node', '/opt/sluice/bin/health.js'])
  const order = image!.map(({ name }) => name)
  assert.ok(order.lastIndexOf('RUN') < order.indexOf('USER'), 'what root does comes first')
})

test('Dockerfile: what it copies and runs is there, and is not left out by .dockerignore', () => {
  const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
  for (const secret of ['.env', 'data', '.git']) assert.ok(ignored.includes(secret), secret)
  const [build] = dockerStages()
  const named = build!.flatMap(
    ({ text }) => text.match(/\b(?:package(?:-lock)?\.json|packaging\/\w+\.ts)/g) ?? [],
  )
  assert.deepEqual([...new Set(named)].toSorted(), [
    'package-lock.json',
    'package.json',
    'packaging/build.ts',
  ])
  for (const file of [...named, 'starter', 'src', 'bin/health.js']) {
    assert.ok(existsSync(join(ROOT, file)), file)
    assert.ok(!ignored.includes(file.split('/')[0]!), file)
  }
})

test('Dockerfile: the time to stop that it shows is longer than an engine may take', () => {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  const times = [...text.matchAll(/(?:--stop-timeout |stop_grace_period: )(\d+)/g)].map((match) =>
    Number(match[1]),
  )
  assert.equal(times.length, 2)
  for (const time of times) assert.ok(time >= END)
})

test('Dockerfile: secrets are not given in a way that keeps the quotes around them', () => {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  assert.doesNotMatch(text, /--env-file \S*\.env|env_file:/)
})

test('health check: an address that is none is named', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/health.js')], {
    env: { SLUICE_LISTEN: 'off' },
    encoding: 'utf8',
  })
  assert.deepEqual([status, stderr], [1, 'not ready: SLUICE_LISTEN is "off"; host:port is wanted\n'])
})

test('launcher of an older Node: it ends as the engine did, also by a signal', async (t) => {
  const folder = projectFolder(t, {})
  const older = '--import=data:text/javascript,delete process.execve'
  const launcher = spawn(process.execPath, [older, join(ROOT, 'bin/sluice.js'), 'start'], {
    cwd: folder,
    env: { ...process.env, SLUICE_LISTEN: '127.0.0.1:0' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.after(() => launcher.kill('SIGKILL'))
  let shown = ''
  for await (const chunk of launcher.stdout) if ((shown += String(chunk)).includes('Ctrl-C stops it')) break
  process.kill(Number(readFileSync(join(folder, 'data/engine.pid'), 'utf8')), 'SIGABRT')
  assert.deepEqual(await once(launcher, 'exit'), [null, 'SIGABRT'])
})

/** Directives of a unit; those that stand several times are joined. */
function directives(file: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let section = ''
  for (const line of readFileSync(join(ROOT, file), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const header = /^\[(\w+)\]$/.exec(line)
    const pair = /^([A-Z][A-Za-z]+)=(.*)$/.exec(line)
    assert.ok(header ?? pair, `no directive: ${line}`)
    if (header) section = header[1]!
    else
      found.set(
        `${section}.${pair![1]}`,
        [found.get(`${section}.${pair![1]}`), pair![2]].filter(Boolean).join(' '),
      )
  }
  return found
}

test('systemd unit: signals, times and folders fit the engine', () => {
  const unit = directives('packaging/sluice.service')
  const service = (name: string) => unit.get(`Service.${name}`)
  assert.match(
    service('ExecStart')!,
    /^\/\S+\/node_modules\/node\/bin\/node --disable-sigusr1 \/\S+\/node_modules\/sluice\/dist\/main\.js start$/,
  )
  assert.ok(service('ExecStart')!.startsWith(`${service('WorkingDirectory')}/`))
  assert.equal(service('ExecReload'), '/bin/kill -HUP $MAINPID')
  assert.equal(service('KillSignal'), 'SIGTERM')
  assert.equal(service('KillMode'), 'mixed')
  assert.ok(Number(service('TimeoutStopSec')) >= END)
  const environment = service('Environment')!.split(' ')
  assert.ok(environment.includes(`SLUICE_DATA=/var/lib/${service('StateDirectory')}`))
  assert.ok(environment.includes(`NODE_COMPILE_CACHE=/var/cache/${service('CacheDirectory')}`))
  assert.match(service('EnvironmentFile')!, /^-\//)
  assert.equal(unit.get('Install.WantedBy'), 'multi-user.target')
})

test('systemd unit: hardened, and nothing that V8 or the sandbox cannot live with', () => {
  const unit = directives('packaging/sluice.service')
  for (const [name, value] of Object.entries({
    DynamicUser: 'yes',
    NoNewPrivileges: 'yes',
    ProtectSystem: 'strict',
    ProtectHome: 'yes',
    PrivateTmp: 'yes',
    PrivateDevices: 'yes',
    RestrictSUIDSGID: 'yes',
    CapabilityBoundingSet: '',
  }))
    assert.equal(unit.get(`Service.${name}`), value, name)
  for (const name of ['MemoryDenyWriteExecute', 'LimitAS', 'TasksMax', 'LimitNPROC'])
    assert.ok(!unit.has(`Service.${name}`), name)
})
