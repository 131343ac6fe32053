import { createHash } from 'node:crypto'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { Dispatcher, errors, Pool, ProxyAgent } from 'undici'
import { readCertificates } from '../core/certificates.ts'
import type { TlsMaterial } from '../core/world.ts'
import { SET_FREE, type Connections } from './connections.ts'
import { Egress } from './egress.ts'
import { OriginPool } from './origin-pool.ts'
import { createProxyRules, isLoopback, type ProxyRules } from './proxy.ts'

/** ms for a connection where a request sets no time of its own. */
const CONNECT_TIMEOUT = 60_000
/** ms that an idle connection is kept, where the receiver does not say how long it keeps it. */
const KEEP_ALIVE = 4000

export interface DispatcherSetting {
  /** At once, to one receiver. */
  readonly connections: number
  /** URL of a proxy for all requests but those to this machine; left out, the environment decides. */
  readonly proxy?: string
  /** PEM texts to trust beside the system's. */
  readonly ca?: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where connections may lead to. */
  readonly egress?: Egress
}

export interface Dispatchers {
  /** The same one for the same arguments as long as somebody has it. @throws Error when the certificate or the key cannot be read */
  dispatcherFor(tls?: TlsMaterial, proxy?: string): Dispatcher
  /** Takes nothing new; resolves when all requests are answered. */
  close(): Promise<void>
  /** Ends all connections at once. */
  destroy(): Promise<void>
}

/** @throws Error when `ca` holds no certificate, or one that cannot be read */
export function createDispatchers(setting: DispatcherSetting): Dispatchers {
  const rules = createProxyRules(setting.proxy, setting.environment)
  const egress = setting.egress ?? new Egress()
  const made = new Map<string, WeakRef<Origins>>()
  const make = (tls?: TlsMaterial, proxy?: string) =>
    new Origins(setting.connections, proxyRules(proxy, rules), tlsOptions(tls, setting.ca), egress)
  const usual = make()
  const all = () => [usual, ...[...made.values()].flatMap((origins) => origins.deref() ?? [])]
  return {
    dispatcherFor(tls, proxy) {
      if (tls === undefined && proxy === undefined) return usual
      const key = createHash('sha256')
        .update(JSON.stringify([tls, proxy]))
        .digest('base64')
      const known = made.get(key)?.deref()
      if (known) return known
      for (const [old, origins] of made) if (!origins.deref()) made.delete(old)
      const origins = make(tls, proxy)
      made.set(key, new WeakRef(origins))
      return origins
    },
    async close() {
      await Promise.all(all().map((origins) => origins.close()))
    },
    async destroy() {
      await Promise.all(all().map((origins) => origins.destroy()))
    },
  }
}

interface TlsOptions {
  /** Whatever the environment says. */
  readonly rejectUnauthorized: true
  readonly secureContext?: SecureContext
  /** Towards a proxy: the same trust, without the client certificate. */
  readonly proxyContext?: SecureContext
  readonly servername?: string
}

/** A pool of connections for each origin, looked up by its text. Pools that are no longer used are let go. */
class Origins extends Dispatcher implements Connections {
  private readonly connections: number
  private readonly rules: ProxyRules
  private readonly tls: TlsOptions
  private readonly egress: Egress
  private readonly pools = new Map<string, OriginPool>()
  private readonly proxies = new Map<string, ProxyAgent>()
  private closed = false

  constructor(connections: number, rules: ProxyRules, tls: TlsOptions, egress: Egress) {
    super()
    this.connections = connections
    this.rules = rules
    this.tls = tls
    this.egress = egress
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const origin = options.origin as string
    return (this.pools.get(origin) ?? this.open(origin)).dispatch(options, handler)
  }

  connected(origin: string): number {
    return this.pools.get(origin)?.stats.connected ?? 0
  }

  waitedInVain(origin: string, now: number): void {
    const pool = this.pools.get(origin)
    if (!pool?.waitedInVain(now)) return
    this.pools.delete(origin)
    void pool.end(SET_FREE)
  }

