import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { problemsOf } from '../support/project.ts'

test('the flows of the guide to syncs and failures have no problems', async (t) => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'guide', 'syncs.md'), 'utf8')
  const flows = [...text.matchAll(/```yaml\n([^]*?)```/g)].map((block) => block[1]!)
  assert.equal(flows.length, 2)
  const files = Object.fromEntries(flows.map((flow, i) => [`flows/guide-${i}.yaml`, flow]))
  assert.deepEqual(await problemsOf(t, files), [])
})
