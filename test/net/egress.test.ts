import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Egress, type EgressSetting, type Lookup } from '../../src/net/egress.ts'
import { readEgressEntry } from '../../src/net/egress-entry.ts'
import { dispatchers, failureOf, fetchFrom, collected, freePort, receiver, tcpReceiver } from './fixture.ts'

/** A DNS that gives these addresses, one answer after the other, and then the last one again and again. */
function dns(answers: Readonly<Record<string, readonly (readonly string[])[]>>) {
  const asked: string[] = []
  const lookup: Lookup = (hostname, _options, callback) => {
    const list = answers[hostname]
    const before = asked.filter((name) => name === hostname).length
    asked.push(hostname)
    const found = list?.[Math.min(before, list.length - 1)]
    process.nextTick(() =>
      found
        ? callback(
            null,
            found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          )
        : callback(Object.assign(new Error('not known'), { code: 'ENOTFOUND' }), []),
    )
  }
  return { lookup, asked }
}

function asker(
  t: TestContext,
  setting: EgressSetting,
  names: Readonly<Record<string, readonly (readonly string[])[]>> = {},
  rest: { proxy?: string; connections?: number } = {},
) {
  const { lookup, asked } = dns(names)
  const own = dispatchers(t, { egress: new Egress(setting, lookup), ...rest })
  return { asked, ask: (origin: string) => fetchFrom(t, origin, {}, { dispatchers: own }) }
}

/** What becomes of a URL: the rule that refuses it, `lookup` where its address decides, or `ok`. */
function decided(setting: EgressSetting, url: string, address?: string): string {
  const egress = new Egress(setting, (_, _options, callback) =>
    callback(null, [{ address: address!, family: address!.includes(':') ? 6 : 4 }]),
  )
  const target = new URL(url)
  const refused = egress.refusal(target)
  if (refused) return refused.message.replace(/^the engine does not connect to "[^"]+": /, '')
  if (address === undefined) return 'ok'
  let outcome = 'not called back'
  egress.lookupFor(target)(target.hostname, { all: true }, (error) => {
    outcome =
      error === null || error === undefined
        ? 'ok'
        : (error as never as { failure(host: string): Error })
            .failure(target.host)
            .message.replace(/^the engine does not connect to "[^"]+" \([^)]+\): /, '')
  })
  return outcome
}

const METADATA = "it is the metadata service of a cloud, which hands out the machine's own credentials"
const LINK = 'it is a link-local address'
const NOT_NAMED = 'no entry of `egress.allow` names it'
const held = (rule: string) => `\`egress.deny\` holds "${rule}"`

const preset: [url: string, outcome: string, address?: string][] = [
  ['http://169.254.169.254/latest/meta-data/', METADATA],
  ['http://169.254.169.254./', METADATA],
  ['http://2852039166/', METADATA],
  ['http://0xa9fea9fe/', METADATA],
  ['http://0251.0376.0251.0376/', METADATA],
  ['http://169.254.43518/', METADATA],
  ['http://[::ffff:169.254.169.254]/', METADATA],
  ['http://[::ffff:a9fe:a9fe]/', METADATA],
  ['http://[0:0:0:0:0:ffff:169.254.169.254]/', METADATA],
  ['http://[::169.254.169.254]/', METADATA],
  ['http://[64:ff9b::a9fe:a9fe]/', METADATA],
  ['http://[2002:a9fe:a9fe::1]/', METADATA],
  ['http://[::ffff:0:a9fe:a9fe]/', METADATA],
  ['http://[fd00:ec2::254]/', METADATA],
  ['http://100.100.100.200/', METADATA],
  ['http://\uff11\uff16\uff19.254.169.254/', METADATA],
  ['http://metadata.google.internal/', METADATA],
  ['http://METADATA.google.internal./', METADATA],
  ['http://169.254.1.1/', LINK],
  ['http://[fe80::1]/', LINK],
  ['http://rebound.example.com/', METADATA, '169.254.169.254'],
  ['http://rebound.example.com/', METADATA, '::ffff:169.254.169.254'],
  ['http://rebound.example.com/', LINK, 'fe80::1%eth0'],
  ['http://rebound.example.com/', 'ok', '10.0.0.5'],
  ['http://rebound.example.com/', 'ok', '127.0.0.1'],
  ['http://10.0.0.5/', 'ok'],
  ['http://127.0.0.1/', 'ok'],
  ['http://169.253.255.255/', 'ok'],
]
for (const [url, outcome, address] of preset)
  test(`without a setting: ${url}${address === undefined ? '' : ` at ${address}`}`, () =>
    assert.equal(decided({}, url, address), outcome))

