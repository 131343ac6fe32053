import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { credentials } from '../../src/credentials/index.ts'
import { steps } from '../../src/steps/index.ts'
import { sluice } from '../support/command-line.ts'
import { projectFolder } from '../support/project.ts'

const SHOP = 'type: bearer\ntoken: ${env:SHOP_TOKEN}\nbaseUrl: https://shop.example.com/\n'
const HOSTS = 'type: bearer\ntoken: ${env:SHOP_TOKEN}\nallowedHosts: ["*.example.com"]\n'
const PRICE = 'steps:\n  - set: { body: { price: 5 } }\n'
const environment = { SHOP_TOKEN: 'shop-token-5c1d' }

function project(t: TestContext): string {
  return projectFolder(t, {
    'flows/price.yaml': PRICE,
    'security-material/shop.yaml': SHOP,
    'security-material/hosts.yaml': HOSTS,
  })
}

function read(folder: string, file: string): { text: string; value: Record<string, unknown> } {
  const text = readFileSync(join(folder, file), 'utf8')
  return { text, value: parse(text) as Record<string, unknown> }
}

const TRIGGERS: Readonly<Record<string, readonly string[]>> = {
  every: ['--every', '5m'],
  cron: ['--cron', '0 2 * * *', '--timezone', 'Europe/Brussels'],
  endpoint: ['--trigger', 'endpoint'],
  get: ['--path', '/a/{id}', '--method', 'get,PUT', '--description', 'Says: "a"'],
  none: ['--trigger', 'none'],
}

test('new flow: every trigger with every kind of step passes the check', async (t) => {
  const folder = project(t)
  const kinds = steps.map(({ name }) => (name === 'call' ? 'call=price' : name))
  for (const [name, flags] of Object.entries(TRIGGERS)) {
    const args = ['new', 'flow', name, ...flags, ...kinds.flatMap((kind) => ['--step', kind])]
    const { code, stderr, stdout } = await sluice(t, args, {}, { folder, environment })
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, new RegExp(`^wrote flows/${name}.yaml\n[^]*npx sluice run ${name} `))
    const { steps: written } = read(folder, `flows/${name}.yaml`).value as { steps: object[] }
    assert.deepEqual(
      written.slice(name === 'none' ? 0 : 1).map((step) => Object.keys(step)[0]),
      steps.map((kind) => kind.name),
    )
  }
  const { stdout } = await sluice(t, ['check'], {}, { folder, environment })
  assert.equal(stdout, `${Object.keys(TRIGGERS).length + 1} flows, no problems\n`)
})

test('new flow: each kind of step alone, and twice, passes the check; it is explained once', async (t) => {
  const folder = project(t)
  for (const { name } of steps) {
    const kind = name === 'call' ? 'call=price' : name
    const flow = `one-${name.toLowerCase()}`
    const args = ['new', 'flow', `sub/${flow}`, '--trigger', 'none', '--step', kind, '--step', kind]
    const { code, stderr } = await sluice(t, args, {}, { folder, environment })
    assert.deepEqual([code, stderr], [0, ''], name)
    const { text } = read(folder, `flows/sub/${flow}.yaml`)
    assert.equal(
      text.split(
        steps
          .find((kind) => kind.name === name)!
          .summary.split(' ')
          .slice(0, 4)
          .join(' '),
      ).length,
      2,
    )
  }
})

test('new flow: a credential goes to the steps that may have one, with an address it may go to', async (t) => {
  const folder = project(t)
  for (const [flow, credential, url, step] of [
    ['a', 'shop', 'items', 'http'],
    ['b', 'hosts', 'https://api.example.com/items', 'http'],
    ['c', 'shop', 'orders?open=true', 'http=orders?open=true'],
  ] as const) {
    const args = [
      'new',
      'flow',
      flow,
      '--every',
      '1h',
      '--step',
      step,
      '--step',
      'log=got it',
      '--credential',
      credential,
    ]
    const { code, stderr } = await sluice(t, args, {}, { folder, environment })
    assert.deepEqual([code, stderr], [0, ''])
    const written = read(folder, `flows/${flow}.yaml`).value as {
      steps: Record<string, Record<string, unknown>>[]
    }
    const [, http, log] = written.steps
    assert.equal(http!['http']!['url'], url)
    assert.equal(http!['http']!['credential'], credential)
    assert.deepEqual(log, { log: { message: 'got it' } })
  }
})

