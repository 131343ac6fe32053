/** Which proxy requests take: the settings' one, or the environment's. */
export interface ProxyRules {
  /** Undefined: none. */
  proxyFor(origin: URL): string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

interface Exception {
  readonly host: string
  /** Empty: any. */
  readonly port: string
  /** `*.example.com`: the domain itself is not meant. */
  readonly below: boolean
}

/**
 * @param proxy for all requests; left out, `HTTP_PROXY` and `HTTPS_PROXY` (or in lower case) decide. `NO_PROXY` and this machine are always excepted.
 * @see https://about.gitlab.com/blog/we-need-to-talk-no-proxy/
 */
export function createProxyRules(proxy: string | undefined, environment: Environment): ProxyRules {
  const variable = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined
  const forHttp = proxy ?? variable('HTTP_PROXY')
  const forHttps = proxy ?? variable('HTTPS_PROXY')
  const exceptions = (variable('NO_PROXY') ?? '')
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .map(readException)
  return {
    proxyFor(origin) {
      const found = origin.protocol === 'https:' ? forHttps : forHttp
      return found === undefined ||
        isLoopback(origin.hostname) ||
        exceptions.some((entry) => covers(entry, origin))
        ? undefined
        : found.includes('://')
          ? found
          : `http://${found}`
    },
  }
}

/** This machine: never proxied. */
export function isLoopback(hostname: string): boolean {
  const host = plainHost(hostname)
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
  )
}

function readException(entry: string): Exception {
  const parts = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry)
  const host = (parts?.[1] ?? parts?.[2] ?? entry).toLowerCase()
  return { host: plainHost(host.replace(/^\*?\./, '')), port: parts?.[3] ?? '', below: host.startsWith('*.') }
}

function covers(exception: Exception, origin: URL): boolean {
  const port = origin.port || (origin.protocol === 'https:' ? '443' : '80')
  if (exception.port !== '' && exception.port !== port) return false
  if (exception.host === '*') return true
  const host = plainHost(origin.hostname)
  return host.endsWith(`.${exception.host}`) || (!exception.below && host === exception.host)
}

function plainHost(hostname: string): string {
  return hostname
    .replace(/^\[(.+)\]$/, '$1')
    .replace(/(.)\.$/, '$1')
    .toLowerCase()
}
