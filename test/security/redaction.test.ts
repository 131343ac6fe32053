import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from '../../src/security/redaction.ts'

const CANARY = 'c4n+ry/=%&? "q\\u~ö:\u2028-end'

const encodings: [name: string, encode: (text: string) => string][] = [
  ['as it is', (text) => text],
  ['in JSON', (text) => JSON.stringify(text)],
  ['in JSON in JSON', (text) => JSON.stringify(JSON.stringify({ token: text }))],
  ['percent-encoded', (text) => encodeURIComponent(text)],
  [
    'percent-encoded in lower case',
    (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  ],
  ['in a form', (text) => new URLSearchParams({ client_secret: text }).toString()],
  ['in base64', (text) => Buffer.from(text).toString('base64')],
  ['in base64url', (text) => Buffer.from(text).toString('base64url')],
  ['in a Basic header', (text) => Buffer.from(`client:${text}`).toString('base64')],
  [
    'in a form-encoded Basic header',
    (text) => Buffer.from(`id:${new URLSearchParams({ x: text }).toString().slice(2)}`).toString('base64'),
  ],
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
    assert.ok(rest.length <= 'before  after'.length + 26, rest)
  })
}

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
