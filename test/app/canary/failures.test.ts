import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import type { Failure } from '../../../src/core/failure.ts'
import { headerText } from '../../../src/core/header.ts'
import type { OutgoingRequest, ReceiverAnswer } from '../../../src/core/http.ts'
import { Secret } from '../../../src/core/secret.ts'
import { decodedAnswer, isEncoded } from '../../../src/net/decoded-answer.ts'
import { isRedirect } from '../../../src/net/redirect.ts'
import { statusFailure, unfollowedRedirect } from '../../../src/net/status-failure.ts'
import {
  certificate,
  failureOf,
  freePort,
  receiver,
  sender,
  tcpReceiver,
  TestRun,
  testWorld,
} from '../../net/fixture.ts'
import { setUpMaterial } from '../../support/material.ts'
import { leaksIn } from './search.ts'
import { API_WAYS, canaryService, keyOf, secretOf, TOKEN_WAYS } from './service.ts'

const SECRETS = { OAUTH: secretOf('oauth'), KEY: keyOf('key'), QUERY_KEY: secretOf('query key') }

/** All that an error shows of itself, to whoever prints, logs or reads it. */
function shown(failure: Failure): string {
  return [
    inspect(failure, { depth: 9, showHidden: true, maxStringLength: Infinity }),
    JSON.stringify(failure),
    JSON.stringify(failure.record()),
    String(failure.stack),
    failure.message,
    failure.hint ?? '',
  ].join('\n')
}

/** What an http step makes of an answer. */
async function taken(answer: Promise<ReceiverAnswer>): Promise<never> {
  const got = await answer
  const { status, headers } = got
  if (isRedirect(status, headers)) throw unfollowedRedirect('GET', got)
  if (status >= 400) throw statusFailure('GET', got, 'api', 0)
  const decode = { collect: 64 * 1024, limit: 64 * 1024 }
  const { body } = isEncoded(got) ? await decodedAnswer(got, decode) : got
  await body.load(64 * 1024)
  body.value()
  throw new Error('it was taken')
}

async function setUp(t: TestContext) {
  const service = await canaryService(t)
  const world = testWorld(t)
  const { material, redactor, file } = setUpMaterial(t, { world, environment: SECRETS })
  const send = sender(t, world)
  const common = `baseUrl: ${service.url}/api\n`
  const oauth = (url: string, more = '') =>
    `type: oauth2\ntokenServiceUrl: ${url}\nclientId: client\nclientSecret: \${env:OAUTH}\nretry: { attempts: 1 }\n${more}${common}`
  const load = (files: Record<string, string>) => {
    const problems = material.load(Object.entries(files).map(([name, text]) => file(text, name)))
    assert.deepEqual(problems, [])
  }
  const failing = (name: string, request: Partial<OutgoingRequest> & { url: string }, run?: TestRun) =>
    failureOf(taken(send(request, material.reference(name), run)))
  const clean = (failure: Failure, where: string) =>
    assert.deepEqual(
      leaksIn(shown(failure), { ...SECRETS, ...service.tokens }),
      [],
      `${where}: ${failure.message}`,
    )
  return { service, oauth, load, failing, clean, redactor }
}

test('no failure of a token request shows a secret or a token, printed, as JSON or as its message', async (t) => {
  const { service, oauth, load, failing, clean } = await setUp(t)
  const refused = `http://127.0.0.1:${await freePort()}`
  const silent = await tcpReceiver(t, () => {})
  const untrusted = await receiver(
    t,
    (_, reply) => void reply.end('{}'),
    certificate(t, { name: 'IP:127.0.0.1' }),
  )
  const ways = Object.keys(TOKEN_WAYS)
  load({
    ...Object.fromEntries(
      ways.map((way) => [way, oauth(`${service.url}/token/${way}`, 'basicEncoding: raw\n')]),
    ),
    refused: oauth(`${refused}/token`),
    silent: oauth(`${silent}/token`, 'readTimeout: 50ms\n'),
    untrusted: oauth(`${untrusted.origin}/token`),
  })
  const codes = new Set<string>()
  for (const name of [...ways, 'refused', 'silent', 'untrusted']) {
    const failure = await failing(name, { url: 'echo' })
    codes.add(failure.code)
    clean(failure, name)
    clean(await failing(name, { url: 'echo' }), `${name}, remembered`)
  }
  assert.deepEqual([...codes].toSorted(), [
    'credential.answer',
    'credential.refused',
    'credential.timeout',
    'credential.unreachable',
  ])
})

