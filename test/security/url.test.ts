import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readUrl } from '../../src/security/url.ts'

/** A text, what is said of it, and the part that is meant. */
const texts: readonly [text: string, message: string, part: string][] = [
  ['(https://api.example.com/token?grant_type=x', 'begins with "(" before https://', '('],
  ['URL:http://api.example.com', 'begins with "URL:" before http://', 'URL:'],
  [
    'api.example.com/go?to=https://b.example.com',
    'is no absolute URL',
    'api.example.com/go?to=https://b.example.com',
  ],
  ['<https://api.example.com>', 'is no URL: "<" at its character 1 cannot stand in one', '<'],
]

for (const [text, message, part] of texts)
  test(`no address: ${text}`, () => {
    const mistake = readUrl(text)
    assert.ok(!(mistake instanceof URL))
    assert.equal(mistake.message, message)
    assert.equal(text.slice(mistake.offset, mistake.offset + mistake.length), part)
    assert.ok(mistake.hint)
  })
