import assert from 'node:assert/strict'
import { access, appendFile, glob, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { commands } from '../../src/commands/index.ts'
import { FAILURES } from '../../src/core/failure.ts'
import { referenceFiles } from '../../src/reference-files.ts'
import { sluice } from '../support/command-line.ts'

const root = join(import.meta.dirname, '..', '..')
const pages = referenceFiles(commands)

test('docs/reference is what `sluice docs` writes', async () => {
  const found = await Array.fromAsync(glob('docs/reference/**/*.{md,json}', { cwd: root }))
  assert.deepEqual(
    found.map((path) => path.replaceAll('\\', '/')).toSorted(),
    pages.map(({ path }) => path).toSorted(),
  )
  for (const { path, text } of pages)
    assert.equal(await readFile(join(root, path), 'utf8'), text, `${path} is stale: run \`sluice docs\``)
})

test('every link of the reference leads to a file', async () => {
  for (const { path, text } of pages)
    for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      await access(join(root, dirname(path), target!))
})

test('every failure has a page that tells what to do', () => {
  for (const code of Object.keys(FAILURES)) {
    const page = pages.find(({ path }) => path === `docs/reference/failures/${code}.md`)
    assert.match(page!.text, /## What to do\n\n- /)
  }
})

test('sluice docs writes what is missing or stale, and takes away what it once wrote', async (t) => {
  const first = await sluice(t, ['docs'])
  assert.equal(first.code, 0)
  assert.match(first.stdout, /^wrote docs\/reference\/steps\/http\.md$/m)
  const { folder } = first
  const at = (path: string) => join(folder, 'docs/reference', path)
  const again = await sluice(t, ['docs'], {}, { folder })
  assert.equal(again.stdout, 'docs/reference is as it should be; nothing was written\n')

  await appendFile(at('flow.md'), 'more\n')
  await rm(at('cli.md'))
  await writeFile(at('steps/old.md'), await readFile(at('steps/log.md')))
  await writeFile(at('own.md'), '# Written by hand\n')
  const check = await sluice(t, ['docs', '--check'], {}, { folder })
  assert.equal(check.code, 1)
  assert.equal(
    check.stderr,
    'docs/reference/flow.md is not as it would be written\ndocs/reference/cli.md is not as it would be written\n' +
      'docs/reference/steps/old.md would not be written any more\nRun `sluice docs`.\n',
  )
  const mended = await sluice(t, ['docs'], {}, { folder })
  assert.equal(
    mended.stdout,
    'wrote docs/reference/flow.md\nwrote docs/reference/cli.md\nremoved docs/reference/steps/old.md\n',
  )
  assert.equal((await sluice(t, ['docs', '--check'], {}, { folder })).code, 0)
  assert.equal(await readFile(at('own.md'), 'utf8'), '# Written by hand\n')
})

test('sluice docs --out writes elsewhere', async (t) => {
  const { folder, code } = await sluice(t, ['docs', '--out', 'help/'])
  assert.equal(code, 0)
  await access(join(folder, 'help/credentials/oauth2.md'))
})
