import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAddress, shownUrl } from '../../src/net/address.ts'
import { checkUrl } from '../../src/net/url-check.ts'
import { failureOf } from './fixture.ts'

const SHOWN: [url: string, shown: string][] = [
  ['https://api.example.com:8443/orders?key=s3cret#s3cret', 'https://api.example.com:8443/orders'],
  ['https://me:s3cret@api.example.com/orders', 'https://****@api.example.com/orders'],
  ['https://me@api.example.com/', 'https://****@api.example.com/'],
  ['https://me:s3@cret@api example.com/', 'https://****@api example.com/'],
  ['https://me:s3/cret@api.example.com/', 'https://****@api.example.com/'],
  ['https://me:s3?cret@api.example.com/', 'https://****@api.example.com/'],
  ['https://me:s3#cret@api.example.com/', 'https://****@api.example.com/'],
  ['https:\\\\me:s3cret@api example.com/', 'https:\\\\****@api example.com/'],
  ['//me:s3cret@api.example.com/', '//****@api.example.com/'],
  ['me:s3cret@api.example.com/orders', 'me:****@api.example.com/orders'],
  ['https://api.example.com/users/me@example.com', 'https://api.example.com/users/me@example.com'],
  ['https://api.example.com?mail=me@example.com', 'https://api.example.com'],
  ['/users/@me', '/users/@me'],
  ['users/me@example.com', 'users/me@example.com'],
  ['?mail=me@example.com', ''],
  [`https://api.example.com/${'x'.repeat(100)}`, `https://api.example.com/${'x'.repeat(76)}…`],
]
for (const [url, shown] of SHOWN)
  test(`of a URL people see no query, user and password: ${url.slice(0, 60)}`, () => {
    assert.equal(shownUrl(url), shown)
  })

test('a URL with a password that cannot be read is shown without it, before and while messages come', async () => {
  const url = 'https://me:s3:cret@api.example.com:port/orders?key=s3cret'
  const failure = await failureOf(() => readAddress(url))
  assert.equal(failure.message, '"https://****@api.example.com:port/orders" is no URL')
  const mistake = checkUrl([{ text: url }], { credential: undefined })
  assert.equal(mistake!.message, '"https://****@api.example.com:port/orders" is no URL')
})

test('a mistake shows a URL as it is written, up to its query and without a user that a message gives', () => {
  const parts = [
    { text: 'https://' },
    { expression: 'body.user' },
    { text: ':' },
    { expression: 'body["pass/word"]' },
    { text: '@api example.com/' },
    { expression: 'body.id ? "@" : "#"' },
    { text: '/lines?key=' },
    { expression: 'body.key' },
  ]
  assert.equal(
    checkUrl(parts, { credential: undefined })!.message,
    '"https://****@api example.com/${body.id ? "@" : "#"}/lines" is no URL',
  )
})
