/** A piece of a route's path: text as it stands, the name of a parameter, or the rest of the path. */
export type RouteSegment =
  | { readonly text: string }
  | { readonly parameter: string }
  | { readonly rest: true }

/** What is wrong with a path, and where in it (UTF-16 offset and length). */
export interface PathMistake {
  readonly message: string
  readonly offset: number
  readonly length: number
}

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/
const NOT_IN_PATHS = /[?#{}*\s\\]|%(?![0-9A-Fa-f]{2})/

/** Reads `/orders/{id}/items/*`: a slash first, whole segments in braces with names of their own, `*` only at the end. */
export function parsePath(path: string): readonly RouteSegment[] | PathMistake {
  if (!path.startsWith('/'))
    return { message: `the path "${path}" does not begin with a slash`, offset: 0, length: path.length }
  const texts = path.slice(1).split('/')
  const names = new Set<string>()
  const segments: RouteSegment[] = []
  let offset = 1
  for (const [index, text] of texts.entries()) {
    const last = index === texts.length - 1
    const mistake = (message: string): PathMistake => ({ message, offset, length: text.length })
    const name = PARAMETER.exec(text)?.[1]
    if (text === '*') {
      if (!last) return mistake('"*" stands only at the end of a path')
      segments.push({ rest: true })
    } else if (name !== undefined) {
      if (names.has(name)) return mistake(`the path has the parameter "${name}" twice`)
      names.add(name)
      segments.push({ parameter: name })
    } else if (text === '' && !last) {
      return { message: 'the path has two slashes side by side', offset: offset - 1, length: 2 }
    } else if (text.startsWith('{') && text.endsWith('}')) {
      return mistake(
        `"${text}" is not a parameter: its name has letters, digits and "_" only, a letter first`,
      )
    } else {
      const found = NOT_IN_PATHS.exec(text)?.[0]
      if (found !== undefined) return mistake(charactersMistake(text, found))
      const decoded = decode(text)
      if (decoded === undefined) return mistake(`"${text}" is not UTF-8 in percent-encoding`)
      segments.push({ text: decoded })
    }
    offset += text.length + 1
  }
  return segments
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function charactersMistake(text: string, found: string): string {
  if (found === '?') return 'a path has no query: what comes after "?" is in `trigger.query`'
  if (found === '{' || found === '}' || found === '*')
    return `"${found}" fills a whole segment of a path ("{id}" or "*"), found "${text}"`
  return `"${found}" cannot stand in a path`
}

/** The same for all paths that match the same requests with the same precedence. */
export function routeKey(path: string): string {
  const segments = parsePath(path)
  if (!Array.isArray(segments)) return path
  return (segments as readonly RouteSegment[])
    .map((segment) =>
      'text' in segment ? `/${encodeURIComponent(segment.text)}` : 'rest' in segment ? '/*' : '/{}',
    )
    .join('')
}
