/** Times that a text may have been percent-encoded, one over the other. */
const DEPTH = 4
/** UTF-16 units of a value that is looked for anywhere; shorter ones stand in a URL by chance. */
const TELLING = 8

/** The URL without the entries of its query that have one of these names. @param added `name=value&...`, encoded */
export function withoutNames(url: string, added: string): string {
  return without(url, added, ({ name }) => name)
}

/** The URL without the entries of its query that are one of these, name and value, however they are encoded. */
export function withoutEntries(url: string, added: string): string {
  return without(url, added, ({ name, value }) => `${name}\0${value}`)
}

/** Whether one of these entries stands in the URL in some other way: as a part of a path, or of another entry's value. */
export function holdsEntry(url: string, added: string): boolean {
  const text = decoded(url)
  return entriesOf(added).some(
    ({ name, value }) => value.length >= TELLING && text.includes(`${name}=${value}`),
  )
}

interface Entry {
  /** As written. */
  readonly text: string
  readonly name: string
  readonly value: string
}

/** The rest stays as it is written, byte for byte: it may be signed. */
function without(url: string, added: string, keyOf: (entry: Entry) => string): string {
  const mark = url.indexOf('?')
  if (mark < 0 || added === '') return url
  const gone = new Set(entriesOf(added).map(keyOf))
  const entries = entriesOf(url.slice(mark + 1))
  const kept = entries.filter((entry) => !gone.has(keyOf(entry)))
  if (kept.length === entries.length) return url
  const path = url.slice(0, mark)
  return kept.length === 0 ? path : `${path}?${kept.map(({ text }) => text).join('&')}`
}

function entriesOf(query: string): Entry[] {
  return query.split('&').map((text) => {
    const equals = text.indexOf('=')
    return equals < 0
      ? { text, name: decoded(text), value: '' }
      : { text, name: decoded(text.slice(0, equals)), value: decoded(text.slice(equals + 1)) }
  })
}

/** Two spellings of one text give the same; a "+" counts as a space. */
function decoded(text: string): string {
  let known = text
  for (let depth = 0; depth < DEPTH && known.includes('%'); depth++) {
    const next = known.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) =>
      Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'),
    )
    if (next === known) break
    known = next
  }
  return known.replaceAll('+', ' ')
}
