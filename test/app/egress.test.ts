import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSettings } from '../../src/config.ts'
import { receiver } from '../net/fixture.ts'
import { problemsOf, projectFolder, startProject } from '../support/project.ts'

const SECRET = 'client-secret-of-egress'
const environment = { SECRET }
const flow = (step: string) => `steps:\n  - timer: { every: 1h }\n  - http: ${step}\n`

const settings: [yaml: string, environment: Record<string, string>, found: string[]][] = [
  ['egress: { allow: [api.example.com, 10.0.0.0/8, public], deny: [private:5432] }', {}, []],
  ['egress:\n', {}, ['sluice.yaml:1:1 "egress" is empty']],
  [
    'egress:\n  deny:\n    - 10.0.0.1/8\n    - https://a.example\n',
    {},
    [
      'sluice.yaml:3:7 "10.0.0.1/8" in "egress.deny" is no network: bits are set behind its first 8',
      'sluice.yaml:4:7 "https://a.example" in "egress.deny" is a URL; write the host alone: a.example',
    ],
  ],
  [
    'egress: { deny: [{ a: b }, null, 1.5, private] }',
    {},
    ['sluice.yaml:1:18 entry 1', 'sluice.yaml:1:28 entry 2', 'sluice.yaml:1:34 entry 3'],
  ],
  ['egress: { allow: api.example.com }', {}, ['sluice.yaml:1:18 "allow"']],
  ['', { SLUICE_EGRESS_ALLOW: 'api.example.com, public 10.0.0.5:8443' }, []],
  [
    '',
    { SLUICE_EGRESS_DENY: 'private,*' },
    [
      'environment variable SLUICE_EGRESS_DENY:0:0 "*" in "egress.deny" means everything; leave the list out instead',
    ],
  ],
]
for (const [yaml, variables, found] of settings)
  test(`the setting: ${JSON.stringify(yaml)} ${JSON.stringify(variables)}`, async (t) => {
    const { problems } = await loadSettings(projectFolder(t, { 'sluice.yaml': yaml }), variables, {})
    const told = problems.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
    assert.equal(told.length, found.length, told.join('\n'))
    for (const [i, text] of found.entries()) assert.ok(told[i]?.startsWith(text), told.join('\n'))
  })

test('the lists of the environment are read, and stand in for those of the file', async (t) => {
  const folder = projectFolder(t, { 'sluice.yaml': 'egress: { deny: [private] }\n' })
  const { settings: read } = await loadSettings(folder, { SLUICE_EGRESS_DENY: 'loopback, 10.0.0.0/8' }, {})
  assert.deepEqual(read.egress, { deny: ['loopback', '10.0.0.0/8'] })
})

test('what is certainly refused is a problem at load, in flows and in credentials', async (t) => {
  const problems = await problemsOf(
    t,
    {
      'sluice.yaml': 'egress: { deny: [private, "*.evil.example"] }\n',
      'flows/a.yaml': flow('{ url: "http://169.254.169.254/latest/meta-data/" }'),
      'flows/b.yaml': flow('{ url: "http://[::ffff:10.0.0.5]/items/${body.id}" }'),
      'flows/c.yaml': flow('{ url: "https://api.evil.example/x", method: POST }'),
      'flows/d.yaml': flow('{ url: "https://api.example.com/" }'),
      'flows/e.yaml': flow('{ url: "http://${body.host}/x" }'),
      'security-material/x.yaml':
        'type: oauth2\ntokenServiceUrl: https://10.0.0.7/token\nbaseUrl: https://192.168.0.1/\nclientId: a\nclientSecret: ${env:SECRET}\nproxy: http://172.16.0.1:3128\n',
      'security-material/y.yaml':
        'type: bearer\ntoken: ${env:SECRET}\nbaseUrl: https://api.example.com/\ndescription: http://10.0.0.1/\n',
    },
    { environment },
  )
  assert.deepEqual(
    problems.map(({ file, line, column, code, message }) => `${file}:${line}:${column} ${code} ${message}`),
    [
      `flows/a.yaml:3:18 flow/egress the engine does not connect to "169.254.169.254": it is the metadata service of a cloud, which hands out the machine's own credentials`,
      'flows/b.yaml:3:18 flow/egress the engine does not connect to "[::ffff:a00:5]": `egress.deny` holds "private"',
      'flows/c.yaml:3:18 flow/egress the engine does not connect to "api.evil.example": `egress.deny` holds "*.evil.example"',
      'security-material/x.yaml:2:18 credential/egress "tokenServiceUrl": the engine does not connect to "10.0.0.7": `egress.deny` holds "private"',
      'security-material/x.yaml:3:10 credential/egress "baseUrl": the engine does not connect to "192.168.0.1": `egress.deny` holds "private"',
      'security-material/x.yaml:6:8 credential/egress "proxy": the engine does not connect to "172.16.0.1:3128": `egress.deny` holds "private"',
    ],
  )
  assert.ok(problems.every(({ severity, hint }) => severity === 'error' && hint !== undefined))
})

test('a URL of the message, a redirect and a token service are refused while they run, and not tried again', async (t) => {
  const inside = await receiver(t, (_, reply) => reply.end('{"access_token":"token-from-inside-0123"}'))
  const outside = await receiver(t, (request, reply) => {
    if (request.url === '/there')
      reply.writeHead(307, { location: `http://localhost:${inside.port}/inside` }).end()
    else reply.end('outside')
  })
  const project = await startProject(
    t,
    {
      'sluice.yaml': `egress: { allow: ["127.0.0.1:${outside.port}"] }\n`,
      'flows/any.yaml': `steps:\n  - timer: { every: 1h }\n  - http: { url: "\${body.url}", followRedirects: true }\n    retry: { attempts: 3, on: [network, timeout, 5xx] }\n`,
      'flows/token.yaml': flow('{ url: x, credential: x }'),
      'security-material/x.yaml': `type: oauth2\ntokenServiceUrl: \${env:TOKEN_SERVICE}\nbaseUrl: http://127.0.0.1:${outside.port}/\nclientId: a\nclientSecret: \${env:SECRET}\n`,
    },
    { environment: { SECRET, TOKEN_SERVICE: `http://localhost:${inside.port}/token` } },
  )
  const ask = (url: string) => project.run('any', { url })
  assert.equal((await ask(`http://127.0.0.1:${outside.port}/`)).failure, undefined)
  for (const url of [
    `http://127.0.0.1:${inside.port}/`,
    `http://2130706433:${inside.port}/`,
    `http://[::ffff:127.0.0.1]:${inside.port}/`,
    `http://localhost:${inside.port}/`,
    `http://127.0.0.1:${outside.port}/there`,
  ]) {
    const { failure } = await ask(url)
    assert.equal(failure?.code, 'egress.denied', url)
    assert.match(failure.message, /no entry of `egress\.allow` names it$/, 'no word of several attempts')
    assert.match(failure.hint!, /add "\S+" to `egress\.allow` in sluice\.yaml/)
  }
  for (let i = 0; i < 2; i++) {
    const { failure } = await project.run('token')
    assert.equal(failure?.code, 'egress.denied')
    assert.match(failure.message, /^the token service of credential "x" is not asked: the engine does not/)
  }
  assert.equal(project.log.filter((line) => line.includes('token request failed')).length, 1)
  assert.deepEqual(inside.requests, [], 'nothing came in')
})
