import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { FindableDestination } from '../../src/core/findable.ts'
import { SECRET, setUpMaterial } from '../support/material.ts'

const API = 'baseUrl: https://api.example.com/v1\nfindable: true\n'

function load(t: TestContext, text: string, changes: Parameters<typeof setUpMaterial>[1] = {}) {
  const { material, file, caller, redactor } = setUpMaterial(t, changes)
  const problems = material.load([file(text)])
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error').map(({ message }) => message),
    [],
  )
  const found = material.destinations.find('x')
  assert.ok(typeof found !== 'string', String(found))
  return { found, caller, redactor }
}

const partsOf = async (found: FindableDestination, until: ReturnType<typeof load>['caller']) =>
  (await found.lend(until(), undefined)).map(({ in: at, name, value }) => `${at} ${name}: ${value.reveal()}`)

const BASIC = Buffer.from(`anna:${SECRET}`).toString('base64')

const kinds: [name: string, text: string, properties: Record<string, string>, parts: string[]][] = [
  [
    'basic',
    `type: basic\nusername: anna\npassword: \${env:SECRET}\ndescription: the ERP\n${API}`,
    { Authentication: 'BasicAuthentication', User: 'anna', Description: 'the ERP' },
    [`header authorization: Basic ${BASIC}`],
  ],
  [
    'bearer',
    `type: bearer\ntoken: \${env:SECRET}\n${API}`,
    { Authentication: 'OAuth2ClientCredentials' },
    [`header authorization: Bearer ${SECRET}`],
  ],
  [
    'a key in a header',
    `type: apiKey\nkey: \${env:SECRET}\n${API}`,
    { Authentication: 'NoAuthentication' },
    [`header X-API-Key: ${SECRET}`],
  ],
  [
    'a key in the query',
    `type: apiKey\nkey: \${env:SECRET}\ntokenIn: { in: query, name: k }\n${API}`,
    { Authentication: 'NoAuthentication' },
    [`query k: ${SECRET}`],
  ],
  [
    'a key in a cookie',
    `type: apiKey\nkey: \${env:SECRET}\ntokenIn: { in: cookie, name: sid }\n${API}`,
    { Authentication: 'NoAuthentication' },
    [`header cookie: sid=${SECRET}`],
  ],
  [
    'no authentication, and what goes along with calls',
    `type: none\napiHeaders: { x-client: sluice, x-hidden: 'a\${env:SECRET}', Ocp-Apim-Subscription-Key: written }\napiQuery: { tenant: '\${param:region}', code: "1" }\n${API}`,
    {
      Authentication: 'NoAuthentication',
      'URL.headers.x-client': 'sluice',
      'URL.queries.tenant': 'eu10',
    },
    [`header x-hidden: a${SECRET}`, 'header Ocp-Apim-Subscription-Key: written', 'query code: 1'],
  ],
]
for (const [name, text, properties, parts] of kinds)
  test(`what other programs get of ${name}`, async (t) => {
    const { found, caller } = load(t, text, { dev: true })
    assert.deepEqual(found.properties, {
      Name: 'x',
      Type: 'HTTP',
      URL: 'https://api.example.com/v1',
      ProxyType: 'Internet',
      ...properties,
    })
    assert.deepEqual(await partsOf(found, caller), parts)
  })

const OAUTH =
  'type: oauth2\ntokenServiceUrl: https://idp.example.com/token?key=1\nclientId: acme\nclientSecret: ${env:SECRET}\n'
const grants: [name: string, more: string, properties: Record<string, string>][] = [
  ['client credentials', 'scope: [a, b]\n', { Authentication: 'OAuth2ClientCredentials', scope: 'a b' }],
  [
    'a user and a password',
    'grantType: password\nusername: anna\npassword: ${env:SECRET}\n',
    { Authentication: 'OAuth2Password', User: 'anna' },
  ],
  [
    'a refresh token',
    'grantType: refresh_token\nrefreshToken: ${env:SECRET}\n',
    { Authentication: 'OAuth2ClientCredentials' },
  ],
  [
    'a token in a header of its own',
    'tokenIn: { in: header, name: X-Token }\n',
    { Authentication: 'NoAuthentication' },
  ],
  [
    'a token for the Cloud Connector',
    'tokenIn: { in: header, name: SAP-Connectivity-Technical-Authentication }\n',
    { Authentication: 'OAuth2TechnicalUserPropagation' },
  ],
]
for (const [name, more, properties] of grants)
  test(`the properties of an oauth2 credential with ${name}`, (t) => {
    const { found } = load(t, OAUTH + more + API)
    assert.deepEqual(found.properties, {
      Name: 'x',
      Type: 'HTTP',
      URL: 'https://api.example.com/v1',
      ProxyType: 'Internet',
      tokenServiceURL: 'https://idp.example.com/token',
      tokenServiceURLType: 'Dedicated',
      clientId: 'acme',
      ...properties,
    })
  })

