import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it, type TestContext } from 'node:test'
import type { Deployment, ProblemReport } from '../../src/core/kinds.ts'
import type { Problem } from '../../src/core/problem.ts'
import { checkProject } from '../../src/app.ts'
import { loadSettings } from '../../src/config.ts'
import { script } from '../../src/steps/script.ts'
import { bundle } from '../scripts/setting.ts'
import { problemsOf, projectFolder, startProject } from '../support/project.ts'

const INLINE = `steps:
  - script: |
      const order = message.body;
      order.total = order.qty * order.price;
      message.headers['x-priced-by'] = 'sluice';
`

function flow(steps: string): Record<string, string> {
  return { 'flows/a.yaml': `steps:\n${steps}` }
}

function spots(problems: readonly Problem[]): string[] {
  return problems.map(
    ({ file, line, column, code, message }) => `${file}:${line}:${column} ${message} [${code}]`,
  )
}

/** Of a project folder that is there already. */
async function problemsIn(folder: string): Promise<readonly Problem[]> {
  const { settings } = await loadSettings(folder, {}, {})
  return (
    await checkProject({
      settings,
      environment: {},
      parameters: {},
      color: false,
      terminal: false,
      writeLog: () => {},
    })
  ).problems
}

async function failureOf(t: TestContext, files: Record<string, string>, body: unknown = {}) {
  const project = await startProject(t, files)
  const report = await project.run('a', body)
  assert.ok(report.failure, 'a failure was expected')
  return report.failure
}

