import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import type { Grant } from '../../src/core/kinds.ts'
import { failureOf, receiver, sender, testCredential, TestGrant } from './fixture.ts'

const JSON_TYPE = 'application/json;charset=UTF-8'
const EXPIRED = '{"success":false,"errors":[{"code":"601","message":"SECRET-BODY"}]}'
const FINE = '{"success":true,  "result":[]}'

const expired: Grant['refuses'] = (_status, _headers, body) =>
  (body as { errors?: { code: string }[] } | null)?.errors?.[0]?.code === '601'

/** Answers 200 whatever comes; what it says is in the body. */
async function marketo(t: Parameters<typeof receiver>[0], good: string | undefined) {
  return receiver(t, (request, reply) => {
    reply.setHeader('content-type', JSON_TYPE)
    reply.end(request.headers.authorization === `Bearer ${good}` ? FINE : EXPIRED)
  })
}

function grants(...tokens: string[]) {
  return tokens.map((token) => new TestGrant(token, { refuses: expired }))
}

test('an answer of status 200 that says in its body that the token is no longer good is a refusal', async (t) => {
  const { origin, requests } = await marketo(t, 'T2')
  const [first, second] = grants('T1', 'T2')
  const answer = await sender(t)(
    { url: 'leads', method: 'POST', body: Body.ofText('lead') },
    testCredential(origin, [first!, second!]),
  )
  assert.deepEqual(
    requests.map(({ headers, body }) => [headers.authorization, body]),
    [
      ['Bearer T1', 'lead'],
      ['Bearer T2', 'lead'],
    ],
  )
  assert.deepEqual([first!.rejections, second!.rejections], [1, 0])
  assert.equal(answer.body.text(), FINE)
})

test('it is asked once an answer, not where the status says it, and of a 401 that is none', async (t) => {
  const { origin } = await receiver(t, (request, reply) =>
    reply.writeHead(Number(request.url!.slice(1)), { 'X-Tenant': 'Acme', 'content-length': 0 }).end(),
  )
  const asked: unknown[] = []
  const refuses: Grant['refuses'] = (status, headers, body) => {
    asked.push([status, headers['x-tenant'], body])
    return status === 401
  }
  const [first, second] = ['T1', 'T2'].map((token) => new TestGrant(token, { refusedBy: [419], refuses }))
  for (const status of [200, 404, 419, 401])
    await sender(t)(
      { url: String(status), accepts: () => true },
      testCredential(origin, [first!, second!]),
    ).catch((error: unknown) => error)
  assert.deepEqual(asked, [
    [200, 'Acme', null],
    [404, 'Acme', null],
    [401, 'Acme', null],
    [401, 'Acme', null],
  ])
  assert.equal(first!.rejections, 2, 'of 419 and 401')
})

