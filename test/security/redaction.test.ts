import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { createRedactor } from '../../src/security/redaction.ts'

const CANARY = 'c4n+ry/=%&? "q\\u~ö:\u2028-<end>\u{1f426}'

/** JSON as serializers write it that keep to ASCII. @param hex how the digits of `\u00f6` are written */
function asciiJson(text: string, hex: (code: string) => string, also = /[^ -~]/g): string {
  return JSON.stringify(text).replace(
    also,
    (unit) => `\\u${hex(unit.charCodeAt(0).toString(16).padStart(4, '0'))}`,
  )
}
const lower = (text: string) => text.toLowerCase()
const upper = (text: string) => text.toUpperCase()
const inForm = (text: string) => new URLSearchParams({ x: text }).toString().slice(2)
const inHtml = (text: string) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? '&#39;')

const encodings: [name: string, encode: (text: string) => string][] = [
  ['as it is', (text) => text],
  ['in JSON', (text) => JSON.stringify(text)],
  ['in JSON in JSON', (text) => JSON.stringify(JSON.stringify({ token: text }))],
  ['in JSON in JSON in JSON', (text) => JSON.stringify(JSON.stringify(JSON.stringify({ token: text })))],
  ['in JSON with escaped slashes', (text) => JSON.stringify(text).replaceAll('/', '\\/')],
  ['in JSON of Python', (text) => asciiJson(text, lower)],
  ['in JSON of PHP', (text) => asciiJson(text, lower).replaceAll('/', '\\/')],
  ['in JSON of Gson', (text) => asciiJson(text, lower, /[<>&='\u2028\u2029]/g)],
  ['in JSON of .NET', (text) => asciiJson(text, upper, /[^ -~]|[&'+<>`]/g)],
  ['as Node prints it', (text) => inspect({ text }, { breakLength: Infinity })],
  ['percent-encoded', (text) => encodeURIComponent(text)],
  [
    'percent-encoded in lower case',
    (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  ],
  ['percent-encoded twice', (text) => encodeURIComponent(encodeURIComponent(text))],
  [
    'percent-encoded byte by byte',
    (text) => Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  ],
  ['in a form', (text) => new URLSearchParams({ client_secret: text }).toString()],
  ['in a form in JSON', (text) => JSON.stringify({ body: `client_secret=${inForm(text)}` })],
  ['in JSON in a form', (text) => inForm(JSON.stringify({ scope: text }))],
  ['in HTML', inHtml],
  ['in JSON in HTML', (text) => inHtml(JSON.stringify(text))],
  [
    'in HTML with numbers',
    (text) =>
      Array.from(text, (c, i) =>
        i % 2 ? `&#${c.codePointAt(0)};` : `&#x${c.codePointAt(0)!.toString(16)};`,
      ).join(''),
  ],
  ['in base64', (text) => Buffer.from(text).toString('base64')],
  ['in base64url', (text) => Buffer.from(text).toString('base64url')],
  ['in base64 in JSON of PHP', (text) => Buffer.from(text).toString('base64').replaceAll('/', '\\/')],
  ['in base64 in a form', (text) => inForm(Buffer.from(text).toString('base64'))],
  ['in base64 of JSON', (text) => Buffer.from(JSON.stringify({ token: text })).toString('base64')],
  ['in base64url of a form', (text) => Buffer.from(`a=${inForm(text)}`).toString('base64url')],
  ['in a Basic header', (text) => Buffer.from(`client:${text}`).toString('base64')],
  ['in a form-encoded Basic header', (text) => Buffer.from(`id:${inForm(text)}`).toString('base64')],
  ['in base64 at the second alignment', (text) => Buffer.from(`a${text}zz`).toString('base64')],
  ['in base64 at the third alignment', (text) => Buffer.from(`ab${text}z`).toString('base64')],
  ['as UTF-8 read as Latin-1', (text) => Buffer.from(text).toString('latin1')],
]
for (const [name, encode] of encodings) {
  test(`a secret is found ${name}`, () => {
    const redactor = createRedactor()
    redactor.add(CANARY)
    const found = redactor.text(`before ${encode(CANARY)} after`)
    assert.match(found, /^before .*\[secret\].* after$/)
    const rest = found.replaceAll('[secret]', '')
    assert.ok(rest.length <= 'before  after'.length + 32, rest)
    const bytes = redactor.bytes(Buffer.from(`before ${encode(CANARY)} after`)).toString()
    if (!name.includes('Latin-1')) assert.equal(bytes, found)
  })
}

test('no character of a secret is left where it is the whole of a base64 text, or its end', () => {
  for (const secret of ['secret-of-13c', 'secret-of-14ch', 'secret-of-15chr']) {
    const redactor = createRedactor()
    redactor.add(secret)
    for (const encoding of ['base64', 'base64url'] as const) {
      const whole = redactor.text(`before ${Buffer.from(secret).toString(encoding)} after`)
      assert.equal(whole, 'before [secret] after', `${secret} in ${encoding}`)
      const ended = redactor.text(`${Buffer.from(`id:${secret}`).toString(encoding)} after`)
      assert.match(ended, /^[\w]{4}\[secret\] after$/, `${secret} at the end of ${encoding}`)
    }
  }
})

test('what looks like an escape in a secret is found as it is, and escaped', () => {
  for (const secret of ['pass%41word"1', 'pass&amp;word"2', 'pass\\nword"3', 'pass%255Cn4"x'])
    for (const [name, encode] of encodings) {
      const redactor = createRedactor()
      redactor.add(secret)
      assert.match(redactor.text(`before ${encode(secret)} after`), /\[secret\]/, `${secret} ${name}`)
    }
})

test('what stands around a secret stays as it was, escapes too', () => {
  const redactor = createRedactor()
  redactor.add('one+two/three')
  assert.equal(
    redactor.text(String.raw`{"a":"\"\u00e4","b":"one\u002btwo\/three","c":"%41&amp;"}`),
    String.raw`{"a":"\"\u00e4","b":"[secret]","c":"%41&amp;"}`,
  )
  assert.equal(redactor.text('%2541 one%252Btwo%252Fthree %'), '%2541 [secret] %')
  assert.equal(redactor.text('\\\\ one+two/three \\'), '\\\\ [secret] \\')
})

test('the beginning of a text shows no part of a secret that is cut, and is as long as asked for', () => {
  const redactor = createRedactor()
  redactor.add('abcdefgh-secret')
  redactor.add('two\nlines-secret')
  const text = 'x abcdefgh-secret y abcdefgh-secret z'
  assert.equal(redactor.beginning(text, 1), 'x')
  assert.equal(redactor.beginning(text, 2), 'x ')
  for (let length = 3; length <= 17; length++) assert.equal(redactor.beginning(text, length), 'x [secret]')
  assert.equal(redactor.beginning(text, 19), 'x [secret] y')
  assert.equal(redactor.beginning(text, 1000), 'x [secret] y [secret] z')
  assert.equal(redactor.beginning('nothing in it', 7), 'nothing')
  assert.equal(redactor.beginning(JSON.stringify('two\nlines-secret'), 5), '"[secret]')
})

test('a part of a secret is left alone, so that nobody can guess it character by character', () => {
  const redactor = createRedactor()
  redactor.add('abcdefghijkl-secret')
  for (const part of ['abcdefghijkl-secre', 'bcdefghijkl-secret', 'abcdefgh'])
    assert.equal(redactor.text(part), part)
})

test('bytes are redacted as texts are', () => {
  const redactor = createRedactor()
  redactor.add(CANARY)
  const bytes = Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from(CANARY), Buffer.from([0xfe])])
  assert.deepEqual(
    redactor.bytes(bytes),
    Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from('[secret]'), Buffer.from([0xfe])]),
  )
})

test('what holds no secret comes back as the same object', () => {
  const redactor = createRedactor()
  redactor.add('abcdefgh-secret')
  const text = 'nothing to see here, abcdefgh alone is none'
  const bytes = Buffer.from(text)
  assert.equal(redactor.text(text), text)
  assert.equal(redactor.bytes(bytes), bytes)
})

test('texts shorter than 8 characters are not taken for secrets', () => {
  const redactor = createRedactor()
  redactor.add('1234567')()
  assert.equal(redactor.text('1234567'), '1234567')
})

test('a secret added twice stays until both have ended it', () => {
  const redactor = createRedactor()
  const first = redactor.add('twice-added')
  const second = redactor.add('twice-added')
  first()
  first()
  assert.equal(redactor.text('twice-added'), '[secret]')
  second()
  assert.equal(redactor.text('twice-added'), 'twice-added')
})

test('secrets may be added and ended between texts', () => {
  const redactor = createRedactor()
  const end = redactor.add('first-secret')
  assert.equal(redactor.text('first-secret second-secret'), '[secret] second-secret')
  redactor.add('second-secret')
  end()
  assert.equal(redactor.text('first-secret second-secret'), 'first-secret [secret]')
})

test('overlapping secrets become one mark, neighbours two', () => {
  const redactor = createRedactor()
  for (const secret of ['abcdefgh', 'efghijkl', 'xxxxxxxx']) redactor.add(secret)
  assert.equal(redactor.text('-abcdefghijkl-'), '-[secret]-')
  assert.equal(redactor.text('abcdefghxxxxxxxx'), '[secret][secret]')
  assert.equal(redactor.text('xxxxxxxxxxx'), '[secret]')
})

test('tokens that begin alike are told apart', () => {
  const redactor = createRedactor()
  const head = 'eyJhbGciOiJSUzI1NiJ9.'
  for (let i = 0; i < 200; i++) redactor.add(`${head}token-number-${i}-signed`)
  assert.equal(redactor.text(`x ${head}token-number-77-signed y`), 'x [secret] y')
  assert.equal(redactor.text(`x ${head}token-number-200-signed y`), `x ${head}token-number-200-signed y`)
})

/** All places of all secrets, overlapping ones together: slow and plain. */
function naive(text: string, secrets: readonly string[]): string {
  const ranges: [number, number][] = []
  for (const secret of secrets)
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1))
      ranges.push([at, at + secret.length])
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const merged: [number, number][] = []
  for (const range of ranges) {
    const last = merged.at(-1)
    if (last && range[0] < last[1]) last[1] = Math.max(last[1], range[1])
    else merged.push([...range])
  }
  let result = ''
  let at = 0
  for (const [start, end] of merged) {
    result += `${text.slice(at, start)}[secret]`
    at = end
  }
  return result + text.slice(at)
}

test('it finds exactly what a plain search finds (500 random cases)', () => {
  let seed = 42
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below
  const word = (length: number) => Array.from({ length }, () => 'ab'[random(2)]).join('')
  for (let round = 0; round < 500; round++) {
    const secrets = Array.from({ length: 1 + random(6) }, () => word(8 + random(6)))
    const redactor = createRedactor()
    for (const secret of secrets) redactor.add(secret)
    const text = Array.from({ length: random(12) }, () =>
      random(3) === 0 ? secrets[random(secrets.length)]! : word(random(20)),
    ).join(random(2) === 0 ? '' : '-')
    assert.equal(redactor.text(text), naive(text, secrets), JSON.stringify({ secrets, text }))
  }
})
