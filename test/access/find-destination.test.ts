import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { MessageLogReader } from '../../src/store/reading.ts'
import { call } from '../support/http.ts'
import { BASE, CLIENT_SECRET, findingEngine, tokens, USER_PASSWORD } from './find-fixture.ts'

const NOT_FOUND = { ErrorMessage: 'Configuration with the specified name was not found' }
const JAM = {
  Name: 'sap_jam_odata',
  Type: 'HTTP',
  Authentication: 'OAuth2ClientCredentials',
  URL: 'https://demo.sapjam.com/OData/OData.svc',
  ProxyType: 'Internet',
  tokenServiceURLType: 'Dedicated',
  clientId: 'clientId',
  scope: 'jam.read',
  tokenServiceUser: 'tokenserviceuser',
  'HTML5.DynamicDestination': 'true',
  'sap-client': '100',
  'URL.headers.x-jam-client': 'sluice',
}

describe('find-destination', () => {
  it('gives a destination with its token, kept and renewed like any other, and tells the log who asked', async (t) => {
    const { ask, service, log, app, folder } = await findingEngine(t, tokens)
    const answer = await ask('/destinations/sap_jam_odata')
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['content-type'], 'application/json')
    const { owner, destinationConfiguration, authTokens, ...rest } = answer.json()
    assert.match(owner.SubaccountId, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(owner.InstanceId, null)
    assert.deepEqual(rest, {})
    assert.deepEqual(destinationConfiguration, {
      ...JAM,
      tokenServiceURL: service.url,
    })
    assert.equal(authTokens.length, 1)
    const { expires_in, ...token } = authTokens[0]
    assert.ok(typeof expires_in === 'string' && Number(expires_in) <= 3600 && Number(expires_in) > 3500)
    assert.deepEqual(token, {
      type: 'Bearer',
      value: 'token-for-others-1',
      http_header: { key: 'Authorization', value: 'Bearer token-for-others-1' },
      scope: 'jam.read',
    })
    assert.equal((await ask('/destinations/sap_jam_odata')).json().authTokens[0].value, 'token-for-others-1')
    assert.equal(service.asked.length, 1)
    const lines = log.map((line) => JSON.parse(line) as Record<string, unknown>)
    const told = lines.filter(({ destination }) => destination === 'sap_jam_odata')
    assert.equal(told.length, 2)
    assert.equal(told[0]!['caller'], 'oauth_client_reader')
    assert.match(
      String(told[0]!['msg']),
      /^oauth_client_reader asked for the destination "sap_jam_odata": found, its token was given, good for \d+ s$/,
    )
    await app.flush()
    using reader = new MessageLogReader(join(folder, 'data'))
    assert.deepEqual(
      reader.audit({ limit: 9, what: ['destination.found'] }).map(({ detail }) => detail),
      ['found, its token was given'],
    )
    assert.doesNotMatch(log.join(''), /token-for-others/)
    for (const secret of [CLIENT_SECRET, USER_PASSWORD]) assert.ok(!answer.text.includes(secret))
  })

  it('takes a token of the engine as well as Basic', async (t) => {
    const { url, basic } = await findingEngine(t, tokens)
    const asked = await call(`${url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: basic('reader'), 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    })
    const authorization = `Bearer ${asked.json().access_token}`
    const { zid } = JSON.parse(Buffer.from(authorization.split('.')[1]!, 'base64url').toString())
    const found = await call(`${url}${BASE}/destinations/sap_jam_odata`, { headers: { authorization } })
    assert.equal(found.json().authTokens[0].value, 'token-for-others-1')
    assert.equal(found.json().owner.SubaccountId, zid)
  })

  it('lists destinations and shows one without asking for a token', async (t) => {
    const { ask, service } = await findingEngine(t, tokens)
    const jam = { ...JAM, tokenServiceURL: service.url }
    assert.deepEqual((await ask('/subaccountDestinations')).json(), [jam])
    assert.deepEqual((await ask('/subaccountDestinations/sap_jam_odata')).json(), jam)
    assert.deepEqual((await ask('/instanceDestinations')).json(), [])
    for (const query of ['$skipTokenRetrieval=true', '%24skipTokenRetrieval=true'])
      assert.deepEqual(
        Object.keys((await ask(`/destinations/sap_jam_odata?${query}`)).json()),
        ['owner', 'destinationConfiguration'],
        query,
      )
    assert.equal(service.asked.length, 0)
  })

  it('knows only credentials that say so; the log says why', async (t) => {
    const { ask, log } = await findingEngine(t, tokens, () => ({
      closed: 'type: bearer\ntoken: ${env:JAM_SECRET}\nbaseUrl: https://api.example.com/\n',
      unset: 'type: bearer\ntoken: ${env:NOT_SET}\nbaseUrl: https://api.example.com/\nfindable: true\n',
    }))
    const paths = [
      ['/destinations/closed', /"closed\\*": not found, the credential does not say `findable: true`/],
      ['/destinations/unset', /"unset\\*": not found, the credential is not loaded/],
      ['/destinations/jam_in_btp', /"jam_in_btp\\*": not found, there is no such credential/],
      ['/destinations/reader', /"reader\\*": not found, there is no such credential/],
      ['/destinations/', /not found, there is no such credential/],
      ['/destinations/..%2F..%2Fetc%2Fpasswd', /etc\/passwd\\*": not found/],
      ['/destinations/sap_jam_odata@subaccount', /there is no such credential/],
      ['/destinations/%zz', /%zz\\*": not found/],
      ['/destinations/__proto__', /__proto__\\*": not found/],
      [`/destinations/${'x'.repeat(5000)}`, /"x{150}\\*": not found/],
      ['/subaccountDestinations/closed', /"closed\\*": not found/],
    ] as const
    for (const [path, line] of paths) {
      const before = log.length
      const answer = await ask(path)
      assert.equal(answer.status, 404, path)
      assert.deepEqual(answer.json(), NOT_FOUND, path)
      assert.match(log.slice(before).join(''), line)
    }
    assert.deepEqual((await ask('/instanceDestinations/sap_jam_odata')).json(), NOT_FOUND)
    assert.equal((await ask('/destinations/sap_jam_odata/more')).status, 404)
  })

  it('lets nobody in without the role; one role is for one destination', async (t) => {
    const { ask, service, url, basic, log } = await findingEngine(t, tokens, () => ({
      second: 'type: bearer\ntoken: ${env:JAM_SECRET}\nbaseUrl: https://api.example.com/\nfindable: true\n',
    }))
    const as = (id: string) => ({ authorization: basic(id) })
    for (const path of ['/destinations/sap_jam_odata', '/subaccountDestinations', '/instanceDestinations']) {
      const nobody = await call(url + BASE + path)
      assert.equal(nobody.status, 401, path)
      assert.match(String(nobody.headers['www-authenticate']), /Bearer/)
      assert.equal(nobody.headers['cache-control'], 'no-store')
      const refused = await ask(path, as('other'))
      assert.equal(refused.status, 403, path)
      assert.match(String(refused.headers['www-authenticate']), /insufficient_scope/)
      assert.equal(typeof refused.json().ErrorMessage, 'string')
    }
    const { id } = (await ask('/destinations/sap_jam_odata', as('other'))).json()
    const line = JSON.parse(log.find((one) => one.includes(id))!)
    assert.match(
      line.msg,
      /^a call of the address \/destination-configuration\/v1\/destinations\/ was refused: oauth_client_other needs one of the roles "destination\.read", "destination\.read:sap_jam_odata", and has "ESBMessaging\.send"$/,
    )
    assert.equal((await ask('/destinations/x', { authorization: 'Bearer nonsense' })).status, 401)
    assert.equal((await call(`${url}${BASE}/destinations/x?access_token=x`)).status, 400)
    assert.equal((await ask('/destinations/sap_jam_odata', as('narrow'))).status, 200)
    assert.equal((await ask('/subaccountDestinations/sap_jam_odata', as('narrow'))).status, 200)
    for (const path of [
      '/destinations/second',
      '/destinations/none',
      '/subaccountDestinations',
      '/destinations/x%20y',
    ])
      assert.equal((await ask(path, as('narrow'))).status, 403, path)
    assert.equal(service.asked.length, 1)
  })

  it('answers version 2 of the API: a level behind the name, no owner unless asked for', async (t) => {
    const { ask, url, basic } = await findingEngine(t, tokens)
    const v2 = (name: string, id = 'reader') =>
      call(`${url}/destination-configuration/v2/destinations/${name}`, {
        headers: { authorization: basic(id) },
      })
    const first = (await ask('/destinations/sap_jam_odata?$skipTokenRetrieval=true')).json()
    const { destinationConfiguration, authTokens, ...rest } = (await v2('sap_jam_odata@subaccount')).json()
    assert.deepEqual(destinationConfiguration, first.destinationConfiguration)
    assert.equal(authTokens[0].value, 'token-for-others-1')
    assert.deepEqual(rest, {})
    const told = (await v2('sap_jam_odata%40provider_subaccount?includeMetadata=owner')).json()
    assert.deepEqual(told.destinationConfiguration.$metadata, {
      owner: { destinations: [{ Name: 'sap_jam_odata', ...first.owner }] },
    })
    assert.equal((await v2('sap_jam_odata')).status, 400)
    for (const name of ['sap_jam_odata@instance', 'none@subaccount', '@subaccount'])
      assert.deepEqual((await v2(name)).json(), NOT_FOUND, name)
    assert.equal((await v2('sap_jam_odata@subaccount', 'narrow')).status, 200)
    assert.equal((await v2('sap_jam_odata@subaccount', 'other')).status, 403)
  })

  it('takes GET and HEAD only', async (t) => {
    const { ask } = await findingEngine(t, tokens)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await ask('/subaccountDestinations', {}, method)
      assert.equal(answer.status, 405, method)
      assert.equal(answer.headers.allow, 'GET, HEAD')
    }
    const head = await ask('/destinations/sap_jam_odata', {}, 'HEAD')
    assert.equal(head.status, 200)
    assert.equal(head.text, '')
    assert.ok(Number(head.headers['content-length']) > 100)
  })

  it('refuses headers that speak of somebody else', async (t) => {
    const { ask, service, log } = await findingEngine(t, tokens)
    for (const header of [
      'X-user-token',
      'X-refresh-token',
      'X-code',
      'X-chain-name',
      'X-subject-token',
      'X-fragment-name',
    ]) {
      const answer = await ask('/destinations/sap_jam_odata', { [header]: 'x' })
      assert.equal(answer.status, 400, header)
      assert.match(answer.json().ErrorMessage, new RegExp(`"${header}" is not taken`, 'i'))
    }
    assert.match(log.join(''), /"sap_jam_odata\W*: refused, it has the header x-chain-name/)
    assert.equal((await ask('/destinations/sap_jam_odata', { 'x-tenant': 'any' })).status, 200)
    assert.equal(service.asked.length, 1)
  })

  it('tells a token that cannot be had in its place', async (t) => {
    const { ask, log } = await findingEngine(t, () => ({
      status: 401,
      body: { error: 'invalid_client', error_description: `wrong: ${CLIENT_SECRET}` },
    }))
    const answer = await ask('/destinations/sap_jam_odata')
    assert.equal(answer.status, 200)
    const { authTokens, destinationConfiguration } = answer.json()
    assert.equal(destinationConfiguration.Name, 'sap_jam_odata')
    assert.equal(authTokens.length, 1)
    const { error, ...nothing } = authTokens[0]
    assert.deepEqual(nothing, { type: '', value: '' })
    assert.match(error, /invalid_client/)
    assert.doesNotMatch(answer.text + log.join(''), new RegExp(CLIENT_SECRET))
    assert.match(log.join(''), /found, but there is no token: .*invalid_client/)
  })

  it('gives the token of a tenant that is listed', async (t) => {
    const { ask, service } = await findingEngine(t, tokens, ({ port }) => ({
      common: `type: oauth2\ntokenServiceUrl: http://127.0.0.1:${port}/{tenant}/token\ntokenServiceUrlType: common\ntenants: [acme, globex]\nclientId: c\nclientSecret: \${env:JAM_SECRET}\nbaseUrl: https://api.example.com/\nfindable: true\n`,
    }))
    const of = async (tenant?: string) =>
      (await ask('/destinations/common', tenant === undefined ? {} : { 'x-tenant': tenant })).json()
    const { destinationConfiguration, authTokens } = await of('globex')
    assert.equal(authTokens[0].value, 'token-for-others-1')
    assert.equal(service.asked[0]!.url, '/globex/token')
    assert.equal(destinationConfiguration.tokenServiceURLType, 'Common')
    assert.match((await of('evil')).authTokens[0].error, /no such tenant/)
    assert.match((await of()).authTokens[0].error, /X-tenant is missing/)
    assert.equal(service.asked.length, 1)
  })

  it('waits for nobody who has gone; others get the token', async (t) => {
    let release = () => {}
    const { service, url, basic, ask, logged } = await findingEngine(
      t,
      (asked, count) =>
        new Promise((done) => {
          release = () => done(tokens(asked, count))
        }),
    )
    const headers = { authorization: basic('reader') }
    const gone = new AbortController()
    const first = fetch(`${url}${BASE}/destinations/sap_jam_odata`, { headers, signal: gone.signal })
    while (service.asked.length === 0) await new Promise(setImmediate)
    const second = ask('/destinations/sap_jam_odata')
    gone.abort()
    await assert.rejects(first)
    await logged(/found, but there is no token: /)
    release()
    assert.equal((await second).json().authTokens[0].value, 'token-for-others-1')
    assert.equal(service.asked.length, 1)
  })

  it('follows the files: what is no longer findable is not found', async (t) => {
    const { ask, folder, logged } = await findingEngine(t, tokens, () => ({
      second: 'type: bearer\ntoken: ${env:JAM_SECRET}\nbaseUrl: https://api.example.com/\nfindable: true\n',
    }))
    assert.equal((await ask('/destinations/second')).json().authTokens[0].value, CLIENT_SECRET)
    writeFileSync(
      join(folder, 'security-material/second.yaml'),
      'type: bearer\ntoken: ${env:JAM_SECRET}\nbaseUrl: https://api.example.com/\n',
    )
    await logged(/credential \W*"second\W* was changed/)
    assert.equal((await ask('/destinations/second')).status, 404)
  })

  it('is not there unless the settings say so, and then tokens have no zone', async (t) => {
    const { ask, url, basic } = await findingEngine(t, tokens, () => ({}), '')
    for (const path of ['/destinations/sap_jam_odata', '/subaccountDestinations']) {
      const answer = await ask(path)
      assert.equal(answer.status, 404)
      assert.match(answer.json().title, /nothing at this address/)
    }
    const asked = await call(`${url}/oauth/token?grant_type=client_credentials`, {
      method: 'POST',
      headers: { authorization: basic('reader') },
    })
    const claims = JSON.parse(Buffer.from(asked.json().access_token.split('.')[1], 'base64url').toString())
    assert.equal(claims.zid, undefined)
  })
})
