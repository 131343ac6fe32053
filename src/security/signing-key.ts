import { createPrivateKey, type JsonWebKeyInput, type KeyObject, type PrivateKeyInput } from 'node:crypto'
import { isPkcs12, readPkcs12, sayKeyStoreFlaw } from './pkcs12.ts'

/** What signatures of JWTs are made with. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.1 */
export const KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number]

export interface SigningKey {
  readonly key: KeyObject
  /** The key's own text, where it stands inside of another one. */
  readonly text: string
  /** Where the text tells it: of a JWK, or of the file of a service account. */
  readonly keyId: string | undefined
}

/** What is wrong with a key; the key itself is not told. */
export interface KeyMistake {
  /** The rest of a sentence that begins with the field. */
  readonly message: string
  readonly hint: string
  /** It is the passphrase that does not do. */
  readonly passphrase?: true
}

const HINT =
  'Refer to a file or variable that holds it: ${file:keys/client.pem}. PKCS#8, PKCS#1, EC and encrypted keys are taken, a JWK, a PKCS#12 file and the JSON file of a service account as well.'
const PRIVATE = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----[^]*?-----END \1-----/
const BARE = /^-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----$/

/** Reads a private key of PEM or JSON text, or of a PKCS#12 file in base64. */
export function readSigningKey(text: string, passphrase: string | undefined): SigningKey | KeyMistake {
  const trimmed = text.trim()
  if (isPkcs12(trimmed)) return readStore(trimmed, passphrase)
  return trimmed.startsWith('{') ? readJson(trimmed, passphrase) : readPem(trimmed, passphrase)
}

function readStore(base64: string, passphrase: string | undefined): SigningKey | KeyMistake {
  const read = readPkcs12(base64, passphrase)
  if (typeof read !== 'string') {
    const [key] = read.keys
    return key
      ? { key, text: base64, keyId: undefined }
      : {
          message: 'is a PKCS#12 file without a private key',
          hint: 'Export the certificate together with its key.',
        }
  }
  const about = sayKeyStoreFlaw(read, passphrase !== undefined)
  return read === 'locked' && passphrase !== undefined
    ? { ...about, message: 'does not open the key', passphrase: true }
    : about
}

function readJson(text: string, passphrase: string | undefined): SigningKey | KeyMistake {
  let content: Record<string, unknown>
  try {
    content = JSON.parse(text) as Record<string, unknown>
  } catch {
    return { message: 'begins like JSON, but is none', hint: HINT }
  }
  if (typeof content['private_key'] === 'string') {
    const read = readPem(content['private_key'], passphrase)
    return 'key' in read ? { ...read, keyId: textOf(content['private_key_id']) } : read
  }
  if (typeof content['d'] !== 'string') return { message: 'is JSON without a private key in it', hint: HINT }
  try {
    const key = createPrivateKey({ key: content, format: 'jwk' } as unknown as JsonWebKeyInput)
    return { key, text, keyId: textOf(content['kid']) }
  } catch {
    return { message: 'is a JWK that cannot be read', hint: HINT }
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Line ends that were lost on the way through a variable are put back. */
function readPem(text: string, passphrase: string | undefined): SigningKey | KeyMistake {
  const found = PRIVATE.exec(text.replaceAll('\\n', '\n'))?.[0]
  if (found === undefined) return noKey(text)
  const bare = BARE.exec(found)
  const lines = bare?.[2]!.replace(/\s+/g, '').match(/.{1,64}/g)
  const pem =
    bare && lines ? `-----BEGIN ${bare[1]}-----\n${lines.join('\n')}\n-----END ${bare[1]}-----\n` : found
  const isEncrypted = /BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem)
  if (isEncrypted && passphrase === undefined)
    return { message: 'is encrypted', hint: 'Add its passphrase: passphrase: ${env:NAME}.' }
  const input: PrivateKeyInput = { key: pem, ...(isEncrypted && { passphrase: passphrase! }) }
  try {
    return { key: createPrivateKey(input), text: pem, keyId: undefined }
  } catch {
    if (isEncrypted)
      return {
        message: 'does not open the key',
        hint: 'Look at the variable or file that the passphrase comes from.',
        passphrase: true,
      }
    return {
      message: 'holds a private key that cannot be read',
      hint: 'It was probably cut. Copy it again as a whole.',
    }
  }
}

function noKey(text: string): KeyMistake {
  if (text.includes('BEGIN OPENSSH PRIVATE KEY'))
    return {
      message: 'is a key in the format of OpenSSH',
      hint: 'Convert a copy of it: ssh-keygen -p -m pkcs8 -f COPY.',
    }
  const other = /BEGIN (?:TRUSTED )?(CERTIFICATE|PUBLIC KEY)/.exec(text)?.[1]
  if (other !== undefined)
    return { message: `holds a ${other.toLowerCase()}, and no private key`, hint: HINT }
  return { message: 'holds no private key; wanted is PEM: -----BEGIN PRIVATE KEY-----', hint: HINT }
}

const CURVES: Readonly<Record<string, readonly [name: string, algorithm: KeyAlgorithm]>> = {
  prime256v1: ['P-256', 'ES256'],
  secp384r1: ['P-384', 'ES384'],
  secp521r1: ['P-521', 'ES512'],
}
/** Bits. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.3 */
const SHORTEST_RSA = 2048

/** The algorithm that such a key usually signs with, or what is wrong with the key. */
export function usualAlgorithm(key: KeyObject): KeyAlgorithm | KeyMistake {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa') {
    if ((details?.modulusLength ?? 0) >= SHORTEST_RSA) return 'RS256'
    return {
      message: `is ${describeKey(key)}; services take ${SHORTEST_RSA} bits and more`,
      hint: 'Make a longer key: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072.',
    }
  }
  if (type === 'ed25519') return 'EdDSA'
  const curve = type === 'ec' ? CURVES[details?.namedCurve ?? ''] : undefined
  if (curve) return curve[1]
  return {
    message: `is ${describeKey(key)}, which no algorithm here signs with`,
    hint: 'Use an RSA key, an EC key of the curve P-256, P-384 or P-521, or an Ed25519 key.',
  }
}

/** Whether such a key can sign so; else what kind of key that needs. */
export function neededKey(algorithm: KeyAlgorithm, key: KeyObject): string | undefined {
  const usual = usualAlgorithm(key)
  if (usual === algorithm) return undefined
  if (algorithm === 'EdDSA') return 'an Ed25519 key'
  if (algorithm.startsWith('ES'))
    return `an EC key of the curve ${Object.values(CURVES).find(([, own]) => own === algorithm)![0]}`
  return usual === 'RS256' ? undefined : 'an RSA key'
}

/** For people: `an RSA key of 2048 bits`. */
export function describeKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  if (type === 'rsa') return `an RSA key of ${details?.modulusLength} bits`
  if (type === 'ed25519') return 'an Ed25519 key'
  const { namedCurve = '' } = details ?? {}
  return type === 'ec'
    ? `an EC key of the curve ${CURVES[namedCurve]?.[0] ?? namedCurve}`
    : `a key of the type ${type}`
}
