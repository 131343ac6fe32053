import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { Problem } from '../../src/core/problem.ts'
import { loadFlows } from '../../src/flow/load.ts'
import { resolveParameters } from '../../src/flow/parameters.ts'
import { printProblems } from '../../src/flow/print.ts'
import { kinds } from './kinds.ts'

/*
 * Golden pairs: `problems/<case>.yaml`, a flow, or `problems/<case>/`, a project, and `problems/<case>.out`, what is
 * printed for it. `UPDATE=1 node --test test/flow/problems.test.ts` writes the .out files; look at the difference.
 */
interface Checked {
  readonly problems: readonly Problem[]
  readonly texts: ReadonlyMap<string, string>
}

async function checkFlows(project: string): Promise<Checked> {
  const { flows, problems, texts } = await loadFlows(join(project, 'flows'), project, kinds)
  const values = flows.flatMap(({ flow }) =>
    flow ? resolveParameters(flow, { environment: {}, flags: {} }).problems : [],
  )
  return { problems: [...problems, ...values], texts }
}

/** What checks a project. */
const check: (project: string) => Promise<Checked> = checkFlows

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
      const printed = printProblems(problems, (file) => texts.get(file), { color: false })
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
