import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Flow } from '../../src/core/flow.ts'
import { loadFlow, loadFlows } from '../../src/flow/load.ts'
import { printProblems } from '../../src/flow/print.ts'
import { kinds } from './kinds.ts'

function flowOf(text: string, file = 'flows/orders.yaml'): Flow {
  const { flow, problems } = loadFlow(file, text, kinds)
  assert.deepEqual(problems, [])
  return flow!
}

async function folder(t: TestContext, files: Record<string, string | Buffer>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-flows-'))
  t.after(() => rm(path, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), content)
  }
  return path
}

const LOG = 'steps:\n  - log: x\n'

describe('one flow', () => {
  it('has defaults for what is left out', () => {
    const { document, version, steps, allSteps, ...flow } = flowOf(LOG)
    assert.deepEqual(flow, {
      name: 'orders',
      file: 'flows/orders.yaml',
      enabled: true,
      parameters: {},
      onError: [],
      logLevel: 'info',
      searchable: [],
      onDisconnect: 'continue',
      labels: {},
    })
    assert.match(version, /^[0-9a-f]{12}$/)
    assert.equal(document.text, LOG)
    assert.deepEqual(steps, allSteps)
  })
  it('has what is usual for its trigger in the place of the half of "concurrency" that is left out', () => {
    const concurrencyOf = (given: string, steps: string) =>
      flowOf(`concurrency: ${given}\nsteps:\n  - ${steps}\n  - log: x\n`).concurrency
    const endpoint = 'endpoint: { path: /x, access: public }'
    assert.deepEqual(concurrencyOf('{ running: 5 }', endpoint), { running: 5, waiting: 1000 })
    assert.deepEqual(concurrencyOf('{ waiting: 5 }', endpoint), { running: 100, waiting: 5 })
    assert.deepEqual(concurrencyOf('{ running: 5 }', 'timer: { every: 1m, overlap: queue }'), {
      running: 5,
      waiting: 1000,
    })
    assert.deepEqual(concurrencyOf('{ running: 5 }', 'timer: { every: 1m }'), { running: 5, waiting: 0 })
    assert.deepEqual(concurrencyOf('{}', 'log: y'), { running: 100, waiting: 1000 })
  })
  it('has what is written', () => {
    const flow = flowOf(
      'name: shop/orders\ndescription: All orders.\nenabled: false\ntimeout: 2m\nconcurrency: { running: 3, waiting: 0 }\nlogLevel: trace\nsearchable: [X-Order-Id]\nonDisconnect: cancel\nlabels: { team: shop }\n' +
        LOG,
    )
    assert.equal(flow.name, 'shop/orders')
    assert.equal(flow.description, 'All orders.')
    assert.equal(flow.enabled, false)
    assert.equal(flow.timeout, 120_000)
    assert.deepEqual(flow.concurrency, { running: 3, waiting: 0 })
    assert.equal(flow.logLevel, 'trace')
    assert.deepEqual(flow.searchable, ['x-order-id'])
    assert.equal(flow.onDisconnect, 'cancel')
    assert.deepEqual(flow.labels, { team: 'shop' })
  })
  it('has another version when its text or its name is another', () => {
    const version = flowOf(LOG).version
    assert.equal(flowOf(LOG).version, version)
    assert.notEqual(flowOf(`${LOG}# more\n`).version, version)
    assert.notEqual(flowOf(LOG, 'flows/others.yaml').version, version)
  })
  it('is named by the path of its file', () => {
    assert.equal(flowOf(LOG, 'flows/shop/new-orders.yml').name, 'shop/new-orders')
    assert.deepEqual(
      loadFlow('flows/New Orders.yaml', LOG, kinds).problems.map(({ code }) => code),
      ['flow/name'],
    )
  })
})

