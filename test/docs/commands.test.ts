import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { commands } from '../../src/commands/index.ts'

const root = join(import.meta.dirname, '..', '..')
const files = [
  'README.md',
  'starter/README.md',
  ...(await Array.fromAsync(glob('docs/guide/*.md', { cwd: root }))),
]
const GLOBAL = ['--help', '--version', '--project']

/** Command lines of Sluice on a page: lines of shell blocks, and what stands in backticks. */
function commandLines(page: string): string[] {
  const blocks = [...page.matchAll(/^```sh.*\n([^]*?)^```$/gm)].flatMap(([, text]) =>
    text!.replaceAll('\\\n', ' ').split('\n'),
  )
  const inline = [...page.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, text]) => text!,
  )
  return [...blocks, ...inline]
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => /^(npx )?sluice [a-z]/.test(line) && !line.includes('|'))
}

/** What is wrong with a command line; undefined where it would be understood. */
function mistake(line: string): string | undefined {
  const words = line
    .replace(/^(npx )?sluice /, '')
    .replace(/ [<>&] ?.*$/, '')
    .split(' ')
  const command =
    commands.find(({ name }) => name === words.slice(0, 2).join(' ')) ??
    commands.find(({ name }) => name === words[0])
  if (!command)
    return commands.some(({ name }) => name.startsWith(`${words[0]} `)) ? undefined : 'no such command'
  const known = [...GLOBAL, ...command.options.map(({ flags }) => /--[\w-]+/.exec(flags)![0])]
  return words
    .filter((word) => word.startsWith('--'))
    .map((word) => word.replace(/=.*/, ''))
    .find((word) => !known.includes(word))
}

for (const file of files)
  test(`${file}: every command line of Sluice on it is one`, async () => {
    const lines = commandLines(await readFile(join(root, file), 'utf8'))
    assert.deepEqual(
      lines.map((line) => [line, mistake(line)]).filter(([, what]) => what !== undefined),
      [],
    )
  })

test('the pages have command lines', async () => {
  const pages = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
  assert.ok(pages.flatMap(commandLines).length > 60)
})

test('a command line that is none is found', () => {
  assert.equal(mistake('npx sluice check --secret'), '--secret')
  assert.equal(mistake('sluice chekc'), 'no such command')
  assert.equal(mistake('sluice credential test NAME --try'), undefined)
})
