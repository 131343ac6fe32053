import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { environmentName, loadSettings, managementAddress, parseListen, settingNames } from '../src/config.ts'
import { projectFolder } from './support/project.ts'

test('without a file, variables and flags every setting has its default', async (t) => {
  const folder = projectFolder(t, {})
  const { settings, problems } = await loadSettings(folder, {}, {})
  assert.deepEqual(problems, [])
  assert.equal(settings.listen, '127.0.0.1:8080')
  assert.equal(settings.flows, join(folder, 'flows'))
  assert.equal(settings.shutdown.grace, 30_000)
  assert.equal(settings.limits.body, 40 * 1024 * 1024)
  assert.equal(settings.dev, false)
  assert.equal(settings.http.connections, 128)
})

test('the file is below the environment, and that below the flags', async (t) => {
  const folder = projectFolder(t, {
    'sluice.yaml': 'listen: 127.0.0.1:1\ndata: ./one\nshutdown: { grace: 1s }\nlog: { level: error }\n',
  })
  const { settings, problems } = await loadSettings(
    folder,
    { SLUICE_DATA: 'two', SLUICE_SHUTDOWN_GRACE: '2s', SLUICE_LISTEN: '127.0.0.1:2' },
    { listen: '127.0.0.1:3' },
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    [settings.listen, settings.data, settings.shutdown.grace, settings.log.level],
    ['127.0.0.1:3', join(folder, 'two'), 2000, 'error'],
  )
})

test('mistakes name the file and its place, the variable or the option; the default stands in', async (t) => {
  const folder = projectFolder(t, { 'sluice.yaml': 'limits: { body: lots }\n' })
  const { settings, problems } = await loadSettings(folder, { SLUICE_DEV: 'maybe' }, { 'log.level': 'loud' })
  assert.deepEqual(
    problems.map(({ file, line, code, message }) => [file, line, code, message]),
    [
      ['sluice.yaml', 1, 'value/size', '"body" is the text "lots"; a size such as 64KB or 40MB is wanted'],
      [
        'environment variable SLUICE_DEV',
        0,
        'setting/variable',
        '"maybe" is no value of the setting "dev"; true or false is wanted',
      ],
      [
        'option --log-level',
        0,
        'setting/flag',
        '"loud" is no value of the setting "log.level"; "debug", "info", "warn" or "error" is wanted',
      ],
    ],
  )
  assert.equal(settings.limits.body, 40 * 1024 * 1024)
  assert.equal(settings.log.level, 'info')
})

test('a variable that looks like a setting and is none is a warning; parameters have variables of their own', async (t) => {
  const { problems } = await loadSettings(
    projectFolder(t, {}),
    {
      SLUICE_LISTN: '127.0.0.1:1',
      SLUICE_LOGLEVEL: 'debug',
      SLUICE_HOME: '/x',
      SLUICE_PARAM_DATE: '1',
      SLUICE_PARAM_LISTN: '1',
      SLUICE_DATA: 'd',
      DATTA: 'x',
    },
    {},
  )
  assert.deepEqual(
    problems.map(({ severity, message }) => [severity, message]),
    [
      ['warning', 'there is no setting for "SLUICE_LISTN"; did you mean "SLUICE_LISTEN"?'],
      ['warning', 'there is no setting for "SLUICE_LOGLEVEL"; did you mean "SLUICE_LOG_LEVEL"?'],
    ],
  )
})

test('a variable that cannot be read at all is a problem like any other', async (t) => {
  const { problems } = await loadSettings(projectFolder(t, {}), { SLUICE_STRICT: '{' }, {})
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['"{" is no value of the setting "strict"; true or false is wanted'],
  )
})

test('an address that is none is a problem', async (t) => {
  const { problems } = await loadSettings(projectFolder(t, {}), { SLUICE_LISTEN: 'every:where' }, {})
  assert.equal(problems.length, 1)
  assert.match(problems[0]!.message, /every:where/)
})

