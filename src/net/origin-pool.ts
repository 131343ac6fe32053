import { Pool, type buildConnector } from 'undici'
import { createConnector, type Connector } from './connector.ts'

/** ms that connections may fail to come before nobody waits for those under way any more. */
const IN_VAIN = 10_000

/** The connections to one origin. */
export class OriginPool extends Pool {
  private readonly connector: Connector
  /** Monotonic ms since when requests wait in vain. */
  private inVain: number | undefined = undefined

  constructor(origin: string, options: Pool.Options, connecting: buildConnector.BuildOptions) {
    const connector = createConnector(connecting)
    super(origin, { ...options, connect: connector.connect })
    this.connector = connector
    this.on('connect', () => (this.inVain = undefined))
  }

  /** Nothing is open, and nothing is wanted. */
  get unused(): boolean {
    const { connected, pending, running } = this.stats
    return connected + pending + running === 0
  }

  /** A request has waited in vain. @param now monotonic ms @returns whether that has gone on for too long */
  waitedInVain(now: number): boolean {
    if (this.stats.connected > 0) return false
    this.inVain ??= now
    return now - this.inVain >= IN_VAIN
  }

  /** Ends all connections, those under way too. @param error for the requests; undici's own where left out */
  async end(error: Error | null = null): Promise<void> {
    const ended = this.destroy(error)
    this.connector.abandon()
    await ended
  }
}
