import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import type { Clock } from '../core/world.ts'
import type { SecretKey } from '../security/secret-keys.ts'
import { sealedAnew, type KeySeal, type Sealer } from './key-seal.ts'
import { readPrivate, trouble, writePrivate } from './private-file.ts'

const DAY = 86_400_000
/** Of the data folder. */
export const SIGNING_KEYS_FILE = 'access-keys.json'
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
  /** A JWK, encrypted. */
  readonly sealed?: string
  /** In clear, as older versions have kept it. */
  readonly jwk?: object
}

/** The keys that tokens of this engine are signed with (ES256): kept in a file, encrypted, one after the other. */
export class SigningKeys {
  readonly #file: string
  readonly #clock: Clock
  readonly #seal: KeySeal
  readonly #made: () => void
  #keys: readonly SigningKey[] = []
  /** Whom the keys of the file are encrypted for; undefined: one is in clear. */
  #recipients: string | undefined

  private constructor(file: string, clock: Clock, seal: KeySeal, made: () => void) {
    this.#file = file
    this.#clock = clock
    this.#seal = seal
    this.#made = made
  }

  /**
   * Reads the keys, and makes the first one where there is none. Keys in clear are encrypted at once. @throws Error `SLUICE_ACCESS`
   * @param made is told of each new key
   */
  static async open(
    file: string,
    clock: Clock,
    seal: KeySeal,
    made: () => void = () => {},
  ): Promise<SigningKeys> {
    const keys = new SigningKeys(file, clock, seal, made)
    await keys.#read()
    await keys.rotate()
    return keys
  }

  /** Makes the next key when it is time, lets go of those whose tokens have all ended, and encrypts anew for other age keys. */
  async rotate(): Promise<void> {
    const now = this.#clock.now()
    const newest = this.#keys.at(-1)
    const next =
      newest === undefined ? [make(now)] : now >= newest.from + PERIOD - AHEAD ? [make(now + AHEAD)] : []
    const all = [...this.#keys, ...next]
    const kept = all.filter((_, i) => i === all.length - 1 || all[i + 1]!.from + LINGER > now)
    const isOld = next.length > 0 || kept.length !== this.#keys.length || this.#recipients === undefined
    const sealer = isOld ? await this.#seal.sealer(now) : await this.#seal.sealerOfKeysHere()
    if (sealer === undefined || (!isOld && sealer.recipients === this.#recipients)) return
    const { recipients } = sealer
    const sealed = await Promise.all(kept.map((key) => keep(key, sealer)))
    await writePrivate(this.#file, { recipients, keys: sealed })
    this.#keys = kept
    this.#recipients = recipients
    if (next.length > 0) this.#made()
  }

  async #read(): Promise<void> {
    const content = await readPrivate(this.#file)
    if (content === undefined) return
    const { keys, recipients } = content as { readonly keys?: readonly Kept[]; readonly recipients?: string }
    if (!Array.isArray(keys)) throw noKeys(this.#file)
    this.#keys = await Promise.all(keys.map((key: Kept) => this.#opened(key)))
    this.#recipients = keys.every(({ jwk }: Kept) => jwk === undefined) ? recipients : undefined
  }

  async #opened({ kid, from, jwk, sealed }: Kept): Promise<SigningKey> {
    const text = typeof sealed === 'string' ? await this.#seal.open(kid, sealed) : JSON.stringify(jwk)
    try {
      const privateKey = createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1' || !Number.isFinite(from))
        throw new Error('another key')
      return { kid, from, privateKey, publicKey: createPublicKey(privateKey) }
    } catch {
      throw noKeys(this.#file)
    }
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

/** Encrypts the keys of a file for the age keys that stay. @param here all of them @throws Error `SLUICE_ACCESS` */
export async function sealSigningKeysAnew(
  file: string,
  here: readonly SecretKey[],
  staying: readonly SecretKey[],
): Promise<void> {
  const kept = ((await readPrivate(file)) as { readonly keys?: readonly Kept[] } | undefined)?.keys ?? []
  const closed = kept.filter((key): key is Kept & { sealed: string } => key.sealed !== undefined)
  if (closed.length === 0) return
  const { recipients, sealed } = await sealedAnew(closed, here, staying)
  const anew = new Map(closed.map(({ kid }, i) => [kid, sealed[i]]))
  const keys = kept.map((key) => (anew.has(key.kid) ? { ...key, sealed: anew.get(key.kid) } : key))
  await writePrivate(file, { recipients, keys })
}

function make(from: number): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid: randomBytes(9).toString('base64url'), from, privateKey, publicKey }
}

async function keep({ kid, from, privateKey }: SigningKey, { seal }: Sealer): Promise<Kept> {
  return { kid, from, sealed: await seal(kid, JSON.stringify(privateKey.export({ format: 'jwk' }))) }
}

function noKeys(file: string): Error {
  return trouble(file, 'holds no signing keys; remove it, and a new key is made (tokens of before end)')
}
