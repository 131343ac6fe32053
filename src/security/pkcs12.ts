import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  pbkdf2Sync,
  timingSafeEqual,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import { contentOf, integerOf, NoDer, OCTET_STRING, oidOf, readDer, within, type DerElement } from './der.ts'

/** What a PKCS#12 file holds. */
export interface KeyStoreContent {
  readonly keys: readonly KeyObject[]
  /** PEM; those of the first key come first. */
  readonly certificates: readonly string[]
}

/** Why a key store cannot be read: `locked`: by this passphrase; `old`: encrypted in a way that is no longer taken; `broken`. */
export type KeyStoreFlaw = 'locked' | 'old' | 'broken'

const CONTEXT_0 = 0xa0
const CONTEXT_0_PLAIN = 0x80
const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const BAGS = '1.2.840.113549.1.12.10.1.'
const [KEY, SHROUDED_KEY, CERTIFICATE] = [`${BAGS}1`, `${BAGS}2`, `${BAGS}3`]
const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const PBE_3DES = '1.2.840.113549.1.12.1.3'
const HMACS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}
const HASHES: Readonly<Record<string, { readonly name: string; readonly block: number }>> = {
  '1.3.14.3.2.26': { name: 'sha1', block: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', block: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', block: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', block: 128 },
}
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly key: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', key: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', key: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', key: 32 },
}
/** Rounds of a derivation; a file with more would only hold up the engine. */
const MOST_ROUNDS = 1_000_000

/** A flaw for people: the rest of a sentence that begins with the field. */
export function sayKeyStoreFlaw(
  flaw: KeyStoreFlaw,
  hasPassphrase: boolean,
): { readonly message: string; readonly hint: string } {
  if (flaw === 'locked')
    return hasPassphrase
      ? {
          message: 'is a PKCS#12 file that its passphrase does not open',
          hint: 'Look at the variable or file that the passphrase comes from.',
        }
      : {
          message: 'is a PKCS#12 file that does not open without a passphrase',
          hint: 'Add its passphrase: ${env:NAME}.',
        }
  if (flaw === 'old')
    return {
      message: 'is a PKCS#12 file that is encrypted in a way that is no longer taken (RC2 or the like)',
      hint: 'Write it anew: openssl pkcs12 -legacy -in OLD.p12 -out ALL.pem, then openssl pkcs12 -export -in ALL.pem -out NEW.p12.',
    }
  return {
    message: 'cannot be read as PKCS#12',
    hint: 'It was probably cut, or written by a tool of its own kind: openssl pkcs12 -in OLD.p12 -out ALL.pem, then openssl pkcs12 -export -in ALL.pem -out NEW.p12.',
  }
}

class Flaw extends Error {
  readonly flaw: KeyStoreFlaw

  constructor(flaw: KeyStoreFlaw) {
    super(flaw)
    this.flaw = flaw
  }
}

/** Whether a text is the bytes of a PKCS#12 file in base64, as references to such files give them. */
export function isPkcs12(text: string): boolean {
  const base64 = text.replace(/\s+/g, '')
  if (!/^MI[A-Za-z0-9+/]+=*$/.test(base64)) return false
  try {
    const [version, content] = within(readDer(Buffer.from(base64, 'base64'))[0])
    return integerOf(version) === 3 && oidOf(within(content)[0]) === DATA
  } catch {
    return false
  }
}

/**
 * Reads the keys and certificates of a PKCS#12 file. Node does so only to open connections.
 * @param base64 its bytes
 * @see https://www.rfc-editor.org/rfc/rfc7292
 */
export function readPkcs12(base64: string, passphrase: string | undefined): KeyStoreContent | KeyStoreFlaw {
  try {
    const [, content, mac] = within(readDer(Buffer.from(base64, 'base64'))[0])
    const safe = dataIn(content)
    if (mac) checkMac(mac, safe, passphrase ?? '')
    const bags = within(readDer(safe)[0]).flatMap((part) =>
      within(readDer(opened(part, passphrase ?? ''))[0]),
    )
    return sorted(bags, passphrase ?? '')
  } catch (error) {
    if (error instanceof Flaw) return error.flaw
    return 'broken'
  }
}

function sorted(bags: readonly DerElement[], passphrase: string): KeyStoreContent {
  const keys: KeyObject[] = []
  const certificates: X509Certificate[] = []
  for (const bag of bags) {
    const [id, value] = within(bag)
    const [inner] = within(value, CONTEXT_0)
    const kind = oidOf(id)
    if (kind === KEY || kind === SHROUDED_KEY) keys.push(keyOf(inner!.bytes, passphrase))
    else if (kind === CERTIFICATE) {
      const [, certificate] = within(inner)
      certificates.push(new X509Certificate(contentOf(within(certificate, CONTEXT_0)[0], OCTET_STRING)))
    }
  }
  const [key] = keys
  const isOwn = (one: X509Certificate) => key !== undefined && one.checkPrivateKey(key)
  const inOrder = [...certificates.filter(isOwn), ...certificates.filter((one) => !isOwn(one))]
  return { keys, certificates: inOrder.map(String) }
}

