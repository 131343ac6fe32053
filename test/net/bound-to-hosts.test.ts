import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import type { Dispatcher } from 'undici'
import { Body } from '../../src/core/body.ts'
import { Message } from '../../src/core/message.ts'
import { createSend } from '../../src/net/send.ts'
import { createHostRules, readHostRule } from '../../src/security/hosts.ts'
import { prepareHttp } from '../steps/http-fixture.ts'
import { failureOf, testCredential, TestGrant, TestRun, testWorld } from './fixture.ts'

/** A URL that goes out: `origin path`. */
type Sent = string
const HOST = 'credential.host'
const INVALID = 'request.invalid'

/**
 * Runs an http step with a credential over a message with this link. What comes back is where the token went, or
 * the code of the failure; then no connection was made and no token was asked for.
 */
async function outcome(
  t: TestContext,
  link: string,
  setting: { hosts: string[]; base: string; url?: string },
): Promise<{ outcome: string; message: string }> {
  const rules = createHostRules(setting.hosts.map(readHostRule) as never)
  const sent: string[] = []
  const dispatch = (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
    const headers = options.headers as string[]
    const token = headers[headers.indexOf('authorization') + 1]
    assert.equal(token, 'Bearer TOKEN-SECRET')
    sent.push(`${String(options.origin)} ${options.path}`)
    handler.onResponseError?.(null as never, new Error('no network'))
    return true
  }
  const credential = testCredential(setting.base, [new TestGrant('TOKEN-SECRET')], {
    allows: (url) => rules.allows(url),
    hosts: rules.names,
  })
  const world = testWorld(t, { dispatcherFor: () => ({ dispatch }) as never })
  const { step } = await prepareHttp(t, `url: "${setting.url ?? '${body.link}'}"\ncredential: shop_api`, {
    credentials: [credential],
    send: createSend(world, { userAgent: 'x' }),
  })
  const failure = await failureOf(async () => step.run(new Message(Body.ofJson({ link })), new TestRun()))
  assert.ok(!inspect(failure, { depth: 9 }).includes('SECRET'), 'no user, password, query or token is told')
  if (sent.length > 0) return { outcome: sent.join(), message: failure.message }
  assert.equal(credential.authorized, 0)
  return { outcome: failure.code, message: failure.message }
}

const API = { hosts: ['api.sap.com'], base: 'https://api.sap.com/odata/' }
const HOME: Sent = 'https://api.sap.com /x'

