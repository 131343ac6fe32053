import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Ajv, type AnySchema } from 'ajv'
import { PROBLEM_CODES } from '../../src/core/problem-codes.ts'
import { version } from '../../src/version.ts'
import { sluice } from '../support/command-line.ts'
import { SARIF_SHAPE } from './sarif-shape.ts'

const GOOD = 'steps:\n  - endpoint: { path: /a, access: public }\n'
const FILES = {
  'flows/a.yaml': GOOD,
  'flows/b b.yaml':
    'name: b\nsteps:\n  - lgo: 50%, really\n  - http: { url: "https://x.example.com/", methd: GET }\n',
  'security-material/shop.yaml': 'type: bearer\ntoken: ${env:NOT_SET}\nbaseUrl: https://api.example.com/\n',
}
/** They point to each other: the second of two flows on one path names the first. */
const CLASH = {
  'flows/first.yaml': GOOD,
  'flows/second.yaml': GOOD,
  'flows/third.yaml': 'steps:\n  - lgo: x\n',
}
const SCRIPTED = {
  'flows/one.yaml': 'steps:\n  - script: { file: scripts/one.js }\n',
  'flows/two.yaml': GOOD,
  'scripts/one.js': 'export default function (\n',
}

interface JsonReport {
  flows: number
  files?: number
  errors: number
  warnings: number
  problems: { file: string; line: number; code: string; severity: string }[]
}

describe('sluice check --format json', () => {
  it('gives counts and the problems, in fields that stay', async (t) => {
    const { code, stdout } = await sluice(t, ['check', '--format', 'json'], FILES)
    assert.equal(code, 1)
    const { problems, ...counts } = JSON.parse(stdout) as JsonReport
    assert.deepEqual(counts, { flows: 2, errors: 2, warnings: 1 })
    assert.deepEqual(problems[1], {
      file: 'flows/b b.yaml',
      line: 4,
      column: 44,
      endLine: 4,
      endColumn: 49,
      severity: 'error',
      code: 'key/unknown',
      message: '"methd" is not a key of step http; did you mean "method"?',
      hint: 'Known keys: url, method, query, headers, body, contentType, credential, tenant, acceptStatus, followRedirects, maxResponse, into, saveHeaders, paginate, throttle',
    })
    assert.equal((await sluice(t, ['check', '--json'], FILES)).stdout, stdout)
  })
  it('tells related places, and nothing found is told as well', async (t) => {
    const { stdout } = await sluice(t, ['check', '--format', 'json'], CLASH)
    const clash = (JSON.parse(stdout) as JsonReport).problems.find(({ code }) => code === 'flow/path-taken')
    assert.deepEqual((clash as unknown as { related: unknown }).related, [
      { file: 'flows/first.yaml', line: 2, column: 23, endLine: 2, endColumn: 25, message: 'served here' },
    ])
    const fine = await sluice(t, ['check', '--format', 'json'], { 'flows/a.yaml': GOOD })
    assert.deepEqual(
      [fine.code, JSON.parse(fine.stdout)],
      [0, { flows: 1, errors: 0, warnings: 0, problems: [] }],
    )
  })
  it('a format that is none, or two of them, is wrong usage', async (t) => {
    const none = await sluice(t, ['check', '--format', 'xml'], FILES)
    assert.deepEqual([none.code, none.stdout], [2, ''])
    assert.match(none.stderr, /--format wants text, json, sarif, github; got "xml"/)
    assert.equal((await sluice(t, ['check', '--json', '--format', 'text'], FILES)).code, 2)
  })
})

interface Sarif {
  version: string
  runs: {
    tool: {
      driver: { name: string; semanticVersion: string; rules: { id: string; help: { text: string } }[] }
    }
    results: {
      ruleId: string
      ruleIndex: number
      level: string
      message: { text: string }
      locations: {
        physicalLocation?: { artifactLocation: { uri: string }; region: object }
        logicalLocations?: { name: string }[]
      }[]
      relatedLocations?: object[]
    }[]
  }[]
}

