import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { readCertificates } from '../core/certificates.ts'
import type { Secret } from '../core/secret.ts'
import type { TlsMaterial } from '../core/world.ts'
import { sayKeyStoreFlaw } from './pkcs12.ts'
import { readSigningKey } from './signing-key.ts'

/** A certificate with its key as they are given: both as PEM, or both in one PKCS#12 in base64. */
export interface GivenIdentity {
  readonly certificate?: string
  readonly key?: Secret
  readonly passphrase?: Secret
  readonly pkcs12?: Secret
}

/** How each of them is written where they are given, for hints: `key: ${file:certificates/client.key}`. */
export type Spelling = Readonly<Record<keyof GivenIdentity, string>>

/** Tells what is wrong with `tls.<field>`; the message is the rest of a sentence. */
export type ReportIdentity = (field: keyof GivenIdentity, message: string, hint: string, on?: 'key') => void

/** A certificate whose key is there, as TLS takes it. */
export interface Identity {
  readonly material: Pick<TlsMaterial, 'certificate' | 'key' | 'pkcs12' | 'passphrase'>
  readonly leaf: X509Certificate
}

/** Reads what one side of TLS shows; undefined where there is none. What is wrong with it is reported. */
export function readIdentity(
  given: GivenIdentity,
  spelling: Spelling,
  report: ReportIdentity,
): Identity | undefined {
  const { certificate, key, pkcs12, passphrase } = given
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
  if (pkcs12 !== undefined) return readPkcs12(pkcs12, passphrase, spelling, report)
  if (certificate === undefined || key === undefined) {
    const [there, missing] = certificate === undefined ? (['key', 'certificate'] as const) : PAIR
    report(
      there,
      `is there, but not "tls.${missing}"`,
      certificate === undefined
        ? `Add ${spelling.certificate}.`
        : `Add ${spelling.key}; where one file holds both, name it twice.`,
      'key',
    )
    return undefined
  }
  return readPair(certificate, key, passphrase, spelling, report)
}

const PAIR = ['certificate', 'key'] as const

/** The key goes on without its passphrase, and both with line ends that a variable may have lost. */
function readPair(
  certificate: string,
  key: Secret,
  passphrase: Secret | undefined,
  spelling: Spelling,
  report: ReportIdentity,
): Identity | undefined {
  const chain = readCertificates(certificate.replaceAll('\\n', '\n'))
  if (typeof chain === 'string') report('certificate', chain, `Refer to a file: ${spelling.certificate}.`)
  const read = readSigningKey(key.reveal(), passphrase?.reveal())
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

function readPkcs12(
  pkcs12: Secret,
  passphrase: Secret | undefined,
  spelling: Spelling,
  report: ReportIdentity,
): Identity | undefined {
  const base64 = pkcs12.reveal().replaceAll(/\s/g, '')
  const bytes = Buffer.from(base64, 'base64')
  if (isJavaKeyStore(bytes)) {
    report('pkcs12', 'is a key store of Java (JKS), not PKCS#12', KEYTOOL)
    return undefined
  }
  if (bytes[0] !== 0x30) {
    report('pkcs12', 'is no PKCS#12', `Refer to the file itself: ${spelling.pkcs12}.`)
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
      else report('pkcs12', 'does not open without a passphrase', `Add ${spelling.passphrase}.`)
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

/** For people: `CN=acme, O=Acme`. */
export function subjectOf(leaf: X509Certificate): string {
  return leaf.subject === undefined || leaf.subject === ''
    ? 'a certificate without a subject'
    : leaf.subject.split('\n').toReversed().join(', ')
}

/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12 */
const USAGE = { any: '2.5.29.37.0', servers: '1.3.6.1.5.5.7.3.1', clients: '1.3.6.1.5.5.7.3.2' } as const

/** Whether its extended key usage lets it be shown by a client; one without any may be shown by everybody. */
export function isForClients(leaf: X509Certificate): boolean {
  return isFor('clients', leaf)
}

/** The same for servers. */
export function isForServers(leaf: X509Certificate): boolean {
  return isFor('servers', leaf)
}

function isFor(side: 'servers' | 'clients', { keyUsage }: X509Certificate): boolean {
  const usage = keyUsage as readonly string[] | undefined
  return usage === undefined || usage.includes(USAGE[side]) || usage.includes(USAGE.any)
}