const rules: [setting: EgressSetting, url: string, outcome: string, address?: string][] = [
  [{ deny: ['private'] }, 'http://10.1.2.3/', held('private')],
  [{ deny: ['private'] }, 'http://[fd12::1]/', held('private')],
  [{ deny: ['private'] }, 'http://intranet.example.com/', held('private'), '192.168.1.1'],
  [{ deny: ['private'] }, 'http://api.example.com/', 'ok', '93.184.216.34'],
  [{ deny: ['loopback'] }, 'http://localhost:8080/', held('loopback')],
  [{ deny: ['loopback'] }, 'http://a.localhost/', held('loopback')],
  [{ deny: ['loopback'] }, 'http://127.9.9.9/', held('loopback')],
  [{ deny: ['loopback'] }, 'http://0/', held('loopback')],
  [{ deny: ['loopback'] }, 'http://[::]/', held('loopback')],
  [{ deny: ['loopback'] }, 'http://[::ffff:127.0.0.1]/', held('loopback')],
  [{ deny: ['10.0.0.0/8:5432'] }, 'http://10.0.0.1:5432/', held('10.0.0.0/8:5432')],
  [{ deny: ['10.0.0.0/8:5432'] }, 'http://10.0.0.1:5433/', 'ok'],
  [{ deny: ['[fd00::/8]:80'] }, 'http://[fd00::1]/', held('[fd00::/8]:80')],
  [{ deny: ['[fd00::/8]:80'] }, 'https://[fd00::1]/', 'ok'],
  [{ deny: ['*.evil.example'] }, 'https://a.b.evil.example/', held('*.evil.example'), '1.2.3.4'],
  [{ deny: ['*.evil.example'] }, 'https://evil.example/', 'ok', '1.2.3.4'],
  [{ deny: ['*.evil.example'] }, 'https://notevil.example/', 'ok', '1.2.3.4'],
  [{ deny: ['EVIL.example.'] }, 'https://evil.EXAMPLE./', held('EVIL.example.'), '1.2.3.4'],
  [{ deny: ['bücher.example'] }, 'https://xn--bcher-kva.example/', held('bücher.example'), '1.2.3.4'],

  [{ allow: [] }, 'https://api.example.com/', NOT_NAMED, '1.2.3.4'],
  [{ allow: ['api.example.com'] }, 'https://api.example.com/', 'ok', '10.0.0.1'],
  [{ allow: ['api.example.com'] }, 'https://other.example.com/', NOT_NAMED],
  [{ allow: ['api.example.com:8443'] }, 'https://api.example.com/', NOT_NAMED],
  [{ allow: ['api.example.com:443'] }, 'https://api.example.com/', 'ok', '10.0.0.1'],
  [{ allow: ['10.0.0.0/8'] }, 'https://api.example.com/', 'ok', '10.0.0.1'],
  [{ allow: ['10.0.0.0/8'] }, 'https://api.example.com/', NOT_NAMED, '11.0.0.1'],
  [{ allow: ['10.0.0.0/8'] }, 'https://11.0.0.1/', NOT_NAMED],
  [{ allow: ['public'] }, 'https://api.example.com/', 'ok', '93.184.216.34'],
  [{ allow: ['public'] }, 'https://api.example.com/', 'ok', '2606:2800:220:1::1'],
  [{ allow: ['public'] }, 'https://api.example.com/', NOT_NAMED, '10.0.0.1'],
  [{ allow: ['public'] }, 'https://api.example.com/', NOT_NAMED, '64:ff9b::10.0.0.1'],
  [{ allow: ['public'] }, 'https://localhost/', NOT_NAMED, '127.0.0.1'],
  [{ allow: ['public', '10.5.0.0/16'] }, 'https://10.5.0.1/', 'ok'],

  [{ allow: ['10.0.0.5'], deny: ['private'] }, 'http://10.0.0.5/', held('private')],
  [{ allow: ['api.example.com'], deny: ['private'] }, 'http://api.example.com/', held('private'), '10.0.0.5'],

  [{ allow: ['0.0.0.0/0', '::/0'] }, 'http://169.254.169.254/', METADATA],
  [{ allow: ['0.0.0.0/0'] }, 'http://169.254.7.7/', LINK],
  [{ allow: ['public'] }, 'http://169.254.7.7/', LINK],
  [{ allow: ['link-local'] }, 'http://169.254.7.7/', 'ok'],
  [{ allow: ['169.254.7.0/24'] }, 'http://169.254.7.7/', 'ok'],
  [{ allow: ['169.254.7.0/24'] }, 'http://169.254.8.7/', LINK],
  [{ allow: ['link-local'] }, 'http://169.254.169.254/', METADATA],
  [{ allow: ['metadata'] }, 'http://169.254.169.254/', 'ok'],
  [{ allow: ['169.254.169.254:80'] }, 'http://169.254.169.254/', 'ok'],
  [{ allow: ['169.254.169.254:80'] }, 'http://169.254.169.254:81/', METADATA],
  [{ allow: ['metadata'] }, 'http://metadata.google.internal/', 'ok', '169.254.169.254'],
  [{ allow: ['metadata.google.internal'] }, 'http://metadata.google.internal/', 'ok', '169.254.169.254'],
  [{ allow: ['api.example.com'] }, 'http://api.example.com/', METADATA, '169.254.169.254'],
  [{ allow: ['*.google.internal'] }, 'http://metadata.google.internal/', METADATA],
  [{ allow: ['metadata'], deny: ['link-local'] }, 'http://169.254.169.254/', held('link-local')],
]
for (const [setting, url, outcome, address] of rules)
  test(`${JSON.stringify(setting)}: ${url}${address === undefined ? '' : ` at ${address}`}`, () =>
    assert.equal(decided(setting, url, address), outcome))

