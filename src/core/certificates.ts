import { X509Certificate } from 'node:crypto'

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g

/**
 * The certificates of a PEM text, each of them readable: Node skips others without a word.
 * @returns them, or what is wrong with the text as the rest of a sentence
 */
export function readCertificates(pem: string): readonly string[] | string {
  const found = pem.match(CERTIFICATE) ?? []
  if (found.length === 0) return 'holds no certificate; wanted is PEM: -----BEGIN CERTIFICATE-----'
  const broken = found.findIndex((certificate) => !isReadable(certificate))
  return broken === -1 ? found : `holds a certificate that cannot be read: number ${broken + 1}`
}

function isReadable(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined
  } catch {
    return false
  }
}