/** Every place of a destination in which a secret may stand. */
const EXPORTED = `
URL=https://\${param:region}.example.com/odata
Name=other_name
Type=HTTP
ProxyType=Internet
Authentication=OAuth2ClientCredentials
Description=of \${env:TENANT}
tokenServiceURL=https://idp.example.com/token?key=literal-in-the-url
clientId=\${env:TENANT}
clientSecret=literal-client-secret
tokenServiceUser=user
tokenServicePassword=literal-password
tokenService.body.assertion_like=literal-in-the-body
tokenServiceURL.headers.x-some=literal-in-a-header
tokenServiceURL.queries.q=literal-in-the-query
URL.headers.APIKey=literal-key
URL.headers.x-env=\${env:SECRET}
URL.headers.sap-client=100
URL.queries.sap-language=EN
HTML5.ForwardAuthToken=false
WebIDEUsage=odata_abap
sap.unknown.password=literal-unknown
`

test('of an exported destination all but its secrets is told; what refers to something is told as it is now', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-find-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'security-material'))
  writeFileSync(join(folder, 'security-material/x.properties'), EXPORTED)
  const { found } = load(t, 'type: destination\nfile: x.properties\nfindable: true\n', {
    projectFolder: folder,
    dev: true,
  })
  assert.deepEqual(found.properties, {
    Name: 'x',
    Type: 'HTTP',
    Authentication: 'OAuth2ClientCredentials',
    URL: 'https://eu10.example.com/odata',
    ProxyType: 'Internet',
    Description: 'of tenant-of-the-header',
    tokenServiceURL: 'https://idp.example.com/token',
    tokenServiceURLType: 'Dedicated',
    clientId: 'tenant-of-the-header',
    tokenServiceUser: 'user',
    'HTML5.ForwardAuthToken': 'false',
    WebIDEUsage: 'odata_abap',
    'URL.headers.sap-client': '100',
    'URL.queries.sap-language': 'EN',
  })
  assert.doesNotMatch(JSON.stringify(found.properties), /literal/)
})

test('what the credential says itself goes before what was exported; a ready token is one, however it was got', (t) => {
  const { found } = load(
    t,
    `type: destination
findable: true
baseUrl: https://api.example.com/other/
properties:
  URL: https://a.example.com
  Authentication: OAuth2RefreshToken
  tokenServiceURL: https://idp.example.com/token
  clientId: acme
  tokenService.body.refresh_token: \${env:SECRET}
override: { clientSecret: '\${env:SECRET}' }
`,
  )
  assert.equal(found.properties['URL'], 'https://api.example.com/other')
  assert.equal(found.properties['Authentication'], 'OAuth2ClientCredentials')
})

test('a live secret of another credential is taken out, wherever it stands', (t) => {
  const { material, file } = setUpMaterial(t)
  material.load([
    file(`type: none\ndescription: ask with ${SECRET}\n${API}`),
    file(`type: bearer\ntoken: \${env:SECRET}\nbaseUrl: https://b.example.com/\n`, 'b'),
  ])
  const found = material.destinations.find('x') as FindableDestination
  assert.equal(found.properties['Description'], 'ask with [secret]')
  assert.deepEqual(material.destinations.names(), ['x'])
})

test('who finds a destination wants to know where to call', (t) => {
  const { material, file } = setUpMaterial(t)
  const [problem, ...more] = material.check([
    file('type: bearer\ntoken: ${env:SECRET}\nallowedHosts: [api.example.com]\nfindable: true\n'),
  ])
  assert.deepEqual(more, [])
  assert.match(
    `${problem!.line}:${problem!.column} ${problem!.message}`,
    /^4:1 "findable" is there, and "baseUrl" is not/,
  )
})

test('a property that only other programs know changes what they get', (t) => {
  const { material, file } = setUpMaterial(t)
  const text = (client: string) =>
    `type: destination\nfindable: true\nproperties: { URL: https://a.example.com, Authentication: NoAuthentication, sap-client: "${client}" }\n`
  for (const client of ['100', '200']) {
    material.load([file(text(client))])
    const found = material.destinations.find('x') as FindableDestination
    assert.equal(found.properties['sap-client'], client)
  }
})
