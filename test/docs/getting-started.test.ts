import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { variablesOf } from '../../practice/environment.ts'
import { startPartner } from '../../practice/partner.ts'
import { startEngine } from '../support/process.ts'

const root = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

/** What a page shows of an output, with `...` for what is different each time; white space does not count. */
function pattern(shown: string): RegExp {
  const parts = shown.split('...').map((part) =>
    part
      .split(/\s+/)
      .map((word) => RegExp.escape(word))
      .join('\\s*'),
  )
  return new RegExp(parts.join('[^]*?'))
}

test('getting started: its files and commands do what the page shows', async (t) => {
  const secrets = {
    learning: 'gs-learning',
    incentiveRead: 'gs-read',
    incentiveWrite: 'gs-write',
    iot: 'gs-iot',
    jam: 'secret-of-jam',
    jamUser: 'password-of-jam',
    neo: 'secret-of-neo',
    productClient: 'secret-of-the-product-client',
  }
  const partner = await startPartner({ secrets })
  t.after(() => partner.close())
  const folder = await mkdtemp(join(tmpdir(), 'sluice-getting-started-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  for (const name of ['flows', 'security-material'])
    await cp(join(root, name), join(folder, name), { recursive: true })

  const page = await readFile(join(root, 'docs', 'guide', 'getting-started.md'), 'utf8')
  const blocks = [...page.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info, text]) => ({
    info: info!,
    text: text!,
  }))
  for (const { info, text } of blocks)
    if (info.startsWith('yaml ')) await writeFile(join(folder, info.slice(5)), text)

  const environment = variablesOf(secrets, partner.url)
  const engine = await startEngine(t, folder, environment)
  let output = ''
  let ran = 0
  let compared = 0
  for (const { info, text } of blocks) {
    if (info === 'sh run' && !text.includes('practice.env')) {
      const script = text
        .replaceAll('http://127.0.0.1:8080', engine.url)
        .replaceAll('npx sluice', `"${process.execPath}" "${join(root, 'bin', 'sluice.js')}"`)
      const options = { cwd: folder, env: { ...process.env, ...environment, NO_COLOR: '1' } }
      output = (await run('bash', ['-euc', script], options)).stdout
      ran++
    } else if (info === 'text output') {
      assert.match(output, pattern(text.trim()))
      compared++
    }
  }
  assert.ok(ran >= 5 && compared >= 3)
  engine.kill('SIGTERM')
  assert.equal((await engine.ended).code, 0)
})
