import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printProblems } from '../../../src/flow/print.ts'
import { checkProject } from '../../../src/app.ts'
import { loadSettings } from '../../../src/config.ts'
import { projectFolder } from '../../support/project.ts'
import { leaksIn } from './search.ts'
import { keyOf, secretOf } from './service.ts'

const SECRETS = { TEXT: secretOf('text'), KEY: keyOf('key') + keyOf('long') }

/** A good credential whose field of this name is replaced. */
function credential(line: string): string {
  const good = {
    type: 'oauth2',
    tokenServiceUrl: 'https://idp.example.com/token',
    clientId: 'client',
    clientSecret: '${env:KEY}',
    baseUrl: 'https://api.example.com/',
  }
  const field = line.slice(0, line.indexOf(':'))
  const rest = Object.entries(good).filter(([name]) => name !== field)
  return `${rest.map(([name, value]) => `${name}: ${value}\n`).join('')}${line}\n`
}

const misplaced = [
  ...['TEXT', 'KEY'].flatMap((name) => [
    ...[
      'type',
      'connectTimeout',
      'clientAuthentication',
      'basicEncoding',
      'apiQuery',
      'lifetime',
      'baseUrl',
    ].flatMap((field) => [`${field}: "\${env:${name}}"`, `${field}: "some words \${env:${name}}"`]),
    `retry: { attempts: "12 \${env:${name}}" }`,
    `allowedHosts: ["x\${env:${name}}"]`,
    `tokenServiceUrl: "https://ho st/\${env:${name}}"`,
    `scope: "{ \${env:${name}}"`,
    `parameters: { headers: { "x y": "\${env:${name}}" } }`,
    `unknown: "\${env:${name}}"`,
  ]),
]

test('no problem shows a secret that stands in the wrong field, or a line of .env', async (t) => {
  const folder = projectFolder(t, {
    '.env': `NAME WITH SPACES=${SECRETS.KEY}\nOPEN="${SECRETS.TEXT}\n`,
    ...Object.fromEntries(
      misplaced.map((line, index) => [`security-material/c${index}.yaml`, credential(line)]),
    ),
  })
  const { settings } = await loadSettings(folder, {}, {})
  const { problems, texts } = await checkProject({
    settings,
    environment: SECRETS,
    parameters: {},
    color: false,
    terminal: false,
    writeLog: () => {},
  })
  assert.ok(problems.length > misplaced.length)
  for (const problem of problems)
    assert.deepEqual(leaksIn(JSON.stringify(problem), SECRETS), [], `${problem.message} ${problem.hint}`)
  const printed = printProblems(problems, (file) => texts.get(file), { color: false })
  assert.match(printed, /\.env:1:1/)
  assert.deepEqual(leaksIn(printed, SECRETS), [])
})