const mistakes: [text: string, mistake: RegExp][] = [
  ['', /^is no host/],
  ['*', /^means everything/],
  ['a.*.example', /first label/],
  ['https://api.example.com/x', /is a URL; write the host alone: api\.example\.com$/],
  ['api.example.com/x', /^is no network/],
  ['10.0.0.0/33', /^is no network/],
  ['10.0.0.5/8', /bits are set behind its first 8/],
  ['api.example.com:0', /^is no host/],
  ['api.example.com:70000', /^is no host/],
  ['[api.example.com]', /^is no address/],
  ['user@host', /^is no host/],
  ['*.10.0.0.1', /^is no host/],
]
for (const [text, mistake] of mistakes)
  test(`no entry: ${JSON.stringify(text)}`, () => {
    const read = readEgressEntry(text)
    assert.ok(typeof read === 'string', 'it was read')
    assert.match(read, mistake)
  })

test('a connection goes to the address that was checked: a name that turns later is refused then', async (t) => {
  const { port } = await receiver(t, (_, reply) => reply.writeHead(200, { connection: 'close' }).end('here'))
  const { ask, asked } = asker(
    t,
    {},
    { 'turns.example.test': [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1']] },
  )
  const origin = `http://turns.example.test:${port}`
  assert.equal(collected(await ask(origin)), 'here')
  const failure = await failureOf(ask(origin))
  assert.equal(failure.code, 'egress.denied')
  assert.equal(
    failure.message,
    `the engine does not connect to "turns.example.test:${port}" (169.254.169.254): ${METADATA}`,
  )
  assert.match(failure.hint!, /sluice\.yaml .+`egress: \{ allow: \[metadata, public, private, loopback\] \}`/)
  assert.deepEqual(failure.receiver, { host: `turns.example.test:${port}` })
  assert.equal(collected(await ask(origin)), 'here')
  assert.equal(asked.length, 3, 'each connection looks up once: what is checked is what is connected to')
})

test('requests on a connection that is there look nothing up', async (t) => {
  const { port } = await receiver(t, (_, reply) => reply.end('here'))
  const answers = { 'api.example.test': [['127.0.0.1'], ['10.0.0.1']] }
  const { ask, asked } = asker(t, { deny: ['private'] }, answers, { connections: 1 })
  for (let i = 0; i < 5; i++) await ask(`http://api.example.test:${port}`)
  assert.equal(asked.length, 1)
})

test('of several addresses only those that may be reached are tried', async (t) => {
  const { port } = await receiver(t, (_, reply) => reply.end('here'))
  const answers = { 'two.example.test': [['fe80::1', '169.254.1.1', '127.0.0.1']] }
  const { ask } = asker(t, {}, answers)
  assert.equal(collected(await ask(`http://two.example.test:${port}`)), 'here')
})

test('a name that is refused is never looked up', async (t) => {
  const { ask, asked } = asker(t, { deny: ['evil.example'] })
  assert.equal((await failureOf(ask('https://evil.example'))).code, 'egress.denied')
  const named = asker(t, { allow: ['api.example.com'] })
  assert.equal((await failureOf(named.ask('https://data-1234.evil.example'))).code, 'egress.denied')
  assert.deepEqual([asked, named.asked], [[], []])
})

test('many requests that one refusal ends have a failure each', async (t) => {
  const { ask } = asker(t, {}, { 'rebound.example.test': [['169.254.169.254']] })
  const failures = await Promise.all(
    Array.from({ length: 4 }, () => failureOf(ask('https://rebound.example.test'))),
  )
  assert.equal(new Set(failures).size, 4)
  assert.deepEqual([...new Set(failures.map(({ code }) => code))], ['egress.denied'])
})

test('a name that is not known fails as before', async (t) => {
  const { ask } = asker(t, {})
  const failure = await failureOf(ask('https://nowhere.example.test'))
  assert.equal(failure.code, 'receiver.unreachable')
  assert.match(failure.message, /ENOTFOUND/)
})

test('behind a proxy names and literals are checked, and the proxy itself', async (t) => {
  const seen: string[] = []
  const proxy = await tcpReceiver(t, (socket) =>
    socket.once('data', (chunk) => {
      seen.push(chunk.toString('latin1').split('\r\n')[0]!)
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    }),
  )
  const port = new URL(proxy).port
  const codeOf = async (setting: EgressSetting, origin: string, by = proxy, names = {}) => {
    const { ask } = asker(t, setting, names, { proxy: by })
    return ask(origin).then(
      () => 'ok',
      (error: { code: string; message: string; hint?: string }) =>
        `${error.code} ${error.message} ${error.hint}`,
    )
  }
  assert.equal(await codeOf({}, 'http://api.example.test'), 'ok')
  assert.equal(await codeOf({ allow: ['api.example.test', 'loopback'] }, 'http://api.example.test'), 'ok')
  assert.equal(seen.length, 2)
  for (const [setting, origin, message] of [
    [{}, 'http://169.254.169.254', /metadata/],
    [{}, 'http://metadata.google.internal', /metadata/],
    [{ deny: ['private'] }, 'https://10.0.0.1', /"private"/],
    [{ allow: ['public', 'loopback'] }, 'http://api.example.test', /Behind a proxy only names count/],
    [{ allow: ['api.example.test'] }, 'http://api.example.test', /to the proxy "127\.0\.0\.1"/],
    [{ deny: ['loopback'] }, 'https://api.example.test', /to the proxy "127\.0\.0\.1".+"loopback"/],
  ] as const) {
    const outcome = await codeOf(setting, origin)
    assert.match(outcome, /^egress\.denied /)
    assert.match(outcome, message)
  }
  for (const origin of ['http://api.example.test', 'https://api.example.test'])
    assert.match(
      await codeOf({ deny: ['loopback'] }, origin, `http://proxy.example.test:${port}`, {
        'proxy.example.test': [['127.0.0.1']],
      }),
      /^egress\.denied the engine does not connect to the proxy "proxy\.example\.test" \(127\.0\.0\.1\): `egress\.deny` holds "loopback"/,
    )
  assert.equal(seen.length, 2, 'nothing more reached the proxy')
})

test('what may be reached and is not there fails as before', async (t) => {
  const port = await freePort()
  const { ask } = asker(t, { allow: ['loopback'] })
  assert.equal((await failureOf(ask(`http://127.0.0.1:${port}`))).code, 'receiver.unreachable')
})