test('new flow: what would have mistakes is not left behind', async (t) => {
  const folder = projectFolder(t, {
    'flows/z/hello.yaml': 'steps:\n  - endpoint: { path: /hello, access: public }\n  - log: x\n',
  })
  for (const [args, says] of [
    [['--every', 'soon'], /"every" is the text "soon"[^]*"flows\/sub\/a.yaml" was not written/],
    [['--cron', '99 * * * *'], /the cron pattern "99 \* \* \* \*" is not valid/],
    [['--path', '/hello'], /POST \/hello is served by the flow "(z\/hello|sub\/a)" already/],
    [['--path', 'hello'], /"flows\/sub\/a.yaml" was not written/],
    [['--trigger', 'none', '--step', 'call=nobody'], /there is no flow "nobody"/],
  ] as const) {
    const { code, stdout, stderr } = await sluice(t, ['new', 'flow', 'sub/a', ...args], {}, { folder })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, says)
    assert.deepEqual(readdirSync(join(folder, 'flows')), ['z'])
  }
})

test('new flow: mistakes of other files are no reason', async (t) => {
  const { code, folder, stderr } = await sluice(t, ['new', 'flow', 'a', '--every', '1h'], {
    'flows/broken.yaml': 'steps: 5\n',
  })
  assert.deepEqual([code, stderr], [0, ''])
  assert.ok(existsSync(join(folder, 'flows/a.yaml')))
})

test('new flow: wrong usage names the flags, and nothing is written', async (t) => {
  const folder = project(t)
  for (const [args, says] of [
    [[], /the name of the flow is missing/],
    [['a'], /--trigger timer\|endpoint\|none|--trigger endpoint\|timer\|none/],
    [['a', '--trigger', 'timer'], /--every 5m, or --cron/],
    [['a', '--trigger', 'tiemr'], /there is no trigger "tiemr"; did you mean "timer"\?/],
    [['a', '--trigger', 'none', '--every', '5m'], /--every goes with --trigger timer, not with none/],
    [['a', '--every', '5m', '--path', '/x'], /goes with --trigger/],
    [['a', '--every', '5m', '--cron', '* * * * *'], /a timer has one of them/],
    [['a', '--every', '5m', '--step', 'htpt'], /there is no step "htpt"; did you mean "http"\?/],
    [['a', '--every', '5m', '--credential', 'shop'], /none of the steps has one; add --step http/],
    [
      ['a', '--every', '5m', '--step', 'http', '--credential', 'shp'],
      /there is no credential "shp"; did you mean "shop"/,
    ],
    [['A b', '--every', '5m'], /"A b" cannot be the name of a flow/],
    [['../a', '--every', '5m'], /cannot be the name/],
    [['a//b', '--every', '5m'], /cannot be the name/],
  ] as const) {
    const { code, stdout, stderr } = await sluice(t, ['new', 'flow', ...args], {}, { folder, environment })
    assert.deepEqual([code, stdout], [2, ''], stderr)
    assert.match(stderr, says)
  }
  assert.deepEqual(readdirSync(join(folder, 'flows')), ['price.yaml'])
})

test('new flow: a file that is there is not touched, under either ending', async (t) => {
  const folder = project(t)
  writeFileSync(join(folder, 'flows/other.yml'), PRICE)
  for (const name of ['price', 'other', 'price.yaml']) {
    const { code, stderr } = await sluice(
      t,
      ['new', 'flow', name, '--every', '1h'],
      {},
      { folder, environment },
    )
    assert.equal(code, 1)
    assert.match(
      stderr,
      /"flows\/(price.yaml|other.yml)" is there already; choose another name, or remove it/,
    )
  }
  assert.equal(read(folder, 'flows/price.yaml').text, PRICE)
})

