import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import type { OpenSetting } from '../../src/access/authorization-server.ts'
import { TrustedProxies } from '../../src/net/trusted-proxies.ts'
import { door, NO_SOURCES } from './fixture.ts'
import { sign, testKey, tokenService } from './issuer-fixture.ts'

/** Some of them are left out. */
type Claims = { [name in keyof JWTPayload]: JWTPayload[name] | undefined }

const key = await testKey('k1')
const stranger = await testKey('k1')

/** An engine that takes the tokens of one issuer. @param settings of its file; `ISSUER` stands for its address */
async function withIssuer(
  t: TestContext,
  settings = 'audience: api://flows\n',
  own: Partial<OpenSetting> = {},
) {
  const service = await tokenService(t)
  service.publish(key.jwk)
  const at = await door(t, undefined, undefined, own)
  const write = (text: string, name = 'partner') =>
    at.access.issuers.files.load([{ file: `security-material/${name}.yaml`, text }], NO_SOURCES)
  const text = (own: string) =>
    `type: issuer\nissuer: ${service.url}\n${own.includes('jwksUri') || own.includes('discovery') ? '' : `jwksUri: ${service.url}/keys\n`}${own}`
  assert.deepEqual(write(text(settings)), [])
  const now = Math.floor(at.clock.now() / 1000)
  const claims = (own: Claims = {}) =>
    ({
      iss: service.url,
      aud: 'api://flows',
      sub: 'shop',
      iat: now,
      exp: now + 600,
      roles: ['orders.write'],
      ...own,
    }) as JWTPayload
  const token = (own: Claims = {}, header: Record<string, unknown> = {}, by = key) =>
    sign(by, claims(own), header)
  const call = async (token: string, role = 'orders.write') => at.call(token, `/http/${role}`)
  const why = () => at.log.lines.filter(({ level }) => level === 'warn').at(-1)!.text
  return { ...at, service, write, text, now, claims, token, call, why }
}

