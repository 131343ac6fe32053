import { Failure } from '../core/failure.ts'
import type { TemplatePart } from '../core/kinds.ts'
import { didYouMean } from '../core/problem.ts'
import { Addresses } from './address.ts'

/** What is wrong with a URL of a flow, and what to do. */
export interface UrlMistake {
  readonly message: string
  readonly hint: string
  readonly severity?: 'warning'
}

const SCHEME = /^([a-z][a-z0-9+.-]*):/i
/** Stands for what only a message knows. */
const UNKNOWN = '1'

/**
 * Checks what is certain about a URL before any message comes.
 * @param base what relative URLs are appended to; or why there is nothing
 */
export function checkUrl(parts: readonly TemplatePart[], base: string | BaseMissing): UrlMistake | undefined {
  const [first] = parts
  if (typeof first !== 'string' && first !== undefined) return undefined
  const text = parts
    .map((part) => (typeof part === 'string' ? part : UNKNOWN))
    .join('')
    .trim()
  const fixed = parts.every((part) => typeof part === 'string')
  if (text === '')
    return typeof base === 'string'
      ? undefined
      : { message: 'the URL is empty', hint: 'Write https://host/path.' }
  const scheme = SCHEME.exec(text)?.[1]
  if (scheme !== undefined) return checkAbsolute(text, scheme)
  return checkRelative(text, fixed, base)
}

/** There is no credential, or one without a `baseUrl`. */
export type BaseMissing = { readonly credential: string | undefined }

function checkAbsolute(text: string, scheme: string): UrlMistake | undefined {
  const known = /^https?$/i.test(scheme)
  if (!known && /^[^/?#]+:\d+([/?#]|$)/.test(text))
    return {
      message: `"${shown(text)}" has no scheme`,
      hint: `Begin with "https://" (or "http://"): https://${shown(text)}`,
    }
  if (!known)
    return {
      message: `"${scheme}:" is no scheme of an http step${didYouMean(scheme, ['https', 'http'])}`,
      hint: 'URLs begin with "https://" or "http://".',
    }
  if (!text.startsWith('//', scheme.length + 1))
    return { message: `two slashes are missing after "${scheme}:"`, hint: `Write ${scheme}://host/path.` }
  const url = URL.parse(text)
  if (!url)
    return { message: `"${shown(text)}" is no URL`, hint: 'A URL looks like https://host/path?name=value.' }
  if (url.username !== '' || url.password !== '')
    return {
      message: 'the URL holds a user name or password before the "@"',
      hint: 'Take it out and name a credential: `credential: <name>`.',
    }
  return checkFragment(text)
}

function checkRelative(text: string, fixed: boolean, base: string | BaseMissing): UrlMistake | undefined {
  if (typeof base !== 'string') {
    const looksLikeHost = /^[a-z0-9-]+(\.[a-z0-9-]+)+([/?#]|$)/i.test(text)
    const name = base.credential
    return {
      message: `"${shown(text)}" is a relative URL, and ${
        name === undefined ? 'there is no credential' : `the credential "${name}" has no \`baseUrl\``
      }`,
      hint: looksLikeHost
        ? `Begin with "https://": https://${shown(text)}`
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

/** Without the query, which may hold anything. */
function shown(text: string): string {
  return text.replace(/[?#].*$/s, '')
}