const KIB = 1024
const long = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`
const views: [
  name: string,
  answer: { type?: string; encoding?: string; body: string | Buffer; method?: string; collect?: number },
  seen: unknown,
  streamed: boolean,
][] = [
  ['JSON', { type: JSON_TYPE, body: '{"a":[1]}' }, { a: [1] }, false],
  ['another JSON type', { type: 'application/problem+json', body: '{"a":1}' }, { a: 1 }, false],
  ['JSON with a byte order mark', { type: JSON_TYPE, body: '\ufeff{"a":1}' }, { a: 1 }, false],
  ['text', { type: 'text/html', body: '{"a":1}' }, null, false],
  ['no content type', { body: '{"a":1}' }, null, false],
  ['JSON that is none', { type: JSON_TYPE, body: '{"a":' }, null, false],
  ['JSON that is nested too deeply', { type: JSON_TYPE, body: '['.repeat(5000) }, null, false],
  ['JSON in an unknown charset', { type: 'application/json;charset=x-odd', body: '{}' }, null, false],
  ['gzip', { type: JSON_TYPE, encoding: 'gzip', body: gzipSync('{"a":1}') }, { a: 1 }, false],
  ['deflate', { type: JSON_TYPE, encoding: 'deflate', body: deflateSync('{"a":1}') }, { a: 1 }, false],
  [
    'bare deflate',
    { type: JSON_TYPE, encoding: 'deflate', body: deflateRawSync('{"a":1}') },
    { a: 1 },
    false,
  ],
  ['brotli', { type: JSON_TYPE, encoding: 'br', body: brotliCompressSync('{"a":1}') }, { a: 1 }, false],
  [
    'zstd over gzip',
    { type: JSON_TYPE, encoding: 'gzip, zstd', body: zstdCompressSync(gzipSync('[]')) },
    [],
    false,
  ],
  ['a bomb', { type: JSON_TYPE, encoding: 'gzip', body: gzipSync(long(64 * KIB + 1)) }, null, false],
  ['what is no gzip', { type: JSON_TYPE, encoding: 'gzip', body: '{"a":1}' }, null, false],
  ['an unknown encoding', { type: JSON_TYPE, encoding: 'compress', body: '{"a":1}' }, null, false],
  ['nothing', { type: JSON_TYPE, body: '' }, null, false],
  ['the answer to HEAD', { type: JSON_TYPE, body: '{"a":1}', method: 'HEAD' }, null, false],
  ['64 KiB', { type: JSON_TYPE, body: long(64 * KIB) }, 'x'.repeat(64 * KIB - 2), false],
  ['a byte more, as a stream', { type: JSON_TYPE, body: long(64 * KIB + 1) }, null, true],
  ['a byte more, in memory', { type: JSON_TYPE, body: long(64 * KIB + 1), collect: Infinity }, null, false],
  ['what else would be a stream', { type: JSON_TYPE, body: '{"a":1}', collect: 0 }, { a: 1 }, false],
]
for (const [name, { type, encoding, body, method = 'GET', collect }, seen, streamed] of views)
  test(`of an answer it sees: ${name}`, async (t) => {
    const { origin } = await receiver(t, (_, reply) => {
      if (type !== undefined) reply.setHeader('content-type', type)
      if (encoding !== undefined) reply.setHeader('content-encoding', encoding)
      reply.end(body)
    })
    const views: unknown[] = []
    const refuses: Grant['refuses'] = (_status, _headers, value) => {
      views.push(structuredClone(value))
      if (value !== null && typeof value === 'object') (value as { a: unknown }).a = 'changed'
      return false
    }
    const answer = await sender(t)(
      { url: 'x', method, ...(collect !== undefined && { collect }) },
      testCredential(origin, [new TestGrant('T', { refuses })]),
    )
    assert.deepEqual(views, [seen])
    assert.equal(answer.body.isStream, streamed)
    await answer.body.load(1_000_000)
    assert.deepEqual(
      answer.body.bytes(),
      Buffer.from(method === 'HEAD' ? '' : body),
      'the flow reads it as it came',
    )
  })

test('where no grant looks into answers, none is kept in memory for it', async (t) => {
  const { origin } = await receiver(t, (_, reply) =>
    reply.setHeader('content-type', JSON_TYPE).end('{"a":1}'),
  )
  const answer = await sender(t)({ url: 'x', collect: 0 }, testCredential(origin, [new TestGrant('T')]))
  assert.equal(answer.body.isStream, true)
  await answer.body.load(100)
})

test('what it fails with is what the step fails with; nothing is renewed, and the answer is let go of', async (t) => {
  let closed: () => void = () => {}
  const whenClosed = new Promise<void>((resolve) => (closed = resolve))
  const { origin, requests } = await receiver(t, (_, reply) => {
    reply.on('close', () => closed())
    reply.writeHead(200).write(Buffer.alloc(200_000))
  })
  const failed = new Failure('expression.failed', '"invalidateWhen": a list is wanted')
  const refuses = () => {
    throw failed
  }
  const grant = new TestGrant('T1', { refuses })
  const failing = failureOf(sender(t)({ url: 'x' }, testCredential(origin, [grant, new TestGrant('T2')])))
  assert.equal(await failing, failed)
  assert.deepEqual([grant.rejections, requests.length], [0, 1])
  await whenClosed
})

test('so it is when it fails over the second answer', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.writeHead(401).end())
  const failed = new Failure('expression.failed', '"invalidateWhen": a list is wanted')
  const refuses = () => {
    throw failed
  }
  const second = new TestGrant('T2', { refusedBy: [], refuses })
  const credential = testCredential(origin, [new TestGrant('T1'), second])
  assert.equal(await failureOf(sender(t)({ url: 'x' }, credential)), failed)
  assert.equal(requests.length, 2)
})

const KNOWN = 'a token was obtained 3 s ago with scope im.read'
const NARROWER = 'If the answer means something else, make `invalidateWhen` narrower.'
const ROLES =
  'check the roles of the client at the receiver, and audience and scope of the credential "shop_api".'

test('an answer of status 200 that stays a refusal fails the step, and says by what it was one', async (t) => {
  const { origin, requests } = await marketo(t, undefined)
  const { host } = new URL(origin)
  const failure = await failureOf(sender(t)({ url: 'x' }, testCredential(origin, grants('T1', 'T2', 'T3'))))
  assert.deepEqual(failure.record(), {
    code: 'receiver.unauthorized',
    message: `"${host}" refused the credential "shop_api" with status 200 (by \`invalidateWhen\`)`,
    hint: `A new token was fetched and was refused, too: ${KNOWN}. Tokens can be obtained, so ${ROLES} ${NARROWER}`,
    receiver: { status: 200, host },
  })
  assert.equal(requests.length, 2)
})

test('the hint is the same as for a status where the token service gives the same token, or the body is used up', async (t) => {
  const { origin, requests } = await marketo(t, undefined)
  const same = await failureOf(sender(t)({ url: 'x' }, testCredential(origin, grants('T1'))))
  assert.equal(
    same.hint,
    `The token service gave the same token again, so the request was not sent again: ${KNOWN}. The token itself is in order; ${ROLES} ${NARROWER}`,
  )
  const body = Body.ofStream(Readable.from([Buffer.from('once')]))
  const used = await failureOf(
    sender(t)({ url: 'x', method: 'POST', body }, testCredential(origin, grants('T1', 'T2'))),
  )
  assert.match(used.hint!, /^The token was dropped; .*its body was a stream/)
  assert.equal(requests.length, 2)
})

test('a status that the flow takes is handed over after one renewal, whatever the body says', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) =>
    reply.writeHead(404, { 'content-type': JSON_TYPE }).end(EXPIRED),
  )
  const answer = await sender(t)(
    { url: 'x', accepts: (status) => status === 404 },
    testCredential(origin, grants('T1', 'T2', 'T3')),
  )
  assert.deepEqual([answer.status, answer.body.text(), requests.length], [404, EXPIRED, 2])
})

test('a redirect to a login page can mean that the token is no longer good', async (t) => {
  const { origin, requests } = await receiver(t, (request, reply) => {
    if (request.headers.authorization === 'Bearer T1') reply.writeHead(302, { location: '/login' })
    reply.end('in')
  })
  const refuses: Grant['refuses'] = (status, headers) => status === 302 && headers['location'] === '/login'
  const answer = await sender(t)(
    { url: 'x', followRedirects: 5 },
    testCredential(origin, [new TestGrant('T1', { refuses }), new TestGrant('T2', { refuses })]),
  )
  assert.equal(answer.body.text(), 'in')
  assert.deepEqual(
    requests.map(({ line }) => line),
    ['GET /x', 'GET /x'],
  )
})