describe('sluice check --format sarif', () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(SARIF_SHAPE as AnySchema)

  async function sarifOf(
    t: Parameters<typeof sluice>[0],
    args: string[],
    files: Record<string, string>,
    setting = {},
  ) {
    const { code, stdout, stderr } = await sluice(t, ['check', '--format', 'sarif', ...args], files, setting)
    const sarif = JSON.parse(stdout) as Sarif
    assert.ok(validate(sarif), JSON.stringify(validate.errors))
    assert.equal(stderr, '')
    return { code, sarif, run: sarif.runs[0]! }
  }

  it('has a rule for each code that was found, with its page, and results that refer to them', async (t) => {
    const { code, run } = await sarifOf(t, [], FILES)
    assert.equal(code, 1)
    const { name, semanticVersion, rules } = run.tool.driver
    assert.deepEqual([name, semanticVersion], ['Sluice', version])
    assert.deepEqual(
      rules.map(({ id }) => id),
      ['credential/unset', 'flow/unknown-kind', 'key/unknown'],
    )
    assert.ok(rules[2]!.help.text.includes(PROBLEM_CODES['key/unknown'].wrong.split('\n')[1]!))
    for (const { ruleId, ruleIndex } of run.results) assert.equal(rules[ruleIndex]!.id, ruleId)
    assert.deepEqual(run.results.map(({ level }) => level).toSorted(), ['error', 'error', 'warning'])
  })
  it('names files by relative URIs', async (t) => {
    const { run } = await sarifOf(t, [], FILES)
    assert.deepEqual(run.results[1]!.locations, [
      {
        physicalLocation: {
          artifactLocation: { uri: 'flows/b%20b.yaml', uriBaseId: '%SRCROOT%' },
          region: { startLine: 4, startColumn: 44, endLine: 4, endColumn: 49 },
        },
      },
    ])
  })
  it('has related places, and names what is in no file', async (t) => {
    const clash = await sarifOf(t, [], CLASH)
    assert.equal(
      clash.run.results.find(({ ruleId }) => ruleId === 'flow/path-taken')!.relatedLocations!.length,
      1,
    )
    const { run } = await sarifOf(t, [], { 'flows/a.yaml': GOOD }, { environment: { SLUICE_LISTN: '1' } })
    assert.deepEqual(run.results[0]!.locations, [
      { logicalLocations: [{ name: 'environment variable SLUICE_LISTN' }] },
    ])
  })
  it('is whole where nothing is found', async (t) => {
    const { code, run } = await sarifOf(t, [], { 'flows/a.yaml': GOOD })
    assert.deepEqual([code, run.results, run.tool.driver.rules], [0, [], []])
  })
  it('names files from where the command was typed', async (t) => {
    const { stdout } = await sluice(t, ['-C', 'shop', 'check', '--format', 'sarif'], {
      'shop/flows/a.yaml': 'steps:\n  - lgo: x\n',
    })
    assert.match(stdout, /"uri": "shop\/flows\/a\.yaml"/)
  })
})

describe('sluice check --format github', () => {
  it('gives one command a problem, with its place, escaped', async (t) => {
    const { code, stdout } = await sluice(t, ['check', '--format', 'github'], {
      'flows/a.yaml': GOOD,
      'flows/b%, c.yaml': 'name: b\nsteps:\n  - lgo: 1\n',
    })
    assert.equal(code, 1)
    assert.equal(
      stdout,
      '::error file=flows/b%25%2C c.yaml,line=3,col=5,title=There is no kind of step of this name [flow/unknown-kind]::"lgo" is no kind of step; did you mean "log"?%0AKinds: endpoint, timer, http, script, log, set, respond, fail, choose, forEach, try, parallel, call\n',
    )
  })
  it('has warnings, hints on a line of their own, and what is in no file', async (t) => {
    const { code, stdout } = await sluice(
      t,
      ['check', '--format', 'github'],
      { 'flows/a.yaml': GOOD, 'security-material/shop.yaml': FILES['security-material/shop.yaml'] },
      { environment: { SLUICE_LISTN: '1' } },
    )
    assert.equal(code, 0)
    const lines = stdout.trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.match(lines[0]!, /^::warning title=.*::environment variable SLUICE_LISTN: /)
    assert.match(
      lines[1]!,
      /^::warning file=security-material\/shop\.yaml,line=2,col=8,title=.*NOT_SET.*%0ASet it/,
    )
  })
  it('says that nothing was found', async (t) => {
    const { code, stdout } = await sluice(t, ['check', '--format', 'github'], { 'flows/a.yaml': GOOD })
    assert.deepEqual([code, stdout], [0, '1 flow, no problems\n'])
  })
})

