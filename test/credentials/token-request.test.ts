import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import {
  buildTokenRequest,
  USUAL_NAMES,
  type TokenRequestSettings,
} from '../../src/credentials/token-request.ts'

const plain: TokenRequestSettings = {
  url: new URL('https://idp.example.com/oauth/token'),
  clientId: 'id',
  clientSecret: new Secret('s3cret'),
  clientAuthentication: 'header',
  basicEncoding: 'form',
  contentType: 'application/x-www-form-urlencoded',
  grantType: 'client_credentials',
  grantTypeIn: 'body',
  scope: undefined,
  method: 'POST',
  authScheme: 'Basic',
  basicAuth: undefined,
  names: USUAL_NAMES,
  audience: undefined,
  resource: [],
  fields: [],
  clientProof: undefined,
  grantProof: undefined,
  sendClientId: true,
  refresh: undefined,
  secret: undefined,
  body: {},
  query: {},
  headers: {},
}

function build(changes: Partial<TokenRequestSettings>) {
  const request = buildTokenRequest({ ...plain, ...changes })
  const headers: Record<string, string> = {}
  for (let i = 0; i < request.headers.length; i += 2) headers[request.headers[i]!] = request.headers[i + 1]!
  return { ...request, headers, body: request.body === null ? null : request.body.toString() }
}

function basicOf(headers: Record<string, string>): string {
  return Buffer.from(headers['authorization']!.replace('Basic ', ''), 'base64').toString()
}

test('id and secret are form-encoded in the Basic header, as RFC 6749 2.3.1 says', () => {
  const clientSecret = new Secret('z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=')
  const { headers } = build({ clientId: '1PpG/Q 1', clientSecret })
  assert.equal(basicOf(headers), '1PpG%2FQ+1:z%2FtZ9VwFZqApmIQ%2BZH1I5pLk%2FuB4ud%3AX2%2F8bL%2BwfFTt1rFw%3D')
})

test('raw id and secret go as UTF-8', () => {
  const { headers } = build({ basicEncoding: 'raw', clientSecret: new Secret('ä+/=') })
  assert.equal(basicOf(headers), 'id:ä+/=')
})

test('a form request with a Basic header', () => {
  const request = build({ scope: 'im.read im.write' })
  assert.equal(request.origin, 'https://idp.example.com')
  assert.equal(request.path, '/oauth/token')
  assert.equal(request.method, 'POST')
  assert.equal(request.body, 'grant_type=client_credentials&scope=im.read+im.write')
  assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded')
  assert.equal(request.headers['accept'], 'application/json')
  assert.equal(request.headers['accept-encoding'], 'identity')
  assert.equal(request.headers['user-agent'], 'sluice')
})

test('own headers take the place of the usual ones', () => {
  const { headers } = buildTokenRequest({ ...plain, headers: { Accept: '*/*', 'User-Agent': 'me' } })
  assert.deepEqual(
    headers.filter((_, index) => index % 2 === 0),
    ['accept-encoding', 'authorization', 'content-type', 'Accept', 'User-Agent'],
  )
})

test('a form request with the credentials in the body sends no Basic header', () => {
  const { headers, body } = build({ clientAuthentication: 'body', clientSecret: new Secret('a&b=c d') })
  assert.equal(body, 'grant_type=client_credentials&client_id=id&client_secret=a%26b%3Dc+d')
  assert.equal(headers['authorization'], undefined)
})

test('a client without a secret sends its id alone', () => {
  const { headers, body } = build({ clientAuthentication: 'none', clientSecret: undefined })
  assert.equal(body, 'grant_type=client_credentials&client_id=id')
  assert.equal(headers['authorization'], undefined)
})

test('a JSON request embeds the scope as an object (SuccessFactors Learning)', () => {
  const scope = { userId: 'svc', companyId: 'acme', userType: 'admin', resourceType: 'learning_public_api' }
  const { headers, body } = build({ contentType: 'application/json', scope })
  assert.deepEqual(JSON.parse(body!), { grant_type: 'client_credentials', scope })
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(basicOf(headers), 'id:s3cret')
})

test('content type none sends an empty body and everything in the query', () => {
  const request = build({
    contentType: 'none',
    grantTypeIn: 'query',
    query: { token_format: 'jwt' },
    scope: 'a b',
  })
  assert.equal(request.path, '/oauth/token?grant_type=client_credentials&scope=a+b&token_format=jwt')
  assert.equal(request.body, null)
  assert.equal(request.headers['content-length'], '0')
  assert.equal(request.headers['content-type'], undefined)
})