describe('steps', () => {
  const text = `steps:
  - endpoint: { path: /orders, access: public }
  - http:
      url: https://example.com/
      credential: shop
      maxResponse: 1KB
    id: get
    timeout: 5s
    if: body.id != null
    description: Gets it.
  - choose:
      cases:
        - if: body.ok
          steps:
            - log: a
            - choose: { cases: [{ if: true, steps: [{ log: b }] }] }
      else:
        - respond:
  - log: { message: "\${body.id}", level: warn }
  - http: { url: https://example.com/ }
  - script: message.body = 1
`
  const flow = flowOf(text)

  it('are numbered in the order of the text, nested ones included, the trigger apart', () => {
    assert.deepEqual(
      flow.allSteps.map(({ index, id, parent, line }) => [index, id, parent, line]),
      [
        [0, 'get', -1, 3],
        [1, 'choose', -1, 11],
        [2, 'log', 1, 15],
        [3, 'choose-2', 1, 16],
        [4, 'log-2', 3, 16],
        [5, 'respond', 1, 18],
        [6, 'log-3', -1, 19],
        [7, 'http', -1, 20],
        [8, 'script', -1, 21],
      ],
    )
    assert.deepEqual(
      flow.steps.map(({ index }) => index),
      [0, 1, 6, 7, 8],
    )
    assert.deepEqual([flow.trigger?.id, flow.trigger?.index, flow.trigger?.parent], ['endpoint', -1, -1])
  })
  it('are the same objects in the options of the steps they stand in', () => {
    const { cases } = flow.allSteps[1]!.options as { cases: { steps: unknown[] }[] }
    assert.equal(cases[0]!.steps[0], flow.allSteps[2])
  })
  it('have their own keys apart from their options, and both decoded', () => {
    const step = flow.allSteps[0]!
    assert.deepEqual([step.condition, step.timeout, step.description], ['body.id != null', 5000, 'Gets it.'])
    assert.deepEqual(step.options, {
      url: 'https://example.com/',
      credential: { name: 'shop' },
      maxResponse: 1024,
    })
  })
  it('know where they and their options stand, the text of a shorthand too', () => {
    assert.deepEqual(flow.allSteps[2]!.path, ['steps', 2, 'choose', 'cases', 0, 'steps', 0])
    assert.deepEqual(flow.allSteps[2]!.optionsPath, ['steps', 2, 'choose', 'cases', 0, 'steps', 0, 'log'])
    assert.deepEqual(flow.allSteps[2]!.options, { message: 'a' })
    assert.deepEqual(flow.allSteps[8]!.options, { text: 'message.body = 1' })
  })
  it('without options have none', () => assert.deepEqual(flow.allSteps[5]!.options, {}))
  it('that have no id get one that no other step has, also not a later one', () => {
    const ids = flowOf(
      'steps:\n  - log: a\n  - log: b\n  - log: c\n    id: log\n  - log: d\n    id: log-3\n',
    ).allSteps.map(({ id }) => id)
    assert.deepEqual(ids, ['log-2', 'log-4', 'log', 'log-3'])
  })
  it('with mistakes are left out, so that the others can still be prepared', () => {
    const { flow: rest, problems } = loadFlow(
      'flows/a.yaml',
      'steps:\n  - timer: { evry: 1m }\n  - log: a\n  - http: { utl: x }\n  - choose:\n      cases:\n        - if: body.ok\n          steps:\n            - lgo: x\n            - log: b\n',
      kinds,
    )
    assert.deepEqual(
      problems.map(({ line, code }) => `${line} ${code}`),
      ['2 key/unknown', '4 key/unknown', '9 flow/unknown-kind'],
    )
    assert.equal(rest!.trigger, undefined)
    assert.deepEqual(
      rest!.steps.map(({ kind }) => kind),
      ['log', 'choose'],
    )
    const { cases } = rest!.steps[1]!.options as { cases: { steps: { id: string }[] }[] }
    assert.deepEqual(
      cases[0]!.steps.map(({ id }) => id),
      ['log-2'],
    )
  })
})

describe('steps with a mistake in their YAML', () => {
  for (const step of [
    'log: {{x}}',
    'http: { url: ${x} }',
    'set: { body: { a: [!b] } }',
    'log: x\n    if: !done',
    'timer: *x',
  ])
    it(`are left out: ${JSON.stringify(step)}`, () => {
      const { flow, problems } = loadFlow('flows/a.yaml', `steps:\n  - ${step}\n  - log: y\n`, kinds)
      assert.equal(problems.length, 1)
      assert.equal(flow!.trigger, undefined)
      assert.deepEqual(
        flow!.steps.map(({ options }) => options),
        [{ message: 'y' }],
      )
    })
})

describe('whatever is typed', () => {
  it('never throws, and each problem stands inside of the file', () => {
    const good =
      'parameters: { host: a }\nsteps:\n  - timer: { every: 5m }\n  - http:\n      url: "https://${param.host}/x"\n      headers: { accept: text/plain }\n    if: body.ok\n  - set:\n      body: |\n        a text\n  - log: done\n'
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ' ',
      '\n',
      '- ',
      '"',
      "'",
      '|',
      '>',
      '&a',
      '*a',
      '!x',
      '#',
      '${',
      '{{',
      '%',
      '@',
      '\t',
      '\r\n',
      '? ',
      '<<: ',
      '---\n',
      '“',
      '😀',
      '\\',
      '~',
      '__proto__: ',
    ]
    let seed = 5
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    for (let round = 0; round < 1500; round++) {
      let text = good
      for (let change = next(3); change >= 0; change--) {
        const at = next(text.length)
        text =
          text.slice(0, at) + (next(3) === 0 ? '' : pieces[next(pieces.length)]) + text.slice(at + next(4))
      }
      const { flow, problems } = loadFlow('flows/a.yaml', text, kinds)
      const lines = text.split('\n')
      assert.ok(flow || problems.length > 0, JSON.stringify(text))
      for (const { line, column, message } of problems)
        assert.ok(
          line <= lines.length && column <= (lines[line - 1]?.length ?? 0) + 1,
          `${JSON.stringify(text)} ${line}:${column} ${message}`,
        )
      printProblems(problems, () => text, { color: true })
    }
  })
})