describe('sluice check FILE', () => {
  it('shows what stands in the file; its exit code is that of what is shown', async (t) => {
    const bad = await sluice(t, ['check', 'flows/b b.yaml'], FILES)
    assert.equal(bad.code, 1)
    assert.match(bad.stdout, /2 errors in 1 file\n$/)
    const fine = await sluice(t, ['check', 'flows/a.yaml'], FILES)
    assert.deepEqual([fine.code, fine.stdout, fine.stderr], [0, '1 file, no problems\n', ''])
  })
  it('reads the other files, and shows problems of them that point to it', async (t) => {
    const first = await sluice(t, ['check', 'flows/first.yaml'], CLASH)
    assert.equal(first.code, 1)
    assert.match(first.stdout, /^flows\/second\.yaml:2:23: [^]*flow\/path-taken/)
    assert.doesNotMatch(first.stdout, /third/)
  })
  it('shows the mistakes in the script of a flow, and of a script that is named itself', async (t) => {
    for (const file of ['flows/one.yaml', 'scripts/one.js', 'scripts']) {
      const { code, stdout, stderr } = await sluice(t, ['check', file], SCRIPTED)
      assert.equal(code, 1, file)
      assert.match(stdout, /^scripts\/one\.js:\d+:\d+: [^]*script\/mistake/)
      assert.equal(stderr, '')
    }
    assert.equal((await sluice(t, ['check', 'flows/two.yaml'], SCRIPTED)).code, 0)
  })
  it('takes several of them, folders, and paths from where it was typed', async (t) => {
    const two = await sluice(t, ['check', '--format', 'json', 'flows/a.yaml', 'flows/b b.yaml'], FILES)
    assert.deepEqual((JSON.parse(two.stdout) as JsonReport).files, 2)
    const folder = await sluice(t, ['check', 'security-material'], FILES)
    assert.deepEqual([folder.code, /1 warning in 1 file/.test(folder.stdout)], [0, true])
    const files = { 'shop/flows/a.yaml': 'steps:\n  - lgo: x\n' }
    assert.equal((await sluice(t, ['-C', 'shop', 'check', 'shop/flows/a.yaml'], files)).code, 1)
  })
  it('one that is not there is wrong usage; one that is no part of the project is told', async (t) => {
    const missing = await sluice(t, ['check', 'flows/c.yaml'], FILES)
    assert.deepEqual([missing.code, missing.stderr], [2, 'sluice: there is no file "flows/c.yaml"\n'])
    const strange = await sluice(t, ['check', 'compose.yaml'], { ...FILES, 'compose.yaml': 'a: 1\n' })
    assert.equal(strange.code, 0)
    assert.match(strange.stderr, /"compose\.yaml" is no file of this project/)
  })
})

describe('sluice check --explain', () => {
  it('prints the page of each code, in lines of a terminal', async (t) => {
    for (const [code, { title, meaning }] of Object.entries(PROBLEM_CODES)) {
      const { code: exit, stdout, stderr } = await sluice(t, ['check', '--explain', code])
      assert.deepEqual([exit, stderr], [0, ''])
      const words = stdout.replaceAll(/\s+/g, ' ')
      assert.ok(words.startsWith(`${title} [${code}] ${meaning} `), stdout)
      assert.match(stdout, /\nRight:\n\n {2}\S/)
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
    }
  })
  it('takes a code as it was printed, and reads no project', async (t) => {
    assert.equal((await sluice(t, ['check', '--explain', '[yaml/tab]'], { 'sluice.yaml': 'a: [' })).code, 0)
  })
  it('of a code that is none it names those that are near', async (t) => {
    const near = async (text: string) => {
      const { code, stdout, stderr } = await sluice(t, ['check', '--explain', text])
      assert.deepEqual([code, stdout], [2, ''])
      return stderr
    }
    assert.match(await near('key/unknwon'), /did you mean key\/unknown\?/)
    assert.match(await near('cron'), /did you mean timer\/cron\?/)
    assert.match(await near('flow/curly-quotes'), /yaml\/curly-quotes/)
    assert.match(await near('xyzzy'), /codes stand in brackets behind a problem/)
  })
})
