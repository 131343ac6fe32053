import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tenantUrl } from '../../src/credentials/tenant-url.ts'
import { startService, TestCaller } from '../support/credentials.ts'
import { URLS, setUpMaterial } from '../support/material.ts'
import { failureOf, numbered, setUpOAuth2, tokenOf } from '../support/oauth2.ts'
import { HIJACKS } from '../support/tenant-hijacks.ts'

/** The examples of SAP's page. @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/oauth-client-credentials-authentication */
const EXAMPLES = [
  [
    'https://authentication.us10.hana.ondemand.com/oauth/token',
    'https://mytenant.authentication.us10.hana.ondemand.com/oauth/token',
  ],
  [
    'https://{tenant}.authentication.us10.hana.ondemand.com/oauth/token',
    'https://mytenant.authentication.us10.hana.ondemand.com/oauth/token',
  ],
  [
    'https://authentication.myauthserver.com/tenant/{tenant}/oauth/token',
    'https://authentication.myauthserver.com/tenant/mytenant/oauth/token',
  ],
  ['https://oauth.{tenant}.myauthserver.com/token', 'https://oauth.mytenant.myauthserver.com/token'],
] as const

for (const [template, url] of EXAMPLES)
  test(`${template} of mytenant`, () => {
    assert.equal(tenantUrl(template, 'mytenant'), url)
  })

test('a tenant of a credential is a label of a host name and nothing else', (t) => {
  const { material, file } = setUpMaterial(t)
  const of = (tenants: string) =>
    material
      .check([
        file(
          `type: oauth2\n${URLS}clientId: acme\nclientSecret: \${env:SECRET}\ntokenServiceUrlType: common\n${tenants}`,
        ),
      ])
      .map(({ code, message, line }) => `${line} ${code} ${message}`)
  for (const hijack of HIJACKS)
    assert.deepEqual(of(`tenants: [${JSON.stringify(hijack)}]\n`), [
      `7 credential/tenant "${hijack}" cannot be a tenant: it is a part of a host name`,
    ])
  assert.deepEqual(of('tenants: [a, b-1, A9]\n'), [])
  assert.deepEqual(of(''), [
    '6 credential/tenant "tenants" is missing; tokens are asked for those tenants only that it names',
  ])
  assert.deepEqual(of('tenants: []\n'), [
    '7 credential/tenant "tenants" is empty; tokens are asked for those tenants only that it names',
  ])
  assert.deepEqual(of('tenants: [a, b, a]\n'), ['7 credential/tenant the tenant "a" is there twice'])
})

test('a tenant that makes no address of the one that is written is told for each field', (t) => {
  const { material, file } = setUpMaterial(t)
  const of = (fields: string) =>
    material
      .check([
        file(
          `type: oauth2\n${fields}baseUrl: https://api.example.com/\nclientId: acme\nclientSecret: \${env:SECRET}\ntokenServiceUrlType: common\n`,
        ),
      ])
      .map(({ code, message, line, column }) => `${line}:${column} ${code} ${message}`)
  assert.deepEqual(of('tokenServiceUrl: https://10.0.0.1/token?x=1\ntenants: [acme, globex]\n'), [
    '2:18 credential/tenant "tokenServiceUrl" of the tenant "acme" would be https://acme.10.0.0.1/token; it is no URL',
  ])
  assert.deepEqual(
    of(
      'tokenServiceUrl: https://{tenant}.example.com/t\nrevocationUrl: https://1.2.{tenant}/r\ntenants: [acme, "999999999"]\n',
    ),
    [
      '3:16 credential/tenant "revocationUrl" of the tenant "999999999" would be https://1.2.999999999/r; it is no URL',
    ],
  )
  assert.deepEqual(of('tokenServiceUrl: http://localhost:8080/token\ntenants: [acme]\n'), [
    '2:18 credential/tenant "tokenServiceUrl" of the tenant "acme" would be http://acme.localhost:8080/token; it uses http to another machine; a secret would go over the wire in clear',
  ])
})

