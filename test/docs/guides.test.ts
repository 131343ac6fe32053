import assert from 'node:assert/strict'
import { access, readFile, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { problemsOf } from '../support/project.ts'

const root = join(import.meta.dirname, '..', '..')
const guide = join(root, 'docs', 'guide')
const pages = (await readdir(guide)).filter((name) => name.endsWith('.md'))
/** Block of a page: what stands behind ```, and the text. */
const blocksOf = (page: string) =>
  [...page.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info, text]) => ({ info: info!, text: text! }))

/** Credentials and keys that examples name without showing them. */
function standIns(texts: readonly string[]): Record<string, string> {
  const names = texts.flatMap((text) => [...text.matchAll(/credential: ([\w-]+)/g)].map(([, name]) => name!))
  const keys = texts.flatMap((text) => [...text.matchAll(/signature: ([\w-]+)/g)].map(([, name]) => name!))
  const signing = keys.map((name) => [
    `security-material/${name}.yaml`,
    'type: signingKey\nscheme: github\nsecret: ${env:TOKEN}\n',
  ])
  return Object.fromEntries([
    ...signing,
    ...names.map((name) => [
      `security-material/${name}.yaml`,
      "type: bearer\ntoken: ${env:TOKEN}\nbaseUrl: https://api.example.com/\nallowedHosts: ['*.example.com']\n",
    ]),
  ])
}

describe('guides', () => {
  for (const name of pages) {
    it(`${name}: its flows and settings have no problems`, async (t) => {
      const blocks = blocksOf(await readFile(join(guide, name), 'utf8')).filter(({ info }) =>
        info.startsWith('yaml'),
      )
      const flows = blocks.filter(({ text }) => /^(steps|onError):/m.test(text))
      const files = Object.fromEntries(
        flows.map(({ info, text }, i) => [info.split(' ')[1] ?? `flows/example-${i}.yaml`, text]),
      )
      const settings = blocks.find(({ info }) => info === 'yaml sluice.yaml')
      const shared = { 'flows/shared/notify.yaml': 'steps:\n  - log: ${body.text}\n' }
      const found = await problemsOf(
        t,
        {
          'flows/none.yaml': 'steps:\n  - log: nothing\n',
          ...shared,
          ...standIns(flows.map(({ text }) => text)),
          ...files,
          ...(settings && { 'sluice.yaml': settings.text }),
        },
        { environment: { TOKEN: 'a-token-of-the-guide', SLUICE_PARAM_REGION: 'eu' } },
      )
      assert.deepEqual(
        found.map(({ file, line, code, message }) => `${file}:${line} ${code} ${message}`),
        [],
      )
    })
  }

  it('links of README and guides lead somewhere', async () => {
    for (const file of ['README.md', ...pages.map((name) => `docs/guide/${name}`)]) {
      const text = await readFile(join(root, file), 'utf8')
      for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
        await access(join(root, dirname(file), target!))
    }
  })
})
