import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** Keys of each kind; made once a process. */
export const rsa: KeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const otherRsa: KeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const p256: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const p384: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-384' })
export const p521: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-521' })
export const ed25519: KeyPair = generateKeyPairSync('ed25519')

export function pemOf({ privateKey }: KeyPair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
}

/** A certificate (PEM) of this key, made by itself. */
export function certificateOf(pair: KeyPair): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-certificate-'))
  try {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
    writeFileSync(key, pemOf(pair), { mode: 0o600 })
    const name = ['-subj', '/CN=sluice', '-days', '2', '-out', certificate]
    execFileSync('openssl', ['req', '-x509', '-new', '-key', key, ...name], { stdio: 'ignore' })
    return readFileSync(certificate, 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
