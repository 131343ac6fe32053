import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { checkProject } from '../../src/app.ts'
import { loadSettings } from '../../src/config.ts'
import { printProblems } from '../../src/flow/print.ts'

/*
 * Golden pairs: `problems/<case>.yaml`, a flow, or `problems/<case>/`, a project, and `problems/<case>.out`, what
 * `sluice check` prints for it. `UPDATE=1 node --test test/flow/problems.test.ts` writes the .out files; look at the
 * difference.
 */
/** Of the encrypted secrets in the cases. */
const KEY = 'AGE-SECRET-KEY-1YPUWU4TGCJXA75CA7CQLEXW60SGVAM64ANN3MW0K300WQVF8MP7SKHF7PK'

async function check(project: string) {
  const { settings } = await loadSettings(project, {}, {})
  return checkProject({
    settings,
    environment: { SHOP_SECRET: 'the-secret-of-the-shop', SLUICE_SECRET_KEY: KEY },
    parameters: {},
    color: false,
    terminal: false,
    writeLog: () => {},
  })
}

/** Secrets become older every day. */
function ageless(text: string): string {
  return text.replaceAll(/\b\d+ days old\b/g, '*** days old')
}

const folder = join(import.meta.dirname, 'problems')
const entries = await readdir(folder, { withFileTypes: true })
const cases = entries.filter((entry) => entry.isDirectory() || entry.name.endsWith('.yaml'))

describe('golden problems', async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'sluice-problems-'))
  after(() => rm(temporary, { recursive: true }))

  for (const entry of cases) {
    const name = entry.name.replace(/\.yaml$/, '')
    it(name, async () => {
      const project = join(temporary, name)
      await mkdir(join(project, 'flows'), { recursive: true })
      if (entry.isDirectory()) await cp(join(folder, name), project, { recursive: true })
      else await cp(join(folder, entry.name), join(project, 'flows', entry.name))
      const { problems, texts } = await check(project)
      const printed = ageless(printProblems(problems, (file) => texts.get(file), { color: false }))
      const golden = join(folder, `${name}.out`)
      if (process.env['UPDATE'] === '1') await writeFile(golden, printed)
      assert.equal(printed, await readFile(golden, 'utf8'))
    })
  }

  it('every .out file has its case', () => {
    const names = new Set(cases.map((entry) => entry.name.replace(/\.yaml$/, '')))
    const lost = entries.filter((entry) => entry.name.endsWith('.out') && !names.has(entry.name.slice(0, -4)))
    assert.deepEqual(
      lost.map((entry) => entry.name),
      [],
    )
  })
})