describe('tokens of other issuers', () => {
  it('lets in by roles, and tells the flow the issuer and the client', async (t) => {
    const { call, token, why } = await withIssuer(t)
    const good = await token({ azp: 'shop-app', scp: 'ESBMessaging.send other' })
    assert.deepEqual((await call(good)).body, {
      id: 'partner:shop-app',
      roles: ['orders.write', 'ESBMessaging.send', 'other'],
    })
    assert.equal((await call(good, 'ESBMessaging.send')).status, 200)
    const lacking = await call(await token({ roles: [] }))
    assert.equal(lacking.status, 403)
    assert.match(lacking.headers.get('www-authenticate')!, /error="insufficient_scope", scope="orders.write"/)
    assert.match(why(), /partner:shop needs the role "orders\.write", and has none/)
  })

  it('refuses what is forged, expired or for somebody else, with the reason in the log only', async (t) => {
    const { call, token, claims, why, now, service } = await withIssuer(t)
    const none = new UnsecuredJWT(claims()).encode()
    const hs256 = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(Buffer.from(JSON.stringify(key.jwk)))
    const bad: [token: string, why: RegExp][] = [
      [none, /not signed with RS256, PS256, ES256, EdDSA|can be read/],
      [hs256, /not signed with RS256/],
      [await token({}, {}, stranger), /signature is not that of issuer "partner"/],
      [await token({}, { kid: 'k2' }), /a key that issuer "partner" does not have/],
      [await token({ aud: 'api://other' }), /meant for somebody else \(aud \["api:\/\/other"\]\)/],
      [await token({ aud: undefined }), /no audience/],
      [await token({ aud: [] }), /no audience/],
      [await token({ iss: `${service.url}/` }), /issuer .* is not known here/],
      [
        await token({ iss: 'https://login.example.com' }),
        /"https:\/\/login\.example\.com" is not known here/,
      ],
      [await token({ exp: now - 61 }), /expired 1m 1s ago|expired 61 s ago/],
      [await token({ nbf: now + 61 }), /not good yet/],
      [await token({ exp: undefined }), /"exp" is missing/],
      [await token({ iat: undefined }), /"iat" is missing/],
      [await token({ sub: undefined }), /names no client/],
      [await token({ cnf: { jkt: 'x' } }), /bound to a key of its client \(DPoP\)/],
      [await token({ cnf: { 'x5t#S256': 'x', jkt: 'x' } }), /bound to a key of its client \(DPoP\)/],
      [await token({ cnf: { jwk: { kty: 'EC' } } }), /not judged here \(cnf, "jwk"\)/],
      [await token({ cnf: { kid: 'x' } }), /not judged here \(cnf, "kid"\)/],
      [await token({ cnf: { 'x5t#S256': 'x', osc: {} } }), /not judged here \(cnf, "osc"\)/],
      [await token({ cnf: 'x' }), /its "cnf" cannot be read/],
      ['x'.repeat(8_000), /none of this engine/],
      ['x'.repeat(9_000), /longer than/],
      [`${good(await token())}.x`, /can be read/],
    ]
    for (const [text, reason] of bad) {
      const { status, headers, body } = await call(text)
      assert.equal(status, 401, String(reason))
      assert.equal(headers.get('www-authenticate'), 'Bearer realm="sluice", error="invalid_token"')
      assert.match(why(), reason)
      assert.doesNotMatch(JSON.stringify(body), /partner|issuer|aud/)
      assert.doesNotMatch(why(), new RegExp(text.slice(0, 60)))
    }
    assert.equal((await call(await token({ exp: now - 59 }))).status, 200)
    assert.equal((await call(await token({ nbf: now + 59 }))).status, 200)
    assert.deepEqual(new Set(service.asked), new Set(['/keys']), 'no other address was asked')
  })

  it('never follows what a token says of keys: jku, x5u, jwk', async (t) => {
    const { call, token, service } = await withIssuer(t)
    const evil = await tokenService(t)
    evil.publish(stranger.jwk)
    for (const header of [
      { jku: `${evil.url}/keys` },
      { x5u: `${evil.url}/keys` },
      { jwk: stranger.jwk },
      { jku: `${evil.url}/keys`, kid: undefined },
    ])
      assert.equal((await call(await token({}, header, stranger))).status, 401)
    assert.equal((await call(await token({ iss: evil.url }, {}, stranger))).status, 401)
    assert.deepEqual(evil.asked, [])
    assert.deepEqual(service.asked, ['/keys'])
  })

  it('asks once for a key that it does not know, and not again within 30 s', async (t) => {
    const { call, token, service, clock } = await withIssuer(t)
    const next = await testKey('k2')
    assert.equal((await call(await token())).status, 200)
    await clock.advance(30_000)
    const calls = await Promise.all(
      [1, 2, 3].map(async (n) => (await call(await token({ n }, {}, next))).status),
    )
    assert.deepEqual([calls, service.asked.length], [[401, 401, 401], 2])
    service.publish(key.jwk, next.jwk)
    await clock.advance(29_000)
    assert.deepEqual([(await call(await token({}, {}, next))).status, service.asked.length], [401, 2])
    await clock.advance(1_000)
    assert.deepEqual([(await call(await token({}, {}, next))).status, service.asked.length], [200, 3])
  })

  it('goes on with the keys that it has while the issuer is down, and drops a key that was withdrawn', async (t) => {
    const { call, token, service, clock, log } = await withIssuer(t)
    const remembered = await token()
    assert.equal((await call(remembered)).status, 200)
    service.answer('/keys', 'broken', 500)
    await clock.advance(500_000)
    await clock.advance(100_000)
    const later = { iat: undefined, exp: Math.floor(clock.now() / 1000) + 600 }
    const fresh = await token({ ...later, iat: Math.floor(clock.now() / 1000) })
    assert.equal((await call(fresh)).status, 200)
    await log.seen('those that were there go on')
    assert.equal((await call(fresh)).status, 200)
    const next = await testKey('k2')
    service.publish(next.jwk)
    await clock.advance(30_000)
    assert.equal((await call(await token({ ...later, iat: 1 }, {}, next))).status, 200)
    assert.equal((await call(fresh)).status, 401, 'also where it was remembered')
  })

  it('says 503 while it has no keys at all, and tries again after 5 s', async (t) => {
    const { call, token, service, clock, why } = await withIssuer(t)
    service.answer('/keys', '{"keys": 7}')
    const { status, headers, body } = await call(await token())
    assert.deepEqual([status, headers.get('retry-after'), body['code']], [503, '5', 'access.unavailable'])
    assert.match(why(), /cannot be judged: the keys of issuer "partner" cannot be had/)
    assert.equal((await call(await token())).status, 503)
    assert.equal(service.asked.length, 1)
    service.publish(key.jwk)
    await clock.advance(5_000)
    assert.equal((await call(await token())).status, 200)
    service.answer('/keys', 'x'.repeat(600_000))
  })

  it('finds the keys by discovery, and believes it only about its own issuer', async (t) => {
    const { call, token, service, clock, write, text, log } = await withIssuer(
      t,
      'audience: api://flows\ndiscovery: http://127.0.0.1:1/x\n',
    )
    const path = '/.well-known/openid-configuration'
    write(`type: issuer\nissuer: ${service.url}\naudience: api://flows\n`)
    service.answer(path, { issuer: 'https://login.example.com/{tenantid}', jwks_uri: `${service.url}/keys` })
    assert.equal((await call(await token())).status, 503)
    assert.equal(log.count('cannot be had'), 2)
    for (const jwks of ['http://login.example.com/keys', 'file:///etc/passwd', 7]) {
      service.answer(path, { issuer: service.url, jwks_uri: jwks })
      await clock.advance(5_000)
      assert.equal((await call(await token())).status, 503)
    }
    service.answer(path, { issuer: service.url, jwks_uri: `${service.url}/keys` })
    await clock.advance(5_000)
    assert.equal((await call(await token())).status, 200)
    write(text(`discovery: ${service.url}/about\naudience: api://flows\n`))
    service.answer('/about', { issuer: service.url, jwks_uri: `${service.url}/keys` })
    assert.equal((await call(await token())).status, 200)
  })

  it('looks at its file at use: another audience, disabled, removed', async (t) => {
    const { call, token, write, text, access, why, service } = await withIssuer(t)
    const given = await token()
    assert.equal((await call(given)).status, 200)
    write(text('audience: api://other\n'))
    assert.equal((await call(given)).status, 401)
    write(text('audience: api://flows\n'))
    assert.equal((await call(given)).status, 200)
    const before = service.asked.length
    write(text('audience: api://flows # the same\n'))
    assert.deepEqual([(await call(given)).status, service.asked.length], [200, before])
    write(text('audience: api://flows\nenabled: false\n'))
    assert.equal((await call(given)).status, 401)
    assert.match(why(), /disabled/)
    write(text('audience: [\n'))
    assert.equal((await call(given)).status, 401, 'a file with mistakes leaves what was')
    access.issuers.files.load([], NO_SOURCES)
    assert.equal((await call(given)).status, 401)
  })

  it('takes a token that is bound to a certificate only with it, unless the file says otherwise', async (t) => {
    const hash = 'ab'.repeat(32)
    const proxied = {
      proxies: new TrustedProxies(['127.0.0.1']),
      certificateHeader: 'x-forwarded-client-cert',
    }
    const { token, ask, call, why, write, text } = await withIssuer(t, undefined, proxied)
    const bound = await token({
      cnf: { 'x5t#S256': Buffer.from(hash, 'hex').toString('base64url') },
    })
    const callWith = (fingerprint: string) =>
      ask('/http/orders.write', {
        headers: {
          authorization: `Bearer ${bound}`,
          'x-forwarded-client-cert': `Hash=${fingerprint}`,
        },
        body: '{}',
      })
    assert.equal((await callWith(hash)).status, 200)
    assert.equal((await callWith('cd'.repeat(32))).status, 401)
    assert.match(why(), /it is bound to another certificate/)
    assert.equal((await call(bound)).status, 401)
    assert.match(why(), /it is bound to a certificate, and none came along/)
    write(text('audience: api://flows\ncheckCertificate: false\n'))
    assert.equal((await call(bound)).status, 200)
  })

  it('may be told by references, which have to have a value', async (t) => {
    const { call, token, text, access } = await withIssuer(t)
    const file = { file: 'security-material/partner.yaml', text: text('audience: "api://${param:name}"\n') }
    const told = access.issuers.files.load([file], NO_SOURCES)
    assert.equal(told[0]!.severity, 'error')
    assert.deepEqual(access.issuers.files.load([file], { ...NO_SOURCES, parameters: { name: 'flows' } }), [])
    assert.equal((await call(await token())).status, 200)
    const unset = { ...file, text: text('audience: ${env:NOT_THERE}\n') }
    assert.equal(access.issuers.files.load([unset], NO_SOURCES)[0]!.code, 'credential/unset')
    assert.equal((await call(await token())).status, 200, 'what was there goes on')
  })

  it('leaves tokens that name this engine to it, whatever a file says', async (t) => {
    const { call, token, access, token: _, ...at } = await withIssuer(t)
    access.issuers.files.load(
      [
        {
          file: 'security-material/own.yaml',
          text: 'type: issuer\nissuer: https://flows.example.com\naudience: x\n',
        },
      ],
      NO_SOURCES,
    )
    const own = await at.ask('/oauth2/token', {
      headers: at.basic(),
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    assert.equal((await call(String(own.body['access_token']), 'ESBMessaging.send')).status, 200)
    assert.equal((await call(await token({ iss: 'https://flows.example.com' }))).status, 401)
  })
})

const good = (token: string) => token.split('.').slice(0, 2).join('.')

interface Case {
  readonly settings: string
  readonly claims: (url: string) => Claims
  /** Of the token, beside `alg` and `kid`. */
  readonly header?: Record<string, unknown>
  readonly roles: readonly string[]
  readonly id: string
  /** Changes after which the token is not taken. */
  readonly refused: Record<string, Claims>
  /** Changes after which it is taken, without the role. */
  readonly lacking?: Record<string, Claims>
}

const cases: Record<string, Case> = {
  'XSUAA: a list of scopes with the prefix of the application': {
    settings: 'audience: flows!t1\nrolePrefix: flows!t1.\nroleClaims: scope\n',
    // The keys of the zone: they are taken from the issuer, wherever this leads.
    header: { jku: 'https://other.authentication.eu10.hana.ondemand.com/token_keys', jid: 'x' },
    claims: () => ({
      aud: ['uaa', 'flows!t1'],
      scope: ['flows!t1.orders.write', 'other!t1.admin', 'uaa.resource', 'flows!t1.'],
      sub: 'sb-shop!t1',
      client_id: 'sb-shop!t1',
      cid: 'sb-shop!t1',
      azp: 'sb-shop!t1',
      zid: 'tenant',
    }),
    roles: ['orders.write'],
    id: 'partner:sb-shop!t1',
    refused: { 'no aud': { aud: undefined }, 'empty aud': { aud: [] } },
    lacking: {
      'the bare role': { scope: ['orders.write'] },
      'another app': { scope: ['flows!t11.orders.write'] },
    },
  },
  'XSUAA: an empty audience, told by the scopes': {
    settings:
      'audience: flows!t1\nrolePrefix: flows!t1.\nroleClaims: scope\naudienceFromRoles: true\nrequiredClaims: { zid: tenant }\n',
    claims: () => ({ aud: [], scope: ['flows!t1.orders.write'], cid: 'sb-shop!t1', zid: 'tenant' }),
    roles: ['orders.write'],
    id: 'partner:sb-shop!t1',
    refused: {
      'scopes of others only': { scope: ['other!t1.orders.write'] },
      'another audience': { aud: ['other!t1'] },
      'another zone': { zid: 'other' },
    },
  },
  'IAS: the client id as audience, APIs as roles': {
    settings:
      'audience: 0b7d3f6a\nroleClaims: ias_apis\nrequiredClaims: { app_tid: t1 }\nroles: [ESBMessaging.send]\n',
    claims: () => ({ aud: '0b7d3f6a', azp: 'c1', app_tid: 't1', ias_apis: ['orders.write'], sub: 'c1' }),
    roles: ['orders.write', 'ESBMessaging.send'],
    id: 'partner:c1',
    refused: { 'another tenant': { app_tid: 't2' }, 'no tenant': { app_tid: undefined } },
  },
  'Entra v2: roles of applications, the scope of users, the tenant': {
    settings:
      'audience: [0b7d3f6a, api://flows]\nroleClaims: [roles, scp]\nrequiredClaims: { tid: t1, ver: "2.0" }\n',
    claims: () => ({ aud: '0b7d3f6a', azp: 'app', roles: ['orders.write'], tid: 't1', ver: '2.0', oid: 'o' }),
    roles: ['orders.write'],
    id: 'partner:app',
    refused: {
      'another tenant': { tid: 't2' },
      'a token for Graph': { aud: '00000003-0000-0000-c000-000000000000' },
      'version 1': { ver: '1.0' },
    },
    lacking: { 'a user without the scope': { roles: undefined, scp: 'User.Read' } },
  },
  'Entra v1: appid, api:// as audience': {
    settings: 'audience: api://flows\nrequiredClaims: { tid: t1 }\n',
    claims: () => ({
      aud: 'api://flows',
      appid: 'app',
      scp: 'orders.write User.Read',
      tid: 't1',
      ver: '1.0',
    }),
    roles: ['orders.write', 'User.Read'],
    id: 'partner:app',
    refused: { 'the audience with a slash': { aud: 'api://flows/' } },
  },
  'Keycloak: roles inside of others, access tokens only': {
    settings:
      'audience: flows\nroleClaims: [realm_access.roles, resource_access.my.flows.roles]\nrequiredClaims: { typ: Bearer }\n',
    claims: () => ({
      aud: ['account', 'flows'],
      azp: 'shop',
      typ: 'Bearer',
      scope: 'profile email',
      realm_access: { roles: ['offline_access'] },
      resource_access: { account: { roles: ['manage'] }, 'my.flows': { roles: ['orders.write'] } },
    }),
    roles: ['offline_access', 'orders.write'],
    id: 'partner:shop',
    refused: { 'no audience mapper': { aud: 'account' }, 'an ID token': { typ: 'ID' } },
    lacking: { 'a role of another client': { resource_access: { other: { roles: ['orders.write'] } } } },
  },
  'Auth0: scope and permissions': {
    settings:
      'audience: https://flows.example.com/api\nroleClaims: [scope, permissions, "https://example.com/roles"]\n',
    claims: (url) => ({
      aud: ['https://flows.example.com/api', `${url}/userinfo`],
      azp: 'abc',
      sub: 'abc@clients',
      gty: 'client-credentials',
      scope: 'openid orders.read',
      permissions: ['orders.write'],
      'https://example.com/roles': ['clerk'],
    }),
    roles: ['openid', 'orders.read', 'orders.write', 'clerk'],
    id: 'partner:abc',
    refused: { 'for userinfo only': { aud: 'https://x.example.com/userinfo' } },
  },
  'Okta: scp is a list, cid the client': {
    settings: 'audience: api://flows\nroleClaims: scp\n',
    claims: () => ({ cid: '0oa1', sub: 'user@example.com', scp: ['orders.write'], ver: 1 }),
    roles: ['orders.write'],
    id: 'partner:0oa1',
    refused: { 'another audience': { aud: 'api://default' } },
  },
  'Cognito: no audience, the client instead, access tokens only': {
    settings:
      'clients: [1example]\nrolePrefix: flows/\nroleClaims: scope\nrequiredClaims: { token_use: access }\n',
    claims: () => ({
      aud: undefined,
      client_id: '1example',
      token_use: 'access',
      scope: 'flows/orders.write openid',
    }),
    roles: ['orders.write'],
    id: 'partner:1example',
    refused: {
      'an ID token': { token_use: 'id', aud: '1example' },
      'another client': { client_id: '2example' },
    },
  },
  'Glewlwyd: the scopes as audience': {
    settings: 'audience: orders.write\nroleClaims: scope\n',
    claims: () => ({ aud: 'orders.write', client_id: 'shop', scope: 'orders.write' }),
    roles: ['orders.write'],
    id: 'partner:shop',
    refused: { 'several in one text': { aud: 'orders.write other' } },
  },
  'RFC 9068: the type of the token': {
    settings: 'audience: api://flows\ntokenType: at+jwt\nalgorithms: ES256\n',
    header: { typ: 'at+jwt' },
    claims: () => ({ client_id: 'shop', scope: 'orders.write' }),
    roles: ['orders.write'],
    id: 'partner:shop',
    refused: {},
  },
}

describe('the traps of issuers', () => {
  it('Auth0: the issuer ends with a slash; Entra: its keys name no algorithm', async (t) => {
    const { call, token, service, write } = await withIssuer(t)
    const issuer = `${service.url}/`
    const { alg: _, ...bare } = key.jwk
    service.answer('/.well-known/openid-configuration', { issuer, jwks_uri: `${service.url}/keys` })
    service.publish(bare, { ...(await testKey('k2', 'RS256')).jwk, alg: 'RS256' })
    assert.deepEqual(write(`type: issuer\nissuer: ${issuer}\naudience: api://flows\n`), [])
    assert.equal((await call(await token({ iss: issuer }))).status, 200)
    assert.equal((await call(await token())).status, 401, 'without the slash')
  })

  for (const [name, { settings, claims, header = {}, roles, id, refused, lacking = {} }] of Object.entries(
    cases,
  ))
    it(name, async (t) => {
      const { call, token, service } = await withIssuer(t, settings)
      const base = { roles: undefined, ...claims(service.url) }
      const { status, body } = await call(await token(base, header))
      assert.deepEqual([status, body], [200, { id, roles }])
      for (const [what, change] of Object.entries(refused))
        assert.equal((await call(await token({ ...base, ...change }, header))).status, 401, what)
      for (const [what, change] of Object.entries(lacking))
        assert.equal((await call(await token({ ...base, ...change }, header))).status, 403, what)
      if (settings.includes('tokenType')) assert.equal((await call(await token(base))).status, 401)
    })
})
