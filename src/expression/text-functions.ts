import { createHash } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import { isBigInteger, parseJson } from '../core/json.ts'
import { findNoXml } from '../core/xml-characters.ts'
import type { FunctionKind } from './function-kind.ts'
import type { Site } from './site.ts'
import { codePoints, isMap } from './values.ts'

export const TEXT_FUNCTIONS: readonly FunctionKind[] = [
  {
    name: 'string',
    signature: 'string(x)',
    summary: 'A value as text: null as nothing, lists and maps as JSON, dates as RFC 3339.',
    example: { expression: 'string(12.5)', result: '12.5' },
    least: 1,
    most: 1,
    bind: (site) => (value) => site.bounded(site.textOf(value, 0)),
  },
  {
    name: 'lower',
    signature: 'lower(s)',
    summary: 'A text in lower case.',
    example: { expression: 'lower("Ghent")', result: 'ghent' },
    least: 1,
    most: 1,
    bind: (site) => (value) => site.bounded(site.text(value, 0).toLowerCase()),
  },
  {
    name: 'upper',
    signature: 'upper(s)',
    summary: 'A text in upper case.',
    example: { expression: 'upper("Ghent")', result: 'GHENT' },
    least: 1,
    most: 1,
    bind: (site) => (value) => site.bounded(site.text(value, 0).toUpperCase()),
  },
  {
    name: 'trim',
    signature: 'trim(s)',
    summary: 'A text without the white space at its ends.',
    example: { expression: 'trim("  a b ")', result: 'a b' },
    least: 1,
    most: 1,
    bind: (site) => (value) => site.text(value, 0).trim(),
  },
  {
    name: 'split',
    signature: 'split(s, sep)',
    summary: 'The pieces of a text between separators; with an empty separator its characters.',
    example: { expression: 'split("a;b", ";")', result: '["a","b"]' },
    least: 2,
    most: 2,
    bind: (site) => (value, separator) => {
      const text = site.text(value, 0)
      const by = site.text(separator, 1)
      return by === '' ? Array.from(text) : text.split(by)
    },
  },
  {
    name: 'join',
    signature: 'join(list, sep)',
    summary: 'The elements of a list as one text, with a separator between them.',
    example: { expression: 'join([1, 2], "-")', result: '1-2' },
    least: 2,
    most: 2,
    bind: (site) => (list, separator) => join(site, site.list(list, 0), site.text(separator, 1)),
  },
  {
    name: 'replace',
    signature: 'replace(s, from, to)',
    summary: 'A text in which every occurrence of another one is replaced, literally.',
    example: { expression: 'replace("a.b.c", ".", "/")', result: 'a/b/c' },
    least: 3,
    most: 3,
    bind: (site) => (value, from, to) =>
      replace(site, site.text(value, 0), site.text(from, 1), site.text(to, 2)),
  },
  {
    name: 'size',
    signature: 'size(x)',
    summary: 'Number of characters of a text, elements of a list, entries of a map or bytes.',
    example: { expression: 'size("Ghent")', result: '5' },
    least: 1,
    most: 1,
    bind: (site) => (value) => {
      if (typeof value === 'string') return codePoints(value)
      if (Array.isArray(value) || value instanceof Uint8Array) return value.length
      if (isMap(value)) return Object.keys(value).length
      return site.unfit('text, list, map or bytes', value, 0)
    },
  },
  {
    name: 'toJson',
    signature: 'toJson(x)',
    summary: 'The JSON text of a value.',
    example: { expression: 'toJson(["a", 1])', result: '["a",1]' },
    least: 1,
    most: 1,
    bind: (site) => (value) => {
      const plain = site.storable(value, 0)
      const text =
        typeof plain === 'object' && plain !== null && !isBigInteger(plain)
          ? site.textOf(plain, 0)
          : JSON.stringify(plain)
      return site.bounded(text)
    },
  },
  {
    name: 'fromJson',
    signature: 'fromJson(s)',
    summary: 'The value of a JSON text.',
    example: { expression: 'fromJson("[1]")[0]', result: '1' },
    least: 1,
    most: 1,
    bind: (site) => (value) => {
      try {
        return parseJson(site.text(value, 0))
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
        return site.fail(
          /nested deeper/.test(error.message)
            ? `the JSON text is ${error.message}`
            : '"fromJson" takes a JSON text, and this text is no JSON',
          undefined,
          0,
        )
      }
    },
  },
  {
    name: 'escapeXml',
    signature: 'escapeXml(x)',
    summary:
      'A value as text that can stand in XML, between tags and in the quotes of an attribute; null is nothing.',
    example: { expression: 'escapeXml("Smith & Sons")', result: 'Smith &amp; Sons' },
    least: 1,
    most: 1,
    bind: (site) => (value) => escapeXml(site, site.textOf(value, 0)),
  },
  {
    name: 'base64.encode',
    signature: 'base64.encode(x)',
    summary: 'Base64 of bytes, or of the UTF-8 bytes of a text.',
    example: { expression: 'base64.encode("Ghent")', result: 'R2hlbnQ=' },
    least: 1,
    most: 1,
    bind: (site) => (value) => {
      if (typeof value === 'string') return site.bounded(Buffer.from(value).toString('base64'))
      if (!(value instanceof Uint8Array)) return site.unfit('text or bytes', value, 0)
      return site.bounded(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'))
    },
  },
  {
    name: 'base64.decode',
    signature: 'base64.decode(s)',
    summary:
      'What a Base64 text holds: text where its bytes are UTF-8, else bytes. Takes the URL alphabet, too.',
    example: { expression: 'base64.decode("R2hlbnQ=")', result: 'Ghent' },
    least: 1,
    most: 1,
    bind: (site) => (value) => {
      const text = site.text(value, 0)
      try {
        const bytes = Uint8Array.fromBase64(text, { alphabet: /[-_]/.test(text) ? 'base64url' : 'base64' })
        return isUtf8(bytes) ? Buffer.from(bytes.buffer).toString('utf8') : Buffer.from(bytes.buffer)
      } catch {
        return site.fail('"base64.decode" takes a Base64 text, and this text is none', undefined, 0)
      }
    },
  },
  {
    name: 'hash.sha256',
    signature: 'hash.sha256(s)',
    summary: 'SHA-256 of the UTF-8 bytes of a text, in lower-case hexadecimal digits.',
    example: {
      expression: 'hash.sha256("a")',
      result: 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',
    },
    least: 1,
    most: 1,
    bind: (site) => (value) => createHash('sha256').update(site.text(value, 0)).digest('hex'),
  },
]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}

