import type { Dispatcher } from 'undici'
import type { Cancellation } from './context.ts'

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall time, epoch ms. It may jump. */
  now(): number
  /** Monotonic time, ms with fractions, from an arbitrary start. Deadlines and durations are in these. */
  ticks(): number
  /** Calls `action` once after `ms` (any length; longer than 24 days too). Does not keep the process alive by itself. */
  after(ms: number, action: () => void): Timer
}

/** TLS material of a connection: PEM texts. */
export interface TlsMaterial {
  /** Certificate and key in one, in base64. */
  readonly pkcs12?: string
  readonly certificate?: string
  readonly key?: string
  readonly passphrase?: string
  readonly ca?: string
  readonly serverName?: string
}

/** All that is outside: time, chance and network. Tests hand in their own. */
export interface World {
  readonly clock: Clock
  /** A new time-ordered id (UUIDv7). */
  newId(): string
  /** 0 <= x < 1. */
  random(): number
  /** The connection pool for these TLS settings and proxy; the same one for the same arguments. */
  dispatcherFor(tls?: TlsMaterial, proxy?: string): Dispatcher
}

/** Resolves after `ms`, or rejects with the reason when it is called off before. */
export function pause(clock: Clock, ms: number, until: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    if (until.cancelled) return reject(until.cancelled)
    const release = until.onCancel((reason) => {
      timer.cancel()
      reject(reason)
    })
    const timer = clock.after(ms, () => {
      release()
      resolve()
    })
  })
}

/** Resolves after `ms`, or rejects with the signal's reason when it aborts before. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal!.reason)
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
