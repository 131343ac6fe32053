import { readCertificates } from '../core/certificates.ts'
import { isPkcs12, readPkcs12, sayKeyStoreFlaw } from './pkcs12.ts'

/**
 * The certificates of a PEM text, or of a PKCS#12 file in base64.
 * @returns them as PEM, or what is wrong as the rest of a sentence
 */
export function readCertificateChain(
  text: string,
  passphrase: string | undefined,
): readonly string[] | string {
  if (!isPkcs12(text)) return readCertificates(text)
  const read = readPkcs12(text, passphrase)
  if (typeof read === 'string') return sayKeyStoreFlaw(read, passphrase !== undefined).message
  return read.certificates.length === 0 ? 'is a PKCS#12 file without a certificate' : read.certificates
}
