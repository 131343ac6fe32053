import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { PROBLEM_CODES, type ProblemCode } from '../../src/core/problem-codes.ts'
import type { ProblemText } from '../../src/core/problem-codes/problem-text.ts'
import type { Problem } from '../../src/core/problem.ts'
import { readSnippet } from '../../src/reference/snippet.ts'
import { sluice } from '../support/command-line.ts'
import { projectFolder } from '../support/project.ts'

const entries = Object.entries(PROBLEM_CODES) as [ProblemCode, ProblemText][]

/** What `sluice check` finds in an example. */
async function problemsOf(t: TestContext, snippet: string): Promise<readonly Problem[]> {
  const parts = readSnippet(snippet)
  const files = parts.filter(({ file }) => file !== undefined).map(({ file, text }) => [file!, text] as const)
  const folder = projectFolder(t, Object.fromEntries(files))
  await mkdir(join(folder, 'flows'), { recursive: true })
  const words = parts
    .find(({ file }) => file === undefined)
    ?.text.trim()
    .split(' ') ?? ['sluice', 'check']
  const start = words.indexOf('sluice')
  const given = words.slice(0, start).map((word) => word.split('=') as [string, string])
  const environment = { SHOP_SECRET: 'abcdef', ...Object.fromEntries(given) }
  const { stdout, stderr } = await sluice(
    t,
    [...words.slice(start + 1), '--format', 'json'],
    {},
    {
      folder,
      environment,
    },
  )
  assert.equal(stderr, '')
  return (JSON.parse(stdout) as { problems: Problem[] }).problems
}

describe('the table of problem codes', () => {
  it('has no code that nothing uses', async () => {
    const folder = join(import.meta.dirname, '../../src')
    const names = await readdir(folder, { recursive: true })
    const texts = await Promise.all(
      names
        .filter((name) => name.endsWith('.ts') && !name.includes('problem-codes'))
        .map((name) => readFile(join(folder, name), 'utf8')),
    )
    const source = texts.join('\n')
    assert.deepEqual(
      entries.map(([code]) => code).filter((code) => !source.includes(`'${code}'`)),
      [],
    )
  })

  for (const [code, text] of entries) {
    it(`${code} has a title of one line, a meaning and two examples`, () => {
      assert.match(text.title, /^[^\n]{10,80}$/)
      assert.doesNotMatch(text.title, /[.]$/)
      assert.match(text.meaning, /^[^\n]{20,}[.:!?]$/)
      assert.match(text.wrong, /^[^]+\n$/)
      assert.match(text.right, /^[^]+\n$/)
      assert.notEqual(text.wrong, text.right)
    })
    if (text.onlyTold === undefined)
      it(`${code} is what its wrong example gives, and the right one gives nothing`, async (t) => {
        const wrong = await problemsOf(t, text.wrong)
        assert.deepEqual([...new Set(wrong.map((problem) => problem.code))], [code], JSON.stringify(wrong))
        assert.deepEqual(await problemsOf(t, text.right), [])
      })
  }
})