test('an engine that listens everywhere is told when nobody says which address callers use', async (t) => {
  const warned = async (file: string, environment = {}, flags = {}) => {
    const { settings, problems } = await loadSettings(
      projectFolder(t, { 'sluice.yaml': file }),
      environment,
      flags,
    )
    assert.deepEqual(
      problems.filter(({ code }) => code !== 'setting/issuer'),
      [],
    )
    assert.ok(settings)
    return problems.map(({ severity, file, line, message }) => {
      assert.match(message, /"access\.issuer"/)
      return `${severity} ${file}:${line}`
    })
  }
  assert.deepEqual(await warned('strict: true\nlisten: 0.0.0.0:8080\n'), ['warning sluice.yaml:2'])
  assert.deepEqual(await warned('listen: "[::]:8080"\n'), ['warning sluice.yaml:1'])
  const listen = '0.0.0.0:80'
  assert.deepEqual(await warned('', { SLUICE_LISTEN: listen }), [
    'warning environment variable SLUICE_LISTEN:0',
  ])
  assert.deepEqual(await warned('', {}, { listen }), ['warning option --listen:0'])
  for (const named of ['127.0.0.1:80', 'flows.example.com:80', '80'])
    assert.deepEqual(await warned('', { SLUICE_LISTEN: named }), [], named)
  assert.deepEqual(
    await warned('access: { issuer: "https://a.example.com" }\n', { SLUICE_LISTEN: listen }),
    [],
  )
})

test('names of environment variables follow the names of the settings', () => {
  assert.equal(environmentName('securityMaterial'), 'SLUICE_SECURITY_MATERIAL')
  assert.equal(environmentName('log.level'), 'SLUICE_LOG_LEVEL')
  const names = settingNames().map(([name]) => environmentName(name))
  assert.equal(new Set(names).size, names.length)
})

test('listen takes host and port, a bracketed IPv6 address, or a port alone', () => {
  assert.deepEqual(parseListen('0.0.0.0:80'), { host: '0.0.0.0', port: 80 })
  assert.deepEqual(parseListen('[::1]:8080'), { host: '::1', port: 8080 })
  assert.deepEqual(parseListen('9000'), { host: '127.0.0.1', port: 9000 })
  for (const wrong of ['', 'host', 'host:', 'a b:1', '::1:80'])
    assert.equal(parseListen(wrong), undefined, wrong)
})

test('management is off, on at 127.0.0.1:9090, or where it says; in the file as it is written there', async (t) => {
  const off = undefined
  const usual = { host: '127.0.0.1', port: 9090 }
  const cases: [written: string, address: object | undefined][] = [
    ['off', off],
    ['false', off],
    ['on', usual],
    ['true', usual],
    ['9100', { host: '127.0.0.1', port: 9100 }],
    ['0.0.0.0:9100', { host: '0.0.0.0', port: 9100 }],
    ['"[::1]:9100"', { host: '::1', port: 9100 }],
  ]
  assert.equal(managementAddress((await loadSettings(projectFolder(t, {}), {}, {})).settings), off)
  for (const [written, address] of cases) {
    const inFile = await loadSettings(projectFolder(t, { 'sluice.yaml': `management: ${written}\n` }), {}, {})
    assert.deepEqual([managementAddress(inFile.settings), inFile.problems], [address, []], written)
    const text = written.replaceAll('"', '')
    const outside = await loadSettings(projectFolder(t, {}), { SLUICE_MANAGEMENT: text }, {})
    assert.deepEqual([managementAddress(outside.settings), outside.problems], [address, []], text)
    const flag = await loadSettings(projectFolder(t, {}), { SLUICE_MANAGEMENT: 'on' }, { management: text })
    assert.deepEqual(managementAddress(flag.settings), address, text)
  }
  for (const written of ['yes please', '":"', '99999', '[1]']) {
    const { settings, problems } = await loadSettings(
      projectFolder(t, { 'sluice.yaml': `management: ${written}\n` }),
      {},
      {},
    )
    assert.deepEqual([managementAddress(settings), problems.length], [off, 1], written)
    assert.match(problems[0]!.message, /^"management" is /)
  }
})

test('names of the management listener are a list, and no addresses with ports', async (t) => {
  const inFile = (text: string) => loadSettings(projectFolder(t, { 'sluice.yaml': text }), {}, {})
  const good = await inFile('managementAccess: { metrics: public, hosts: [sluice.example.com, engine] }\n')
  assert.deepEqual(good.problems, [])
  assert.deepEqual(good.settings.managementAccess, {
    metrics: 'public',
    hosts: ['sluice.example.com', 'engine'],
  })
  const variables = { SLUICE_MANAGEMENT_ACCESS_HOSTS: 'a.example,b.example' }
  const outside = await loadSettings(projectFolder(t, {}), variables, {})
  assert.deepEqual(outside.settings.managementAccess, {
    metrics: 'closed',
    hosts: ['a.example', 'b.example'],
  })
  for (const text of ['hosts: [engine:9090]', 'hosts: ["*"]', 'metrics: open', 'host: [a]'])
    assert.equal((await inFile(`managementAccess: { ${text} }\n`)).problems.length, 1, text)
})
