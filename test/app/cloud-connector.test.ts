import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { startService, type Asked, type Said } from '../support/credentials.ts'
import { problemsOf, replyText, startProject, type ProjectOptions } from '../support/project.ts'

const SECRETS = { CONNECTIVITY: 'secret-of-the-connectivity-service', ERP: 'secret-of-the-erp-client' }
const LOCATION = 'sap-connectivity-scc-location_id'

const ERP = {
  URL: 'http://erp-virtual:8000/sap/odata',
  ProxyType: 'OnPremise',
  Authentication: 'OAuth2ClientCredentials',
  tokenServiceURL: 'http://login-virtual/oauth/token',
  clientId: 'erp',
  CloudConnectorLocationId: 'plant-7',
}

const BASIC = { Authentication: 'BasicAuthentication', User: 'u', Password: "'${env:ERP}'" }

interface Wanted {
  /** Properties of the destination that differ. */
  readonly erp?: Readonly<Record<string, string | null>>
  readonly call?: string
  readonly extra?: Readonly<Record<string, string>>
  readonly settings?: string
  readonly withoutCredential?: boolean
}

/** A scripted connectivity proxy, the token service of its own tokens, and a project with a destination behind it. */
async function setUp(t: TestContext, wanted: Wanted = {}) {
  let issued = 0
  const issuer = await startService(t, () => ({
    body: { access_token: `proxy-token-${++issued}`, expires_in: 3600 },
  }))
  let answer = (asked: Asked): Said | undefined => (asked.headers.host === '' ? {} : undefined)
  let erpTokens = 0
  const proxy = await startService(t, (asked) => {
    const said = answer(asked)
    if (said) return said
    return asked.url.startsWith('http://login-virtual/')
      ? { body: { access_token: `erp-token-${++erpTokens}`, expires_in: 3600 } }
      : { body: 'from the ERP' }
  })
  const destination = { ...ERP, ...wanted.erp }
  const properties = Object.entries(destination).map(([name, value]) => `  ${name}: ${value ?? 'null'}\n`)
  const credential = wanted.withoutCredential ? '' : ', credential: connectivity'
  const files = {
    'sluice.yaml': `connectivityProxy: { url: "http://127.0.0.1:${proxy.port}"${credential} }\n${wanted.settings ?? ''}`,
    'security-material/connectivity.yaml': `type: oauth2\ntokenServiceUrl: ${issuer.url}\nclientId: sb-connectivity\nclientSecret: \${env:CONNECTIVITY}\nallowedHosts: [connectivity-proxy.example.com]\n`,
    'security-material/erp.yaml': `type: destination\nproperties:\n${properties.join('')}override: { clientSecret: '\${env:ERP}' }\n`,
    'flows/orders.yaml': `name: orders\nsteps:\n  - endpoint: { path: /orders, access: public }\n  - http:\n${wanted.call ?? '      url: orders?$top=1\n      credential: erp\n'}`,
    ...wanted.extra,
  }
  const options: ProjectOptions = { environment: SECRETS }
  return {
    issuer,
    proxy,
    start: () => startProject(t, files, options),
    problems: () => problemsOf(t, files, options),
    answers: (other: typeof answer) => void (answer = other),
    calls: () => proxy.asked.filter(({ url }) => url.includes('erp-virtual')),
  }
}

function heads({ asked }: { asked: readonly Asked[] }) {
  return asked.map(({ method, url, headers }) => ({
    line: `${method} ${url}`,
    host: headers.host,
    proxy: headers['proxy-authorization'],
    location: headers[LOCATION],
    authorization: headers.authorization?.replace(/^Basic .*/, 'Basic'),
  }))
}

