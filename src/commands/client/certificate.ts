import { MAX_CERTIFICATES } from '../../access/certificates/certificate-options.ts'
import type { CertificateRule } from '../../access/certificates/known-certificates.ts'
import { Stop, UsageError, type CommandDefinition } from '../command.ts'
import { certificateOfFile } from './certificate-file.ts'
import { change, type Changes } from './change.ts'
import { clientOptions } from './files.ts'

export const clientCertificateCommand: CommandDefinition = {
  name: 'client certificate',
  summary: 'Lets a client in by a certificate, beside those that it has.',
  arguments: [
    { name: 'client', description: 'name of the client' },
    { name: 'file', optional: true, description: 'the certificate, PEM' },
  ],
  options: [
    { flags: '--finish', description: 'take all but the newest one away; no file is read' },
    { flags: '--now', description: 'the certificates before end at once' },
    ...clientOptions,
  ],
  details:
    'The file of the client gets the SHA-256 of the certificate and its subject. Callers are asked for certificates as long as a client has some.',
  examples: [
    'sluice client certificate shop shop-2027.crt',
    'sluice client certificate shop --finish',
    'sluice client certificate shop shop.crt --now',
  ],
  async run(io, [name = '', file], given) {
    if (given['finish'] && (given['now'] || file !== undefined))
      throw new UsageError('--finish goes alone: it takes the certificates before the newest one away')
    if (!given['finish'] && file === undefined) throw new UsageError('the file of the certificate is missing')
    const made = file === undefined ? undefined : await certificateOfFile(io, file, Date.now())
    return change(io, given, name, ({ certificates }) => {
      const before = certificates.map(asWritten)
      if (!made) return finish(name, before)
      const { written, shown } = made
      const known = certificates.some(
        (rule) => 'fingerprint' in rule && rule.fingerprint === written.fingerprint,
      )
      if (known && !given['now']) return { changes: {}, told: `"${name}" has this certificate already` }
      if (before.length >= MAX_CERTIFICATES && !given['now'])
        throw new Stop(
          1,
          `"${name}" has ${before.length} certificates, and ${MAX_CERTIFICATES} are possible; \`sluice client certificate ${name} --finish\` takes all but the newest one away`,
        )
      const told = [`"${name}" is known by the certificate ${shown}.`, `  fingerprint ${written.fingerprint}`]
      if (before.length > 0)
        told.push(
          given['now']
            ? 'Those before have ended.'
            : `Those before go on until: sluice client certificate ${name} --finish`,
        )
      return {
        changes: { certificates: given['now'] ? [written] : [...before, written] },
        told: told.join('\n'),
      }
    })
  },
}

/** Only the newest one stays. */
function finish(name: string, before: readonly object[]): { changes: Changes; told: string } {
  if (before.length > 1)
    return {
      changes: { certificates: before.slice(-1) },
      told: `"${name}" has its newest certificate only.`,
    }
  return {
    changes: {},
    told: before.length === 0 ? `"${name}" has no certificate` : `"${name}" has one certificate only`,
  }
}

/** As it stands in the file. */
function asWritten(rule: CertificateRule): Readonly<Record<string, string>> {
  if ('issuer' in rule) return rule.written
  const { fingerprint, subject } = rule
  return { fingerprint, ...(subject !== undefined && { subject }) }
}

/** For people. */
export function sayCertificate(rule: CertificateRule): string {
  if ('issuer' in rule) return `${rule.written.subject}, issued by ${rule.written.issuer}`
  return rule.subject === undefined ? rule.fingerprint : `${rule.subject} (${rule.fingerprint.slice(0, 16)}…)`
}
