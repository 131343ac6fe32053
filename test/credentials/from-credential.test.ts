import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { CredentialChange } from '../../src/security/credential-change.ts'
import { startService, TestCaller, TestLog, type Asked, type TestService } from '../support/credentials.ts'
import { setUpMaterial } from '../support/material.ts'
import { failureOf } from '../support/oauth2.ts'

const API = 'baseUrl: https://api.example.com/\n'
const inner = (url: string, more = '') =>
  `type: oauth2\ntokenServiceUrl: ${url}\nclientId: inner\nclientSecret: \${env:SECRET}\n${API}${more}`
const exchange = (url: string, name = 'inner', more = '') =>
  `type: oauth2\ntokenServiceUrl: ${url}\ngrantType: token-exchange\nsubjectToken: { fromCredential: ${name} }\n${API}${more}`

const numberedAs =
  (prefix: string): TestService['answer'] =>
  (_asked, count) => ({ body: { access_token: `${prefix}-token-${count}`, expires_in: 3600 } })
const subjectOf = ({ body }: Asked) => new URLSearchParams(body).get('subject_token')
const refused = { status: 400, body: { error: 'invalid_grant' } }

/** A credential of one service that is made with the token of another one. */
async function setUpPair(t: TestContext, more = '') {
  const first = await startService(t, numberedAs('inner'))
  const second = await startService(t, numberedAs('outer'))
  const log = new TestLog()
  const setup = setUpMaterial(t, { log })
  const files = {
    inner: setup.file(inner(first.url), 'inner'),
    outer: setup.file(exchange(second.url, 'inner', more), 'outer'),
  }
  const { material } = setup
  const load = (...given: { file: string; text: string }[]) => {
    const changes: CredentialChange[] = []
    const problems = material.load(given, (change) => changes.push(change))
    return { problems, changes }
  }
  assert.deepEqual(load(files.inner, files.outer).problems, [])
  const grantOf = async (name: string) =>
    material.reference(name).current().authorizer.authorize(new TestCaller())
  const tokenOf = async (name: string) => (await grantOf(name)).headers[1]
  return { ...setup, first, second, files, load, log, grantOf, tokenOf }
}

test('one token buys another one: each is asked for once, and kept', async (t) => {
  const { tokenOf, first, second } = await setUpPair(t)
  const tokens = await Promise.all([tokenOf('outer'), tokenOf('outer'), tokenOf('inner')])
  assert.deepEqual(tokens, ['Bearer outer-token-1', 'Bearer outer-token-1', 'Bearer inner-token-1'])
  assert.equal(first.asked.length, 1)
  assert.equal(second.asked.length, 1)
  assert.deepEqual(Object.fromEntries(new URLSearchParams(second.asked[0]!.body)), {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'inner-token-1',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  })
})

test('an assertion of the grant, and one of the client, come from other credentials, too', async (t) => {
  const { load, files, second, tokenOf, file } = await setUpPair(t)
  const start = `type: oauth2\ntokenServiceUrl: ${second.url}\nclientId: c\n${API}`
  load(
    files.inner,
    file(`${start}grantType: jwt-bearer\nassertion: { fromCredential: inner }\n`, 'bought'),
    file(`${start}grantType: saml2-bearer\nassertion: { fromCredential: inner }\n`, 'bearer'),
    file(`${start}clientAssertion: { fromCredential: inner }\n`, 'proven'),
  )
  await tokenOf('bought')
  await tokenOf('bearer')
  await tokenOf('proven')
  const [bought, bearer, proven] = second.asked.map(({ body }) =>
    Object.fromEntries(new URLSearchParams(body)),
  )
  assert.equal(bought!['assertion'], 'inner-token-1')
  assert.equal(bearer!['assertion'], 'inner-token-1')
  assert.equal(bearer!['grant_type'], 'urn:ietf:params:oauth:grant-type:saml2-bearer')
  assert.equal(proven!['client_assertion'], 'inner-token-1')
  assert.equal(proven!['grant_type'], 'client_credentials')
})

test('a refused inner token is renewed, and the outer one is asked for once more', async (t) => {
  const { tokenOf, grantOf, first, second } = await setUpPair(t)
  const grant = await grantOf('outer')
  second.answer = (asked, count) =>
    subjectOf(asked) === 'inner-token-1' ? refused : numberedAs('outer')(asked, count)
  assert.ok(grant.reject())
  assert.equal(await tokenOf('outer'), 'Bearer outer-token-3')
  assert.deepEqual(second.asked.map(subjectOf), ['inner-token-1', 'inner-token-1', 'inner-token-2'])
  assert.equal(first.asked.length, 2)
})

