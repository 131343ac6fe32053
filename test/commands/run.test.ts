import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { runCommandLine } from '../../src/commands/index.ts'
import type { RunReport } from '../../src/core/control.ts'
import { projectFolder } from '../support/project.ts'

/** Runs `sluice run` on the only flow of a project of its own. */
async function run(t: TestContext, flow: string, body: string, ...options: string[]) {
  const folder = projectFolder(t, { 'flows/a.yaml': flow })
  let stdout = ''
  let stderr = ''
  const code = await runCommandLine(['run', 'a', '--body', '-', ...options], {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    stdin: body === '' ? new PassThrough() : Readable.from([Buffer.from(body)]),
    color: false,
    colorErrors: false,
    terminal: false,
    columns: 80,
    workingFolder: folder,
    environment: {},
    signal: new AbortController().signal,
  })
  return { code, stdout, stderr }
}

const each = (key: string): string => `steps:
  - forEach:
      ${key}
      steps:
        - fail: no room for \${body.id}
          if: body.id == "C-2"
`
const items = '[{"id":"C-0"},{"id":"C-2"},{"id":"C-3"}]'

test('a failure inside a forEach names its item, by its key where it has one', async (t) => {
  const keyed = await run(t, each('key: item.id'), items)
  assert.equal(keyed.code, 1)
  assert.match(keyed.stderr, /\n {2}flow\.failed in step "fail" of item 1 \("C-2"\): no room for C-2\n/)
  const plain = await run(t, each('concurrency: 1'), items)
  assert.match(plain.stderr, /\n {2}flow\.failed in step "fail" of item 1: no room for C-2\n/)
  const json = JSON.parse((await run(t, each('key: item.id'), items, '--json')).stdout) as RunReport
  assert.deepEqual(json.failure!.item, { index: 1, key: 'C-2' })
})