const links: [name: string, link: string, outcome: string][] = [
  ['the host itself', 'https://api.sap.com/x', HOME],
  ['upper case', 'HTTPS://API.SAP.COM/x', HOME],
  ['a dot after the host', 'https://api.sap.com./x', 'https://api.sap.com. /x'],
  ['two dots after the host', 'https://api.sap.com../x', HOST],
  ['the default port written out', 'https://api.sap.com:443/x', HOME],
  ['the default port with zeros', 'https://api.sap.com:00443/x', HOME],
  ['an empty port', 'https://api.sap.com:/x', HOME],
  ['another port', 'https://api.sap.com:8443/x', HOST],
  ['the port of http', 'https://api.sap.com:80/x', HOST],
  ['no port', 'https://api.sap.com:99999/x', INVALID],
  ['http', 'http://api.sap.com/x', HOST],
  ['http on the port of https', 'http://api.sap.com:443/x', HOST],
  ['another host', 'https://evil.example/?SECRET', HOST],
  ['the host as the beginning of another', 'https://api.sap.com.evil.example/x', HOST],
  ['the host as the end of another label', 'https://evil-api.sap.com/x', HOST],
  ['a host below', 'https://evil.api.sap.com/x', HOST],
  ['the host above', 'https://sap.com/x', HOST],
  ['the host in the path', 'https://evil.example/api.sap.com', HOST],
  ['the host in the query', 'https://evil.example?api.sap.com', HOST],
  ['the host after a hash', 'https://evil.example#@api.sap.com/', HOST],
  ['a dot before the host', 'https://.api.sap.com/x', HOST],

  ['a user', 'https://api@evil.example/x', INVALID],
  ['the host as a user', 'https://api.sap.com@evil.example/x', INVALID],
  ['host and port as user and password', 'https://api.sap.com:443@evil.example/x', INVALID],
  ['a user and a password at the host', 'https://user:SECRET@api.sap.com/x', INVALID],
  ['a password alone', 'https://:SECRET@api.sap.com/x', INVALID],
  ['a user with an at sign in it', 'https://SECRET@x@api.sap.com/x', INVALID],
  ['an empty user', 'https://@api.sap.com/x', HOME],
  ['an empty user and password', 'https://:@api.sap.com/x', HOME],

  ['one slash', 'https:/api.sap.com/x', HOME],
  ['no slash', 'https:evil.example/x', HOST],
  ['three slashes', 'https:///evil.example/x', HOST],
  ['backslashes', 'https:\\\\api.sap.com\\x', HOME],
  ['backslashes before another host', 'https:\\\\evil.example\\x', HOST],
  ['a backslash as the end of the host', 'https://evil.example\\@api.sap.com/x', HOST],
  ['a backslash after the host', 'https://api.sap.com\\.evil.example', 'https://api.sap.com /.evil.example'],
  ['a tab in the host', 'https://api.sap\t.com/x', HOME],
  ['a line end before another host', 'https:/\n/evil.example/x', HOST],
  ['a line end and a header', 'https://api.sap.com/x\r\nhost: y', 'https://api.sap.com /xhost:%20y'],
  ['a space before it', ' \u00a0https://evil.example/x', HOST],
  [
    'a control character before it',
    '\u0001https://evil.example/x',
    'https://api.sap.com /odata/%01https://evil.example/x',
  ],
  [
    'a scheme with a tab in it',
    'ht\ttps://evil.example/x',
    'https://api.sap.com /odata/https://evil.example/x',
  ],
  ['a space in the host', 'https://api.sap.com .evil.example/?SECRET', INVALID],

  ['a percent-encoded dot', 'https://api%2Esap.com/x', HOME],
  ['a percent-encoded letter', 'https://%61pi.sap.com/x', HOME],
  ['a percent-encoded dot before another host', 'https://api.sap.com%2Eevil.example/x', HOST],
  ['a percent-encoded slash', 'https://api.sap.com%2F.evil.example/x', INVALID],
  ['a percent-encoded at sign', 'https://api.sap.com%40evil.example/x', INVALID],
  ['a percent-encoded hash', 'https://evil.example%23.api.sap.com/x', INVALID],
  ['a percent-encoded zero', 'https://api.sap.com%00.evil.example/x', INVALID],
  ['a percent sign', 'https://api.sap.com%/x', INVALID],

  ['full-width letters', 'https://ａｐｉ．ｓａｐ．ｃｏｍ/x', HOME],
  ['ideographic dots', 'https://api。sap｡com/x', HOME],
  ['a soft hyphen', 'https://a\u00adpi.sap.com/x', HOME],
  ['a Roman numeral that is a letter', 'https://api.sap.\u217dom/x', HOME],
  ['a Cyrillic letter', 'https://\u0430pi.sap.com/x', HOST],
  ['another Cyrillic letter', 'https://api.\u0455ap.com/x', HOST],
  ['a Greek letter', 'https://\u03b1pi.sap.com/x', HOST],
  ['a dotless i', 'https://ap\u0131.sap.com/x', HOST],
  ['a combining accent', 'https://api\u0301.sap.com/x', HOST],
  ['the punycode of a Cyrillic letter', 'https://xn--pi-6kc.sap.com/x', HOST],
  ['punycode of nothing', 'https://xn--.sap.com/x', HOST],
  ['a sign that becomes a slash', 'https://api.sap.com\u2100.evil.example/x', INVALID],
  ['a sign that looks like a slash', 'https://api.sap.com\u2044.evil.example/x', HOST],
  ['a space of no width', 'https://api.sap.com\u200b.evil.example/x', HOST],

  ['an address', 'https://127.0.0.1/x', HOST],
  ['an address in one number', 'https://2130706433/x', HOST],
  ['an IPv6 address', 'https://[::1]/x', HOST],
  ['an address that is none', 'https://127.0.0.256/x', INVALID],

  ['another scheme', 'ftp://api.sap.com/x', INVALID],
  ['a web socket', 'wss://api.sap.com/x', INVALID],
  ['a URL in a URL', 'blob:https://api.sap.com/x', INVALID],
  ['a script', 'javascript:alert(1)', INVALID],
  ['data', 'data:text/plain,x', INVALID],
  ['a file', 'file:///etc/passwd', INVALID],
  ['a host and a port alone', 'evil.example:443/x', INVALID],
  ['no host', 'https://', INVALID],

  ['another host without a scheme', '//evil.example/x', 'https://api.sap.com /odata/evil.example/x'],
  ['the same with backslashes', '\\\\evil.example\\x', 'https://api.sap.com /odata/evil.example/x'],
  ['the same with both', '/\\evil.example/x', 'https://api.sap.com /odata/evil.example/x'],
  ['the same with a tab', '/\t/evil.example/x', 'https://api.sap.com /odata//evil.example/x'],
  ['a user without a host before it', '@evil.example/x', 'https://api.sap.com /odata/@evil.example/x'],
  ['an end of a host', '.evil.example/x', 'https://api.sap.com /odata/.evil.example/x'],
  ['a port', ':8443/x', 'https://api.sap.com /odata/:8443/x'],
  ['a way up', '../x', INVALID],
]
for (const [name, link, expected] of links)
  test(`a link from the message with ${name}: ${JSON.stringify(link)}`, async (t) => {
    assert.equal((await outcome(t, link, API)).outcome, expected)
  })

