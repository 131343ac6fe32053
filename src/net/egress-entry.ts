import { contains, isFirstOf, readNetwork, type IpAddress, type Network } from './ip-address.ts'

/** Where a connection would lead to. */
export interface Target {
  /** Lower case, no brackets, no dot at its end. */
  readonly host: string
  readonly port: number
  /** What `host` is, or was looked up to be; undefined: not known (yet). */
  readonly forms: readonly IpAddress[] | undefined
}

/** One entry of `egress.allow` or `egress.deny`. */
export interface EgressEntry {
  /** As it is written. */
  readonly text: string
  /** Undefined: any. */
  readonly port: number | undefined
  /** Hosts by their names. */
  readonly names: readonly string[]
  /** `.example.com`: all hosts below it. */
  readonly below: string | undefined
  readonly networks: readonly Network[]
  /** Means what lies outside its networks. */
  readonly outside: boolean
}

const networks = (...texts: string[]) => texts.map((text) => readNetwork(text)!)

/** @see https://www.iana.org/assignments/iana-ipv4-special-registry */
const LOOPBACK = networks('127.0.0.0/8', '::1', '0.0.0.0/8', '::')
const LINK_LOCAL = networks('169.254.0.0/16', 'fe80::/10')
const PRIVATE = [
  ...networks('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'),
  ...networks('100.64.0.0/10', '192.0.0.0/24', '198.18.0.0/15', '240.0.0.0/4'),
]
/** Of AWS (machines, containers, pods), Alibaba, Oracle, Azure, Google, Scaleway. */
const METADATA = [
  ...networks('169.254.169.254', '169.254.170.2', '169.254.170.23', 'fd00:ec2::254', 'fd00:ec2::23'),
  ...networks('100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd20:ce::254', 'fd00:42::42'),
]
const METADATA_NAMES = [
  ...['metadata.google.internal', 'metadata.goog', 'metadata.tencentyun.com'],
  ...['instance-data', 'instance-data.ec2.internal'],
]

const entry = (text: string, rest: Partial<EgressEntry>): EgressEntry => ({
  text,
  port: undefined,
  names: [],
  below: undefined,
  networks: [],
  outside: false,
  ...rest,
})

const METADATA_ENTRY = entry('metadata', { names: METADATA_NAMES, networks: METADATA })
const LINK_LOCAL_ENTRY = entry('link-local', { networks: LINK_LOCAL })

const WORDS: ReadonlyMap<string, EgressEntry> = new Map(
  [
    entry('public', { networks: [...LOOPBACK, ...LINK_LOCAL, ...PRIVATE, ...METADATA], outside: true }),
    entry('private', { networks: PRIVATE }),
    entry('loopback', { names: ['localhost'], below: '.localhost', networks: LOOPBACK }),
    LINK_LOCAL_ENTRY,
    METADATA_ENTRY,
  ].map((word) => [word.text, word]),
)

/** What is refused where nobody names it, the narrower one first. */
export const REFUSED_BY_ITSELF: readonly EgressEntry[] = [METADATA_ENTRY, LINK_LOCAL_ENTRY]

/**
 * Reads one entry: a host, `*.domain` (all hosts below it), an address, a network (`10.0.0.0/8`), or one of the words
 * `public`, `private`, `loopback`, `link-local`, `metadata`; each with or without a port. Returns what is wrong with
 * it as text.
 */
export function readEgressEntry(text: string): EgressEntry | string {
  if (text.includes('://')) {
    const host = URL.parse(text)?.host
    return `is a URL; write the host alone${host ? `: ${host}` : ''}`
  }
  const network = readNetwork(text)
  if (network) return networkEntry(text, network, undefined)
  const [, bracketed, plain, written] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const what = bracketed ?? plain ?? ''
  const port = written === undefined ? undefined : Number(written)
  if (what === '' || (port !== undefined && (port < 1 || port > 65_535))) return NONE
  const inside = readNetwork(what)
  if (inside) return networkEntry(text, inside, port)
  if (bracketed !== undefined) return 'is no address; write [fd00::1] or [fd00::1]:443'
  if (what.includes('/')) return 'is no network; write 10.0.0.0/8, [fd00::/8]:443 or fd00::/8'
  const word = WORDS.get(what.toLowerCase())
  return word ? { ...word, text, port } : nameEntry(text, what, port)
}

const NONE =
  'is no host, address or network; write api.example.com, *.example.com, 10.0.0.5:8443 or 10.0.0.0/8'

function networkEntry(text: string, network: Network, port: number | undefined): EgressEntry | string {
  return isFirstOf(network)
    ? entry(text, { port, networks: [network] })
    : `is no network: bits are set behind its first ${network.bits}`
}

function nameEntry(text: string, name: string, port: number | undefined): EgressEntry | string {
  const isBelow = name.startsWith('*.')
  const rest = isBelow ? name.slice(2) : name
  if (rest.includes('*'))
    return text === '*'
      ? 'means everything; leave the list out instead'
      : 'may have a "*" only as its whole first label: *.example.com'
  const host = /^[^/?#@\\\s%]+$/.test(rest) ? URL.parse(`https://${rest}/`)?.hostname : undefined
  if (!host) return NONE
  const read = readNetwork(plainHost(host))
  if (read) return isBelow ? NONE : networkEntry(text, read, port)
  return entry(text, isBelow ? { port, below: `.${plainHost(host)}` } : { port, names: [plainHost(host)] })
}

/** A host as rules compare it. @param hostname of a URL: lower case */
export function plainHost(hostname: string): string {
  return hostname.replace(/^\[(.+)\]$/, '$1').replace(/(.)\.$/, '$1')
}

export function matches(entry: EgressEntry, target: Target): boolean {
  if (entry.port !== undefined && entry.port !== target.port) return false
  if (isNamed(entry, target.host)) return true
  if (target.forms === undefined || entry.networks.length === 0) return false
  const found = target.forms.some((form) => entry.networks.some((network) => contains(network, form)))
  return found !== entry.outside
}

function isNamed({ names, below }: EgressEntry, host: string): boolean {
  return names.includes(host) || (below !== undefined && host.endsWith(below))
}
