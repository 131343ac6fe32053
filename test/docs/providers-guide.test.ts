import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROVIDER_FILES } from '../support/write-providers.ts'

const root = join(import.meta.dirname, '..', '..')

for (const [path, text] of Object.entries(PROVIDER_FILES))
  test(`${path} is what the fixtures of providers say`, async () => {
    assert.equal(await readFile(join(root, path), 'utf8'), text, `${path} is stale: npm run providers`)
  })

test('every row of the table leads to a heading of the page', () => {
  const page = PROVIDER_FILES['docs/guide/providers.md']!
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, link]) => link!)
  assert.ok(links.length >= 40)
  assert.deepEqual(
    links.filter((link) => !headings.includes(link)),
    [],
  )
  assert.equal(new Set(headings).size, headings.length, 'a heading is there twice')
})