const THIS = { hosts: ['127.0.0.1'], base: 'http://127.0.0.1/' }
const LOCAL: Sent = 'http://127.0.0.1 /x'
const addresses: [link: string, outcome: string][] = [
  ['http://127.0.0.1/x', LOCAL],
  ['http://127.0.0.1:80/x', LOCAL],
  ['http://127.0.0.1./x', LOCAL],
  ['http://2130706433/x', LOCAL],
  ['http://0x7f000001/x', LOCAL],
  ['http://0x7F.0x0.0x0.0x1/x', LOCAL],
  ['http://0177.0.0.01/x', LOCAL],
  ['http://127.000.000.001/x', LOCAL],
  ['http://127.1/x', LOCAL],
  ['http://\uff11\uff12\uff17.0.0.1/x', LOCAL],
  ['http://%31%32%37.0.0.1/x', LOCAL],
  ['http://0127.0.0.1/x', HOST],
  ['http://127.0.0.2/x', HOST],
  ['http://127.0.0.1:8080/x', HOST],
  ['https://127.0.0.1:80/x', HOST],
  ['http://0/x', HOST],
  ['http://0.0.0.0/x', HOST],
  ['http://localhost/x', HOST],
  ['http://[::1]/x', HOST],
  ['http://[::]/x', HOST],
  ['http://[::127.0.0.1]/x', HOST],
  ['http://[::ffff:127.0.0.1]/x', HOST],
  ['http://[::ffff:7f00:1]/x', HOST],
  ['http://[0:0:0:0:0:ffff:127.0.0.1]/x', HOST],
  ['http://[::1%25lo]/x', INVALID],
  ['http://127.0.0.1.evil.example/x', HOST],
  ['http://4294967296/x', INVALID],
]
for (const [link, expected] of addresses)
  test(`a credential for 127.0.0.1, and a link to ${JSON.stringify(link)}`, async (t) => {
    assert.equal((await outcome(t, link, THIS)).outcome, expected)
  })

test('a credential for every spelling of an IPv6 address', async (t) => {
  const setting = { hosts: ['[::1]'], base: 'http://[::1]/' }
  for (const link of [
    'http://[::1]/x',
    'http://[0:0::0:1]/x',
    'http://[0000:0000:0000::0001]:80/x',
    'http://[::0.0.0.1]/x',
  ])
    assert.equal((await outcome(t, link, setting)).outcome, 'http://[::1] /x', link)
  assert.equal((await outcome(t, 'http://[::ffff:0.0.0.1]/x', setting)).outcome, HOST)
})

test('a credential for a host in another script', async (t) => {
  const setting = { hosts: ['bücher.example'], base: 'https://bücher.example/' }
  for (const link of [
    'https://BÜCHER.example/x',
    'https://xn--bcher-kva.example/x',
    'https://bu\u0308cher.example/x',
  ])
    assert.equal((await outcome(t, link, setting)).outcome, 'https://xn--bcher-kva.example /x', link)
  for (const link of ['https://bucher.example/x', 'https://b\u1ee7cher.example/x'])
    assert.equal((await outcome(t, link, setting)).outcome, HOST, link)
})

