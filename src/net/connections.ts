import type { Dispatcher } from 'undici'
import type { Answer, Exchange } from '../core/http.ts'

/** What a dispatcher knows of its connections. */
export interface Connections {
  /** Open ones to this origin. */
  connected(origin: string): number
  /**
   * A request has waited for a connection in vain. Where none comes for long, nobody waits for those under way any
   * more: requests that are not given up get the error `SET_FREE`.
   * @param now monotonic ms
   */
  waitedInVain(origin: string, now: number): void
}

/** Tells a request that it was not sent, and may be dispatched anew. */
export const SET_FREE = new Error('no connection came')

/** Whether all connections to it are busy: a request waits for its turn, not for a connection. */
export function allBusy(dispatcher: Dispatcher & Partial<Connections>, origin: string): boolean {
  return dispatcher.connected !== undefined && dispatcher.connected(origin) > 0
}

/** Sends a request over other connections. */
export type SendOver = (dispatcher: Dispatcher, request: Exchange) => Promise<Answer>

/** A dispatcher that takes requests as a whole, because it needs something for them first, or sends them twice. */
export interface Carrier {
  carry(request: Exchange, send: SendOver): Promise<Answer>
}