test('tenants, or a place for one, without common are told', (t) => {
  const { material, file } = setUpMaterial(t)
  const base =
    'type: oauth2\ntokenServiceUrl: https://{tenant}.example.com/t\nbaseUrl: https://api.example.com/\nclientId: a\nclientSecret: ${env:SECRET}\n'
  const told = material.check([file(`${base}tenants: [a]\n`)])
  assert.deepEqual(
    told.map(({ line, column, code }) => [line, column, code]),
    [
      [2, 26, 'credential/tenant'],
      [6, 1, 'credential/tenant'],
    ],
  )
  assert.deepEqual(material.check([file(`${base}tokenServiceUrlType: common\ntenants: [a]\n`)]), [])
})

test('each tenant has a token of its own, from its own address; the others keep theirs', async (t) => {
  const service = await startService(t, numbered(3600))
  const { authorizer } = await setUpOAuth2(t, undefined, {
    tokenServiceUrl: `http://127.0.0.1:${service.port}/{tenant}/token?x=1`,
    tokenServiceUrlType: 'common',
    tenants: ['acme', 'globex'],
  })
  const get = async (tenant: string) => authorizer.authorize(new TestCaller(), tenant)
  const [acme, globex] = await Promise.all([get('acme'), get('globex')])
  assert.notEqual(tokenOf(acme), tokenOf(globex))
  assert.deepEqual(service.asked.map(({ url }) => url).toSorted(), ['/acme/token?x=1', '/globex/token?x=1'])
  assert.equal(await get('acme'), acme)
  assert.equal(acme.reject(), true)
  assert.notEqual(tokenOf(await get('acme')), tokenOf(acme))
  assert.equal(await get('globex'), globex)
  assert.equal(service.asked.length, 3)
  const { status, details, token } = authorizer.state()
  assert.deepEqual([token!.requests, token!.renewals, token!.failing], [3, 3, false])
  assert.deepEqual([status, details['acme'], details['globex']], ['ready', 'ready', 'ready'])
})

test('a tenant that is not listed gets no token, and no request goes out', async (t) => {
  const service = await startService(t, numbered(3600))
  const { authorizer } = await setUpOAuth2(t, undefined, {
    tokenServiceUrl: `http://127.0.0.1:${service.port}/{tenant}/token`,
    tokenServiceUrlType: 'common',
    tenants: ['acme', 'globex'],
  })
  const failing = (tenant?: string) =>
    failureOf((async () => authorizer.authorize(new TestCaller(), tenant))())
  for (const tenant of [...HIJACKS, 'acmee', 'constructor', '__proto__', 'ACME']) {
    const failure = await failing(tenant)
    assert.deepEqual([failure.code, failure.reply], ['credential.tenant', 400])
    assert.ok(tenant.length < 3 || !failure.message.includes(`"${tenant}"`) || tenant === 'acme')
  }
  const none = await failing()
  assert.match(none.message, /^the step says no tenant, and credential "im_write" has 2$/)
  assert.equal(none.reply, 500)
  assert.equal(service.asked.length, 0)
})

test('the only tenant needs not be said; what is inherited goes by tenant', async (t) => {
  const service = await startService(t, numbered(3600))
  const options = {
    tokenServiceUrl: `http://127.0.0.1:${service.port}/{tenant}`,
    tokenServiceUrlType: 'common' as const,
  }
  const former = await setUpOAuth2(t, undefined, { ...options, tenants: ['acme'] })
  const grant = await former.get()
  const next = await setUpOAuth2(t, undefined, { ...options, tenants: ['globex', 'acme'] }, 0.5, former)
  next.authorizer.inherit!(former.authorizer)
  assert.equal(tokenOf(await next.authorizer.authorize(new TestCaller(), 'acme')), tokenOf(grant))
  assert.equal(service.asked.length, 1)
})

test('sluice credential test tells each tenant, and stops at one that is refused', async (t) => {
  const service = await startService(t, ({ url }) =>
    url.startsWith('/b')
      ? { status: 401, body: { error: 'invalid_client' } }
      : { body: { access_token: `of-${url}-12345`, expires_in: 9 } },
  )
  const { authorizer } = await setUpOAuth2(t, undefined, {
    tokenServiceUrl: `http://127.0.0.1:${service.port}/{tenant}`,
    tokenServiceUrlType: 'common',
    tenants: ['a', 'b', 'c'],
  })
  const steps = await authorizer.test!(new TestCaller(), { tryOthers: false })
  assert.deepEqual(
    steps.map(({ title, ok }) => [title, ok]),
    [
      ['a: token request', true],
      ['b: token request', false],
    ],
  )
  assert.equal(service.asked.length, 2)
})