describe('the script step', () => {
  before(() => bundle())

  it('that cannot be compiled at all is a problem of its step, not of its text', async () => {
    const found: ProblemReport[] = []
    const deployment = {
      step: {},
      flow: { file: 'flows/a.yaml' },
      services: { scripts: { compile: () => Promise.reject(new Error('no process')) } },
      problem: (report: ProblemReport) => void found.push(report),
    } as unknown as Deployment
    await script.prepare({ text: 'message.body = 1' } as never, deployment)
    assert.deepEqual(
      found.map(({ code, at }) => [code, at]),
      [['script/unavailable', undefined]],
    )
  })

  it('changes the message with a script in the flow', async (t) => {
    const project = await startProject(t, { 'flows/a.yaml': INLINE })
    const { status, reply } = await project.run('a', { qty: 2, price: 4 })
    assert.equal(status, 'COMPLETED')
    assert.deepEqual(JSON.parse(String(Buffer.from(reply!.body))), { qty: 2, price: 4, total: 8 })
    assert.equal(reply!.headers['x-priced-by'], 'sluice')
  })

  it('takes the function of a file, default or by name', async (t) => {
    const project = await startProject(t, {
      'scripts/map.ts':
        'export default (message: { body: number[] }) => { message.body.push(1) }\nexport function processData(m) { m.body.push(2) }\n',
      ...flow(
        '  - script: { file: scripts/map.ts }\n  - script: { file: ./scripts/map.ts, function: processData }\n',
      ),
    })
    const { reply } = await project.run('a', [])
    assert.equal(String(Buffer.from(reply!.body)), '[1,2]')
  })

  it('shows a mistake of a script where it stands in the flow', async (t) => {
    const cases: [yaml: string, spot: RegExp][] = [
      [
        '  - script: |\n      const a = 1\n      foo bar\n',
        /^flows\/a.yaml:4:11 Unexpected identifier 'bar' \[script\/mistake\]$/,
      ],
      ['  - script: "const a = \\"x\\"; foo bar"\n', /^flows\/a.yaml:2:35 Unexpected identifier 'bar'/],
      [
        '  - script:\n      text: |\n        import fs from "fs"\n',
        /^flows\/a.yaml:4:9 "import" is not there/,
      ],
    ]
    for (const [yaml, spot] of cases) {
      const problems = await problemsOf(t, flow(yaml))
      assert.equal(problems.length, 1)
      assert.match(spots(problems)[0]!, spot)
    }
  })

  it('shows a mistake of a file in the file', async (t) => {
    const problems = await problemsOf(t, {
      'scripts/map.js': 'export default (m) => {\r\n  m.a b\r\n}\r\n',
      ...flow('  - script: { file: scripts/map.js }\n'),
    })
    assert.deepEqual(spots(problems), ["scripts/map.js:2:7 Unexpected token 'b' [script/mistake]"])
  })

  it('shows where a script failed: in the flow, or in the file', async (t) => {
    const inFlow = await failureOf(
      t,
      flow('  - script: |\n      const a = 1\n      message.body.items.map((i) => i)\n'),
    )
    assert.equal(inFlow.code, 'script.error')
    assert.equal(inFlow.position, 'flows/a.yaml:4:26')
    const inFile = await failureOf(t, {
      'scripts/map.ts': 'export default function (m: any) {\n  m.body.items.map((i) => i)\n}\n',
      ...flow('  - script: { file: scripts/map.ts }\n'),
    })
    assert.equal(inFile.position, 'scripts/map.ts:2:16')
    assert.equal(inFile.step, 'script')
  })

  it('ends after its timeout', async (t) => {
    const failure = await failureOf(t, flow('  - script: for (;;) {}\n    timeout: 150ms\n'))
    assert.equal(failure.code, 'script.timeout')
  })

  it('takes at most a minute', async (t) => {
    const problems = await problemsOf(t, flow('  - script: message.body = 1\n    timeout: 2m\n'))
    assert.deepEqual(spots(problems), ['flows/a.yaml:3:14 a script may take 60s at most [script/timeout]'])
  })

  it('wants exactly one of a text and a file', async (t) => {
    const cases: [yaml: string, message: RegExp][] = [
      ['  - script: {}\n', /there is no script/],
      ['  - script: { text: "1", file: scripts/a.js }\n', /^flows\/a.yaml:2:\d+ the script is given twice/],
      ['  - script: { text: "1", function: f }\n', /"function" names a function of a file/],
    ]
    for (const [yaml, message] of cases) {
      const problems = await problemsOf(t, flow(yaml))
      assert.equal(problems.length, 1, yaml)
      assert.match(spots(problems)[0]!, message)
    }
  })

  it('says which file may have been meant', async (t) => {
    const problems = await problemsOf(t, {
      'scripts/map-items.ts': 'export default (m) => {}\n',
      ...flow('  - script: { file: scripts/map-item.ts }\n  - script: { file: scripts }\n'),
    })
    assert.deepEqual(spots(problems), [
      'flows/a.yaml:2:21 there is no file "scripts/map-item.ts"; did you mean "map-items.ts"? [script/file]',
      'flows/a.yaml:3:21 "scripts" is a folder; the file of a script was expected [script/file]',
    ])
  })

  it('takes no file outside of the project folder, by whatever way', async (t) => {
    const other = projectFolder(t, { 'secret.js': 'export default (m) => {}\n' })
    const folder = projectFolder(t, {
      'inside.js': 'export default (m) => {}\n',
      ...flow(
        `  - script: { file: ../secret.js }\n  - script: { file: ${join(other, 'secret.js')} }\n  - script: { file: link.js }\n  - script: { file: linked/secret.js }\n  - script: { file: good.js }\n`,
      ),
    })
    symlinkSync(join(other, 'secret.js'), join(folder, 'link.js'))
    symlinkSync(other, join(folder, 'linked'))
    symlinkSync('inside.js', join(folder, 'good.js'))
    const found = await problemsIn(folder)
    assert.deepEqual(
      found.map(({ line, code }) => `${line} ${code}`),
      ['2 script/outside', '3 script/outside', '4 script/outside', '5 script/outside'],
    )
  })

  it('lets a stream pass by a script that does not look at the body', async (t) => {
    const project = await startProject(
      t,
      flow("  - script: message.headers['x-a'] = run.id\n  - script: message.properties.n = 1\n"),
    )
    const { status, reply } = await project.run('a', { kept: true })
    assert.equal(status, 'COMPLETED')
    assert.equal(String(Buffer.from(reply!.body)), '{"kept":true}')
  })

  it('reads a file anew at each deployment', async (t) => {
    const files = {
      'scripts/map.js': 'export default (m) => { m.body = 1 }\n',
      ...flow('  - script: { file: scripts/map.js }\n'),
    }
    const folder = projectFolder(t, files)
    assert.deepEqual(await problemsIn(folder), [])
    writeFileSync(join(folder, 'scripts/map.js'), 'export default (m) => { m.body = }\n')
    assert.equal((await problemsIn(folder)).length, 1)
  })
})
