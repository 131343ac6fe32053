import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { withSourcePlaces } from '../src/source-places.ts'
import { projectFolder } from './support/project.ts'

test('stacks name the files that bundles were made of', async (t) => {
  const folder = projectFolder(t, {
    'src/engine/fall.ts': '// two\n// lines\nexport function fall(): never {\n  throw new Error("down")\n}\n',
    'src/main.ts': 'import { fall } from "./engine/fall.ts"\nexport const run = () => fall()\n',
  })
  const dist = join(folder, 'dist')
  await build({
    entryPoints: { main: join(folder, 'src/main.ts'), 'sqlite/worker': join(folder, 'src/main.ts') },
    outdir: dist,
    bundle: true,
    format: 'esm',
    sourcemap: 'linked',
    logLevel: 'error',
  })
  for (const file of ['main.js', 'sqlite/worker.js']) {
    const { run } = (await import(pathToFileURL(join(dist, file)).href)) as { run: () => void }
    assert.throws(run, (error: Error) => {
      const [, first, second] = withSourcePlaces(error.stack!, dist).split('\n')
      assert.equal(first, '    at fall (src/engine/fall.ts:4:9)')
      assert.match(second!, /\(src\/main\.ts:2:26\)$/)
      assert.equal(withSourcePlaces(error.stack!), error.stack)
      return true
    })
  }
})

test('what has no map, or is no bundle, stays as it is', (t) => {
  const folder = projectFolder(t, { 'a.js': '', 'b.js': '', 'b.js.map': 'no JSON' })
  const stack = `Error: x\n    at a (file://${folder}/a.js:1:1)\n    at b (${folder}/b.js:1:1)\n    at c (/elsewhere/c.js:1:1)`
  assert.equal(withSourcePlaces(stack, folder), stack)
})