test('a service that always refuses causes two requests, and no storm of inner tokens', async (t) => {
  const { tokenOf, first, second, clock } = await setUpPair(t)
  second.answer = () => refused
  const failure = await failureOf(tokenOf('outer'))
  assert.equal(failure.code, 'credential.refused')
  await failureOf(tokenOf('outer'))
  assert.deepEqual([first.asked.length, second.asked.length], [2, 2])
  for (let i = 0; i < 5; i++) {
    await clock.advance(300_000)
    await failureOf(tokenOf('outer'))
  }
  assert.ok(first.asked.length <= 7, `${first.asked.length} inner tokens`)
  assert.ok(second.asked.length <= 12, `${second.asked.length} requests`)
})

test('an inner service that gives the same token again is not asked for more', async (t) => {
  const { tokenOf, first, second } = await setUpPair(t)
  first.answer = () => ({ body: { access_token: 'the-same-token', expires_in: 3600 } })
  second.answer = () => refused
  await failureOf(tokenOf('outer'))
  assert.deepEqual([first.asked.length, second.asked.length], [2, 1])
})

test('an inner credential that is refused: the failure says whose it is, and the outer service is not asked', async (t) => {
  const { tokenOf, first, second, log, clock } = await setUpPair(t)
  first.answer = () => ({ status: 401, body: { error: 'invalid_client' } })
  const failure = await failureOf(tokenOf('outer'))
  assert.equal(failure.code, 'credential.refused')
  assert.match(
    failure.message,
    /^credential "outer" needs the token of another one: the token service refused credential "inner": 401 invalid_client/,
  )
  assert.match(failure.hint!, /Verify clientId/)
  assert.equal(second.asked.length, 0)
  first.answer = numberedAs('inner')
  await clock.advance(30_000)
  assert.equal(await tokenOf('outer'), 'Bearer outer-token-1')
  assert.doesNotMatch(JSON.stringify(log.lines), /(inner|outer)-token/)
})

test('a change of the inner credential ends the token that was made with it; a change of the outer one does not touch the inner', async (t) => {
  const { tokenOf, first, second, files, load, file } = await setUpPair(t)
  await tokenOf('outer')
  load(file(inner(first.url, 'scope: other\n'), 'inner'), files.outer)
  assert.equal(await tokenOf('outer'), 'Bearer outer-token-2')
  assert.deepEqual([first.asked.length, second.asked.length], [2, 2])
  load(
    file(inner(first.url, 'scope: other\n'), 'inner'),
    file(exchange(second.url, 'inner', 'scope: x\n'), 'outer'),
  )
  assert.equal(await tokenOf('outer'), 'Bearer outer-token-3')
  assert.equal(first.asked.length, 2)
})

test('an inner credential that lacks its secret holds up what uses the outer one, until it is complete', async (t) => {
  const url = 'https://idp.example.com/token'
  const environment: Record<string, string> = {}
  const { material, file } = setUpMaterial(t, { environment })
  const files = [file(inner(url), 'inner'), file(exchange(url), 'outer')]
  material.load(files)
  assert.deepEqual(material.info('outer')!.unset, ['env:SECRET'])
  const failure = await failureOf(
    (async () => material.reference('outer').current().authorizer.authorize(new TestCaller()))(),
  )
  assert.equal(failure.code, 'credential.incomplete')
  environment['SECRET'] = 'there-it-is-0123456789'
  const changes: string[] = []
  material.load(files, ({ name, outcome }) => changes.push(`${name} ${outcome}`))
  assert.deepEqual(changes, ['inner completed', 'outer completed'])
  assert.deepEqual(material.info('outer')!.unset, [])
})