describe('a folder of flows', () => {
  it('is read with its subfolders, in order, tests and hidden files apart', async (t) => {
    const project = await folder(t, {
      'flows/b.yaml': LOG,
      'flows/a.yml': LOG,
      'flows/shop/c.yaml': LOG,
      'flows/shop/c.test.yaml': 'tests: []',
      'flows/.hidden/d.yaml': LOG,
      'flows/notes.md': '# notes',
    })
    const { flows, problems, texts } = await loadFlows(join(project, 'flows'), project, kinds)
    assert.deepEqual(problems, [])
    assert.deepEqual(
      flows.map(({ name, file }) => [name, file]),
      [
        ['a', 'flows/a.yml'],
        ['b', 'flows/b.yaml'],
        ['shop/c', 'flows/shop/c.yaml'],
      ],
    )
    assert.equal(texts.get('flows/shop/c.yaml'), LOG)
  })
  it('may be another one than flows/', async (t) => {
    const project = await folder(t, { 'integration/flows/a.yaml': LOG })
    const { flows } = await loadFlows(join(project, 'integration'), project, kinds)
    assert.deepEqual(
      flows.map(({ name, file }) => [name, file]),
      [['flows/a', 'integration/flows/a.yaml']],
    )
  })
  it('follows links that stay inside, as mounted config maps have them', async (t) => {
    const project = await folder(t, { 'flows/..2026/a.yaml': LOG })
    await symlink('..2026', join(project, 'flows/..data'))
    await symlink('..data/a.yaml', join(project, 'flows/a.yaml'))
    await symlink('.', join(project, 'flows/again'))
    const { flows, problems } = await loadFlows(join(project, 'flows'), project, kinds)
    assert.deepEqual(
      flows.map(({ name }) => name),
      ['a'],
    )
    assert.deepEqual(problems, [])
  })
  it('does not follow links that lead out of it', async (t) => {
    const project = await folder(t, { 'flows/a.yaml': LOG, 'outside/b.yaml': LOG })
    await symlink('../outside/b.yaml', join(project, 'flows/b.yaml'))
    await symlink('../outside', join(project, 'flows/c'))
    await symlink('nowhere', join(project, 'flows/d.yaml'))
    const { flows, problems } = await loadFlows(join(project, 'flows'), project, kinds)
    assert.deepEqual(
      flows.map(({ name }) => name),
      ['a'],
    )
    assert.deepEqual(
      problems.map(({ file, code, severity }) => [file, code, severity]),
      [
        ['flows/b.yaml', 'flow/outside', 'warning'],
        ['flows/c', 'flow/outside', 'warning'],
        ['flows/d.yaml', 'flow/unreadable', 'error'],
      ],
    )
  })
  it('that is not there is a warning', async (t) => {
    const project = await folder(t, {})
    const { flows, problems } = await loadFlows(join(project, 'flows'), project, kinds)
    assert.deepEqual(flows, [])
    assert.deepEqual(
      problems.map(({ file, code, severity }) => [file, code, severity]),
      [['flows', 'flow/no-folder', 'warning']],
    )
  })
  it('that is empty has no flows and no problems', async (t) => {
    const project = await folder(t, { 'flows/.keep': '' })
    const { flows, problems } = await loadFlows(join(project, 'flows'), project, kinds)
    assert.deepEqual([flows, problems], [[], []])
  })
  it('that is a file is a problem', async (t) => {
    const project = await folder(t, { flows: LOG })
    const { problems } = await loadFlows(join(project, 'flows'), project, kinds)
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['flow/unreadable'],
    )
  })
  it('two flows of one name are a problem that names both files', async (t) => {
    const project = await folder(t, { 'flows/a.yaml': LOG, 'flows/b.yaml': `name: a\n${LOG}` })
    const { problems } = await loadFlows(join(project, 'flows'), project, kinds)
    assert.deepEqual(
      problems.map(({ code, file, related }) => [code, file, related![0]!.file]),
      [['flow/duplicate-name', 'flows/b.yaml', 'flows/a.yaml']],
    )
  })
  it('a file that is no UTF-8 is a problem, and the others are read', async (t) => {
    const project = await folder(t, {
      'flows/a.yaml': Buffer.from([0xff, 0xfe]),
      'flows/b.yaml': `\uFEFF${LOG.replaceAll('\n', '\r\n')}`,
    })
    const { flows, problems } = await loadFlows(join(project, 'flows'), project, kinds)
    assert.deepEqual(
      problems.map(({ code, file }) => [code, file]),
      [['flow/unreadable', 'flows/a.yaml']],
    )
    assert.deepEqual(
      flows.map(({ name, flow }) => [name, flow?.steps.length]),
      [['b', 1]],
    )
  })
})