  private open(origin: string): Dispatcher {
    if (this.closed) throw new errors.ClientClosedError()
    const url = new URL(origin)
    const proxy = this.rules.proxyFor(url)
    this.egress.check(url, proxy === undefined ? 'direct' : 'proxied')
    return proxy === undefined ? this.openPool(origin, url) : this.proxyAt(proxy)
  }

  private openPool(origin: string, url: URL): Pool {
    const { proxyContext: _, ...tls } = this.tls
    const connecting = {
      ...tls,
      allowH2: false,
      timeout: CONNECT_TIMEOUT,
      lookup: this.egress.lookupFor(url),
    }
    const pool = new OriginPool(origin, this.poolOptions(), connecting)
    const letGo = () => {
      if (this.closed || !pool.unused || this.pools.get(origin) !== pool) return
      this.pools.delete(origin)
      void pool.close()
    }
    pool.on('disconnect', letGo).on('connectionError', letGo)
    this.pools.set(origin, pool)
    return pool
  }

  private poolOptions() {
    return {
      connections: this.connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE,
    }
  }

  private proxyAt(uri: string): ProxyAgent {
    let agent = this.proxies.get(uri)
    if (!agent) {
      const { proxyContext, ...requestTls } = this.tls
      const url = new URL(uri)
      this.egress.checkProxy(url)
      agent = new ProxyAgent({
        ...this.poolOptions(),
        uri,
        connectTimeout: CONNECT_TIMEOUT,
        factory: (origin, options) => new Pool(origin, Object.assign(this.poolOptions(), options)),
        requestTls: requestTls as never,
        proxyTls: {
          rejectUnauthorized: true,
          ...(proxyContext && { secureContext: proxyContext }),
          lookup: this.egress.lookupFor(url, 'the proxy '),
        } as never,
      })
      this.proxies.set(uri, agent)
    }
    return agent
  }

  override async close(): Promise<void> {
    this.closed = true
    await Promise.all(
      [...this.pools.values(), ...this.proxies.values()].map((dispatcher) => dispatcher.close()),
    )
  }

  override async destroy(): Promise<void> {
    this.closed = true
    await Promise.all([
      ...Array.from(this.pools.values(), (pool) => pool.end()),
      ...Array.from(this.proxies.values(), (agent) => agent.destroy()),
    ])
  }
}

/** @param proxy of a credential: its URL, or `none` */
function proxyRules(proxy: string | undefined, usual: ProxyRules): ProxyRules {
  if (proxy === undefined) return usual
  if (proxy === 'none') return { proxyFor: () => undefined }
  const text = proxy.includes('://') ? proxy : `http://${proxy}`
  return { proxyFor: (origin) => (isLoopback(origin.hostname) ? undefined : text) }
}

/** Made once for all connections: a context is dear. */
function tlsOptions(tls: TlsMaterial | undefined, extraCa: string | undefined): TlsOptions {
  const { certificate, key, pkcs12, passphrase, ca, serverName } = tls ?? {}
  const always = {
    rejectUnauthorized: true as const,
    ...(serverName === undefined ? {} : { servername: serverName }),
  }
  const extra = [...certificatesIn(ca, "the credential's `tls.ca`"), ...certificatesIn(extraCa, '`http.ca`')]
  const trust = extra.length === 0 ? {} : { ca: [...getCACertificates('default'), ...extra] }
  const proxyContext = extra.length === 0 ? undefined : createSecureContext(trust)
  const shown = {
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    ...(pkcs12 === undefined ? {} : { pfx: Buffer.from(pkcs12, 'base64') }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
  const showsNothing = Object.keys(shown).length === 0
  const secureContext = showsNothing ? proxyContext : createSecureContext({ ...trust, ...shown })
  return {
    ...always,
    ...(secureContext && { secureContext }),
    ...(proxyContext && { proxyContext }),
  }
}

/** @throws Error that names the setting */
function certificatesIn(pem: string | undefined, where: string): readonly string[] {
  const certificates = pem === undefined ? [] : readCertificates(pem)
  if (typeof certificates === 'string') throw new Error(`${where} ${certificates}`)
  return certificates
}
