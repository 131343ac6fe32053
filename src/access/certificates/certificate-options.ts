import { Keys, ListOf, Optional, Text } from '../../core/schema.ts'
import type { Path } from '../../core/document.ts'
import type { ProblemCode } from '../../core/problem-codes.ts'
import { readName } from './distinguished-name.ts'
import type { CertificateRule } from './known-certificates.ts'

/** Certificates that a client may have at once. */
export const MAX_CERTIFICATES = 5

/** `certificates` of a client. */
export const certificatesOption = Optional(
  ListOf(
    Keys({
      fingerprint: Optional(
        Text({
          description: 'SHA-256 of the certificate, hex, with or without colons: exactly this one is taken.',
        }),
      ),
      subject: Optional(
        Text({
          description: 'Its subject. Beside a fingerprint it is for people.',
          examples: ['CN=shop, O=Acme'],
        }),
      ),
      issuer: Optional(
        Text({
          description:
            'Who issued it. With `subject`, and without a fingerprint: every certificate with both names is taken that leads to the setting `tls.clientCa`.',
          examples: ['CN=Acme Clients CA, O=Acme'],
        }),
      ),
    }),
    { description: 'The certificates that it shows, by TLS or to a trusted proxy; five at most.' },
  ),
)

interface Written {
  readonly fingerprint?: string
  readonly subject?: string
  readonly issuer?: string
}

type Report = (code: ProblemCode, message: string, hint: string, path: Path) => unknown

/** Reads them; what no certificate can fit is reported. */
export function readCertificateRules(
  written: readonly Written[] | undefined,
  report: Report,
): readonly CertificateRule[] {
  if (written && written.length > MAX_CERTIFICATES)
    report(
      'client/certificate',
      `the client has ${written.length} certificates; ${MAX_CERTIFICATES} are possible at once`,
      'Take those away that nobody shows any more.',
      ['certificates'],
    )
  return (written ?? []).flatMap(({ fingerprint, subject, issuer }, index): CertificateRule[] => {
    const wrong = (message: string, hint: string, ...key: string[]) => {
      report('client/certificate', message, hint, ['certificates', index, ...key])
      return []
    }
    if (fingerprint !== undefined) {
      const hex = fingerprint.replaceAll(/[:\s]/g, '').toLowerCase()
      return /^[0-9a-f]{64}$/.test(hex)
        ? [{ fingerprint: hex, subject }]
        : wrong(
            '"fingerprint" is no SHA-256 of a certificate: 64 hexadecimal digits are wanted',
            'sluice client certificate NAME FILE writes it, or: openssl x509 -in FILE -noout -fingerprint -sha256.',
            'fingerprint',
          )
    }
    if (subject === undefined || issuer === undefined)
      return wrong(
        'a certificate is known by its "fingerprint", or by "subject" and "issuer"',
        'sluice client certificate NAME FILE writes the fingerprint of a certificate.',
      )
    const names = [readName(subject), readName(issuer)]
    const bad = names.indexOf(undefined)
    if (bad !== -1)
      return wrong(
        `"${bad === 0 ? 'subject' : 'issuer'}" is no name of a certificate`,
        'Write CN=shop, O=Acme; a comma inside of a value as "\\,".',
        bad === 0 ? 'subject' : 'issuer',
      )
    return [{ subject: names[0]!, issuer: names[1]!, written: { subject, issuer } }]
  })
}
