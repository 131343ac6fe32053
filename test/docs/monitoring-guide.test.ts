import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { startProject } from '../support/project.ts'
import { scrape, type Scrape } from '../support/scrape.ts'

const guide = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'guide', 'monitoring.md'), 'utf8')
const rows = [...guide.matchAll(/^\| `(sluice_\w+)` \| (\w+) \|(.*?)\|(.*)\|$/gm)].map(
  ([, name, type, labels, about]) => ({
    name: name!,
    type: type!,
    labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
    elsewhere: about!.includes('on Linux only') && process.platform !== 'linux',
  }),
)
const blocks = [...guide.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text]) => text!)

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
}

/** Labels of a series that are the format's own. */
const OWN: ReadonlySet<string> = new Set(['le'])

/** What an engine with each kind of metric shows. */
async function scraped(t: TestContext): Promise<Scrape> {
  const { app, run } = await startProject(
    t,
    {
      'flows/a.yaml': 'steps:\n  - script: "message.body = 1"\n  - http: { url: "http://127.0.0.1:9/" }\n',
      'security-material/api.yaml':
        'type: oauth2\ntokenServiceUrl: https://idp.example.com/token\nclientId: a\nclientSecret: ${env:API_SECRET}\nbaseUrl: https://api.example.com/\n',
    },
    {
      settings: { management: '127.0.0.1:0', 'managementAccess.metrics': 'public' },
      environment: { API_SECRET: 'a-secret-of-the-guide' },
    },
  )
  await run('a')
  return await scrape(app.control.status().management!)
}

test('the guide of monitoring has a row for every metric there is, with its type, and for no other', async (t) => {
  const found = await scraped(t)
  const written = rows.filter(({ elsewhere }) => !elsewhere)
  assert.deepEqual(
    written.map(({ name, type }) => `${name} ${type}`).toSorted(),
    [...found.types].map(([name, type]) => `${name} ${type}`).toSorted(),
  )
})

test('the guide of monitoring names the labels of each', async (t) => {
  const found = await scraped(t)
  let compared = 0
  for (const { name, labels } of rows) {
    const series = found.series.filter((one) => one.name.replace(/_(bucket|sum|count)$/, '') === name)
    if (series.length > 0) compared++
    for (const one of series)
      assert.deepEqual(
        Object.keys(one.labels)
          .filter((label) => !OWN.has(label))
          .toSorted(),
        labels.toSorted(),
        one.name,
      )
  }
  assert.ok(compared > 40, String(compared))
})

test('each metric of our own has a help of one sentence, and a name with its unit', async (t) => {
  const found = await scraped(t)
  for (const [, name, help] of found.text.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    if (/^sluice_(nodejs|process)_/.test(name!)) continue
    assert.match(help!, /^[A-Z0-9"].*\.$/, name!)
    assert.match(
      name!,
      /_(total|seconds|bytes|info|running|waiting|well|ready|abandoned|backlog|processes|messages)$/,
    )
  }
  for (const [name, type] of found.types)
    if (!/^sluice_nodejs_/.test(name)) assert.equal(name.endsWith('_total'), type === 'counter', name)
})

test('the guide of monitoring shows alerts whose metrics and labels there are', () => {
  const [rules] = blocks
    .map((text) => parse(text) as { groups?: { rules: Rule[] }[] })
    .filter(({ groups }) => groups)
  const all = rules!.groups!.flatMap((group) => group.rules)
  assert.ok(all.length > 5)
  for (const rule of all) {
    assert.match(rule.alert, /^[A-Z]\w+$/)
    assert.match(rule.for ?? '1m', /^\d+[smhd]$/)
    assert.ok(rule.annotations['summary'] && rule.labels['severity'], rule.alert)
    const names = [...rule.expr.matchAll(/\bsluice_\w+/g)].map(([name]) => name)
    const used = names.map((name) =>
      rows.find((row) => row.name === name.replace(/_(bucket|sum|count)$/, '')),
    )
    const labels = new Set(used.flatMap((row, at) => row?.labels ?? assert.fail(`${names[at]} is no metric`)))
    const told = [...JSON.stringify(rule).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!)
    for (const label of told) assert.ok(label === 'instance' || labels.has(label), `${rule.alert}: ${label}`)
    const chosen = [...rule.expr.matchAll(/[{,]\s*(\w+)=/g)].map(([, label]) => label!)
    for (const label of chosen) assert.ok(label === 'job' || labels.has(label), `${rule.alert}: ${label}`)
  }
})

test('the guide of monitoring shows YAML that can be read', () => {
  assert.ok(blocks.length >= 3)
  for (const text of blocks) assert.equal(typeof parse(text), 'object')
})
