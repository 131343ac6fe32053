import { Failure } from '../core/failure.ts'
import { didYouMean } from '../core/problem.ts'
import { Addresses, shownUrl } from './address.ts'

/** What is wrong with a URL of a flow, and what to do. */
export interface UrlMistake {
  readonly message: string
  readonly hint: string
  readonly severity?: 'warning'
}

const SCHEME = /^([a-z][a-z0-9+.-]*):/i
/** Stand for what only a message knows: as a port, and as the ending of a host. */
const UNKNOWN = ['1', 'a']
/** Stand for the same in what is shown: one character each, of those that no URL has. */
const PRIVATE = 0xe000

/** A part of a URL: text as it stands, or the source of a `${}`. */
export type UrlPart = { readonly text: string } | { readonly expression: string }

/**
 * Checks what is certain about a URL before any message comes.
 * @param base what relative URLs are appended to; or why there is nothing
 */
export function checkUrl(parts: readonly UrlPart[], base: string | BaseMissing): UrlMistake | undefined {
  const [first] = parts
  if (first !== undefined && !('text' in first)) return undefined
  const joined = joinedToHost(parts)
  if (joined > 0) return noSlash(parts, joined)
  const texts = UNKNOWN.map((unknown) =>
    parts
      .map((part) => ('text' in part ? part.text : unknown))
      .join('')
      .trim(),
  )
  const text = texts.find((candidate) => URL.canParse(candidate)) ?? texts[0]!
  const fixed = parts.every((part) => 'text' in part)
  if (text === '')
    return typeof base === 'string'
      ? undefined
      : { message: 'the URL is empty', hint: 'Write https://host/path.' }
  const scheme = SCHEME.exec(text)?.[1]
  if (scheme !== undefined) return checkAbsolute(text, scheme, shown(parts))
  return checkRelative(text, fixed, base, shown(parts))
}

/** As written, as far as people may see it. */
function shown(parts: readonly UrlPart[]): string {
  const text = parts
    .map((part, i) => ('text' in part ? part.text : String.fromCharCode(PRIVATE + i)))
    .join('')
    .trim()
  return shownUrl(text).replace(/[\ue000-\uf8ff]/g, (mark) => {
    const part = parts[mark.charCodeAt(0) - PRIVATE]
    return part !== undefined && 'expression' in part ? `\${${part.expression}}` : mark
  })
}

/**
 * The address that an absolute URL leads to, without its path, where no message can change it.
 * Undefined: the URL is relative, or a `${}` stands in its host.
 */
export function certainOrigin([first, ...others]: readonly UrlPart[]): string | undefined {
  if (first === undefined || !('text' in first)) return undefined
  const [, origin, after] = /^\s*(https?:\/\/[^/\\?#\s]+)([/\\?#\s])?/i.exec(first.text) ?? []
  return after === undefined && others.length > 0 ? undefined : origin
}

/** A host that is complete: it has a dot or a port, or is this machine. */
const COMPLETE_HOST = /^(?:localhost|.*[.:].*)(?<=[a-z0-9\]])$/i

/** Index of a `${}` that follows a complete host, where the path should begin; 0: none. */
function joinedToHost(parts: readonly UrlPart[]): number {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (!('text' in part)) continue
    const host = i === 0 ? /^\s*https?:\/\/(.*)$/is.exec(part.text)?.[1] : part.text
    if (host === undefined || /[/\\?#]/.test(host)) return 0
    const next = parts.slice(i + 1).find((other) => 'text' in other)
    const ends = next === undefined || /^\s*([/\\?#]|$)/.test(next.text)
    if (ends && i + 1 < parts.length && COMPLETE_HOST.test(host)) return i + 1
  }
  return 0
}

function noSlash(parts: readonly UrlPart[], at: number): UrlMistake {
  return {
    message: `no slash stands between the host and ${shown(parts.slice(at, at + 1))} in "${shown(parts)}"`,
    hint: `Write ${shown(parts.toSpliced(at, 0, { text: '/' }))}; the value is encoded as one part of the path, slashes in it too.`,
  }
}

/** There is no credential, or one without a `baseUrl`. */
export type BaseMissing = { readonly credential: string | undefined }

function checkAbsolute(text: string, scheme: string, shown: string): UrlMistake | undefined {
  const known = /^https?$/i.test(scheme)
  if (!known && /^[^/?#]+:\d+([/?#]|$)/.test(text))
    return {
      message: `"${shown}" has no scheme`,
      hint: `Begin with "https://" (or "http://"): https://${shown}`,
    }
  if (!known)
    return {
      message: `"${scheme}:" is no scheme of an http step${didYouMean(scheme, ['https', 'http'])}`,
      hint: 'URLs begin with "https://" or "http://".',
    }
  if (!text.startsWith('//', scheme.length + 1))
    return { message: `two slashes are missing after "${scheme}:"`, hint: `Write ${scheme}://host/path.` }
  const url = URL.parse(text)
  if (!url) return { message: `"${shown}" is no URL`, hint: 'A URL looks like https://host/path?name=value.' }
  if (url.username !== '' || url.password !== '')
    return {
      message: 'the URL holds a user name or password before the "@"',
      hint: 'Take it out and name a credential: `credential: <name>`.',
    }
  return checkFragment(text)
}

function checkRelative(
  text: string,
  fixed: boolean,
  base: string | BaseMissing,
  shown: string,
): UrlMistake | undefined {
  if (typeof base !== 'string') {
    const looksLikeHost = /^[a-z0-9-]+(\.[a-z0-9-]+)+([/?#]|$)/i.test(text)
    const name = base.credential
    return {
      message: `"${shown}" is a relative URL, and ${
        name === undefined ? 'there is no credential' : `the credential "${name}" has no \`baseUrl\``
      }`,
      hint: looksLikeHost
        ? `Begin with "https://": https://${shown}`
        : name === undefined
          ? 'Write an absolute URL (https://host/path), or name a credential that has a `baseUrl`.'
          : `Write an absolute URL (https://host/path), or add \`baseUrl\` to security-material/${name}.yaml.`,
    }
  }
  if (!fixed) return checkFragment(text)
  try {
    new Addresses().resolve(text, new URL(base))
    return checkFragment(text)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { message: error.message, hint: error.hint ?? '' }
  }
}

function checkFragment(text: string): UrlMistake | undefined {
  return text.includes('#')
    ? {
        message: 'the URL holds a "#"; what follows it is never sent',
        hint: 'Take it out, or write %23 for a "#" that belongs to the path or the query.',
        severity: 'warning',
      }
    : undefined
}
