import type { IncomingMessage } from 'node:http'
import { contains, readIpAddress, readNetwork, type Network } from './ip-address.ts'

/** Proxies in front of the engine: what they say of a caller is believed, what others say is not. */
export class TrustedProxies {
  readonly #networks: readonly Network[]
  /** By address as the system writes it: there are few, and every request asks. */
  readonly #known = new Map<string, boolean>()

  /** @param entries addresses and networks that can be read */
  constructor(entries: readonly string[]) {
    this.#networks = entries.map((entry) => readNetwork(entry)!)
  }

  /** Whether a request comes from one of them. */
  sent({ socket }: IncomingMessage): boolean {
    if (this.#networks.length === 0) return false
    const address = socket.remoteAddress ?? ''
    const known = this.#known.get(address)
    if (known !== undefined) return known
    if (this.#known.size > MOST) this.#known.clear()
    const trusted = this.#has(address)
    this.#known.set(address, trusted)
    return trusted
  }

  /** Where a request comes from: of `X-Forwarded-For` the last address that is none of them, which the next one has seen itself. */
  readonly addressOf = (raw: IncomingMessage): string => {
    const direct = raw.socket.remoteAddress ?? ''
    const forwarded = raw.headers['x-forwarded-for']
    if (typeof forwarded !== 'string' || !this.sent(raw)) return direct
    let nearest = direct
    for (const entry of forwarded.split(',').toReversed()) {
      const address = withoutPort(entry.trim())
      if (readIpAddress(address) === undefined) return nearest
      nearest = address
      if (!this.#has(address)) return nearest
    }
    return nearest
  }

  #has(text: string): boolean {
    const address = readIpAddress(text)
    return address !== undefined && this.#networks.some((network) => contains(network, address))
  }
}

const MOST = 10_000

/** `10.0.0.1:4711`, `[fd00::1]:4711`, `[fd00::1]`, or an address alone. */
function withoutPort(text: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
}
