import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { setUpMaterial, SECRET } from '../support/material.ts'
import { failureOf, receiver, sender, testCredential, TestGrant } from './fixture.ts'
import { ADDED, KEY, places } from './redirect-fixture.ts'

const STATUSES = [301, 302, 303, 307, 308]
const spelled = `key=${KEY.replace('%', '%25').replace(' ', '%20')}`
const again = encodeURIComponent

const targets: [name: string, location: string, line: string][] = [
  ['as it was sent', `https://cdn.example.net/x?${ADDED}`, 'GET /x'],
  ['with entries of its own', `https://cdn.example.net/x?a=1&${ADDED}&sig=%7e+%2f`, 'GET /x?a=1&sig=%7e+%2f'],
  ['spelled in another way', `https://cdn.example.net/x?${spelled}&a=1&client=%3100`, 'GET /x?a=1'],
  ['encoded twice', `https://cdn.example.net/x?a=1&key=${again(again(KEY))}`, 'GET /x?a=1'],
  ['and other values', 'https://cdn.example.net/x?key=own&client=1', 'GET /x?key=own&client=1'],
  ['in a fragment', `https://cdn.example.net/x?a=1#${ADDED}`, 'GET /x?a=1'],
  ['on the way to another port', `//api.example.com:8443/x?${ADDED}&a=1`, 'GET /x?a=1'],
  ['on the way to the host with a dot', `//api.example.com./x?${ADDED}&a=1`, 'GET /x?a=1'],
]
for (const status of STATUSES)
  for (const [name, location, line] of targets)
    test(`${status}: what the credential added to the query does not go to another origin, ${name}`, async (t) => {
      const { send, credential, seen } = await places(t, { status, locations: [location] })
      const answer = await send({ url: 'first?a=1', followRedirects: 1 }, credential)
      assert.ok(seen[0]!.line.endsWith(ADDED))
      assert.equal(seen[1]!.line, line)
      assert.equal(answer.url, `https://${new URL(location, 'https://x/').host}${line.slice('GET '.length)}`)
    })

test('so it is when it was repeated within the origin before', async (t) => {
  const locations = [
    `/2?${ADDED}&a=1`,
    `/3?a=2&${ADDED}`,
    `https://cdn.example.net/4?${ADDED}&a=3`,
    `/5?${ADDED}`,
  ]
  const { send, credential, seen } = await places(t, { status: 302, locations })
  const answer = await send({ url: '1', followRedirects: 9 }, credential)
  assert.deepEqual(
    seen.map(({ line }) => line),
    [`GET /1?${ADDED}`, `GET /2?a=1&${ADDED}`, `GET /3?a=2&${ADDED}`, 'GET /4?a=3', 'GET /5'],
  )
  assert.equal(answer.url, 'https://cdn.example.net/5')
})

test('within the origin nothing is doubled, and the url that flows see has nothing of it', async (t) => {
  for (const location of [`/next?${ADDED}&a=1`, `/next?a=1&${spelled}&client=100#${ADDED}`]) {
    const { send, credential, seen } = await places(t, { status: 307, locations: [location] })
    const answer = await send({ url: 'first', followRedirects: 1 }, credential)
    assert.equal(seen[1]!.line, `GET /next?a=1&${ADDED}`)
    assert.equal(answer.url, 'https://api.example.com/next?a=1')
  }
})

