import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PROBLEM_CODES } from '../../src/core/problem-codes.ts'
import { problemPages } from '../../src/reference/problem-pages.ts'
import { readSnippet } from '../../src/reference/snippet.ts'

const pages = new Map(problemPages().map(({ path, text }) => [path, text]))
const index = pages.get('docs/reference/problems/index.md')!

describe('pages of problems', () => {
  it('are one for each code, and the index leads to each once', () => {
    const codes = Object.keys(PROBLEM_CODES)
    assert.deepEqual(
      [...pages.keys()].toSorted(),
      ['index', ...codes].map((name) => `docs/reference/problems/${name}.md`).toSorted(),
    )
    const links = [...index.matchAll(/\]\((.*?)\.md\)/g)].map((match) => match[1]!)
    assert.deepEqual(links.toSorted(), codes.toSorted())
  })
  it('begin with a title, end with a line feed, and close what they open', () => {
    for (const [path, text] of pages) {
      assert.match(text, /^# [^\n]+\n\n/, path)
      assert.match(text, /[^\n]\n$/, path)
      assert.equal((text.match(/^```/gm) ?? []).length % 2, 0, path)
    }
  })
  it('show the wrong and the right one, each file by its name', () => {
    assert.equal(
      pages.get('docs/reference/problems/key/unknown.md'),
      [
        '# A key is not known',
        '',
        'Code `key/unknown`, told by `sluice check`.',
        '',
        PROBLEM_CODES['key/unknown'].meaning,
        '',
        'Wrong:',
        '',
        '```yaml',
        'steps:',
        '  - http: { url: "https://api.example.com/items", methd: POST }',
        '```',
        '',
        'Right:',
        '',
        '```yaml',
        'steps:',
        '  - http: { url: "https://api.example.com/items", method: POST }',
        '```',
        '',
        '[All problems](../index.md)',
        '',
      ].join('\n'),
    )
    const page = pages.get('docs/reference/problems/parameter/flag.md')!
    assert.match(page, /```sh\nsluice check --param top=many\n```\n\n```yaml\nparameters: \{ top: 100 \}\n/)
    assert.match(
      pages.get('docs/reference/problems/script/function.md')!,
      /`scripts\/orders\.js`:\n\n```js\n/,
    )
  })
})

describe('a snippet', () => {
  it('is a flow where nothing else is said', () => {
    assert.deepEqual(readSnippet('# Orders come here.\nsteps:\n  - log: x\n'), [
      { file: 'flows/orders.yaml', text: '# Orders come here.\nsteps:\n  - log: x\n' },
    ])
  })
  it('has files below their names, and command lines', () => {
    assert.deepEqual(readSnippet('$ sluice check\n# sluice.yaml\na: 1\n// scripts/a.js\nx\n# .env\nA=1\n'), [
      { file: undefined, text: 'sluice check\n' },
      { file: 'sluice.yaml', text: 'a: 1\n' },
      { file: 'scripts/a.js', text: 'x\n' },
      { file: '.env', text: 'A=1\n' },
    ])
  })
})
