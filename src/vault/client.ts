import { Cancellable } from '../core/cancellation.ts'
import { Failure } from '../core/failure.ts'
import { Secret } from '../core/secret.ts'
import type { World } from '../core/world.ts'
import { exchange } from '../net/client.ts'
import { away, saidIn, Trouble, troubleOf } from './trouble.ts'

/** ms that Vault has for an answer. */
const TIME = 5000
/** Bytes that an answer may have; Vault keeps no larger secrets by itself. */
const LIMIT = 2 * 1024 * 1024

export interface VaultAnswer {
  readonly status: number
  /** The JSON; undefined where there is none. */
  readonly body: unknown
  /** The first error, as people may see it; else empty. */
  readonly said: string
}

export interface VaultClientSetting {
  readonly address: string
  readonly namespace: string | undefined
  readonly world: World
  readonly redact: (text: string) => string
}

/** Asks Vault over HTTP: no redirects, a short time, bounded answers. */
export class VaultClient {
  readonly #setting: VaultClientSetting
  readonly #origin: string
  readonly #base: string
  readonly #calls = new Set<Cancellable>()
  #stopped = false

  constructor(setting: VaultClientSetting) {
    const { origin, pathname } = new URL(setting.address)
    this.#setting = setting
    this.#origin = origin
    this.#base = `${pathname.replace(/\/+$/, '')}/v1/`
  }

  /** @param path below `/v1/`, not encoded. A Trouble: no answer, or one that says nothing of what was asked. */
  async ask(
    method: 'GET' | 'POST',
    path: string,
    token?: Secret,
    data?: object,
  ): Promise<VaultAnswer | Trouble> {
    const { world, namespace, redact } = this.#setting
    const call = new Cancellable(world.clock.ticks() + TIME)
    if (this.#stopped) return STOPPED
    this.#calls.add(call)
    try {
      const { status, body } = await exchange(world.dispatcherFor(), world.clock, {
        origin: this.#origin,
        path: this.#base + path.split('/').map(encodeURIComponent).join('/'),
        method,
        headers: [
          ...['accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'sluice'],
          ...['x-vault-request', 'true'],
          ...(namespace === undefined ? [] : ['x-vault-namespace', namespace]),
          ...(token === undefined ? [] : ['x-vault-token', token.reveal()]),
          ...(data === undefined ? [] : ['content-type', 'application/json']),
        ],
        body: data === undefined ? null : JSON.stringify(data),
        until: call,
        collect: LIMIT,
        limit: LIMIT,
      })
      const answer = parsed(body as Buffer)
      const said = saidIn(answer, redact)
      return troubleOf(status, said) ?? { status, body: answer, said }
    } catch (thrown) {
      const { message, hint } = Failure.from(thrown)
      return away(redact(message), hint)
    } finally {
      this.#calls.delete(call)
    }
  }

  stop(): void {
    this.#stopped = true
    const reason = new Failure('flow.cancelled', 'the engine ends')
    for (const call of this.#calls) call.cancel(reason)
  }
}

const STOPPED = away('the engine ends')

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
