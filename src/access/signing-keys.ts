import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import type { Clock } from '../core/world.ts'
import { readPrivate, trouble, writePrivate } from './private-file.ts'

const DAY = 86_400_000
/** How long tokens are signed with a key. */
const PERIOD = 90 * DAY
/** How long a key is published before tokens are signed with it, and how long the longest token lives after that. */
const AHEAD = DAY
const LINGER = DAY

export interface SigningKey {
  readonly kid: string
  /** Epoch ms from which on tokens are signed with it. */
  readonly from: number
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

interface Kept {
  readonly kid: string
  readonly from: number
  readonly jwk: ReturnType<KeyObject['export']>
}

/** The keys that tokens of this engine are signed with (ES256): kept in a file, one after the other. */
export class SigningKeys {
  readonly #file: string
  readonly #clock: Clock
  readonly #made: () => void
  #keys: readonly SigningKey[]

  private constructor(file: string, clock: Clock, made: () => void, keys: readonly SigningKey[]) {
    this.#file = file
    this.#clock = clock
    this.#made = made
    this.#keys = keys
  }

  /**
   * Reads the keys, and makes the first one where there is none. @throws Error `SLUICE_ACCESS`
   * @param made is told of each new key
   */
  static async open(file: string, clock: Clock, made: () => void = () => {}): Promise<SigningKeys> {
    const keys = new SigningKeys(file, clock, made, read(await readPrivate(file), file))
    await keys.rotate()
    return keys
  }

  /** Makes the next key when it is time, and lets go of those whose tokens have all ended. */
  async rotate(): Promise<void> {
    const now = this.#clock.now()
    const newest = this.#keys.at(-1)
    const next =
      newest === undefined ? [make(now)] : now >= newest.from + PERIOD - AHEAD ? [make(now + AHEAD)] : []
    const all = [...this.#keys, ...next]
    const kept = all.filter((_, i) => i === all.length - 1 || all[i + 1]!.from + LINGER > now)
    if (next.length === 0 && kept.length === this.#keys.length) return
    await writePrivate(this.#file, { keys: kept.map(keep) })
    this.#keys = kept
    if (next.length > 0) this.#made()
  }

  /** The one that is signed with now. */
  current(): SigningKey {
    const now = this.#clock.now()
    return this.#keys.findLast(({ from }) => from <= now) ?? this.#keys[0]!
  }

  ofId(kid: string | undefined): SigningKey | undefined {
    return this.#keys.find((key) => key.kid === kid)
  }

  /** A JWK Set. @see https://www.rfc-editor.org/rfc/rfc7517#section-5 */
  published(): { readonly keys: readonly object[] } {
    return {
      keys: this.#keys.map(({ kid, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        alg: 'ES256',
        use: 'sig',
      })),
    }
  }
}

function make(from: number): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid: randomBytes(9).toString('base64url'), from, privateKey, publicKey }
}

function keep({ kid, from, privateKey }: SigningKey): Kept {
  return { kid, from, jwk: privateKey.export({ format: 'jwk' }) }
}

function read(content: unknown, file: string): SigningKey[] {
  if (content === undefined) return []
  try {
    return (content as { keys: Kept[] }).keys.map(({ kid, from, jwk }) => {
      const privateKey = createPrivateKey({ key: jwk as never, format: 'jwk' })
      if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1' || !Number.isFinite(from))
        throw new Error('another key')
      return { kid, from, privateKey, publicKey: createPublicKey(privateKey) }
    })
  } catch {
    throw trouble(file, 'holds no signing keys; remove it, and a new key is made (tokens of before end)')
  }
}
