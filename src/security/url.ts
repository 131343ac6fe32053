export interface UrlMistake {
  readonly message: string
  readonly hint?: string
  /** UTF-16 units in the text. */
  readonly offset: number
  readonly length: number
}

const NOT_IN_URLS = /[\s\p{Cc}\p{Cf}"<>\\^`{|}\u2018-\u201f\u00ab\u00bb]/u

/**
 * An address of the integrator: an absolute https URL (http on this machine only) without user, password and
 * fragment; or what is wrong with it.
 * @param virtual it leads to a virtual host of the Cloud Connector: http
 */
export function readUrl(text: string, virtual = false): URL | UrlMistake {
  const odd = NOT_IN_URLS.exec(text)
  if (odd) {
    return {
      message: `is no URL: ${characterName(odd[0])} at its character ${odd.index + 1} cannot stand in one`,
      hint:
        odd[0] === '{' || odd[0] === '}'
          ? 'Fill in the place that is kept free, or use a reference such as ${env:NAME}.'
          : 'Take it out, or write it percent-encoded.',
      offset: odd.index,
      length: odd[0].length,
    }
  }
  const whole = { offset: 0, length: text.length }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const late = /^([^/?#]{1,20}?)(https?:\/\/)/i.exec(text)
    if (late)
      return {
        message: `begins with "${late[1]!}" before ${late[2]!}`,
        hint: `Take ${late[1]!.length === 1 ? characterName(late[1]!) : `"${late[1]!}"`} out.`,
        offset: 0,
        length: late[1]!.length,
      }
    const begin = virtual ? 'http://' : 'https://'
    return { message: 'is no absolute URL', hint: `Begin with "${begin}": ${begin}${text}`, ...whole }
  }
  const url = URL.parse(text)
  if (url === null) return { message: 'is no URL', hint: 'Expected is https://host/path.', ...whole }
  if (url.username !== '' || url.password !== '') {
    const [before = '', user = ''] = /^[^:]+:\/\/([^/?#]*@)/.exec(text) ?? []
    return {
      message: 'holds a user name or password before the "@"',
      hint: 'Take it out: user names and secrets have fields of their own.',
      offset: before.length - user.length,
      length: user.length,
    }
  }
  const hash = text.indexOf('#')
  if (hash >= 0) {
    return {
      message: 'holds a "#"; what follows it is never sent',
      hint: 'Take it out, or write %23 for a "#" that belongs to the path.',
      offset: hash,
      length: text.length - hash,
    }
  }
  if (virtual && !isVirtualScheme(url))
    return {
      message: `uses "${url.protocol.slice(0, -1)}" to a virtual host of the Cloud Connector`,
      hint: 'Use http: the tunnel to the Cloud Connector is encrypted, and its mapping says how it speaks to the system behind.',
      offset: 0,
      length: url.protocol.length,
    }
  if (!virtual && !isSafeScheme(url)) {
    return {
      message:
        url.protocol === 'http:'
          ? 'uses http to another machine; a secret would go over the wire in clear'
          : `uses "${url.protocol.slice(0, -1)}"`,
      hint: 'Use https (http is for this machine only: localhost, 127.0.0.1, [::1]).',
      offset: 0,
      length: url.protocol.length,
    }
  }
  return url
}

/** https anywhere, http on this machine. */
export function isSafeScheme(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

/** http: what goes by the Cloud Connector is encrypted by its tunnel. */
export function isVirtualScheme(url: URL): boolean {
  return url.protocol === 'http:'
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

const NAMES: Record<string, string> = {
  ' ': 'a space',
  '\t': 'a tab',
  '\n': 'a line end',
  '\r': 'a line end',
}

/** A character as people can tell it: `"“" (U+201C)`. */
export function characterName(character: string): string {
  const known = NAMES[character]
  if (known !== undefined) return known
  const code = character.codePointAt(0)!
  const number = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  return code > 0x20 && code < 0x7f
    ? `"${character}"`
    : /\p{C}|\s/u.test(character)
      ? `a character ${number}`
      : `"${character}" (${number})`
}
