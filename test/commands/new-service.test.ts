import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parse, visit, parseDocument, isPair, isScalar } from 'yaml'
import {
  examplesOf,
  fillIn,
  readKnownServices,
  referencesOf,
  type KnownService,
} from '../../src/known-services.ts'
import { sluice } from '../support/command-line.ts'
import { projectFolder } from '../support/project.ts'
import { providerKeys } from '../support/provider-proofs.ts'
import { noTerminal, onTerminal } from '../support/pty.ts'

function read(folder: string, file: string): { text: string; value: Record<string, unknown> } {
  const text = readFileSync(join(folder, 'security-material', file), 'utf8')
  return { text, value: parse(text) as Record<string, unknown> }
}

/** Another value of the same kind for everything that is asked for. */
function answersOf({ asks = {} }: KnownService): Map<string, string> {
  return new Map(
    Object.entries(asks).map(([name, { example }], index) => {
      if (example.startsWith('https://')) return [name, `https://mine-${index}.test/`]
      return [name, /^[\w-]+(\.[\w-]+)+$/.test(example) ? `mine-${index}.test` : `mine${index}`]
    }),
  )
}

function isRenaming(node: unknown): boolean {
  return isPair(node) && isScalar(node.key) && node.key.value === 'parameterNames'
}

/** Texts of a file that are no keys, with their keys. */
function textsOf(text: string): [field: string, value: string][] {
  const found: [string, string][] = []
  visit(parseDocument(text), {
    Scalar(key, { value }, path) {
      const pair = path.findLast((node) => isPair(node))
      if (key !== 'key' && typeof value === 'string' && !path.some(isRenaming))
        found.push([pair && isScalar(pair.key) ? String(pair.key.value) : '', value])
    },
  })
  return found
}

function hasWord(text: string, word: string): boolean {
  return new RegExp(`(?<![\\w-])${RegExp.escape(word)}(?![\\w-])`).test(text)
}

/** Values of these fields are everybody's own. */
const OWN = ['clientId', 'username', 'keyId', 'issuer', 'subject', 'tenants']
const EXAMPLE = /acme|example|globex|1a2b|0a1b|9f8e|5e6f|1111|12345/i