const URL = 'https://idp.example.com/token'
const problems: [title: string, files: Record<string, string>, ...wanted: string[]][] = [
  [
    'a credential that is not there',
    { inner: inner(URL), outer: exchange(URL, 'innner') },
    'outer.yaml:4:33 there is no credential "innner"; did you mean "inner"?',
  ],
  [
    'a credential without a token to give',
    { inner: `type: basic\nusername: a\npassword: \${env:SECRET}\n${API}`, outer: exchange(URL) },
    'outer.yaml:4:33 "inner" is a "basic" credential and has no token to give; "oauth2" or "jwt" is wanted here',
  ],
  [
    'itself',
    { outer: exchange(URL, 'outer') },
    'outer.yaml:4:33 a ring of credentials, each made with the token of the next: outer -> outer',
  ],
  [
    'a ring, and one that leads into it',
    { a: exchange(URL, 'b'), b: exchange(URL, 'c'), c: exchange(URL, 'a'), d: exchange(URL, 'a') },
    'a.yaml:4:33 a ring of credentials, each made with the token of the next: a -> b -> c -> a',
    'b.yaml:4:33 a ring of credentials, each made with the token of the next: b -> c -> a -> b',
    'c.yaml:4:33 a ring of credentials, each made with the token of the next: c -> a -> b -> c',
  ],
  [
    'a key and another credential',
    { inner: inner(URL), outer: exchange(URL, 'inner, token: "${env:SECRET}"') },
    'outer.yaml:4:17 "subjectToken" has a token and a fromCredential, of which only one can be used',
  ],
  [
    'no token to exchange, and a type that is none',
    {
      outer: `type: oauth2\ntokenServiceUrl: ${URL}\ngrantType: token-exchange\nrequestedTokenType: acces_token\n${API}`,
    },
    'outer.yaml:3:12 "subjectToken" is missing; the grant token-exchange needs it',
    'outer.yaml:4:21 "acces_token" is no type of token; did you mean "access_token"?',
  ],
  [
    'a token to exchange that is not there',
    {
      outer: `type: oauth2\ntokenServiceUrl: ${URL}\ngrantType: token-exchange\nsubjectToken: { type: jwt }\n${API}`,
    },
    'outer.yaml:4:1 "subjectToken" does not say what it is taken from',
  ],
  [
    'an assertion without an issuer',
    {
      outer: `type: oauth2\ntokenServiceUrl: ${URL}\ngrantType: jwt-bearer\nassertion: { key: "\${env:SECRET}" }\n${API}`,
    },
    'outer.yaml:4:1 "assertion" has no "issuer", and there is no "clientId" that could stand for it',
    'outer.yaml:4:19 "assertion.key" holds no private key; wanted is PEM: -----BEGIN PRIVATE KEY-----',
  ],
]
for (const [title, files, ...wanted] of problems) {
  test(`problems: ${title}`, (t) => {
    const { material, file } = setUpMaterial(t)
    const found = material.load(Object.entries(files).map(([name, text]) => file(text, name)))
    assert.deepEqual(
      found.map(
        ({ file: at, line, column, message }) => `${at.replace(/.*\//, '')}:${line}:${column} ${message}`,
      ),
      wanted,
    )
    for (const { hint } of found) assert.ok(hint)
    const broken = wanted[0]!.slice(0, wanted[0]!.indexOf('.'))
    assert.equal(material.info(broken)!.broken, true)
  })
}

test('a ring that comes by a change leaves in force what was there', async (t) => {
  const { load, files, file, first, tokenOf } = await setUpPair(t)
  await tokenOf('outer')
  const { problems: found } = load(file(exchange(first.url, 'outer'), 'inner'), files.outer)
  assert.equal(found.length, 2)
  assert.equal(await tokenOf('outer'), 'Bearer outer-token-1')
  assert.equal(await tokenOf('inner'), 'Bearer inner-token-1')
})

test('a credential with one tenant lends its token; one with several is told at load', async (t) => {
  const { load, file, first, second, tokenOf } = await setUpPair(t)
  const tenants = (names: string) =>
    file(
      inner(`http://127.0.0.1:${first.port}/{tenant}`, `tokenServiceUrlType: common\ntenants: [${names}]\n`),
      'inner',
    )
  const outer = file(exchange(second.url), 'other')
  assert.deepEqual(load(tenants('acme'), outer).problems, [])
  await tokenOf('other')
  assert.equal(first.asked.at(-1)!.url, '/acme')
  assert.deepEqual(
    load(tenants('acme, globex'), outer).problems.map(
      ({ file: at, line, column, code, message }) => `${at}:${line}:${column} ${code} ${message}`,
    ),
    [
      'security-material/other.yaml:4:33 credential/link "inner" has a token for each of its 2 tenants, and nothing says which one is wanted here',
    ],
  )
})

test('the token of a credential with tenants for the connectivity proxy: one of several is told at load', (t) => {
  const { material, file } = setUpMaterial(t, {
    connectivityProxy: { credential: 'inner', dispatcherFor: () => undefined! },
  })
  const lender = (names: string) =>
    file(
      inner('https://{tenant}.example.com/t', `tokenServiceUrlType: common\ntenants: [${names}]\n`),
      'inner',
    )
  const erp = file('type: none\nbaseUrl: http://erp:8000/\ncloudConnector: {}\n', 'erp')
  const of = (names: string) => material.check([lender(names), erp]).map(({ code }) => code)
  assert.deepEqual(of('acme'), [])
  assert.deepEqual(of('acme, globex'), ['credential/link'])
})
