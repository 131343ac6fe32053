import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { loadSettings } from '../src/config.ts'
import { problemsOf, projectFolder } from './support/project.ts'

type Environment = Record<string, string>

async function found(
  t: TestContext,
  settings: string,
  environment: Environment = {},
  flags: Environment = {},
) {
  const loaded = await loadSettings(projectFolder(t, { 'sluice.yaml': settings }), environment, flags)
  return {
    ...loaded,
    told: loaded.problems.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`),
  }
}

describe('settings beyond their shape', () => {
  it('a port out of range, wherever it comes from; the default stands in', async (t) => {
    const inFile = await found(t, 'listen: 127.0.0.1:65536\n')
    assert.deepEqual(inFile.told, ['sluice.yaml:1:9 value/range'])
    assert.equal(inFile.settings.listen, '127.0.0.1:8080')
    const variable = await found(t, '', { SLUICE_LISTEN: '127.0.0.1:70000' })
    assert.deepEqual(variable.told, ['environment variable SLUICE_LISTEN:0:0 setting/variable'])
    assert.deepEqual((await found(t, '', {}, { listen: ':1' })).told, ['option --listen:0:0 setting/flag'])
    assert.deepEqual((await found(t, 'listen: 127.0.0.1:65535\n')).told, [])
  })
  it('a proxy that has no address; its password is not told', async (t) => {
    for (const proxy of ['::::', 'socks5://u:hidden@p:1', 'http://u:${env:hidden}@p:1']) {
      const { told, problems, settings } = await found(t, `http: { proxy: "${proxy}" }\n`)
      assert.deepEqual(told, ['sluice.yaml:1:16 setting/proxy'], proxy)
      assert.doesNotMatch(JSON.stringify(problems), /hidden/)
      assert.equal(settings.http.proxy, undefined)
      const variable = await found(t, '', { SLUICE_HTTP_PROXY: proxy })
      assert.deepEqual(variable.told, ['environment variable SLUICE_HTTP_PROXY:0:0 setting/variable'])
      assert.doesNotMatch(JSON.stringify(variable.problems), /hidden/)
    }
    assert.deepEqual((await found(t, 'http: { proxy: "proxy.example.com:3128" }\n')).told, [])
  })
  it('certificates that are not there or none, in the file and by a variable', async (t) => {
    const missing = await found(t, 'http: { ca: nothing.pem }\n')
    assert.deepEqual(missing.told, ['sluice.yaml:1:13 setting/certificate'])
    assert.equal(missing.settings.http.ca, undefined)
    const none = await found(t, 'http: { ca: sluice.yaml }\n')
    assert.match(none.problems[0]!.message, /holds no certificate/)
    const variable = await found(t, '', { SLUICE_HTTP_CA: 'nothing.pem' })
    assert.deepEqual(variable.told, ['environment variable SLUICE_HTTP_CA:0:0 setting/certificate'])
  })
  it('nothing where the file has no map at all', async (t) => {
    for (const text of ['~\n', '- a\n', 'text\n', '<<: { listen: a }\n'])
      assert.equal((await found(t, text)).settings.listen, '127.0.0.1:8080')
  })
  it('values that no parameter can have', async (t) => {
    const { told } = await found(t, 'parameters:\n  a: [1]\n  b:\n  orders: { c: { d: 1 }, e: 1 }\n  f: 1\n')
    assert.deepEqual(told, [
      'sluice.yaml:2:6 value/type',
      'sluice.yaml:3:3 value/empty',
      'sluice.yaml:4:16 value/type',
    ])
  })
})

describe('parameters of the settings that nothing has', () => {
  const FLOW = 'parameters: { company: acme }\nsteps:\n  - log: ${param.company}\n'
  const stray = async (t: TestContext, settings: string, files: Record<string, string> = {}) =>
    (await problemsOf(t, { 'flows/orders.yaml': FLOW, 'sluice.yaml': settings, ...files }))
      .filter(({ code }) => code === 'parameter/unknown')
      .map(({ file, line, column, severity, message }) => `${file}:${line}:${column} ${severity} ${message}`)

  it('are warned of, with what was meant', async (t) => {
    assert.deepEqual(await stray(t, 'parameters: { compny: shop, order: { company: shop } }\n'), [
      'sluice.yaml:1:15 warning no flow has a parameter "compny"; did you mean "company"?',
      'sluice.yaml:1:29 warning there is no flow "order" for these parameters; did you mean "orders"?',
    ])
  })
  it('are none where a flow has them, or a credential refers to them', async (t) => {
    const settings = 'parameters: { company: shop, orders: { company: shop }, tenant: t }\n'
    const credential = 'type: bearer\ntoken: ${env:T}\nbaseUrl: https://${param:tenant}.example.com/\n'
    assert.deepEqual(await stray(t, settings, { 'security-material/c.yaml': credential }), [])
    assert.equal((await stray(t, settings)).length, 1)
  })
  it('are not known while a flow cannot be read', async (t) => {
    assert.deepEqual(await stray(t, 'parameters: { other: 1 }\n', { 'flows/b.yaml': 'steps: [\n' }), [])
  })
})
