import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its key, as PEM texts. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

/** An authority that signs what a test wants; nobody else knows it. */
export interface Authority {
  readonly certificate: string
  /** @param about of openssl: `/O=Acme/CN=acme` */
  issue(about: { subject: string; names?: string; usage?: string; days?: number }): Issued
}

function inFolder<Result>(
  work: (openssl: (...args: string[]) => void, at: (name: string) => string) => Result,
) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-authority-'))
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  try {
    return work(openssl, (name) => join(folder, name))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export function createAuthority(name = 'Test CA'): Authority {
  const own = inFolder((openssl, at) => {
    openssl('req', '-x509', ...KEY, '-keyout', 'k', '-out', 'c', '-subj', `/CN=${name}`, '-days', '400')
    return { certificate: readFileSync(at('c'), 'utf8'), key: readFileSync(at('k'), 'utf8') }
  })
  return {
    certificate: own.certificate,
    issue: ({ subject, names, usage = 'clientAuth', days = 365 }) =>
      inFolder((openssl, at) => {
        writeFileSync(at('ca.crt'), own.certificate)
        writeFileSync(at('ca.key'), own.key, { mode: 0o600 })
        writeFileSync(
          at('ext'),
          `extendedKeyUsage=${usage}\n${names === undefined ? '' : `subjectAltName=${names}\n`}`,
        )
        openssl('req', ...KEY, '-keyout', 'k', '-out', 'r', '-subj', subject)
        const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext']
        openssl('x509', '-req', '-in', 'r', ...signed, '-days', String(days), '-out', 'c')
        return { certificate: readFileSync(at('c'), 'utf8'), key: readFileSync(at('k'), 'utf8') }
      }),
  }
}

/** Both in one file. @param more of openssl */
export function pkcs12Of({ certificate, key }: Issued, passphrase: string, ...more: string[]): Buffer {
  return inFolder((openssl, at) => {
    writeFileSync(at('c'), certificate)
    writeFileSync(at('k'), key, { mode: 0o600 })
    openssl(
      'pkcs12',
      '-export',
      '-in',
      'c',
      '-inkey',
      'k',
      '-out',
      'p',
      '-passout',
      `pass:${passphrase}`,
      ...more,
    )
    return readFileSync(at('p'))
  })
}

/** The same key, locked. */
export function lockedKey({ key }: Issued, passphrase: string): string {
  return inFolder((openssl, at) => {
    writeFileSync(at('k'), key, { mode: 0o600 })
    openssl('pkcs8', '-topk8', '-in', 'k', '-out', 'l', '-v2', 'aes256', '-passout', `pass:${passphrase}`)
    return readFileSync(at('l'), 'utf8')
  })
}
