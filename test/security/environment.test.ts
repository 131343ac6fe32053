import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '../../src/core/problem.ts'
import { readEnvironment, readEnvironmentFile } from '../../src/security/environment.ts'
import { projectWith } from '../support/files.ts'

const cases: [title: string, text: string, value: string | undefined][] = [
  ['plain', 'A=value', 'value'],
  ['spaces around', '  A =  value  ', 'value'],
  ['export', 'export A=value', 'value'],
  ['empty', 'A=', ''],
  ['an equals sign in it', 'A=b=c==', 'b=c=='],
  ['a comment behind it', 'A=value # comment', 'value'],
  ['a # in it', 'A=pass#word', 'pass#word'],
  ['a # at its beginning', 'A=#word', '#word'],
  ['single quotes', "A='a \\n #b'", 'a \\n #b'],
  ['double quotes', 'A="a\\n\\"b\\" \\\\ \\x # c"', 'a\n"b" \\ \\x # c'],
  ['a comment behind quotes', 'A="v" # c', 'v'],
  ['several lines in quotes', 'A="-----BEGIN\nline\n-----END"', '-----BEGIN\nline\n-----END'],
  ['a commented line', '#A=value', undefined],
  ['Windows line ends', '# x\r\nA=value\r\n', 'value'],
  ['a byte order mark', '\ufeffA=value', 'value'],
  ['the last one counts', 'A=1\nA=2', '2'],
]
for (const [title, text, value] of cases) {
  test(`.env: ${title}`, () => {
    const { values, problems } = readEnvironmentFile('.env', text)
    assert.equal(values['A'], value)
    assert.deepEqual(problems, [])
  })
}

test('.env: a line that is no KEY=VALUE is a warning at its line, and the others count', () => {
  const { values, problems } = readEnvironmentFile('.env', 'A=1\nnonsense\nB="open\nC=3\n1D=4\nE="x"y\n')
  assert.deepEqual(values, { A: '1', C: '3' })
  assert.deepEqual(
    problems.map(({ line, severity }) => [line, severity]),
    [
      [2, 'warning'],
      [3, 'warning'],
      [5, 'warning'],
      [6, 'warning'],
    ],
  )
  assert.doesNotMatch(JSON.stringify(problems), /nonsense|open/)
})

test('the real environment wins over .env', async (t) => {
  const folder = projectWith(t, { '.env': 'A=file\nB=file\nC=file\n' })
  const values = await readEnvironment(folder, { A: 'real', B: '' })
  assert.deepEqual([values['A'], values['B'], values['C']], ['real', '', 'file'])
})

test('a project without .env has the real environment, and one that cannot be read is told', async (t) => {
  const real = { A: 'real' }
  assert.equal(await readEnvironment(projectWith(t, {}), real), real)
  const problems: Problem[] = []
  const folder = projectWith(t, { '.env/in-a-folder': '' })
  assert.equal(await readEnvironment(folder, real, (problem) => problems.push(problem)), real)
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['".env" cannot be read (EISDIR)'],
  )
})