test('a credential for one label below a domain', async (t) => {
  const setting = { hosts: ['*.eu.example.com', 'api.example.com'], base: 'https://api.example.com/' }
  for (const host of ['a.eu.example.com', 'A.EU.example.com.', 'xn--bcher-kva.eu.example.com'])
    assert.match((await outcome(t, `https://${host}/x`, setting)).outcome, /^https:\S+ \/x$/, host)
  for (const host of [
    'eu.example.com',
    'a.b.eu.example.com',
    '.eu.example.com',
    'a.eu.example.com:8443',
    'aeu.example.com',
    'a.eu.example.com.evil.example',
  ])
    assert.equal((await outcome(t, `https://${host}/x`, setting)).outcome, HOST, host)
})

const places: [url: string, link: string, outcome: string][] = [
  ['https://${body.link}/x', 'api.sap.com', HOME],
  ['https://${body.link}/x', 'evil.example', HOST],
  ['https://${body.link}/x', 'evil.example/', INVALID],
  ['https://${body.link}/x', 'evil.example#', INVALID],
  ['https://${body.link}/x', 'api.sap.com@evil.example', INVALID],
  ['https://${body.link}/x', 'evil.example\\', INVALID],
  ['https://${body.link}.sap.com/x', 'api', HOME],
  ['https://${body.link}.sap.com/x', 'evil.example/?', INVALID],
  ['https://${body.link}.sap.com/x', 'evil', HOST],
  ['https://api.sap.com${body.link}', '.evil.example', HOST],
  ['https://api.sap.com${body.link}', '@evil.example', INVALID],
  ['https://api.sap.com${body.link}', ':8443', INVALID],
  ['https://api.sap.com:${body.link}/x', '8443', HOST],
  ['https://api.sap.com:${body.link}/x', '443@evil.example', INVALID],
  ['https://api.sap.com/${body.link}', '//evil.example', 'https://api.sap.com /%2F%2Fevil.example'],
  ['https://api.sap.com/${body.link}', '@evil.example', 'https://api.sap.com /%40evil.example'],
  ['https://api.sap.com/?${body.link}', '#@evil.example', 'https://api.sap.com /?%23%40evil.example'],
  ['${body.link}/x', 'https://evil.example', HOST],
]
for (const [url, link, expected] of places)
  test(`a value in ${url}: ${JSON.stringify(link)}`, async (t) => {
    assert.equal((await outcome(t, link, { ...API, url })).outcome, expected)
  })

const refusals: [hosts: string[], link: string, message: string, hint: string][] = [
  [
    ['api.sap.com'],
    'https://API.sap.com:8443/x?SECRET',
    'the credential "shop_api" may not go to "api.sap.com:8443"; it may go to "api.sap.com"',
    'If "api.sap.com:8443" belongs to the receiver, name it in security-material/shop_api.yaml: `allowedHosts: [api.sap.com, api.sap.com:8443]`.',
  ],
  [
    ['api.sap.com', '*.eu.sap.com:8443'],
    'https://\u0430pi.sap.com/',
    'the credential "shop_api" may not go to "xn--pi-6kc.sap.com"; it may go to "api.sap.com", "*.eu.sap.com:8443"',
    'If "xn--pi-6kc.sap.com" belongs to the receiver, name it in security-material/shop_api.yaml: `allowedHosts: [api.sap.com, \'*.eu.sap.com:8443\', xn--pi-6kc.sap.com]`.',
  ],
  [
    ['api.sap.com'],
    'http://api.sap.com/x',
    'the credential "shop_api" may not go to "http://api.sap.com"; it may go to "api.sap.com"',
    'Credentials go by https only: begin the URL with "https://" (http is for hosts of this machine).',
  ],
  [
    ['api.sap.com'],
    'http://[::1]:8080/x',
    'the credential "shop_api" may not go to "[::1]:8080"; it may go to "api.sap.com"',
    'If "[::1]:8080" belongs to the receiver, name it in security-material/shop_api.yaml: `allowedHosts: [api.sap.com, \'[::1]:8080\']`.',
  ],
]
for (const [hosts, url, message, hint] of refusals)
  test(`what people read of a refused host: ${url}`, async (t) => {
    const rules = createHostRules(hosts.map(readHostRule) as never)
    const send = createSend(testWorld(t), { userAgent: 'x' })
    const request = { url, method: 'GET', headers: [], body: null, followRedirects: 0, maxResponse: 1 }
    const credential = testCredential('https://api.sap.com', [new TestGrant('T')], {
      allows: (target) => rules.allows(target),
      hosts: rules.names,
    })
    const failure = await failureOf(send(request, credential, new TestRun()))
    assert.deepEqual([failure.code, failure.message, failure.hint], ['credential.host', message, hint])
  })