const hidden: [name: string, location: string][] = [
  ['in the value of an entry', `https://login.example/?back=${again(`https://api.example.com/?${ADDED}`)}`],
  ['twice encoded', `https://login.example/?back=${again(again(`/?${ADDED}`))}`],
  ['in the path', `https://login.example/${again(ADDED)}`],
]
for (const [name, location] of hidden)
  test(`a redirect to another origin that carries what the credential added ${name} is not followed`, async (t) => {
    const { send, credential, seen } = await places(t, { status: 302, locations: [location] })
    const failure = await failureOf(send({ url: 'first', followRedirects: 1 }, credential))
    assert.equal(failure.code, 'receiver.redirect')
    assert.equal(
      failure.message,
      '"api.example.com" redirected to "login.example", and its target repeats what the credential "shop_api" added to the query',
    )
    assert.match(failure.hint!, /Use the final URL in the flow/)
    assert.doesNotMatch(inspect(failure), /SECRET/)
    assert.equal(seen.length, 1)
  })

test('within the origin it may carry it', async (t) => {
  const location = `/login?back=${again(`/?${ADDED}`)}`
  const { send, credential, seen } = await places(t, { status: 302, locations: [location] })
  await send({ url: 'first', followRedirects: 1 }, credential)
  assert.equal(seen[1]!.line, `GET ${location}&${ADDED}`)
})

test('a token in the query that was renewed in between goes nowhere either, old or new', async (t) => {
  const other = await receiver(t, (_, reply) => reply.end())
  const home = await receiver(t, (request, reply) => {
    const status = request.url!.endsWith('TOKEN-12') ? 401 : 302
    reply
      .writeHead(status, { location: `${other.origin}/x?access_token=TOKEN-12&access_token=TOKEN-1&a=1` })
      .end()
  })
  const [first, second] = ['TOKEN-12', 'TOKEN-1'].map(
    (token) => new TestGrant(token, { headers: [], query: `access_token=${token}` }),
  )
  await sender(t)({ url: 'x', followRedirects: 1 }, testCredential(home.origin, [first!, second!]))
  assert.deepEqual(
    home.requests.map(({ line }) => line),
    ['GET /x?access_token=TOKEN-12', 'GET /x?access_token=TOKEN-1'],
  )
  assert.equal(other.requests[0]!.line, 'GET /x?a=1')
})

test("in the query the credential's entries take the place of the flow's", async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end())
  const grant = new TestGrant('T', { headers: [], query: 'key=NEW' })
  const credential = testCredential(origin, [grant], { apiQuery: 'client=100' })
  for (const url of [
    `${origin}/next?key=OLD&skip=5&client=200`,
    `${origin}/next?skip=5&k%65y=NEW&client=100`,
  ])
    await sender(t)({ url }, credential)
  assert.deepEqual(
    requests.map(({ line }) => line),
    ['GET /next?skip=5&client=100&key=NEW', 'GET /next?skip=5&client=100&key=NEW'],
  )
})

test('without a credential a redirect goes where it says, byte for byte', async (t) => {
  const location = `https://cdn.example.net/x?${ADDED}&sig=%7e`
  const { send, seen } = await places(t, { status: 302, locations: [location] })
  await send({ url: `https://api.example.com/?${ADDED}`, followRedirects: 1 })
  assert.equal(seen[1]!.line, `GET /x?${ADDED}&sig=%7e`)
})

const API_KEY = 'type: apiKey\nkey: ${env:SECRET}\n'
const kinds: [name: string, yaml: string][] = [
  ['apiKey in a header', `${API_KEY}tokenIn: { in: header, name: X-Shopify-Access-Token }\n`],
  ['apiKey in the query', `${API_KEY}tokenIn: { in: query, name: key }\n`],
  ['apiKey in a cookie', `${API_KEY}tokenIn: { in: cookie, name: session }\n`],
  ['bearer', 'type: bearer\ntoken: ${env:SECRET}\n'],
  ['basic', 'type: basic\nusername: user-SECRET\npassword: ${env:SECRET}\n'],
]
for (const [name, yaml] of kinds)
  test(`a credential of the kind ${name} stays at its origin, with apiHeaders and apiQuery`, async (t: TestContext) => {
    const other = await receiver(t, (_, reply) => reply.end())
    const home = await receiver(t, (request, reply) => {
      const query = new URL(request.url!, 'http://x').search
      reply.writeHead(307, { location: `${other.origin}/x${query}` }).end()
    })
    const { material, file } = setUpMaterial(t)
    const frame = `baseUrl: ${home.origin}/\nallowedHosts: ['127.0.0.1:${home.port}', '127.0.0.1:${other.port}']\napiHeaders: { x-tenant: acme-tenant }\napiQuery: { client: acme-client }\n`
    assert.deepEqual(material.load([file(yaml + frame)]), [])
    await sender(t)({ url: 'x?a=1', followRedirects: 1 }, material.reference('x'))
    const [before, after] = [home, other].map(({ requests }) => JSON.stringify(requests))
    const carried = [SECRET, Buffer.from(`user-SECRET:${SECRET}`).toString('base64')]
    assert.ok(carried.some((text) => before!.includes(text)))
    for (const text of [
      ...carried,
      'acme-tenant',
      'acme-client',
      'x-shopify-access-token',
      'authorization',
      'cookie',
    ])
      assert.ok(!after!.toLowerCase().includes(text.toLowerCase()), text)
    assert.equal(other.requests[0]!.line, 'GET /x?a=1')
  })