test('new flow asks a person for what is missing, once more where it does not fit', async (t) => {
  const folder = project(t)
  const answers = ['Orders', 'orders', 'tiemr', 'timer', '0 2 * * *', 'htpt', 'http, log', 'shp', 'shop']
  const { code, stderr } = await sluice(t, ['new', 'flow'], {}, { folder, environment, answers })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /"Orders" cannot be the name/)
  assert.match(stderr, /What starts it: .* \[endpoint\]: {3}one of .*; did you mean "timer"/)
  assert.match(stderr, /there is no step "htpt"; did you mean "http"\?/)
  assert.match(stderr, /there is none of this name; did you mean "shop"\?/)
  const written = read(folder, 'flows/orders.yaml').value as {
    steps: Record<string, Record<string, unknown>>[]
  }
  assert.deepEqual(written.steps[0], { timer: { cron: '0 2 * * *' } })
  assert.equal(written.steps[1]!['http']!['credential'], 'shop')
})

test('new flow: an empty answer takes what stands in brackets', async (t) => {
  const folder = project(t)
  const answers = ['', '', '', '']
  const { code } = await sluice(t, ['new', 'flow', 'hello'], {}, { folder, environment, answers })
  assert.equal(code, 0)
  const written = read(folder, 'flows/hello.yaml').value as { steps: unknown[] }
  assert.deepEqual(written.steps, [
    { endpoint: { path: '/hello', method: 'POST', access: 'public' } },
    { log: { message: 'an hour has passed' } },
  ])
})

for (const command of ['flow', 'credential'])
  test(`new ${command}: Ctrl-C while it asks leaves nothing behind`, async (t) => {
    const folder = projectFolder(t, { 'sluice.yaml': '# nothing\n' })
    const interrupt = new AbortController()
    const { code, stderr } = await sluice(
      t,
      ['new', command],
      {},
      {
        folder,
        answers: command === 'credential' ? ['', 'a'] : ['a'],
        signal: interrupt.signal,
        onStderr: (text) => {
          if (/^(What starts it|Type)/.test(text)) setImmediate(() => interrupt.abort())
        },
      },
    )
    assert.equal(code, 130)
    assert.match(stderr, /interrupted; nothing was written/)
    assert.deepEqual(readdirSync(folder), ['sluice.yaml'])
  })

