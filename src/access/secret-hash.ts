import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** A hash of a secret, as its text in the file of a client says it. */
export interface SecretHash {
  readonly text: string
  /** What costs: hashes with the same one are tried together. */
  readonly settings: string
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Buffer
  readonly hash: Buffer
}

const COST = 14
const BLOCK_SIZE = 8
const SALT = 16
const LENGTH = 32
/** `$scrypt$ln=14,r=8,p=1$salt$hash`. @see https://github.com/P-H-C/phc-string-format */
const WRITTEN =
  /^(\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86}))\$([A-Za-z0-9+/]{22,86})$/
/** Bytes that one try may take. */
const MEMORY = 256 * 1024 * 1024

/** Reads a hash; undefined where it is none, or one that would cost too much. */
export function readSecretHash(text: string): SecretHash | undefined {
  const match = WRITTEN.exec(text)
  if (!match) return undefined
  const [, settings, cost, blockSize, parallelization, salt, hash] = match
  const read = {
    text,
    settings: settings!,
    cost: Number(cost),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
    salt: Buffer.from(salt!, 'base64'),
    hash: Buffer.from(hash!, 'base64'),
  }
  const fits =
    read.cost >= 10 &&
    read.cost <= 20 &&
    read.blockSize >= 1 &&
    read.parallelization >= 1 &&
    memoryOf(read) <= MEMORY
  return fits ? read : undefined
}

/** A hash of a new secret. With a client's other hash both are tried at the cost of one. */
export async function makeSecretHash(secret: string, beside?: SecretHash): Promise<string> {
  const made = beside ?? fresh(randomBytes(SALT))
  const hash = await derive(secret, { ...made, hash: Buffer.alloc(LENGTH) })
  return `${made.settings}$${unpadded(hash)}`
}

/** Whether the secret is the one of a hash; constant in time, whichever of them it is. */
export async function fitsSecret(secret: string, hashes: readonly SecretHash[]): Promise<boolean> {
  let fits = false
  for (const group of Map.groupBy(hashes, ({ settings }) => settings).values()) {
    const longest = group.reduce((a, b) => (b.hash.length > a.hash.length ? b : a))
    const derived = await derive(secret, longest)
    for (const { hash } of group) if (timingSafeEqual(hash, derived.subarray(0, hash.length))) fits = true
  }
  return fits
}

/** What a secret is tried against where there is no client: no secret fits it. */
export const NOBODY: readonly SecretHash[] = [
  { ...fresh(randomBytes(SALT)), text: '', hash: randomBytes(LENGTH) },
]

function fresh(salt: Buffer): Omit<SecretHash, 'text' | 'hash'> {
  return {
    settings: `$scrypt$ln=${COST},r=${BLOCK_SIZE},p=1$${unpadded(salt)}`,
    cost: COST,
    blockSize: BLOCK_SIZE,
    parallelization: 1,
    salt,
  }
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

function memoryOf({ cost, blockSize, parallelization }: Omit<SecretHash, 'text' | 'hash'>): number {
  return 128 * blockSize * (2 ** cost + parallelization + 2)
}

function derive(secret: string, at: Omit<SecretHash, 'text'>): Promise<Buffer> {
  const options = { N: 2 ** at.cost, r: at.blockSize, p: at.parallelization, maxmem: 2 * memoryOf(at) }
  return new Promise((resolve, reject) =>
    scrypt(secret, at.salt, at.hash.length, options, (error, key) => (error ? reject(error) : resolve(key))),
  )
}
