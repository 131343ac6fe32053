import type { Clock } from '../core/world.ts'
import { FailureCount } from './failure-count.ts'

/** Within a minute: of one client from one network, and from one network whichever client they are of. */
const OF_A_CLIENT = 5
const OF_A_NETWORK = 50
/** Characters of the longest id of a client. */
const LONGEST_ID = 150

/** Who has to wait. */
export interface Pause {
  /** s */
  readonly retryAfter: number
  /** For the log. */
  readonly whose: 'of this client from this address' | 'from this network'
}

/** Secrets and assertions of clients that were wrong within the last minute. */
export class FailedAttempts {
  readonly #ofClients: FailureCount
  readonly #ofNetworks: FailureCount

  constructor(clock: Clock) {
    this.#ofClients = new FailureCount(clock, OF_A_CLIENT)
    this.#ofNetworks = new FailureCount(clock, OF_A_NETWORK)
  }

  /** Undefined: it may be tried at once. */
  pauseOf(network: string, clientId: string): Pause | undefined {
    const ofClient = this.#ofClients.pauseOf(keyOf(network, clientId))
    if (ofClient > 0) return { retryAfter: ofClient, whose: 'of this client from this address' }
    const retryAfter = this.#ofNetworks.pauseOf(network)
    return retryAfter > 0 ? { retryAfter, whose: 'from this network' } : undefined
  }

  add(network: string, clientId: string): void {
    this.#ofClients.add(keyOf(network, clientId))
    this.#ofNetworks.add(network)
  }

  /** Of a client that there is not, where that costs nothing to find out. */
  addUnknown(network: string): void {
    this.#ofNetworks.add(network)
  }

  /** What was counted last was none. */
  takeBack(network: string, clientId: string): void {
    this.#ofClients.takeBack(keyOf(network, clientId))
    this.#ofNetworks.takeBack(network)
  }
}

function keyOf(network: string, clientId: string): string {
  return `${network} ${clientId.slice(0, LONGEST_ID)}`
}
