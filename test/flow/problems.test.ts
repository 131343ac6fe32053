import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { PROBLEM_CODES } from '../../src/core/problem-codes.ts'
import { sluice } from '../support/command-line.ts'

/*
 * Golden pairs: `problems/<case>.yaml`, a flow, or `problems/<case>/`, a project, and `problems/<case>.out`, what
 * `sluice check` prints for it. A project may have a `case.json` with further arguments and variables.
 * `UPDATE=1 node --test test/flow/problems.test.ts` writes the .out files; look at the difference.
 */
/** Of the encrypted secrets in the cases. */
const KEY = 'AGE-SECRET-KEY-1YPUWU4TGCJXA75CA7CQLEXW60SGVAM64ANN3MW0K300WQVF8MP7SKHF7PK'

interface Case {
  readonly arguments?: string[]
  readonly environment?: Record<string, string>
}

async function check(t: TestContext, folder: string): Promise<string> {
  const text = await readFile(join(folder, 'case.json'), 'utf8').catch(() => '{}')
  const { arguments: more = [], environment = {} } = JSON.parse(text) as Case
  const { stdout } = await sluice(
    t,
    ['check', ...more],
    {},
    {
      folder,
      environment: { SHOP_SECRET: 'the-secret-of-the-shop', SLUICE_SECRET_KEY: KEY, ...environment },
    },
  )
  return stdout
}

/** Secrets become older every day. */
function ageless(text: string): string {
  return text.replaceAll(/\b\d+ days old\b/g, '*** days old')
}

/** Codes that no pair can have, and the test that has them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'credential/fault': 'test/security/material.test.ts',
  'setting/flag': 'test/config.test.ts',
  'script/unavailable': 'test/steps/script.test.ts',
  'yaml/too-large': 'test/core/document.test.ts',
  'fmt/refused': 'test/fmt.test.ts',
  'fmt/unreadable': 'test/commands/fmt.test.ts',
  'fmt/not-written': 'test/commands/fmt.test.ts',
}

const folder = join(import.meta.dirname, 'problems')
const entries = await readdir(folder, { withFileTypes: true })
const cases = entries.filter((entry) => entry.isDirectory() || entry.name.endsWith('.yaml'))

describe('golden problems', async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'sluice-problems-'))
  after(() => rm(temporary, { recursive: true }))

  for (const entry of cases) {
    const name = entry.name.replace(/\.yaml$/, '')
    it(name, async (t) => {
      const project = join(temporary, name)
      await mkdir(project)
      if (entry.isDirectory())
        await cp(join(folder, name), project, { recursive: true, verbatimSymlinks: true })
      else await cp(join(folder, entry.name), join(project, 'flows', entry.name))
      const printed = ageless(await check(t, project))
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

  it('every code is in one of them', async () => {
    const outs = entries.filter(({ name }) => name.endsWith('.out'))
    const texts = await Promise.all(outs.map(({ name }) => readFile(join(folder, name), 'utf8')))
    const printed = new Set(texts.flatMap((text) => text.match(/(?<=\[)[a-z]+\/[a-z-]+(?=\]$)/gm) ?? []))
    const missing = Object.keys(PROBLEM_CODES).filter((code) => !printed.has(code))
    assert.deepEqual(missing.toSorted(), Object.keys(ELSEWHERE).toSorted())
    for (const [code, file] of Object.entries(ELSEWHERE)) {
      const text = await readFile(join(import.meta.dirname, '../..', file), 'utf8')
      assert.ok(text.includes(code), `${file} does not test ${code}`)
    }
  })
})
