import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { FAILURES } from '../../src/core/failure.ts'
import { problemsOf } from '../support/project.ts'

const guide = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'guide', 'credentials.md'), 'utf8')

test('every credential of the guide loads', async (t) => {
  // A block may say its name, where another one refers to it.
  const blocks = [...guide.matchAll(/^```yaml(?: (\w+))?\n([^]*?)^```$/gm)]
  assert.ok(blocks.length > 5)
  const files = Object.fromEntries(
    blocks.map(([, name, text], index) => [
      text!.startsWith('# sluice.yaml\n')
        ? 'sluice.yaml'
        : `security-material/${name ?? `example-${index + 1}`}.yaml`,
      text!,
    ]),
  )
  const names = guide.matchAll(/\$\{env:(\w+)\}/g)
  const environment = Object.fromEntries([...names].map(([, name]) => [name!, 'value-for-the-guide']))
  const flow = { 'flows/none.yaml': 'steps:\n  - log: nothing\n' }
  const found = await problemsOf(t, { ...files, ...flow }, { environment })
  // Secret files are not there, and the secret of an example grows old.
  const odd = found.filter(({ code }) => code !== 'credential/unset' && code !== 'credential/rotate')
  assert.deepEqual(odd, [])
})

test('the guide names codes of failures that there are', () => {
  const named = [...guide.matchAll(/`((?:credential|receiver)\.[\w-]+)`/g)].map(([, code]) => code!)
  assert.ok(named.length > 5)
  for (const code of named) assert.ok(Object.hasOwn(FAILURES, code), code)
  for (const code of Object.keys(FAILURES).filter((name) => name.startsWith('credential.')))
    assert.ok(named.includes(code), `${code} is not explained`)
})
