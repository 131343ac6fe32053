import { MAX_CERTIFICATES } from '../../access/certificates/certificate-options.ts'
import type { CertificateRule } from '../../access/certificates/known-certificates.ts'
import { Stop, type CommandDefinition } from '../command.ts'
import { certificateOfFile } from './certificate-file.ts'
import { change } from './change.ts'
import { clientOptions } from './files.ts'
import { finished, rotationWithFile, sayBefore } from './rotation.ts'

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
    const rotation = rotationWithFile(given, file, 'certificate')
    const made = rotation === 'finish' ? undefined : await certificateOfFile(io, file!, Date.now())
    return change(io, given, name, ({ certificates }) => {
      const before = certificates.map(asWritten)
      const count = before.length
      if (!made) return finished(name, 'certificate', count, () => ({ certificates: before.slice(-1) }))
      const { written, shown } = made
      const known = certificates.some(
        (rule) => 'fingerprint' in rule && rule.fingerprint === written.fingerprint,
      )
      if (known && rotation === 'add') return { changes: {}, told: `"${name}" has this certificate already` }
      if (count >= MAX_CERTIFICATES && rotation === 'add')
        throw new Stop(
          1,
          `"${name}" has ${count} certificates, and ${MAX_CERTIFICATES} are possible; \`sluice client certificate ${name} --finish\` takes all but the newest one away`,
        )
      return {
        changes: { certificates: rotation === 'now' ? [written] : [...before, written] },
        told: `"${name}" is known by the certificate ${shown}.${sayBefore(name, 'certificate', rotation, count)}\n  fingerprint ${written.fingerprint}`,
      }
    })
  },
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
