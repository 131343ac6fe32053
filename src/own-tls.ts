import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Settings } from './config.ts'
import { readCertificates } from './core/certificates.ts'
import type { Problem } from './core/problem.ts'
import { Secret } from './core/secret.ts'
import { dayOf, SOON } from './security/client-certificate.ts'
import { isForServers, readIdentity, subjectOf, type Spelling } from './security/identity.ts'
import { fileOfReference, readText } from './security/setting-reference.ts'
import { whyUnusable, type TlsContent } from './server/own-tls.ts'
import { isTlsOn, TLS_FILES } from './tls-setting.ts'

/** The files of `tls` as they are now. */
export interface ReadTls {
  /** Absent where there are mistakes, and where TLS is off. */
  readonly content?: TlsContent
  /** Those who issue certificates of clients; undefined where there are mistakes, too. */
  readonly authorities?: readonly X509Certificate[]
  /** For people: `CN=flows.example.com`. */
  readonly subject?: string
  /** Epoch ms: the end of the certificate. */
  readonly ends?: number
  readonly problems: readonly Problem[]
}

type Field = (typeof TLS_FILES)[number] | 'passphrase'

const RENEW = 'Put the new certificate (and its key) into the same files: they are read again by themselves.'
const SPELLING: Spelling = {
  certificate: 'certificate: certificates/server.crt',
  key: 'key: certificates/server.key',
  pkcs12: 'pkcs12: certificates/server.p12',
  passphrase: 'passphrase: ${env:NAME}',
}
const KEY_HINT = 'Name a file with a private key in PEM: PKCS#8, PKCS#1 or EC, encrypted or not.'

/**
 * Reads and judges what the settings name. What is wrong comes back as problems; certificates that have expired or end
 * soon are warnings.
 * @param hide is given the passphrase
 * @param now epoch ms
 */
export async function readOwnTls(
  settings: Pick<Settings, 'tls' | 'tlsPlaces' | 'projectFolder'>,
  environment: Readonly<Record<string, string | undefined>>,
  hide: (secret: string) => void,
  now: number,
): Promise<ReadTls> {
  const { tls, projectFolder } = settings
  if (!isTlsOn(tls) && tls.clientCa === undefined) return { problems: [] }
  const problems: Problem[] = []
  const report = (
    field: Field,
    message: string,
    hint: string | undefined,
    severity: Problem['severity'] = 'error',
  ) =>
    problems.push({
      code: 'setting/tls',
      severity,
      message: `"tls.${field}" ${message}`,
      ...(hint !== undefined && { hint }),
      ...settings.tlsPlaces.get(field)!,
    })
  const bytes = new Map<Field, Buffer>()
  for (const field of TLS_FILES) {
    const path = tls[field]
    if (path === undefined) continue
    const shown = relative(projectFolder, path)
    try {
      bytes.set(field, await readFile(path))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const what = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`
      report(field, `names a file that ${what}: ${shown}`, 'The path is relative to the project folder.')
    }
  }
  const passphrase = await readPassphrase(settings, environment, hide, (why) =>
    report('passphrase', `cannot be had: ${why}`, 'Set it, or take "tls.passphrase" out.'),
  )
  const ca = bytes.get('clientCa')?.toString()
  const found = ca === undefined ? [] : readCertificates(ca)
  if (typeof found === 'string') report('clientCa', found, undefined)
  if (typeof found === 'string' || problems.length > 0) return { problems }
  const authorities = found.map((pem) => new X509Certificate(pem))
  if (!isTlsOn(tls)) return { authorities, problems }
  const text = (field: Field) => bytes.get(field)?.toString()
  const [certificate, key] = [text('certificate'), text('key')]
  const pkcs12 = bytes.get('pkcs12')?.toString('base64')
  const identity = readIdentity(
    {
      ...(certificate !== undefined && { certificate }),
      ...(key !== undefined && { key: new Secret(key) }),
      ...(pkcs12 !== undefined && { pkcs12: new Secret(pkcs12) }),
      ...(passphrase !== undefined && { passphrase: new Secret(passphrase) }),
    },
    SPELLING,
    (field, message, hint) => report(field, message, hint.includes('${file:') ? KEY_HINT : hint),
  )
  if (!identity) return { problems }
  const { leaf, material } = identity
  const field = pkcs12 === undefined ? 'certificate' : 'pkcs12'
  const warn = (message: string, hint: string) => report(field, message, hint, 'warning')
  judgeDates(leaf, now, warn)
  if (!isForServers(leaf))
    warn(
      'is not for servers: its extended key usage does not say so',
      'Most clients refuse it; ask for a certificate with the usage "TLS server authentication".',
    )
  const content: TlsContent = {
    ...('certificate' in material && { certificate: material.certificate, key: material.key! }),
    ...(material.pkcs12 !== undefined && { pkcs12: Buffer.from(material.pkcs12, 'base64') }),
    ...(material.passphrase !== undefined && { passphrase: material.passphrase }),
    ...(ca !== undefined && { clientCa: ca }),
  }
  const why = whyUnusable(content)
  if (why !== undefined) {
    report(field, `cannot be used: ${why}`, 'Keys have 2048 bits (RSA) or are of a curve such as P-256.')
    return { problems }
  }
  return { content, authorities, subject: subjectOf(leaf), ends: leaf.validToDate.getTime(), problems }
}

/** Absolute paths of all that is read. */
export function tlsFiles({ tls, projectFolder }: Pick<Settings, 'tls' | 'projectFolder'>): readonly string[] {
  const { passphrase } = tls
  const ofPassphrase = passphrase === undefined ? undefined : fileOfReference(passphrase, projectFolder)
  return [...TLS_FILES.map((field) => tls[field]), ofPassphrase].filter((file) => file !== undefined)
}

async function readPassphrase(
  { tls: { passphrase }, projectFolder }: Pick<Settings, 'tls' | 'projectFolder'>,
  environment: Readonly<Record<string, string | undefined>>,
  hide: (secret: string) => void,
  missing: (why: string) => void,
): Promise<string | undefined> {
  if (passphrase === undefined) return undefined
  const read = await readText(passphrase, { environment, projectFolder })
  if ('why' in read) {
    missing(read.why)
    return undefined
  }
  hide(read.value)
  return read.value
}

function judgeDates(leaf: X509Certificate, now: number, warn: (message: string, hint: string) => void): void {
  const [from, to] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  if (now >= to) warn(`has expired: it was good until ${dayOf(to)}; clients refuse it`, RENEW)
  else if (now < from)
    warn(`is not valid yet: it is good from ${dayOf(from)}`, 'Check the date of this machine.')
  else if (to - now < SOON) warn(`is good until ${dayOf(to)} only`, RENEW)
}