test('the own query of the address is kept byte for byte, and its grant_type is not repeated', () => {
  const url = new URL('https://idp.example.com/t?grant_type=client_credentials&x=%7ea+b')
  const { path, body } = build({ url, query: { y: '1' }, scope: 's' })
  assert.equal(path, '/t?grant_type=client_credentials&x=%7ea+b&y=1')
  assert.equal(body, 'scope=s')
})

test('parameters: lists repeat, maps go as JSON, empty ones are left out', () => {
  const { body, headers } = build({
    body: {
      resource: ['urn:a', 'urn:b'],
      authorities: { az: { Zone: 'Z1' } },
      n: 5,
      yes: true,
      empty: '',
      nothing: null,
    },
    headers: { 'X-Zid': 'tenant-1', 'x-version': 2 },
  })
  const form = new URLSearchParams(body!)
  assert.deepEqual(form.getAll('resource'), ['urn:a', 'urn:b'])
  assert.equal(form.get('authorities'), '{"az":{"Zone":"Z1"}}')
  assert.deepEqual([form.get('n'), form.get('yes')], ['5', 'true'])
  assert.deepEqual([form.has('empty'), form.has('nothing')], [false, false])
  assert.equal(headers['X-Zid'], 'tenant-1')
  assert.equal(headers['x-version'], '2')
})

test('parameters of a JSON request keep their types', () => {
  const { body } = build({ contentType: 'application/json', body: { n: 5, list: ['a'], __proto__x: 1 } })
  assert.deepEqual(JSON.parse(body!), { grant_type: 'client_credentials', n: 5, list: ['a'], __proto__x: 1 })
})

test('another client_id in the body than in the header is possible', () => {
  const { body, headers } = build({ body: { client_id: 'ffffffff-ffff' }, scope: 'client' })
  assert.equal(body, 'grant_type=client_credentials&scope=client&client_id=ffffffff-ffff')
  assert.equal(basicOf(headers), 'id:s3cret')
})

test('another word in the header', () => {
  assert.match(build({ authScheme: 'ID' }).headers['authorization']!, /^ID [\w=]+$/)
})

test('a user of its own in the header, id and secret in the body', () => {
  const { headers, body } = build({
    clientAuthentication: 'body',
    basicAuth: { username: 'service', password: new Secret('pass word') },
  })
  assert.equal(basicOf(headers), 'service:pass+word')
  assert.equal(body, 'grant_type=client_credentials&client_id=id&client_secret=s3cret')
})

test('audience and resources; several of them are repeated, in JSON a list', () => {
  const resource = ['https://a.example.com/', 'urn:b']
  const form = build({ audience: 'https://api.example.com/', resource })
  assert.equal(
    form.body,
    'grant_type=client_credentials&audience=https%3A%2F%2Fapi.example.com%2F&resource=https%3A%2F%2Fa.example.com%2F&resource=urn%3Ab',
  )
  assert.deepEqual(JSON.parse(build({ resource, contentType: 'application/json' }).body!), {
    grant_type: 'client_credentials',
    resource,
  })
  assert.deepEqual(
    JSON.parse(build({ resource: ['urn:b'], contentType: 'application/json' }).body!)['resource'],
    'urn:b',
  )
})

test('parameters under other names', () => {
  const { body } = build({
    clientAuthentication: 'body',
    contentType: 'application/json',
    scope: 'x',
    names: {
      ...USUAL_NAMES,
      grantType: 'grantType',
      clientId: 'app_id',
      clientSecret: 'app_secret',
      scope: 'scopes',
    },
  })
  assert.deepEqual(JSON.parse(body!), {
    grantType: 'client_credentials',
    app_id: 'id',
    app_secret: 's3cret',
    scopes: 'x',
  })
})

test('a grant type under another name in the URL is not repeated', () => {
  const url = new URL('https://idp.example.com/token?grant=cc')
  const { path, body } = build({ url, names: { ...USUAL_NAMES, grantType: 'grant' } })
  assert.deepEqual([path, body], ['/token?grant=cc', ''])
})

test('a GET has everything in the query, and neither body nor content type', () => {
  const { method, path, body, headers } = build({ method: 'GET', scope: 'a b', audience: 'x' })
  assert.equal(method, 'GET')
  assert.equal(path, '/oauth/token?grant_type=client_credentials&scope=a+b&audience=x')
  assert.equal(body, null)
  assert.deepEqual(Object.keys(headers).toSorted(), [
    'accept',
    'accept-encoding',
    'authorization',
    'user-agent',
  ])
})
