import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Failure } from '../core/failure.ts'
import type { Refused } from '../core/services.ts'
import {
  matches,
  plainHost,
  readEgressEntry,
  REFUSED_BY_ITSELF,
  type EgressEntry,
  type Target,
} from './egress-entry.ts'
import { formsOf, isWithin, readIpAddress, contains } from './ip-address.ts'

/** The setting `egress`. */
export interface EgressSetting {
  /** Left out: everything that is not refused. */
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** Finds all addresses of a name. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Which rule refuses a target. */
type Rule =
  | { readonly list: 'deny'; readonly text: string }
  | { readonly list: 'allow' }
  /** What is refused unless `allow` names it. */
  | { readonly list: 'itself'; readonly text: string; readonly isListed: boolean }

/** How a target is reached: the proxy looks up its name. */
type Way = 'direct' | 'proxied'

/**
 * Where the engine may connect to. What is decided about a name holds before it is looked up; what is decided about an
 * address holds for the very address that is connected to.
 */
export class Egress {
  private readonly allow: readonly EgressEntry[] | undefined
  private readonly deny: readonly EgressEntry[]
  private readonly lookup: Lookup

  /** @throws Error for an entry that cannot be read */
  constructor(setting: EgressSetting = {}, lookup: Lookup = systemLookup) {
    this.allow = setting.allow?.map(readEntry)
    this.deny = (setting.deny ?? []).map(readEntry)
    this.lookup = lookup
  }

  /** Why a URL is certainly refused, as far as that can be told without looking up its name. */
  refusal(url: URL): Refused | undefined {
    const { host, port } = endOf(url)
    const rule = this.ruleFor(targetOf(host, port), 'direct')
    return rule && describe(rule, `"${url.host}"`, host)
  }

  /** @throws EgressDenied when this is refused whatever address its name has */
  check(url: URL, way: Way): void {
    const { host, port } = endOf(url)
    const rule = this.ruleFor(targetOf(host, port), way)
    if (rule) throw new EgressDenied(rule, host, way === 'proxied')
  }

  /** @throws EgressDenied when the proxy itself is refused */
  checkProxy(url: URL): void {
    const { host, port } = endOf(url)
    const rule = this.ruleFor(targetOf(host, port), 'direct')
    if (rule) throw new EgressDenied(rule, host, false, 'the proxy ')
  }

  /** Looks names up for connections to this port; addresses that are refused are left out. @param what stands before the name in a failure */
  lookupFor(url: URL, what = ''): LookupFunction {
    const { port } = endOf(url)
    return (hostname, options, callback) => {
      this.lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error) return callback(error, '', 0)
        const host = plainHost(hostname.toLowerCase())
        let denied: EgressDenied | undefined
        const allowed = found.filter(({ address }) => {
          const rule = this.ruleFor(targetOf(host, port, address), 'direct')
          if (rule) denied ??= new EgressDenied(rule, host, false, what, address)
          return rule === undefined
        })
        const [first] = allowed
        if (denied && !first) callback(denied, '', 0)
        else if (options.all) callback(null, allowed)
        else callback(null, first?.address ?? '', first?.family ?? 0)
      })
    }
  }

  private ruleFor(target: Target, way: Way): Rule | undefined {
    const { allow } = this
    const denied = this.deny.find((entry) => matches(entry, target))
    if (denied) return { list: 'deny', text: denied.text }
    const itself = REFUSED_BY_ITSELF.find((entry) => matches(entry, target))
    if (itself && !allow?.some((entry) => names(entry, itself, target)))
      return { list: 'itself', text: itself.text, isListed: allow !== undefined }
    if (allow === undefined || allow.some((entry) => matches(entry, target))) return undefined
    const isOpen = target.forms === undefined && way === 'direct'
    return isOpen && allow.some(({ networks }) => networks.length > 0) ? undefined : { list: 'allow' }
  }
}

/** A connection that was not made. One error may end several requests; each makes a failure of its own. */
export class EgressDenied extends Error {
  readonly #rule: Rule
  readonly #host: string
  readonly #proxied: boolean
  readonly #what: string
  readonly #address: string | undefined

  constructor(rule: Rule, host: string, proxied: boolean, what = '', address?: string) {
    super('refused by the setting `egress`')
    this.#rule = rule
    this.#host = host
    this.#proxied = proxied
    this.#what = what
    this.#address = address
  }

  /** @param receiver host and port of the request */
  failure(receiver: string): Failure {
    const address = this.#address === undefined ? '' : ` (${this.#address})`
    const shown = this.#what === '' ? receiver : this.#host
    const { message, hint } = describe(this.#rule, `${this.#what}"${shown}"${address}`, this.#host)
    return new Failure('egress.denied', message, {
      receiver: { host: receiver },
      hint:
        this.#proxied && this.#rule.list === 'allow'
          ? `${hint} Behind a proxy only names count: the proxy finds the address.`
          : hint,
    })
  }
}

function describe(rule: Rule, target: string, host: string): Refused {
  const refused = `the engine does not connect to ${target}`
  switch (rule.list) {
    case 'deny':
      return {
        message: `${refused}: \`egress.deny\` holds "${rule.text}"`,
        hint: `If it may be called, take "${rule.text}" out of \`egress.deny\` in sluice.yaml, or make it narrower.`,
      }
    case 'allow':
      return {
        message: `${refused}: no entry of \`egress.allow\` names it`,
        hint: `If it may be called, add "${host}" to \`egress.allow\` in sluice.yaml.`,
      }
    case 'itself':
      return {
        message: `${refused}: ${BY_ITSELF[rule.text]!}`,
        hint: rule.isListed
          ? `If it must be called, add "${rule.text}" to \`egress.allow\` in sluice.yaml.`
          : `If it must be called, name it in sluice.yaml beside all else that may be: \`egress: { allow: [${rule.text}, public, private, loopback] }\`.`,
      }
  }
}

const BY_ITSELF: Readonly<Record<string, string>> = {
  metadata: "it is the metadata service of a cloud, which hands out the machine's own credentials",
  'link-local': 'it is a link-local address',
}

/** Whether an entry of `allow` names what is refused by itself: a part of it, or one of its names. */
function names(entry: EgressEntry, refused: EgressEntry, target: Target): boolean {
  if (!matches(entry, target) || entry.outside) return false
  if (entry.names.includes(target.host) && refused.names.includes(target.host)) return true
  return entry.networks.some(
    (network) =>
      refused.networks.some((outer) => isWithin(network, outer)) &&
      target.forms?.some((form) => contains(network, form)) === true,
  )
}

function targetOf(host: string, port: number, address = host): Target {
  const read = readIpAddress(address)
  return { host, port, forms: read && formsOf(read) }
}

const PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'socks:': 1080, 'socks5:': 1080 }

function endOf({ hostname, port, protocol }: URL): { host: string; port: number } {
  return { host: plainHost(hostname), port: port === '' ? (PORTS[protocol] ?? 80) : Number(port) }
}

function readEntry(text: string): EgressEntry {
  const entry = readEgressEntry(text)
  if (typeof entry === 'string') throw new Error(`"${text}" ${entry}`)
  return entry
}