/** OpenSSL opens those that are encrypted, in every way that it still takes. */
function keyOf(der: Buffer, passphrase: string): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8', passphrase })
  } catch (error) {
    throw new Flaw(/unsupported/i.test((error as Error).message) ? 'old' : 'locked')
  }
}

function dataIn(content: DerElement | undefined): Buffer {
  const [type, value] = within(content)
  if (oidOf(type) !== DATA) throw new NoDer()
  return contentOf(within(value, CONTEXT_0)[0], OCTET_STRING)
}

/** A part of the store: as it stands, or decrypted. */
function opened(part: DerElement, passphrase: string): Buffer {
  const [type, value] = within(part)
  if (oidOf(type) !== ENCRYPTED_DATA) return dataIn(part)
  const [, content] = within(within(value, CONTEXT_0)[0])
  const [, algorithm, bytes] = within(content)
  const decipher = decipherOf(algorithm, passphrase)
  try {
    return Buffer.concat([decipher.update(contentOf(bytes, CONTEXT_0_PLAIN)), decipher.final()])
  } catch (error) {
    throw error instanceof NoDer ? error : new Flaw('locked')
  }
}

function decipherOf(algorithm: DerElement | undefined, passphrase: string) {
  const [id, parameters] = within(algorithm)
  const name = oidOf(id)
  if (name === PBE_3DES) {
    const [salt, rounds] = within(parameters)
    const derive = (use: number, length: number) =>
      derived('1.3.14.3.2.26', use, passphrase, contentOf(salt, OCTET_STRING), roundsOf(rounds), length)
    return createDecipheriv('des-ede3-cbc', derive(1, 24), derive(2, 8))
  }
  if (name !== PBES2) throw new Flaw('old')
  const [derivation, encryption] = within(parameters)
  const [kdf, settings] = within(derivation)
  const [scheme, iv] = within(encryption)
  const cipher = CIPHERS[oidOf(scheme)]
  if (oidOf(kdf) !== PBKDF2 || cipher === undefined) throw new Flaw('old')
  const [salt, rounds, ...more] = within(settings)
  const prf = more.find(({ tag }) => tag === 0x30)
  const hmac = prf === undefined ? 'sha1' : HMACS[oidOf(within(prf)[0])]
  if (hmac === undefined) throw new Flaw('old')
  const key = pbkdf2Sync(passphrase, contentOf(salt, OCTET_STRING), roundsOf(rounds), cipher.key, hmac)
  return createDecipheriv(cipher.name, key, contentOf(iv, OCTET_STRING))
}

/** What tells a wrong passphrase, and a store that somebody changed. Newer ways to say it are left to the decryption. */
function checkMac(mac: DerElement, safe: Buffer, passphrase: string): void {
  const [digest, salt, rounds] = within(mac)
  const [algorithm, said] = within(digest)
  const id = oidOf(within(algorithm)[0])
  const hash = HASHES[id]
  if (hash === undefined) return
  const wanted = contentOf(said, OCTET_STRING)
  const count = rounds === undefined ? 1 : roundsOf(rounds)
  const key = derived(id, 3, passphrase, contentOf(salt, OCTET_STRING), count, wanted.length)
  const made = createHmac(hash.name, key).update(safe).digest()
  if (made.length !== wanted.length || !timingSafeEqual(made, wanted)) throw new Flaw('locked')
}

function roundsOf(element: DerElement | undefined): number {
  const rounds = integerOf(element)
  if (rounds < 1 || rounds > MOST_ROUNDS) throw new NoDer()
  return rounds
}

/** @param use 1: a key, 2: an IV, 3: a MAC @see https://www.rfc-editor.org/rfc/rfc7292#appendix-B.2 */
function derived(
  hash: string,
  use: number,
  passphrase: string,
  salt: Buffer,
  rounds: number,
  length: number,
): Buffer {
  const { name, block } = HASHES[hash]!
  const diversifier = Buffer.alloc(block, use)
  const input = Buffer.concat([filled(salt, block), filled(bmpString(passphrase), block)])
  const parts: Buffer[] = []
  for (let have = 0; have < length;) {
    let part = createHash(name).update(diversifier).update(input).digest()
    for (let round = 1; round < rounds; round++) part = createHash(name).update(part).digest()
    parts.push(part)
    have += part.length
    const added = filled(part, block).subarray(0, block)
    for (let at = 0; at < input.length; at += block) addOne(input.subarray(at, at + block), added)
  }
  return Buffer.concat(parts).subarray(0, length)
}

/** Repeated up to a whole number of blocks. */
function filled(bytes: Buffer, block: number): Buffer {
  return Buffer.alloc(block * Math.ceil(bytes.length / block), bytes)
}

/** `target + added + 1`, as one large number. */
function addOne(target: Buffer, added: Buffer): void {
  let carry = 1
  for (let at = target.length - 1; at >= 0; at--) {
    const sum = target[at]! + added[at]! + carry
    target[at] = sum & 0xff
    carry = sum >> 8
  }
}

/** UTF-16, big-endian, with its end. */
function bmpString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le').swap16()
}
