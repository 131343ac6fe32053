/** `<target>` and what follows it up to the next comma that is not inside a quoted text. */
const LINK = /<([^<>]*)>((?:\s*;\s*(?:[^\s=;,"]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)?)*)/g
const PARAMETER = /;\s*([^\s=;,"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/g

/**
 * The target of the first link with this relation; undefined when there is none. Links that say that they are those
 * of another document (`anchor`) do not count.
 * @param header one or several `Link` headers, joined by commas
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 */
export function linkTarget(header: string, relation: string): string | undefined {
  for (const [, target = '', parameters = ''] of header.matchAll(LINK)) {
    const found = new Map<string, string>()
    for (const [, name = '', quoted, bare] of parameters.matchAll(PARAMETER)) {
      const key = name.toLowerCase()
      if (!found.has(key)) found.set(key, quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '')
    }
    const relations = (found.get('rel') ?? '').toLowerCase().split(/\s+/)
    if (relations.includes(relation) && (found.get('anchor') ?? '') === '') return target.trim()
  }
  return undefined
}
