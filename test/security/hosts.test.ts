import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHostRules, hostRuleOf, readHostRule } from '../../src/security/hosts.ts'
import { readUrl } from '../../src/security/url.ts'

function rulesOf(...texts: string[]) {
  return createHostRules(
    texts.map((text) => {
      const rule = readHostRule(text)
      assert.ok(typeof rule !== 'string', text)
      return rule
    }),
  )
}

const table: [rule: string, url: string, allowed: boolean][] = [
  ['api.sap.com', 'https://api.sap.com/', true],
  ['api.sap.com', 'https://api.sap.com/any/path?and=query', true],
  ['api.sap.com', 'https://api.sap.com:443/', true],
  ['api.sap.com', 'https://API.SAP.COM/', true],
  ['api.sap.com', 'https://api.sap.com./', true],
  ['api.sap.com', 'https://api.sap.com../', false],
  ['api.sap.com', 'http://api.sap.com/', false],
  ['api.sap.com', 'http://api.sap.com:443/', false],
  ['api.sap.com', 'https://api.sap.com:8443/', false],
  ['api.sap.com', 'https://api.sap.com:80/', false],
  ['api.sap.com', 'https://evil.example/', false],
  ['api.sap.com', 'https://api.sap.com.evil.example/', false],
  ['api.sap.com', 'https://evil-api.sap.com/', false],
  ['api.sap.com', 'https://sub.api.sap.com/', false],
  ['api.sap.com', 'https://api.sap.com@evil.example/', false],
  ['api.sap.com', 'https://user:pass@api.sap.com/', false],
  ['api.sap.com', 'https://user@api.sap.com/', false],
  ['api.sap.com', 'https://evil.example#@api.sap.com/', false],
  ['api.sap.com', 'https://evil.example/?api.sap.com', false],
  ['api.sap.com', 'https://evil.example\\@api.sap.com/', false],
  ['api.sap.com', 'https://ａｐｉ.sap.com/', true],
  ['api.sap.com', 'https://api%2esap.com/', true],
  ['api.sap.com', 'https://аpi.sap.com/', false],
  ['api.sap.com', 'https://api\u3002sap.com/', true],
  ['api.sap.com', 'ftp://api.sap.com/', false],
  ['api.sap.com', 'file://api.sap.com/', false],
  ['api.sap.com', 'wss://api.sap.com/', false],
  ['API.SAP.com.', 'https://api.sap.com/', true],
  ['api.sap.com:8443', 'https://api.sap.com:8443/', true],
  ['api.sap.com:8443', 'https://api.sap.com/', false],
  ['api.sap.com:443', 'https://api.sap.com/', true],
  ['api.sap.com:0443', 'https://api.sap.com/', true],
  ['*.sap.com', 'https://api.sap.com/', true],
  ['*.sap.com', 'https://sap.com/', false],
  ['*.sap.com', 'https://a.b.sap.com/', false],
  ['*.sap.com', 'https://.sap.com/', false],
  ['*.sap.com', 'https://evilsap.com/', false],
  ['*.sap.com', 'https://api.sap.com:8443/', false],
  ['*.sap.com:8443', 'https://api.sap.com:8443/', true],
  ['*.sap.com:443', 'https://api.sap.com/', true],
  ['bücher.example', 'https://xn--bcher-kva.example/', true],
  ['xn--bcher-kva.example', 'https://BÜCHER.example/', true],
  ['localhost', 'http://localhost/', true],
  ['localhost:8080', 'http://localhost:8080/', true],
  ['localhost', 'http://localhost:8080/', false],
  ['127.0.0.1', 'http://127.0.0.1/', true],
  ['127.0.0.1', 'http://2130706433/', true],
  ['127.0.0.1', 'http://0x7f.1/', true],
  ['127.0.0.1', 'http://127.0.0.1./', true],
  ['127.0.0.1', 'http://0.0.0.0/', false],
  ['[::1]:9000', 'http://[::1]:9000/', true],
  ['[::1]', 'http://[0:0:0:0:0:0:0:1]/', true],
  ['[::1]', 'http://[::ffff:127.0.0.1]/', false],
  ['10.0.0.1', 'http://10.0.0.1/', false],
  ['10.0.0.1', 'https://10.0.0.1/', true],
  ['10.0.0.1', 'https://167772161/', true],
]
for (const [rule, text, allowed] of table) {
  test(`${rule} ${allowed ? 'allows' : 'refuses'} ${text}`, () => {
    const url = URL.parse(text)
    assert.equal(url !== null && rulesOf(rule).allows(url), allowed)
  })
}

const bad: [text: string, message: RegExp][] = [
  ['*', /any host/],
  ['*.com', /too wide/],
  ['*.0.0.1', /too wide/],
  ['api.*.com', /whole first label/],
  ['**.sap.com', /whole first label/],
  ['https://api.sap.com/x', /is a URL; write the host alone: api\.sap\.com/],
  ['api.sap.com/path', /no host/],
  ['user@api.sap.com', /no host/],
  ['api.sap.com:', /no host/],
  ['api.sap.com:99999', /no host/],
  ['api.sap.com:0', /no host/],
  ['api sap', /no host/],
  ['', /no host/],
  ['a%2eb', /no host/],
  ['::1', /no host/],
]
for (const [text, message] of bad) {
  test(`"${text}" is no host rule`, () => {
    const mistake = readHostRule(text)
    assert.ok(typeof mistake === 'string')
    assert.match(mistake, message)
  })
}

test('without allowedHosts the host and port of baseUrl count', () => {
  const rules = createHostRules([hostRuleOf(new URL('https://api.example.com:8443/v1/'))])
  assert.deepEqual(rules.names, ['api.example.com:8443'])
  assert.equal(rules.allows(new URL('https://api.example.com:8443/v2')), true)
  assert.equal(rules.allows(new URL('https://api.example.com/v1/')), false)
})

const urls: [text: string, message: RegExp, offset: number, length: number][] = [
  ['https://acme example.com/token', /a space at its character 13/, 12, 1],
  ['https://acme.example.com/{tenant}/token', /"\{" at its character 26/, 25, 1],
  ['https://acme.example.com/“x”', /"“" \(U\+201C\) at its character 26/, 25, 1],
  ['https://acme.example.com/\u200btoken', /a character U\+200B/, 25, 1],
  ['acme.example.com/token', /is no absolute URL/, 0, 22],
  ['/token', /is no absolute URL/, 0, 6],
  ['https://', /is no URL/, 0, 8],
  ['https://a:99999/', /is no URL/, 0, 16],
  ['http://acme.example.com/token', /http to another machine/, 0, 5],
  ['ftp://acme.example.com/token', /uses "ftp"/, 0, 4],
  ['https://user:pw@acme.example.com/', /user name or password/, 8, 8],
  ['https://user:p@w@acme.example.com/a@b?c@d', /user name or password/, 8, 9],
  ['https://acme.example.com/token#part', /holds a "#"/, 30, 5],
]
for (const [text, message, offset, length] of urls) {
  test(`an address that is not taken: ${text}`, () => {
    const mistake = readUrl(text)
    assert.ok(!(mistake instanceof URL))
    assert.match(mistake.message, message)
    assert.deepEqual([mistake.offset, mistake.length], [offset, length])
  })
}

for (const text of [
  'https://acme.example.com/token?x=1',
  'http://localhost:1/',
  'http://127.9.9.9/',
  'http://[::1]/t',
  'HTTPS://Bücher.example/ä',
]) {
  test(`an address that is taken: ${text}`, () => {
    assert.ok(readUrl(text) instanceof URL)
  })
}
