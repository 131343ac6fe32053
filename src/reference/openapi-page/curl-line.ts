import type { PagedOperation } from './document.ts'

/** How a caller shows who it is, the most usual way first. */
const SHOWN: readonly (readonly [scheme: string, words: string])[] = [
  ['oauth2', '-H "authorization: Bearer $TOKEN"'],
  ['basic', "-u 'CLIENT'"],
  ['apiKey', '-H "x-api-key: $API_KEY"'],
  ['certificate', '--cert client.pem --key client.key'],
]

/** A command to copy that calls an operation. */
export function curlLine(method: string, server: string, path: string, operation: PagedOperation): string {
  const words = ['curl -s']
  const verb = method.toUpperCase()
  if (verb === 'HEAD') words.push('-I')
  else if (verb !== 'GET') words.push(`-X ${verb}`)
  const { security = [], requestBody } = operation
  const [, shown] = SHOWN.find(([name]) => security.some((scheme) => name in scheme)) ?? []
  if (shown !== undefined) words.push(shown)
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? []
  if (type !== undefined && requestBody) {
    const sent = type.includes('*') ? 'application/json' : type
    words.push(`-H ${quoted(`content-type: ${sent}`)}`)
    const [example] = Object.values(media?.examples ?? {})
    words.push(`-d ${quoted(example === undefined ? '{}' : textOf(example.value))}`)
  }
  words.push(quoted(server + path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())))
  return words.join(' ')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** One word of a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
