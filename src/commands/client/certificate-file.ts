import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fingerprintOf } from '../../access/certificates/certificate-header.ts'
import { readCertificates } from '../../core/certificates.ts'
import { dayOf } from '../../security/client-certificate.ts'
import { isForClients, subjectOf } from '../../security/identity.ts'
import { Stop, type CommandIo } from '../command.ts'

/** A certificate as the file of a client names it. */
export interface WrittenCertificate {
  readonly fingerprint: string
  readonly subject: string
}

export interface CertificateOfFile {
  readonly written: WrittenCertificate
  /** For people: `CN=shop, O=Acme, until 2027-01-31`. */
  readonly shown: string
}

/**
 * Reads the certificate of a client: the first one of a PEM file.
 * @param now epoch ms
 * @throws Stop where nobody could come in with it
 */
export async function certificateOfFile(
  io: CommandIo,
  file: string,
  now: number,
): Promise<CertificateOfFile> {
  const text = await readFile(resolve(io.workingFolder, file), 'utf8').catch(
    ({ code }: NodeJS.ErrnoException) => {
      throw new Stop(
        1,
        code === 'ENOENT' ? `there is no file "${file}"` : `"${file}" cannot be read (${code})`,
      )
    },
  )
  const found = readCertificates(text)
  if (typeof found === 'string') throw new Stop(1, `"${file}" ${found}`)
  const leaf = new X509Certificate(found[0]!)
  const until = leaf.validToDate.getTime()
  if (until <= now)
    throw new Stop(1, `the certificate in "${file}" has expired: it was good until ${dayOf(until)}`)
  if (!isForClients(leaf))
    throw new Stop(
      1,
      `the certificate in "${file}" is not for clients: its extended key usage does not have "TLS client authentication"`,
    )
  const subject = subjectOf(leaf)
  return {
    written: { fingerprint: fingerprintOf(leaf), subject },
    shown: `${subject}, until ${dayOf(until)}`,
  }
}