/** What each type needs, beside the address. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  oauth2: ['--token-service-url', 'https://auth.example.com/token', '--client-id', 'me'],
  basic: ['--username', 'me'],
  bearer: [],
  apiKey: [],
  jwt: [],
  certificate: [],
  none: [],
}

test('new credential: every type, with each combination of its flags, passes the check', async (t) => {
  const folder = projectFolder(t, {})
  const base = ['--base-url', 'https://api.example.com/v1/']
  const variants = [
    ...credentials.map(({ name }) => [name, ...base, ...NEEDED[name]!]),
    ['oauth2', ...base, ...NEEDED['oauth2']!, '--scope', 'a b', '--client-authentication', 'body'],
    ['oauth2', ...base, ...NEEDED['oauth2']!, '--client-authentication', 'none'],
    ['oauth2', ...base, ...NEEDED['oauth2']!.slice(0, 2), '--client-authentication', 'none'],
    [
      'oauth2',
      ...base,
      ...NEEDED['oauth2']!,
      '--scope',
      '{"userId": "svc"}',
      '--content-type',
      'application/json',
      '--secret',
      'file:secrets/a',
    ],
    ['bearer', ...base, '--secret', '${env:OTHER}', '--description', 'a: b # c'],
  ]
  for (const [i, [type, ...flags]] of variants.entries()) {
    const args = ['new', 'credential', `sub/cred_${i}`, '--type', type!, ...flags]
    const { code, stderr, stdout } = await sluice(t, args, {}, { folder })
    assert.deepEqual([code, stderr], [0, ''], args.join(' '))
    assert.match(stdout, new RegExp(`^wrote security-material/sub/cred_${i}.yaml\n`))
  }
  const { code } = await sluice(t, ['check'], {}, { folder })
  assert.equal(code, 0)
  const field = (i: number, name: string) => read(folder, `security-material/sub/cred_${i}.yaml`).value[name]
  assert.deepEqual(
    [field(0, 'clientSecret'), field(1, 'password'), field(2, 'token'), field(3, 'key')],
    ['${env:CRED_0_SECRET}', '${env:CRED_1_PASSWORD}', '${env:CRED_2_TOKEN}', '${env:CRED_3_KEY}'],
  )
  assert.deepEqual(field(4, 'tls'), {
    certificate: '${file:certificates/cred_4.crt}',
    key: '${file:certificates/cred_4.key}',
  })
  assert.deepEqual([field(8, 'clientSecret'), field(10, 'clientSecret')], [undefined, '${file:secrets/a}'])
  assert.deepEqual([field(11, 'token'), field(11, 'description')], ['${env:OTHER}', 'a: b # c'])
})

test('new credential says which secret is missing, and nothing of one that is there', async (t) => {
  const args = ['new', 'credential', 'shop', '--type', 'bearer', '--base-url', 'https://api.example.com/']
  const missing = await sluice(t, args)
  assert.match(missing.stdout, /^ {2}add SHOP_TOKEN=\.\.\. to \.env +# the secret/m)
  const there = await sluice(t, args, { '.env': 'SHOP_TOKEN=5c1d-shop-token\n' })
  assert.doesNotMatch(there.stdout, /SHOP_TOKEN|5c1d/)
})

test('new credential: wrong usage names the flags; a secret in clear is not repeated', async (t) => {
  const folder = project(t)
  const base = ['--base-url', 'https://api.example.com/']
  for (const [args, code, says] of [
    [[], 2, /the name of the credential is missing/],
    [['a'], 2, /the type is missing: --type oauth2\|basic\|bearer\|apiKey/],
    [['a', '--type', 'oauth'], 2, /there is no type "oauth"; did you mean "oauth2"\?/],
    [['a', '--type', 'oauth2'], 2, /missing: --token-service-url, --client-id, --base-url/],
    [
      ['a', '--type', 'bearer', '--scope', 'x', ...base],
      2,
      /--scope: a credential of the type bearer has none/,
    ],
    [
      ['a', '--type', 'bearer', ...base, '--secret', 'geheim-7f3a'],
      2,
      /--secret wants env:NAME, secret:NAME or file:\/path/,
    ],
    [
      [
        'a',
        '--type',
        'oauth2',
        ...base,
        ...NEEDED['oauth2']!,
        '--client-authentication',
        'none',
        '--secret',
        'env:A',
      ],
      2,
      /no secret is sent/,
    ],
    [['1a', '--type', 'bearer', ...base], 2, /"1a" cannot be the name of a credential/],
    [['../a', '--type', 'bearer', ...base], 2, /cannot be the name/],
    [['a', '--type', 'bearer', '--base-url', 'ftp://x'], 1, /"security-material\/a.yaml" was not written/],
    [
      ['shop', '--type', 'bearer', ...base],
      1,
      /there is a credential "shop" already, in "security-material\/shop.yaml"/,
    ],
    [['erp/shop', '--type', 'bearer', ...base], 1, /there is a credential "shop" already/],
  ] as const) {
    const result = await sluice(t, ['new', 'credential', ...args], {}, { folder, environment })
    assert.deepEqual([result.code, result.stdout], [code, ''], result.stderr)
    assert.match(result.stderr, says)
    assert.doesNotMatch(result.stderr, /geheim/)
  }
  assert.deepEqual(readdirSync(join(folder, 'security-material')).toSorted(), ['hosts.yaml', 'shop.yaml'])
})

test('new credential asks a person, never for the secret', async (t) => {
  const folder = projectFolder(t, {})
  const answers = [
    '',
    'im read',
    'im_read',
    '',
    'no url',
    'https://a.example.com/token',
    'hedaer',
    '',
    'me',
    '',
    'https://b.example.com/',
    'geheim-7f3a',
    '',
  ]
  const { code, stderr } = await sluice(t, ['new', 'credential'], {}, { folder, answers })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /a URL is needed/)
  assert.match(stderr, /one of header, body, none/)
  assert.doesNotMatch(stderr, /(secret|password|token): /i)
  assert.match(stderr, /where it is kept, never the secret itself/)
  assert.doesNotMatch(stderr, /geheim/)
  const { description: _, ...fields } = read(folder, 'security-material/im_read.yaml').value
  assert.deepEqual(fields, {
    type: 'oauth2',
    tokenServiceUrl: 'https://a.example.com/token',
    clientId: 'me',
    clientSecret: '${env:IM_READ_SECRET}',
    clientAuthentication: 'header',
    baseUrl: 'https://b.example.com/',
  })
})

test('the end of the input while it asks ends the command', async (t) => {
  const { code, stderr } = await sluice(t, ['new', 'flow', 'a'], {}, { answers: [], answersEnd: true })
  assert.equal(code, 1)
  assert.match(stderr, /the input ended; nothing was written/)
})

test('a folder that cannot be made is told; what was made for the file goes again', async (t) => {
  const folder = projectFolder(t, { 'a.txt': '' })
  const credential = ['new', 'credential', 'c', '--type', 'bearer', '--base-url', 'https://a.example.com/']
  for (const [args, says] of [
    [
      ['new', 'flow', 'sub/x', '--every', '5m', '--flows', 'a.txt'],
      /"a\.txt\/sub\/x\.yaml" cannot be written: a file /,
    ],
    [[...credential, '--security-material', 'a.txt'], /"a\.txt\/c\.yaml" cannot be written: a file /],
    [['new', 'flow', `sub/${'x'.repeat(300)}`, '--every', '5m'], /cannot be written: the name is too long/],
  ] as const) {
    const { code, stdout, stderr } = await sluice(t, [...args], {}, { folder })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, says)
    assert.doesNotMatch(stderr, /fault/)
  }
  assert.deepEqual(readdirSync(folder), ['a.txt'])
})

test('new credential: a file with an absolute path is not looked for in the project', async (t) => {
  const args = ['new', 'credential', 'c', '--type', 'bearer', '--base-url', 'https://a.example.com/']
  const { stdout, folder } = await sluice(t, [...args, '--secret', 'file:/nowhere/key'], {
    'nowhere/key': 'x',
  })
  assert.match(stdout, /put the secret into \/nowhere\/key/)
  const inside = await sluice(
    t,
    ['new', 'credential', 'd', ...args.slice(3), '--secret', 'file:nowhere/key'],
    {},
    { folder },
  )
  assert.doesNotMatch(inside.stdout, /put the secret/)
})

test('a new file names its schema for editors, where the project has it', async (t) => {
  const schemas = {
    'node_modules/sluice/docs/reference/flow.schema.json': '{}',
    'node_modules/sluice/docs/reference/credential.schema.json': '{}',
  }
  const { folder, code } = await sluice(
    t,
    ['new', 'flow', 'erp/orders', '--trigger', 'none', '--step', 'log'],
    schemas,
  )
  assert.equal(code, 0)
  assert.match(
    read(folder, 'flows/erp/orders.yaml').text,
    /^# yaml-language-server: \$schema=\.\.\/\.\.\/node_modules\/sluice\/docs\/reference\/flow\.schema\.json\n/,
  )
  const made = await sluice(
    t,
    ['new', 'credential', 'shop', '--type', 'bearer', '--base-url', 'https://a.example.com/'],
    {},
    { folder },
  )
  assert.equal(made.code, 0)
  assert.match(
    read(folder, 'security-material/shop.yaml').text,
    /^# yaml-language-server: \$schema=\.\.\/node_modules\/sluice\/docs\/reference\/credential\.schema\.json\n/,
  )
})