test('no failure of a request with a credential shows a secret or a token', async (t) => {
  const { service, oauth, load, failing, clean } = await setUp(t)
  const untrusted = await receiver(
    t,
    (_, reply) => void reply.end('{}'),
    certificate(t, { name: 'IP:127.0.0.1' }),
  )
  const gone = `http://127.0.0.1:${await freePort()}`
  const hosts = `allowedHosts: [${[service.url, untrusted.origin, gone].map((url) => new URL(url).host).join(', ')}]\n`
  load({
    token: oauth(`${service.url}/token/good`, hosts),
    key: `type: apiKey\nkey: \${env:KEY}\nbaseUrl: ${service.url}/api\n${hosts}`,
    query: `type: apiKey\nkey: \${env:QUERY_KEY}\ntokenIn: { in: query, name: key }\nbaseUrl: ${service.url}/api\n${hosts}`,
  })
  const codes = new Set<string>()
  for (const name of ['token', 'key', 'query']) {
    const late = new TestRun()
    late.deadline = 0
    const calls: [what: string, Promise<Failure>][] = [
      ...Object.keys(API_WAYS)
        .filter((way) => !['echo', 'php', 'html', 'bytes'].includes(way))
        .map((way): [string, Promise<Failure>] => [way, failing(name, { url: way })]),
      ['a redirect that is followed', failing(name, { url: 'away', followRedirects: 3 })],
      ['an answer that is too large', failing(name, { url: 'echo', maxResponse: 10 })],
      ['no time', failing(name, { url: 'echo' }, late)],
      ['no connection', failing(name, { url: `${gone}/` })],
      ['no trust', failing(name, { url: `${untrusted.origin}/` })],
      ['another host', failing(name, { url: 'https://elsewhere.example.com/' })],
      ['a line end in a header', failing(name, { url: 'echo', headers: ['x-own', 'a\r\nb'] })],
      ['no URL', failing(name, { url: 'http://%zz/' })],
    ]
    for (const [what, call] of calls) {
      const failure = await call
      codes.add(failure.code)
      clean(failure, `${name}, ${what}`)
    }
  }
  assert.deepEqual([...codes].toSorted(), [
    'credential.host',
    'credential.timeout',
    'receiver.broken',
    'receiver.redirect',
    'receiver.status',
    'receiver.timeout',
    'receiver.too-large',
    'receiver.unauthorized',
    'receiver.unreachable',
    'request.invalid',
  ])
})

test('a value of a message that no header can hold is not told', async () => {
  const failure = await failureOf(() => headerText('x-own', `${SECRETS.KEY}\r\nx: y`))
  assert.deepEqual(leaksIn(shown(failure), SECRETS), [])
})

test('a secret prints as such, however it is printed', () => {
  const secret = new Secret(SECRETS.OAUTH)
  const holder = { secret, list: [secret], map: new Map([['secret', secret]]) }
  const printed = [
    inspect(holder, { depth: 9, showHidden: true }),
    inspect(secret, { customInspect: false, showHidden: true }),
    JSON.stringify(holder),
    `${String(secret)} ${secret.toString()}`,
    inspect(Object.assign(new Error('x', { cause: secret }), { secret }), { showHidden: true }),
  ]
  assert.deepEqual(leaksIn(printed.join('\n'), SECRETS), [])
  assert.match(printed[0]!, /\[secret\]/)
})
