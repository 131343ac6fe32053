import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { story } from '../stories/story.ts'

const root = join(import.meta.dirname, '..', '..')
const readme = await readFile(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text: text!,
}))
const yaml = blocks.filter(({ language }) => language === 'yaml').map(({ text }) => text)
const shell = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) => text.split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '')

describe('README', () => {
  it('shows the flow and the credential that are shipped', async () => {
    const [flow, credential] = yaml as [string, string]
    const shipped = (file: string) => readFile(join(root, file), 'utf8')
    const withoutFirst = (text: string) => text.replace(/^# yaml-language-server.*\n/, '')
    assert.equal(withoutFirst(flow), withoutFirst(await shipped('flows/lms-items.yaml')))
    assert.deepEqual(parse(credential), parse(await shipped('security-material/lms_admin_OAuth2.yaml')))
  })

  it('shows commands that do what it says', async (t) => {
    const { start, sluice } = await story(t)
    const engine = await start()
    const curl = shell.find((line) => line.startsWith('curl'))!
    const command = curl.replace('http://127.0.0.1:8080', engine.url)
    const { stdout } = await promisify(execFile)('sh', ['-c', command])
    assert.equal((JSON.parse(stdout) as { item: string }).item, 'COURSE-007')

    const list = await sluice('log', '--json')
    const [run] = list.stdout.split('\n')
    const { id } = JSON.parse(run!) as { id: string }
    for (const line of shell.filter((one) => one.startsWith('npx sluice'))) {
      const words = line.replace('npx sluice ', '').replace('RUN', id)
      const args = [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
      const { code, stderr } = await sluice(...args)
      assert.equal(code, 0, `${line}: ${stderr}`)
    }
  })
})
