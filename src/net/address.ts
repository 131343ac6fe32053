import { Failure } from '../core/failure.ts'

/** Where a request goes, in the pieces that are needed. */
export interface Address {
  readonly url: URL
  /** `https://api.example.com` */
  readonly origin: string
  /** With the port where it is not the scheme's own. */
  readonly host: string
  /** Path and query. */
  readonly path: string
}

const SCHEME = /^[a-z][a-z0-9+.-]*:/i
/** URLs that are remembered; the oldest are forgotten all together. */
const REMEMBERED = 1000
/** UTF-16 units beyond which a URL is not worth remembering. */
const LONG = 2048

/** Resolves URLs of requests and remembers the ones that come again. */
export class Addresses {
  private readonly absolute = new Map<string, Address>()
  private readonly relative = new WeakMap<URL, Map<string, Address>>()

  /**
   * @param base to which a relative URL is appended: one slash between, never left by `..`
   * @param credential whose base it is
   * @throws Failure `request.invalid`
   */
  resolve(url: string, base: URL | undefined, credential?: string): Address {
    const found = this.absolute.get(url) ?? (base && this.relative.get(base)?.get(url))
    if (found) return found
    const isAbsolute = SCHEME.test(url)
    const address = readAddress(isAbsolute ? url : append(url, base, credential))
    if (!isAbsolute) checkInside(url, address.url, base!)
    const known = isAbsolute ? this.absolute : this.below(base!)
    if (known.size >= REMEMBERED) known.clear()
    if (url.length <= LONG) known.set(url, address)
    return address
  }

  private below(base: URL): Map<string, Address> {
    let known = this.relative.get(base)
    if (!known) this.relative.set(base, (known = new Map()))
    return known
  }
}

/** An absolute URL, taken apart. @throws Failure `request.invalid` */
export function readAddress(text: string): Address {
  const url = URL.parse(text)
  if (!url)
    throw invalid(
      `"${shownUrl(text)}" is no URL`,
      'A URL looks like https://host/path; parts of it that come from the message are encoded by the step.',
    )
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid(
      `"${shownUrl(text)}" begins with "${url.protocol}"; "https:" and "http:" are supported`,
      'For a relative path whose first part holds a colon write "./" before it.',
    )
  if (url.username !== '' || url.password !== '')
    throw invalid(
      `the URL holds a user name or password before the host "${url.host}"`,
      'Take it out and name a credential: `credential: <name>`.',
    )
  return { url, origin: url.origin, host: url.host, path: url.pathname + url.search }
}

function append(relative: string, base: URL | undefined, credential: string | undefined): string {
  if (base === undefined)
    throw credential === undefined
      ? invalid(
          `the URL "${shownUrl(relative)}" is relative, and no credential with a \`baseUrl\` says to what`,
          'Write an absolute URL (https://host/path), or name a credential that has a `baseUrl`.',
        )
      : invalid(
          `the URL "${shownUrl(relative)}" is relative, and the credential "${credential}" has no \`baseUrl\` now`,
          `Write an absolute URL (https://host/path), or add \`baseUrl\` to security-material/${credential}.yaml.`,
        )
  const rest = relative.replace(/^[/\\]+/, '')
  const path = base.pathname.replace(/\/+$/, '')
  if (rest === '') return base.href
  const { origin, search } = base
  if (rest.startsWith('?'))
    return origin + base.pathname + (search === '' ? rest : `${search}&${rest.slice(1)}`)
  if (search === '') return `${origin}${path}/${rest}`
  const [, before = '', query = ''] = /^([^?#]*)\??([^#]*)/.exec(rest) ?? []
  return `${origin}${path}/${before}${search}${query === '' ? '' : `&${query}`}`
}

/** A relative URL stays below its base, as this and as any more generous server reads it. */
function checkInside(relative: string, url: URL, base: URL): void {
  const path = base.pathname.replace(/\/+$/, '')
  const inside = url.origin === base.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`))
  if (inside && !climbs(relative)) return
  throw invalid(
    `the URL "${shownUrl(relative)}" leaves the \`baseUrl\` of the credential`,
    'Take out the ".." or write an absolute URL; its host must be one of the credential\'s hosts.',
  )
}

function climbs(relative: string): boolean {
  if (!/\.\.|%2e/i.test(relative)) return false
  const segments = relative
    .replace(/[?#].*$/s, '')
    .replace(/[\t\r\n]/g, '')
    .replace(/%2e/gi, '.')
    .split(/[/\\]|%2f|%5c/i)
  let depth = 0
  for (const segment of segments) {
    if (segment === '..') depth--
    else if (segment !== '' && segment !== '.') depth++
    if (depth < 0) return true
  }
  return false
}

/** UTF-16 units of a URL in a message to people. */
const SHOWN = 100
/** What begins like a path, or a host and a port and then a path, is no user and password. */
const NO_USER = /^([/\\?#]|[^/\\?#:@]+(:\d*)?[/\\?#])/

/** As much of a URL, valid or not, as people may see: without query, user and password. */
export function shownUrl(text: string): string {
  const shown = text
    .replace(
      /^([a-z][a-z0-9+.-]*:[/\\]*|[/\\]{2,})?(.*)@/is,
      (all: string, scheme: string | undefined, before: string) =>
        NO_USER.test(before) ? all : `${scheme ?? ''}****@`,
    )
    .replace(/[?#].*$/s, '')
  return shown.length > SHOWN ? `${shown.slice(0, SHOWN)}…` : shown
}

function invalid(message: string, hint: string): Failure {
  return new Failure('request.invalid', message, { hint })
}