test('every known service: with all that it asks for, no example is left, and the check passes', async (t) => {
  const { files } = providerKeys()
  const services = await readKnownServices()
  assert.ok(services.size >= 40)
  for (const [like, service] of services) {
    const folder = projectFolder(t, {})
    const environment: Record<string, string> = {}
    const answers = answersOf(service)
    const flags = [...answers].flatMap(([name, value]) => ['--set', `${name}=${value}`])
    const args = ['new', 'credential', `my-${like}`, '--like', like, ...flags]
    const { code, stderr, stdout } = await sluice(t, args, {}, { folder })
    assert.deepEqual([code, stderr], [0, ''], like)
    const { text } = read(folder, `my-${like}.yaml`)
    assert.doesNotMatch(text, /\{\{|examples/, like)
    for (const [field, value] of textsOf(text)) {
      if (value.startsWith('${')) continue
      const mine = [...answers.values()].some((answer) => value.includes(answer))
      if (OWN.includes(field)) assert.ok(mine, `${like}: ${field} is ${value}`)
      assert.doesNotMatch(value, EXAMPLE, `${like}: ${field} is ${value}`)
      for (const example of Object.values(examplesOf(service.asks)))
        assert.ok(!hasWord(value, example), `${like}: ${field} is ${value}, with ${example} in it`)
    }
    const wanted = referencesOf(service.credential)
    const kept = referencesOf(text)
    assert.equal(kept.length, wanted.length, like)
    for (const [index, { reference }] of kept.entries()) {
      const [, kind, where] = /^(env|file):(.*)$/.exec(reference)!
      assert.match(
        stdout,
        kind === 'env' ? new RegExp(`add ${where}=\\.\\.\\. to \\.env`) : /put the secret into/,
      )
      if (kind === 'env') environment[where!] = `canary-${like}-${index}`
      else {
        const given = (files as Record<string, string>)[wanted[index]!.reference.slice('file:'.length)]
        assert.ok(given !== undefined, `${like}: ${reference}`)
        mkdirSync(dirname(join(folder, where!)), { recursive: true })
        writeFileSync(join(folder, where!), given)
      }
    }
    const check = await sluice(t, ['check', '--secrets'], {}, { folder, environment })
    assert.deepEqual([check.code, check.stderr], [0, ''], `${like}: ${check.stdout}`)
    assert.doesNotMatch(check.stdout, /canary/)
  }
})

test('every known service asks by names of their own, each in its credential and the other way round', async () => {
  for (const [like, service] of await readKnownServices()) {
    const asks = Object.keys(service.asks ?? {})
    const holders = [...service.credential.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name!)
    assert.deepEqual([...new Set(holders)].toSorted(), asks.toSorted(), like)
    const names = [...asks, ...referencesOf(service.credential).map(({ field }) => field)]
    assert.equal(new Set(names).size, names.length, `${like}: ${names.join(', ')}`)
    for (const { question } of Object.values(service.asks ?? {}))
      assert.ok(question.length <= 100 && !/(:|[^.]\.)$/.test(question), `${like}: ${question}`)
  }
})

test('new credential --like without more: the examples stay, and are told', async (t) => {
  const folder = projectFolder(t, {})
  for (const [like, service] of await readKnownServices()) {
    const { code, stderr, stdout } = await sluice(t, ['new', 'credential', '--like', like], {}, { folder })
    assert.deepEqual([code, stderr], [0, ''], like)
    assert.match(stdout, new RegExp(`^wrote security-material/${like}.yaml\n[^]*credential test ${like} `))
    const { text, value } = read(folder, `${like}.yaml`)
    const credential = fillIn(service.credential, examplesOf(service.asks))
    assert.deepEqual(Object.keys(value), Object.keys(parse(credential) as object))
    assert.equal(value['baseUrl'], (parse(credential) as Record<string, unknown>)['baseUrl'])
    const required = Object.entries(service.asks ?? {}).filter(([, { usual }]) => !usual)
    for (const [name] of required)
      assert.match(stdout, new RegExp(`edit security-material/${like}.yaml +# examples in it: .*${name}`))
    assert.match(text, /^# [^]*\n\ntype: /)
    for (const line of text.split('\n')) if (/^#(?! See )/.test(line)) assert.ok(line.length <= 96, line)
  }
})

test('new credential --like: another name; what is not known, and other flags, are refused', async (t) => {
  const folder = projectFolder(t, {})
  const named = await sluice(t, ['new', 'credential', 'erp/crm', '--like', 'Salesforce'], {}, { folder })
  assert.match(
    named.stdout,
    /^wrote security-material\/erp\/crm\.yaml\n[^]*CRM_SECRET[^]*credential test crm /,
  )
  const before = readdirSync(join(folder, 'security-material'))
  for (const [args, says] of [
    [['--like', 'salesforec'], /no service is known as "salesforec"; did you mean "salesforce"\?/],
    [['--like', 'jam'], /no service is known as "jam"; there are: sap-jam$/m],
    [['--like', 'qqqqqq'], /there are: adobe, adp, amadeus, [^]*zoom$/m],
    [['--like', 'zoom', '--scope', 'x'], /--scope: with --like the file says it/],
    [['--like', 'zoom', '--set', 'clientId'], /--set wants NAME=VALUE/],
    [['--like', 'zoom', '--set', 'clientId='], /--set wants NAME=VALUE/],
    [
      ['--like', 'zoom', '--set', 'clientId=a'],
      /missing:\n {2}--set accountId=\.\.\. {2}Account id, such as/,
    ],
    [
      ['--like', 'zoom', '--set', 'clientid=a'],
      /Zoom, server to server asks for no "clientid"; did you mean "clientId"\?; it asks for: accountId, clientId, clientSecret/,
    ],
    [['--like', 'zoom', '--set', 'clientId=a', '--client-id', 'b'], /"clientId" is there twice/],
    [['--like', 'zoom', '--set', 'clientSecret=geheim-7f3a'], /--set clientSecret wants env:NAME/],
    [['--like', 'zoom', '--secret', 'geheim-7f3a'], /--set clientSecret wants env:NAME/],
    [
      ['--like', 'amazon-selling-partner', '--secret', 'env:A'],
      /several: --set clientSecret=env:NAME, --set refreshToken/,
    ],
    [
      ['--like', 'salesforce', '--set', 'domain=https://a.my.salesforce.com'],
      /--set domain: only this part of the address/,
    ],
    [['--like', 'salesforce', '--set', 'domain=a/b'], /only this part of the address/],
    [['--like', 'uipath', '--set', 'organization=a/../b'], /only this part of the address/],
    [['--like', 'auth0', '--set', 'baseUrl=api'], /--set baseUrl: a URL is needed/],
    [['--like', 'zoom', '--set', 'clientId={{id}}'], /text of one line is wanted/],
    [['--type', 'bearer', '--set', 'a=b'], /--set goes with --like/],
  ] as const) {
    const result = await sluice(t, ['new', 'credential', 'a', ...args], {}, { folder })
    assert.deepEqual([result.code, result.stdout], [2, ''], args.join(' '))
    assert.match(result.stderr, says)
    assert.doesNotMatch(result.stderr, /geheim/)
  }
  assert.deepEqual(readdirSync(join(folder, 'security-material')), before)
})

test('new credential --set: flags of the same name, references, the secret of a service that has one', async (t) => {
  const folder = projectFolder(t, {})
  const args = [
    'new',
    'credential',
    'crm',
    '--like',
    'salesforce',
    '--client-id',
    'abc',
    '--secret',
    'file:s/crm',
  ]
  const { code, stderr } = await sluice(t, [...args, '--set', 'domain=${param:org}'], {
    'sluice.yaml': 'parameters: { org: globus }\n',
  })
  assert.deepEqual([code, stderr], [0, ''])
  const made = await sluice(
    t,
    [...args, '--set', 'domain=globus', '--description', 'the CRM: sales'],
    {},
    { folder },
  )
  assert.equal(made.code, 0, made.stderr)
  const { value } = read(folder, 'crm.yaml')
  assert.deepEqual(value, {
    type: 'oauth2',
    description: 'the CRM: sales',
    tokenServiceUrl: 'https://globus.my.salesforce.com/services/oauth2/token',
    clientId: 'abc',
    clientSecret: '${file:s/crm}',
    clientAuthentication: 'body',
    lifetime: '1h',
    baseUrl: 'https://globus.my.salesforce.com/services/data/v62.0/',
  })
})

test('new credential: a name that is taken is refused before anything is asked; mistakes leave nothing behind', async (t) => {
  const folder = projectFolder(t, {
    'security-material/crm.yaml': 'type: bearer\ntoken: ${env:A}\nbaseUrl: https://a.example.com/\n',
  })
  const taken = await sluice(t, ['new', 'credential', 'erp/crm'], {}, { folder, answers: ['zoom'] })
  assert.deepEqual([taken.code, /Service/.test(taken.stderr)], [1, false])
  assert.match(taken.stderr, /there is a credential "crm" already/)
  const plain = [
    '--set',
    'baseUrl=http://api.example.com/',
    '--set',
    'audience=a',
    '--set',
    'host=a.example.com',
  ]
  const args = ['new', 'credential', 'sub/a', '--like', 'auth0', '--client-id', 'a', ...plain]
  const { code, stderr } = await sluice(t, args, {}, { folder })
  assert.equal(code, 1)
  assert.match(stderr, /"security-material\/sub\/a\.yaml" was not written/)
  assert.deepEqual(readdirSync(join(folder, 'security-material')), ['crm.yaml'])
})

test('new credential --set: what YAML would read in another way is quoted', async (t) => {
  const folder = projectFolder(t, {})
  const hostile = [
    '1234',
    'true',
    'null',
    'a: b # c',
    '- a',
    '*a',
    '"a',
    "it's",
    '}a, b]',
    '2026-11-29',
    ' a ',
    '!x',
    '%y',
    '`z',
    '|',
    '~',
  ]
  for (const [index, text] of hostile.entries()) {
    const set = ['--set', `clientId=${text}`, '--set', `accountId=${text}`]
    const { code, stderr } = await sluice(
      t,
      ['new', 'credential', `z${index}`, '--like', 'zoom', ...set],
      {},
      { folder },
    )
    assert.deepEqual([code, stderr], [0, ''], text)
    const { value } = read(folder, `z${index}.yaml`)
    assert.deepEqual(
      [value['clientId'], value['parameters']],
      [text.trim(), { body: { account_id: text.trim() } }],
    )
  }
})

test('new credential offers the services by a part of the name, and asks for what the chosen one needs', async (t) => {
  const folder = projectFolder(t, {})
  const answers = [
    'salsforce',
    'salesf',
    '99',
    '1',
    'Bad name',
    '',
    'https://globus',
    'globus',
    '',
    'abc',
    'geheim-7f3a',
    '',
  ]
  const { code, stderr, stdout } = await sluice(t, ['new', 'credential'], {}, { folder, answers })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /no known service has "salsforce" in its name; did you mean "salesforce"\?/)
  assert.match(stderr, / 1 {2}salesforce +Salesforce\n +2 {2}salesforce-marketing-cloud /)
  assert.match(stderr, /no known service has "99"/)
  assert.match(stderr, /Name of the credential \[salesforce\]: {3}"Bad name" cannot be/)
  assert.match(
    stderr,
    /My Domain of the org, [^\n]*, such as acme: {3}only this part of the address, as in acme\n/,
  )
  assert.match(stderr, /an answer is needed/)
  assert.match(
    stderr,
    /Where "clientSecret" is kept: [^]*\s\[env:SALESFORCE_SECRET\]: {3}where it is kept, never the secret itself/,
  )
  assert.doesNotMatch(stderr, /geheim/)
  const { value } = read(folder, 'salesforce.yaml')
  assert.deepEqual(
    [value['tokenServiceUrl'], value['clientId'], value['clientSecret']],
    ['https://globus.my.salesforce.com/services/oauth2/token', 'abc', '${env:SALESFORCE_SECRET}'],
  )
  assert.match(
    stdout,
    /\nSalesforce\. The answer tells no lifetime[^]*\nSee https:[^]*\n\nNext:\n {2}add SALESFORCE_SECRET=/,
  )
  assert.doesNotMatch(stdout, /examples/)
})

test('new credential: one match is taken, usual values are kept by Enter, encrypted secrets are proposed', async (t) => {
  const folder = projectFolder(t, {})
  await sluice(t, ['secret', 'set', 'other'], {}, { folder, input: 'other-secret-1b7e' })
  const answers = ['zoho', '', 'id-1', '', '']
  const { code, stderr } = await sluice(t, ['new', 'credential', 'crm'], {}, { folder, answers })
  assert.equal(code, 0, stderr)
  assert.match(stderr, / {2}Zoho\n/)
  const { value } = read(folder, 'crm.yaml')
  assert.deepEqual(
    [value['tokenServiceUrl'], value['clientId'], value['clientSecret'], value['refreshToken']],
    ['https://accounts.zoho.eu/oauth/v2/token', 'id-1', '${secret:crm_secret}', '${secret:crm_token}'],
  )
})

test('new credential: * shows every service; --like on a terminal asks only for what no flag says', async (t) => {
  const folder = projectFolder(t, {})
  const all = await sluice(t, ['new', 'credential', 'a'], {}, { folder, answers: ['*', 'stripe', ''] })
  assert.equal(all.code, 0, all.stderr)
  const { size } = await readKnownServices()
  assert.match(all.stderr, new RegExp(` ${size} {2}\\S+ +\\S`))
  assert.equal(read(folder, 'a.yaml').value['token'], '${env:A_TOKEN}')
  const args = [
    'new',
    'credential',
    'b',
    '--like',
    'zoom',
    '--set',
    'clientId=me',
    '--set',
    'clientSecret=env:Z',
  ]
  const { code, stderr } = await sluice(t, args, {}, { folder, answers: ['my-account'] })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^Account id, such as zoom-account: $/)
})

test('new credential --list-services: all, a part of the names, and what one of them asks for', async (t) => {
  const list = async (...part: string[]) => sluice(t, ['new', 'credential', '--list-services', ...part])
  const { size } = await readKnownServices()
  assert.equal((await list()).stdout.trim().split('\n').length, size)
  assert.match(
    (await list('personio')).stdout,
    /^personio-v1 +Personio \(v1\)\npersonio-v2 +Personio \(v2\)\n$/,
  )
  assert.match(
    (await list('zoom')).stdout,
    /^Zoom, server to server\. [^]*new credential NAME --like zoom\n {2}--set accountId=\.\.\. +Account id, such as zoom-account\n[^]*--set clientSecret=\.\.\. +where it is kept, such as env:ZOOM_SECRET\n$/,
  )
  const { code, stderr } = await list('zooom')
  assert.deepEqual([code, /has "zooom" in its name; did you mean "zoom"\?/.test(stderr)], [2, true])
})

for (const [at, answers] of [
  ['Service:', []],
  ['Name of', ['salesforce']],
  ['Consumer key', ['salesforce', 'crm', 'globus']],
  ['Where "clientSecret"', ['salesforce', 'crm', 'globus', 'abc']],
] as const)
  test(`new credential: Ctrl-C at the question "${at}" leaves nothing behind`, async (t) => {
    const folder = projectFolder(t, { 'sluice.yaml': '# nothing\n' })
    const interrupt = new AbortController()
    const { code, stderr } = await sluice(
      t,
      ['new', 'credential'],
      {},
      {
        folder,
        answers,
        signal: interrupt.signal,
        onStderr: (text) => {
          if (text.startsWith(at)) setImmediate(() => interrupt.abort())
        },
      },
    )
    assert.equal(code, 130)
    assert.match(stderr, /interrupted; nothing was written/)
    assert.deepEqual(readdirSync(folder), ['sluice.yaml'])
  })

test(
  'new credential on a terminal: chosen, asked, written; Ctrl-C writes nothing',
  { skip: noTerminal ?? false },
  async (t) => {
    const folder = projectFolder(t, { 'sluice.yaml': '# nothing\n' })
    const first = onTerminal(t, folder, ['new', 'credential', 'crm'])
    await first.shows(/Service: [^]*: /)
    first.press('zoom\r')
    await first.shows(/Account id, such as zoom-account: /)
    first.press('my-account\r')
    await first.shows(/Client id, such as zoom-client: /)
    first.press('\x03')
    assert.equal((await first.fact('ended')).code, 130)
    assert.ok(!existsSync(join(folder, 'security-material')))
    const second = onTerminal(t, folder, ['new', 'credential', 'crm'])
    await second.shows(/Service: [^]*: /)
    second.press('zoom\rmy-account\rme\r\r')
    await second.shows(/wrote security-material\/crm\.yaml[^]*CRM_SECRET/)
    assert.equal((await second.fact('ended')).code, 0)
    assert.equal(read(folder, 'crm.yaml').value['clientId'], 'me')
  },
)
