import { isIP, isIPv4 } from 'node:net'

/** An IP address as a number. */
export interface IpAddress {
  readonly family: 4 | 6
  readonly value: bigint
}

/** All addresses that begin with the same bits. */
export interface Network extends IpAddress {
  readonly bits: number
}

const WIDTH = { 4: 32, 6: 128 } as const

/** Reads an address, with or without a zone (`fe80::1%eth0`); `::ffff:10.0.0.1` is 10.0.0.1, which a system connects to. */
export function readIpAddress(text: string): IpAddress | undefined {
  const address = text.replace(/%.*$/s, '')
  switch (isIP(address)) {
    case 4:
      return { family: 4, value: ofDotted(address) }
    case 6: {
      const value = ofColons(address)
      return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family: 6, value }
    }
    default:
      return undefined
  }
}

/** Reads `10.0.0.0/8`, `fd00::/8`, or an address alone. Undefined: it is none of them. */
export function readNetwork(text: string): Network | undefined {
  const [, address = '', length] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const read = readIpAddress(address)
  if (!read) return undefined
  const written = isIPv4(address) ? 4 : 6
  const bits =
    (length === undefined ? WIDTH[written] : Number(length)) - (WIDTH[written] - WIDTH[read.family])
  return bits < 0 || bits > WIDTH[read.family] ? undefined : { ...read, bits }
}

/** The first address of a network: what stands before the `/` where it is written as it should be. */
export function isFirstOf({ family, value, bits }: Network): boolean {
  const shift = BigInt(WIDTH[family] - bits)
  return (value >> shift) << shift === value
}

export function contains(network: Network, { family, value }: IpAddress): boolean {
  const shift = BigInt(WIDTH[network.family] - network.bits)
  return network.family === family && value >> shift === network.value >> shift
}

/** Whether all of a network lies in the other one. */
export function isWithin(inner: Network, outer: Network): boolean {
  return inner.bits >= outer.bits && contains(outer, inner)
}

const NAT64 = readNetwork('64:ff9b::/96')!
const LOCAL_NAT64 = readNetwork('64:ff9b:1::/48')!
const TRANSLATED = readNetwork('::ffff:0:0:0/96')!
const COMPATIBLE = readNetwork('::/96')!
const SIX_TO_FOUR = readNetwork('2002::/16')!

/**
 * The address, and the IPv4 address that packets to it may end at where it holds one.
 * @see https://www.rfc-editor.org/rfc/rfc6052, https://www.rfc-editor.org/rfc/rfc2765#section-2.1, https://www.rfc-editor.org/rfc/rfc3056
 */
export function formsOf(address: IpAddress): readonly IpAddress[] {
  const inside = (value: bigint): IpAddress => ({ family: 4, value: value & 0xffffffffn })
  if ([NAT64, LOCAL_NAT64, TRANSLATED].some((network) => contains(network, address)))
    return [address, inside(address.value)]
  if (contains(COMPATIBLE, address) && address.value > 1n) return [address, inside(address.value)]
  if (contains(SIX_TO_FOUR, address)) return [address, inside(address.value >> 80n)]
  return [address]
}

function ofDotted(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function ofColons(text: string): bigint {
  const plain = text.replace(/[\d.]+\.\d+$/, (dotted) => {
    const value = ofDotted(dotted)
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
  })
  const [head = [], tail] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const zeros = tail === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...(tail ?? [])].reduce(
    (value, part) => (value << 16n) | BigInt(`0x${part}`),
    0n,
  )
}

/** Whom an address belongs to: of IPv6 the network of 64 bits, which one caller usually has as a whole. */
export function networkOf(address: string | undefined): string {
  if (address === undefined || isIPv4(address)) return address ?? ''
  const read = readIpAddress(address)
  if (!read) return address
  const { family, value } = read
  return family === 4
    ? [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
    : [112n, 96n, 80n, 64n].map((shift) => ((value >> shift) & 0xffffn).toString(16)).join(':')
}