function escapeXml(site: Site, text: string): string {
  const found = findNoXml(text)
  if (found !== undefined)
    return site.fail(`XML cannot have the character ${found}`, 'replace(s, from, to) takes it out.', 0)
  const { bodyLimit } = site.setting
  let { length } = text
  const escaped = text.replaceAll(/[&<>"'\t\n\r]/g, (one) => {
    const entity = ENTITIES[one]!
    length += entity.length - 1
    if (length > bodyLimit) site.tooLong()
    return entity
  })
  return site.bounded(escaped)
}

function join(site: Site, list: readonly unknown[], separator: string): string {
  const { bodyLimit } = site.setting
  let text = ''
  for (let i = 0; i < list.length; i++) {
    if (i > 0) text += separator
    text += site.textOf(list[i], 0)
    if (text.length > bodyLimit) site.tooLong()
  }
  return site.bounded(text)
}

function replace(site: Site, text: string, from: string, to: string): string {
  if (from === '') return site.fail('"replace" takes a text that is not empty as "from"', undefined, 1)
  const growth = to.length - from.length
  if (growth > 0) {
    let length = text.length
    for (let at = text.indexOf(from); at >= 0; at = text.indexOf(from, at + from.length)) length += growth
    if (length > site.setting.bodyLimit) site.tooLong()
  }
  return site.bounded(text.replaceAll(from, () => to))
}
