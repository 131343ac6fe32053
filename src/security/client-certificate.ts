import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { readCertificates } from '../core/certificates.ts'
import { sayDuration } from '../core/duration.ts'
import type { Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'
import type { TlsMaterial } from '../core/world.ts'
import { sayKeyStoreFlaw } from './pkcs12.ts'
import { readSigningKey } from './signing-key.ts'

/** A certificate that this side shows, and its key. */
export interface ClientCertificate {
  readonly material: Pick<TlsMaterial, 'certificate' | 'key' | 'pkcs12' | 'passphrase'>
  /** For people: `CN=acme, O=Acme`. */
  readonly subject: string
  /** Epoch ms. */
  readonly ends: number
}

export interface ClientCertificateOptions {
  readonly certificate?: string
  readonly key?: Secret
  readonly passphrase?: Secret
  readonly pkcs12?: Secret
}

type Reporter = (report: ProblemReport) => void

const DAY = 24 * 60 * 60_000
/** ms before its end that a certificate is warned of. */
const SOON = 30 * DAY
/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12 */
const FOR_CLIENTS = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']
const RENEW =
  'Ask for a new one where this one came from, and put it into the same file: it takes effect with the next request.'

/**
 * The client certificate of a credential; undefined where there is none. What is wrong with it is reported.
 * @param now epoch ms
 */
export function readClientCertificate(
  given: ClientCertificateOptions,
  now: number,
  problem: Reporter,
): ClientCertificate | undefined {
  const { certificate, key, pkcs12, passphrase } = given
  const report = (field: keyof ClientCertificateOptions, message: string, hint: string, on?: 'key') =>
    problem({
      code: 'credential/certificate',
      message: `"tls.${field}" ${message}`,
      hint,
      at: ['tls', field],
      ...(on && { on }),
    })
  const pem = certificate !== undefined || key !== undefined
  if (!pem && pkcs12 === undefined) {
    if (passphrase) report('passphrase', 'has no use: there is no key', 'Take it out, or add tls.key.', 'key')
    return undefined
  }
  if (pem && pkcs12 !== undefined) {
    report(
      'pkcs12',
      'is there beside a certificate or key in PEM',
      'A PKCS#12 file holds both: take one of them out.',
      'key',
    )
    return undefined
  }
  if (pkcs12 === undefined && (certificate === undefined || key === undefined)) {
    const [there, missing] = certificate === undefined ? (['key', 'certificate'] as const) : PAIR
    report(
      there,
      `is there, but not "tls.${missing}"`,
      certificate === undefined
        ? 'Add certificate: ${file:certificates/client.crt}.'
        : 'Add key: ${file:certificates/client.key}; where one file holds both, name it twice.',
      'key',
    )
    return undefined
  }
  const read = pkcs12 === undefined ? readPair(given, report) : readPkcs12(pkcs12, passphrase, report)
  if (!read) return undefined
  const field = pkcs12 === undefined ? 'certificate' : 'pkcs12'
  checkDates(read.leaf, ['tls', field], now, problem)
  checkUsage(read.leaf, ['tls', field], problem)
  const { material, leaf } = read
  return { material, subject: subjectOf(leaf), ends: leaf.validToDate.getTime() }
}

const PAIR = ['certificate', 'key'] as const

type Report = (field: keyof ClientCertificateOptions, message: string, hint: string, on?: 'key') => void
type Read = { readonly material: ClientCertificate['material']; readonly leaf: X509Certificate } | undefined

/** The key goes on without its passphrase, and both with line ends that a variable may have lost. */
function readPair({ certificate = '', key, passphrase }: ClientCertificateOptions, report: Report): Read {
  const chain = readCertificates(certificate.replaceAll('\\n', '\n'))
  if (typeof chain === 'string')
    report('certificate', chain, 'Refer to a file: certificate: ${file:certificates/client.crt}.')
  const read = readSigningKey(key!.reveal(), passphrase?.reveal())
  if (!('key' in read)) report(read.passphrase ? 'passphrase' : 'key', read.message, read.hint)
  if (typeof chain === 'string' || !('key' in read)) return undefined
  const leaf = new X509Certificate(chain[0]!)
  if (leaf.checkPrivateKey(read.key))
    return {
      leaf,
      material: {
        certificate: `${chain.join('\n')}\n`,
        key: read.key.export({ type: 'pkcs8', format: 'pem' }),
      },
    }
  const other = chain.findIndex((one) => new X509Certificate(one).checkPrivateKey(read.key))
  report(
    'certificate',
    other > 0
      ? 'does not begin with the certificate of "tls.key"'
      : `is of another key than "tls.key": it is the one of ${subjectOf(leaf)}`,
    other > 0
      ? `It is number ${other + 1} there: put it first, then those that issued it.`
      : 'Use the certificate and the key that were made together.',
  )
  return undefined
}

function readPkcs12(pkcs12: Secret, passphrase: Secret | undefined, report: Report): Read {
  const base64 = pkcs12.reveal().replaceAll(/\s/g, '')
  const bytes = Buffer.from(base64, 'base64')
  if (isJavaKeyStore(bytes)) {
    report('pkcs12', 'is a key store of Java (JKS), not PKCS#12', KEYTOOL)
    return undefined
  }
  if (bytes[0] !== 0x30) {
    report(
      'pkcs12',
      'is no PKCS#12',
      'Refer to the file itself (pkcs12: ${file:certificates/client.p12}), or to a variable with its bytes in base64.',
    )
    return undefined
  }
  const words = passphrase?.reveal()
  try {
    const { context } = createSecureContext({
      pfx: bytes,
      ...(words !== undefined && { passphrase: words }),
    })
    const material = { pkcs12: base64, ...(words !== undefined && { passphrase: words }) }
    return { leaf: new X509Certificate(context.getCertificate()), material }
  } catch (error) {
    const { message } = error as Error
    if (/mac verify|password/i.test(message)) {
      if (passphrase) report('passphrase', 'does not open "tls.pkcs12"', LOOK_AT_PASSPHRASE)
      else report('pkcs12', 'does not open without a passphrase', 'Add passphrase: ${env:NAME}.')
    } else if (/unsupported/i.test(message))
      report(
        'pkcs12',
        'is encrypted in a way that is no longer taken (RC2 or the like)',
        sayKeyStoreFlaw('old', words !== undefined).hint,
      )
    else if (/private key/i.test(message))
      report('pkcs12', 'holds no private key', 'Export the certificate together with its key.')
    else
      report(
        'pkcs12',
        'cannot be read as PKCS#12',
        'It was probably cut, or is another kind of file: openssl pkcs12 -info -in FILE tells.',
      )
    return undefined
  }
}

const LOOK_AT_PASSPHRASE = 'Look at the variable or file that the passphrase comes from.'
const KEYTOOL =
  'Convert it: keytool -importkeystore -srckeystore STORE.jks -destkeystore STORE.p12 -deststoretype PKCS12.'

/** JKS and JCEKS. */
function isJavaKeyStore(bytes: Buffer): boolean {
  return bytes.length > 4 && ['feedfeed', 'cececece'].includes(bytes.subarray(0, 4).toString('hex'))
}

/** Whether these bytes of a file are a key store, not text: DER with a length of several bytes, or of Java. */
export function isKeyStore(bytes: Buffer): boolean {
  return isJavaKeyStore(bytes) || (bytes[0] === 0x30 && bytes[1]! >= 0x80 && bytes[1]! <= 0x84)
}

/** What it says does not change from day to day: it is told once, and the log reminds. */
function checkDates(leaf: X509Certificate, at: Path, now: number, problem: Reporter): void {
  const [from, to] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  const report = (severity: 'error' | 'warning', message: string, hint: string) =>
    problem({ code: 'credential/certificate', severity, message: `"${at.join('.')}" ${message}`, hint, at })
  if (now >= to) report('error', `has expired: it was good until ${dayOf(to)}`, RENEW)
  else if (now < from)
    report('warning', `is not valid yet: it is good from ${dayOf(from)}`, 'Check the date of this machine.')
  else if (to - now < SOON) report('warning', `is good until ${dayOf(to)} only`, RENEW)
}

function checkUsage(leaf: X509Certificate, at: Path, problem: Reporter): void {
  const usage = leaf.keyUsage as readonly string[] | undefined
  if (usage === undefined || usage.some((one) => FOR_CLIENTS.includes(one))) return
  problem({
    code: 'credential/certificate',
    severity: 'warning',
    message: `"${at.join('.')}" is not for clients: its extended key usage does not say so`,
    hint: 'Most services refuse it; ask for a certificate with the usage "TLS client authentication".',
    at,
  })
}

function subjectOf(leaf: X509Certificate): string {
  return leaf.subject === undefined || leaf.subject === ''
    ? 'a certificate without a subject'
    : leaf.subject.split('\n').toReversed().join(', ')
}

function dayOf(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10)
}

/** `CN=acme, O=Acme, until 2027-01-31` */
export function describeCertificate({ subject, ends }: ClientCertificate): string {
  return `${subject}, until ${dayOf(ends)}`
}

/** Undefined as long as it lasts. `expires in 12 d, on 2026-12-03` */
export function sayExpiry({ ends }: ClientCertificate, now: number): string | undefined {
  const left = ends - now
  if (left >= SOON) return undefined
  const whole = Math.abs(left) < 2 * DAY ? Math.abs(left) : Math.abs(left) - (Math.abs(left) % DAY)
  return left <= 0
    ? `has expired ${sayDuration(whole)} ago, on ${dayOf(ends)}`
    : `expires in ${sayDuration(whole)}, on ${dayOf(ends)}`
}
