import { isSafeScheme, isVirtualScheme } from './url.ts'

/** Where a credential may go. */
export interface HostRules {
  /** Decides on the final URL of a request: https (http on this machine, and to virtual hosts), no user in it, one of the hosts. */
  allows(url: URL): boolean
  /** As people read them; virtual ones with `http://`. */
  readonly names: readonly string[]
}

interface HostRule {
  /** Lower case, ASCII, no dot at the end; of `*.domain` the part from the first dot on. */
  readonly host: string
  readonly anyLabel: boolean
  /** Empty: the default port of the scheme. */
  readonly port: string
  readonly text: string
}

/**
 * Reads one entry of `allowedHosts`: `host`, `host:port`, `*.domain` (exactly one label). Returns what is wrong with it as text.
 */
export function readHostRule(text: string): HostRule | string {
  if (text.includes('://')) {
    const host = URL.parse(text)?.host
    return `is a URL; write the host alone${host ? `: ${host}` : ''}`
  }
  const anyLabel = text.startsWith('*.')
  const rest = anyLabel ? text.slice(2) : text
  if (rest.includes('*'))
    return text === '*'
      ? 'allows any host; name the hosts'
      : 'may have a "*" only as its whole first label: *.example.com'
  const parts = /^(\[[0-9a-f:.]+\]|[^:/?#@\\[\]\s%]+)(?::(\d{1,5}))?$/i.exec(rest)
  const url = parts && URL.parse(`https://${parts[1]}/`)
  const port = parts?.[2] ?? ''
  if (!url || (port !== '' && (Number(port) < 1 || Number(port) > 65535)))
    return 'is no host; write it as api.example.com or api.example.com:8443'
  const host = withoutDot(url.hostname)
  if (anyLabel && (!host.includes('.') || host.startsWith('[') || /\.\d+$/.test(host)))
    return 'is too wide; at least a domain and its ending must be named: *.example.com'
  return {
    host: anyLabel ? `.${host}` : host,
    anyLabel,
    port: port === '' ? '' : String(Number(port)),
    text: `${anyLabel ? '*.' : ''}${host}${port === '' ? '' : `:${Number(port)}`}`,
  }
}

/** The rule that a `baseUrl` makes: its host and its port. */
export function hostRuleOf(url: URL): HostRule {
  return { host: withoutDot(url.hostname), anyLabel: false, port: url.port, text: url.host }
}

/** @param virtual they are virtual hosts of the Cloud Connector */
export function createHostRules(rules: readonly HostRule[], virtual = false): HostRules {
  const isSafe = virtual ? isVirtualScheme : isSafeScheme
  const keysOf = (anyLabel: boolean) =>
    new Set(rules.filter((rule) => rule.anyLabel === anyLabel).map((rule) => `${rule.host}:${rule.port}`))
  const exact = keysOf(false)
  const wide = keysOf(true)
  return {
    names: rules.map((rule) => (virtual ? `http://${rule.text}` : rule.text)),
    allows(url) {
      if (url.username !== '' || url.password !== '' || !isSafe(url)) return false
      const host = withoutDot(url.hostname)
      const key = `${host}:${url.port}`
      if (exact.has(key)) return true
      const byNumber = url.port === '' ? `${host}:${url.protocol === 'https:' ? 443 : 80}` : undefined
      if (byNumber !== undefined && exact.has(byNumber)) return true
      if (wide.size === 0) return false
      const label = host.indexOf('.')
      if (label <= 0) return false
      return wide.has(key.slice(label)) || (byNumber !== undefined && wide.has(byNumber.slice(label)))
    },
  }
}

function withoutDot(hostname: string): string {
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
}