describe('the Cloud Connector, before a scripted connectivity proxy', () => {
  it('carries token requests and calls, in absolute form, with the token of the proxy and the location', async (t) => {
    const { proxy, issuer, start } = await setUp(t)
    const engine = await start()
    const first = await engine.run('orders')
    assert.equal(replyText(first), 'from the ERP')
    await engine.run('orders')
    const way = { proxy: 'Bearer proxy-token-1', location: 'plant-7' }
    const call = {
      line: 'GET http://erp-virtual:8000/sap/odata/orders?$top=1',
      host: 'erp-virtual:8000',
      ...way,
      authorization: 'Bearer erp-token-1',
    }
    assert.deepEqual(heads(proxy), [
      {
        line: 'POST http://login-virtual/oauth/token',
        host: 'login-virtual',
        ...way,
        authorization: undefined,
      },
      call,
      call,
    ])
    assert.equal(issuer.asked.length, 1)
    assert.match(issuer.asked[0]!.url, /^\/token$/)
    assert.equal(engine.log.join('').includes('proxy-token'), false)
  })

  it('says no location where the destination has none, and asks for no token where none is named', async (t) => {
    const { proxy, issuer, start } = await setUp(t, {
      erp: { CloudConnectorLocationId: null },
      withoutCredential: true,
    })
    await (await start()).run('orders')
    assert.deepEqual(
      heads(proxy).map(({ proxy: token, location }) => [token, location]),
      [
        [undefined, undefined],
        [undefined, undefined],
      ],
    )
    assert.equal(issuer.asked.length, 0)
  })

  it('takes the token of a technical user in a header of its own, from a token service outside', async (t) => {
    let issued = 0
    const outside = await startService(t, () => ({
      body: { access_token: `technical-user-${++issued}`, expires_in: 3600 },
    }))
    const { proxy, start, answers, calls } = await setUp(t, {
      erp: { Authentication: 'OAuth2TechnicalUserPropagation', tokenServiceURL: outside.url },
    })
    answers(() => (calls().length === 1 ? { status: 401 } : undefined))
    const engine = await start()
    assert.equal(replyText(await engine.run('orders')), 'from the ERP')
    assert.deepEqual(
      proxy.asked.map(({ url, headers }) => [
        url,
        headers['proxy-authorization'],
        headers['sap-connectivity-technical-authentication'],
        headers.authorization,
      ]),
      [1, 2].map((token) => [
        'http://erp-virtual:8000/sap/odata/orders?$top=1',
        'Bearer proxy-token-1',
        `Bearer technical-user-${token}`,
        undefined,
      ]),
    )
    assert.match(outside.asked[0]!.body, /grant_type=client_credentials/)
    assert.equal(outside.asked[0]!.headers['proxy-authorization'], undefined)
    assert.equal(engine.log.join('').includes('technical-user-'), false)
  })

  it('carries calls alone, or token requests alone', async (t) => {
    const other = await startService(t, () => ({ body: { access_token: 'from-outside', expires_in: 3600 } }))
    const calls = await setUp(t, {
      erp: { 'tokenServiceURL.ProxyType': 'Internet', tokenServiceURL: other.url },
    })
    await (await calls.start()).run('orders')
    assert.deepEqual(
      heads(calls.proxy).map(({ line, authorization }) => [line, authorization]),
      [['GET http://erp-virtual:8000/sap/odata/orders?$top=1', 'Bearer from-outside']],
    )
    assert.equal(other.asked[0]!.headers['proxy-authorization'], undefined)

    const target = await startService(t, () => ({ body: 'from outside' }))
    const tokens = await setUp(t, {
      erp: {
        ProxyType: 'Internet',
        'tokenServiceURL.ProxyType': 'OnPremise',
        URL: `http://127.0.0.1:${target.port}/`,
      },
    })
    const report = await (await tokens.start()).run('orders')
    assert.equal(replyText(report), 'from outside')
    assert.deepEqual(
      heads(tokens.proxy).map(({ line, location }) => [line, location]),
      [['POST http://login-virtual/oauth/token', 'plant-7']],
    )
    assert.equal(target.asked[0]!.headers[LOCATION], undefined)
    assert.equal(target.asked[0]!.headers.authorization, 'Bearer erp-token-1')
  })

  it('renews the token of the proxy once after 407, and sends the body again', async (t) => {
    const { proxy, start, answers, calls } = await setUp(t, {
      call: '      method: POST\n      url: orders\n      body: { id: 7 }\n      credential: erp\n',
    })
    answers(({ headers, url }) =>
      url.includes('erp-virtual') && headers['proxy-authorization'] === 'Bearer proxy-token-1'
        ? { status: 407 }
        : undefined,
    )
    const report = await (await start()).run('orders')
    assert.equal(replyText(report), 'from the ERP')
    assert.deepEqual(
      calls().map(({ headers, body }) => [headers['proxy-authorization'], headers.authorization, body]),
      [
        ['Bearer proxy-token-1', 'Bearer erp-token-1', '{"id":7}'],
        ['Bearer proxy-token-2', 'Bearer erp-token-1', '{"id":7}'],
      ],
    )
    assert.equal(proxy.asked.length, 3)
  })

  it('gives up at the second 407, and says whose token it was', async (t) => {
    const { proxy, issuer, start, answers } = await setUp(t, {
      erp: BASIC,
    })
    answers(() => ({ status: 407 }))
    const { failure } = await (await start()).run('orders')
    assert.equal(failure!.code, 'receiver.unreachable')
    assert.match(
      failure!.message,
      /the connectivity proxy did not let the request to "erp-virtual:8000" through \(status 407\)/,
    )
    assert.match(failure!.hint!, /credential "connectivity"/)
    assert.deepEqual([proxy.asked.length, issuer.asked.length], [2, 2])
  })

  it('renews the token of the credential after 401 as everywhere', async (t) => {
    const { start, answers, calls } = await setUp(t)
    answers(({ headers }) => (headers.authorization === 'Bearer erp-token-1' ? { status: 401 } : undefined))
    assert.equal(replyText(await (await start()).run('orders')), 'from the ERP')
    assert.deepEqual(
      calls().map(({ headers }) => [headers['proxy-authorization'], headers.authorization]),
      [
        ['Bearer proxy-token-1', 'Bearer erp-token-1'],
        ['Bearer proxy-token-1', 'Bearer erp-token-2'],
      ],
    )
  })

  it('keeps the credential to its virtual host, over http and nothing else', async (t) => {
    for (const url of ['http://other-virtual:8000/x', 'http://erp-virtual/x', 'https://erp-virtual:8000/x']) {
      const { proxy, start } = await setUp(t, {
        call: `      url: "\${'${url}'}"\n      credential: erp\n`,
      })
      const { failure } = await (await start()).run('orders')
      assert.equal(failure!.code, 'credential.host', url)
      assert.equal(proxy.asked.length, 0)
    }
  })

  it('sends nothing through the proxy where a redirect leads elsewhere', async (t) => {
    const elsewhere = await startService(t, () => ({ body: 'elsewhere' }))
    const { start, answers, calls } = await setUp(t, {
      call: '      url: orders\n      followRedirects: true\n      credential: erp\n',
    })
    answers(({ url }) =>
      url.includes('erp-virtual')
        ? { status: 302, headers: { location: `http://127.0.0.1:${elsewhere.port}/x` } }
        : undefined,
    )
    assert.equal(replyText(await (await start()).run('orders')), 'elsewhere')
    assert.equal(calls().length, 1)
    const { headers } = elsewhere.asked[0]!
    assert.deepEqual(
      [headers.authorization, headers['proxy-authorization'], headers[LOCATION]],
      [undefined, undefined, undefined],
    )
  })

  it('lets no flow choose the location', async (t) => {
    const { start, calls } = await setUp(t, {
      call: '      url: orders\n      headers: { SAP-Connectivity-SCC-Location_ID: other }\n      credential: erp\n',
    })
    const { failure } = await (await start()).run('orders')
    assert.equal(failure!.code, 'request.invalid')
    assert.match(failure!.message, /the header "sap-connectivity-scc-location_id" is not free/i)
    assert.equal(calls().length, 0)
  })

  it('checks the address of the proxy, and names of virtual hosts without looking them up', async (t) => {
    const denied = await setUp(t, {
      erp: BASIC,
      settings: 'egress: { deny: [loopback] }\n',
      withoutCredential: true,
      extra: { 'security-material/connectivity.yaml': 'type: none\nallowedHosts: [x.example.com]\n' },
    })
    const { failure } = await (await denied.start()).run('orders')
    assert.equal(failure!.code, 'egress.denied')
    assert.match(failure!.message, /127\.0\.0\.1/)
    assert.equal(denied.proxy.asked.length, 0)

    const unnamed = await setUp(t, { erp: BASIC, settings: 'egress: { allow: [loopback] }\n' })
    const { failure: other } = await (await unnamed.start()).run('orders')
    assert.equal(other!.code, 'egress.denied')
    assert.match(other!.message, /"erp-virtual:8000"/)
    assert.equal(unnamed.proxy.asked.length, 0)

    const named = await setUp(t, { erp: BASIC, settings: 'egress: { allow: [loopback, erp-virtual] }\n' })
    assert.equal(replyText(await (await named.start()).run('orders')), 'from the ERP')
  })

  it('names the proxy where that is not there, and the virtual host where it breaks off', async (t) => {
    const { start, proxy, answers } = await setUp(t, { erp: BASIC })
    answers(() => ({ headers: { 'content-length': '1', 'transfer-encoding': 'chunked' }, body: 'xx' }))
    const engine = await start()
    const { failure } = await engine.run('orders')
    assert.match(failure!.message, /"erp-virtual:8000"/)
    assert.equal(failure!.receiver?.host, 'erp-virtual:8000')
    const lost = await startProject(
      t,
      {
        'sluice.yaml': 'connectivityProxy: { url: "http://127.0.0.1:9" }\n',
        'security-material/erp.yaml':
          'type: basic\nusername: u\npassword: ${env:ERP}\nbaseUrl: http://erp-virtual/\ncloudConnector: { carries: calls }\n',
        'flows/orders.yaml':
          'name: orders\nsteps:\n  - endpoint: { path: /orders, access: public }\n  - http:\n      url: orders\n      credential: erp\n',
      },
      { environment: SECRETS },
    )
    const { failure: unreachable } = await lost.run('orders')
    assert.match(unreachable!.message, /^"127\.0\.0\.1:9" refused the connection/)
    assert.equal(proxy.asked.length, 1)
  })

  it('finds a ring: the token of the proxy cannot come through the proxy', async (t) => {
    const { problems } = await setUp(t, {
      extra: {
        'security-material/connectivity.yaml':
          'type: oauth2\ntokenServiceUrl: http://login-virtual/token\nclientId: c\nclientSecret: ${env:CONNECTIVITY}\nallowedHosts: [x.example.com]\ncloudConnector: {}\n',
      },
    })
    const found = (await problems()).filter(({ code }) => code === 'credential/link')
    assert.match(found[0]!.message, /ring of credentials.*connectivity -> connectivity/)
  })

  it('takes no token along to another location', async (t) => {
    const { proxy, start } = await setUp(t)
    const engine = await start()
    await engine.run('orders')
    const file = join(engine.folder, 'security-material/erp.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('plant-7', 'plant-8'))
    await engine.logged(/credential .*erp.* was changed/)
    await engine.run('orders')
    assert.deepEqual(
      heads(proxy).map(({ location, authorization }) => [location, authorization]),
      [
        ['plant-7', undefined],
        ['plant-7', 'Bearer erp-token-1'],
        ['plant-8', undefined],
        ['plant-8', 'Bearer erp-token-2'],
      ],
    )
  })

  it('tells what goes by it', async (t) => {
    const { start } = await setUp(t)
    const engine = await start()
    const erp = engine.app.control.credentials().find(({ name }) => name === 'erp')
    assert.equal(erp!.settings['cloudConnector'], 'calls and token requests, location "plant-7"')
  })
})
