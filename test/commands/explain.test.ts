import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, test, type TestContext } from 'node:test'
import { explainProject } from '../../src/explain-project.ts'
import { explanationLines } from '../../src/commands/explanation-lines.ts'
import { steps } from '../../src/steps/index.ts'
import { triggers } from '../../src/triggers/index.ts'
import { sluice } from '../support/command-line.ts'
import { settingOf } from '../support/project.ts'

/*
 * Golden pairs: a flow, and `explain/<flow>.explain.out`, what `sluice explain` tells of it on 2026-11-29.
 * `UPDATE=1 node --test test/commands/explain.test.ts` writes the .out files; look at the difference.
 */
const folder = join(import.meta.dirname, 'explain')
const ownProject = join(folder, 'project')
const root = join(import.meta.dirname, '../..')
const NOW = Date.parse('2026-11-29T12:00:00Z')
const PRACTICE = {
  PRACTICE_URL: 'http://127.0.0.1:8090',
  LMS_CLIENT_SECRET: 'the-secret-of-lms',
  IM_READ_SECRET: 'the-secret-to-read',
  IM_WRITE_SECRET: 'the-secret-to-write',
  JAM_CLIENT_SECRET: 'the-secret-of-jam',
  JAM_USER_PASSWORD: 'the-secret-of-the-user',
  NEO_CLIENT_SECRET: 'the-secret-of-neo',
}
const OWN = {
  LMS_SECRET: 'the-secret-of-lms',
  STOCK_PASSWORD: 'the-secret-stock',
  LEGACY_TOKEN: 'the-secret-t',
}

async function toldAll(project: string, environment: Record<string, string>): Promise<Map<string, string>> {
  const setting = await settingOf(project, { environment }, () => {})
  const { flows } = await explainProject(setting, () => true, NOW)
  return new Map(
    flows.map((flow) => [flow.name, explanationLines(flow, { color: false, columns: 200 })] as const),
  )
}

async function compare(printed: string, name: string): Promise<void> {
  const golden = join(folder, `${name.replaceAll('/', '-')}.explain.out`)
  if (process.env['UPDATE'] === '1') await writeFile(golden, printed)
  assert.equal(printed, await readFile(golden, 'utf8'))
}

describe('golden explanations', () => {
  const shipped = [
    'im-credits',
    'im-participants',
    'iot-measurements',
    'lms-items',
    'nightly-credits',
    'price-order',
  ]
  const own = [
    'every-kind',
    'sync/pages',
    'shared/notify',
    'with-mistakes',
    'trigger-with-mistake',
    'at-times',
    'once',
    'six-fields',
  ]
  for (const [names, project, environment] of [
    [shipped, root, PRACTICE],
    [own, ownProject, OWN],
  ] as const) {
    const all = toldAll(project, environment)
    for (const name of names)
      it(name, async () => {
        const printed = (await all).get(name)!
        assert.doesNotMatch(printed, /not-for-eyes|the-secret/)
        for (const line of printed.split('\n'))
          assert.ok(line.length <= 80 || !line.trim().includes(' '), `wider than 80 columns: ${line}`)
        await compare(printed, name)
      })
  }

  it('every flow of the project has its golden file, and every golden file its flow', async () => {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.explain.out'))
    const expected = [...shipped, ...own].map((name) => `${name.replaceAll('/', '-')}.explain.out`)
    assert.deepEqual(files.toSorted(), expected.toSorted())
  })

  it('every kind tells of itself, and is used by a golden flow', async () => {
    const texts = await Promise.all(
      ['every-kind', 'pages', 'at-times'].map((name) =>
        readFile(join(ownProject, 'flows', `${name}.yaml`), 'utf8'),
      ),
    )
    for (const kind of [...steps, ...triggers]) {
      assert.ok(kind.explain, `${kind.name} has no explain()`)
      assert.match(texts.join('\n'), new RegExp(`- ${kind.name}:`))
    }
  })
})

const explain = (t: TestContext, name: string, ...more: string[]) =>
  sluice(t, ['explain', name, ...more], {}, { folder: ownProject, environment: OWN })

test('what is not set is told, and flows may be named by their file', async (t) => {
  const { code, stdout } = await sluice(t, ['explain', 'flows/lms-items.yaml'], {}, { folder: root })
  assert.equal(code, 0)
  assert.match(stdout, /GET \$\{env:PRACTICE_URL\}\/learning\/odatav4\/public\/admin\/Items/)
  assert.match(stdout, /not set: env:PRACTICE_URL, env:LMS_CLIENT_SECRET/)
})

test('a flow that is not there: near names, else where to look', async (t) => {
  const near = await explain(t, 'evry-kind')
  assert.equal(near.code, 1)
  assert.match(near.stderr, /there is no flow "evry-kind"; did you mean "every-kind"\?/)
  const far = await explain(t, 'zzz')
  assert.match(far.stderr, /there is no flow "zzz"; sluice flow list shows those that are there/)
  const empty = await sluice(t, ['explain', 'zzz'], { 'flows/readme.txt': '' })
  assert.match(empty.stderr, /there are no flows at all/)
})

test('a flow with mistakes: the problems first, then what is sound; exit code 1', async (t) => {
  const { code, stdout } = await explain(t, 'with-mistakes')
  assert.equal(code, 1)
  assert.match(stdout, /^flows\/with-mistakes.yaml:5:12: "mesage" is not a key/)
  assert.match(stdout, /4 errors in 1 file\n\nwith-mistakes {2}flows/)
  assert.match(stdout, /The step "log" of line 5 has mistakes and is left out here/)
})

test('a file that cannot be read as a flow: its problems and nothing else', async (t) => {
  const { code, stdout } = await explain(t, 'no-yaml')
  assert.equal(code, 1)
  assert.match(stdout, /the quote that opens here is never closed/)
  assert.match(stdout, /1 error in 1 file\n$/)
})

test('as JSON: the same as data', async (t) => {
  const { code, stdout } = await explain(t, 'every-kind', '--json')
  assert.equal(code, 0)
  assert.doesNotMatch(stdout, /not-for-eyes|the-secret/)
  const flow = JSON.parse(stdout)
  assert.equal(flow.steps[1].id, 'get-item')
  assert.equal(flow.steps[4].parts[1].steps[0].number, '5.2')
  assert.deepEqual(flow.summary.calls, ['shared/notify'])
  assert.equal(flow.summary.timeout, 300_000)
})

test('values of parameters come from the command line, too', async (t) => {
  const { stdout } = await explain(t, 'every-kind', '--param', 'companyId=beta')
  assert.match(stdout, /companyId = beta/)
  assert.match(stdout, /Its host: beta.plateau.com/)
})

test('every flow of the golden problems can be explained', async () => {
  const flows = join(import.meta.dirname, '../flow/problems')
  const setting = await settingOf(ownProject, { settings: { flows } }, () => {})
  const explained = await explainProject(setting, () => true, NOW)
  const readable = explained.flows.filter((flow) => flow.readable)
  assert.ok(readable.length > 40)
  for (const flow of readable)
    assert.match(explanationLines(flow, { color: false, columns: 80 }), /What it does/)
})
