import { jsonMistakeAt } from './json-mistake.ts'

/** What `scope` of a credential says: a text, or a map for a JSON request. */
export interface Scope {
  readonly scope: string | Readonly<Record<string, unknown>> | undefined
  /** The words asked for; none of a map. */
  readonly words: readonly string[]
}

export interface ScopeMistake {
  readonly message: string
  readonly hint: string
  /** Of the item of the list. */
  readonly item?: number
  /** UTF-16 units in the text; absent: all of it. */
  readonly offset?: number
  readonly length?: number
}

/** Text that begins with `{` is a map. Call it on what {@link findScopeMistake} finds nothing wrong with. */
export function readScope(written: unknown, separator: string): Scope {
  if (written === undefined || written === null || written === '') return { scope: undefined, words: [] }
  if (Array.isArray(written)) return { scope: written.join(separator), words: written.map(String) }
  if (typeof written === 'object') return { scope: written as Record<string, unknown>, words: [] }
  const text = String(written).trim()
  if (isJsonText(text)) return { scope: JSON.parse(text) as Record<string, unknown>, words: [] }
  return { scope: text, words: text.split(/[\s,]+/) }
}

const CURLY = /[\u201c-\u201f\u2018-\u201b\u00ab\u00bb]/

/** What is wrong with a scope, or undefined. */
export function findScopeMistake(written: unknown, contentType: string): ScopeMistake | undefined {
  if (written === undefined || written === null) return undefined
  if (Array.isArray(written)) {
    const odd = written.findIndex((item) => typeof item !== 'string' || item === '' || /\s/.test(item))
    return odd === -1
      ? undefined
      : {
          message: '"scope" is a list with something else than single words in it',
          hint: 'Write one word of the scope an item: [im.read, im.write].',
          item: odd,
        }
  }
  if (typeof written === 'object') return mapMistake(contentType)
  const text = String(written)
  if (isJsonText(text)) return jsonMistake(text) ?? mapMistake(contentType)
  return curlyMistake(text) ?? controlMistake(text)
}

function isJsonText(text: string): boolean {
  return text.trimStart().startsWith('{')
}

function mapMistake(contentType: string): ScopeMistake | undefined {
  if (contentType === 'application/json') return undefined
  return {
    message: `"scope" is a map, which needs a JSON request; "contentType" is ${contentType}`,
    hint: 'Write contentType: application/json, or give scope as a text: im.read im.write.',
  }
}

function jsonMistake(text: string): ScopeMistake | undefined {
  const offset = jsonMistakeAt(text)
  if (offset === undefined) return undefined
  return (
    curlyMistake(text) ?? {
      message: `"scope" begins with "{" but is no JSON from its character ${offset + 1} on`,
      hint: 'Names and texts stand in straight quotes, pairs are parted by commas; or write it as a YAML map.',
      offset: Math.min(offset, text.length - 1),
      length: 1,
    }
  )
}

function curlyMistake(text: string): ScopeMistake | undefined {
  const found = CURLY.exec(text)
  if (!found) return undefined
  const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  return {
    message: `"scope" holds the typographic quote ${found[0]} (U+${code}) at its character ${found.index + 1}`,
    hint: 'Use the straight quote ("); texts copied from web pages and documents often have the other one.',
    offset: found.index,
    length: 1,
  }
}

function controlMistake(text: string): ScopeMistake | undefined {
  const found = /[\u0000-\u0008\u000a-\u001f\u007f]/.exec(text.trim())
  if (!found) return undefined
  return {
    message: '"scope" goes over several lines or holds a control character',
    hint: 'Write its words on one line, parted by spaces, or as a list.',
  }
}
