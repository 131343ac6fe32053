import type { Static } from '@sinclair/typebox'
import { Choice, Duration, Flag, Keys, Optional, Text } from './core/schema.ts'
import { isSettingReference } from './security/setting-reference.ts'

/** How long browsers remember that an address is reached by https only. */
const HSTS = '365d'

/** The certificate of the engine's own listeners, and the certificates of its callers. */
export const tlsSchema = Keys(
  {
    certificate: Optional(
      Text({
        description:
          'File of the certificate of `listen` (PEM), then those that issued it. With it, or with `pkcs12`, endpoints are served by https.',
        examples: ['certificates/server.crt'],
      }),
    ),
    key: Optional(
      Text({ description: 'File of its private key (PEM).', examples: ['certificates/server.key'] }),
    ),
    pkcs12: Optional(
      Text({
        description: 'File that holds certificate and key in one (PKCS#12), in place of both.',
        examples: ['certificates/server.p12'],
      }),
    ),
    passphrase: Optional(
      Text({
        description: 'What opens the key, as a reference: ${env:NAME} or ${file:/path}.',
        examples: ['${env:TLS_PASSPHRASE}'],
      }),
    ),
    clientCa: Optional(
      Text({
        description:
          'File of certificates (PEM) of those who issue the certificates of clients; needed for clients that are known by `subject` and `issuer`.',
        examples: ['certificates/clients-ca.crt'],
      }),
    ),
    clientCertificates: Choice(['auto', 'ask', 'off'], {
      description:
        'Whether callers are asked for a certificate; nobody has to have one. auto: as long as a client has `certificates`.',
      default: 'auto',
    }),
    management: Flag({ description: 'Whether `management` is served by https, too.', default: true }),
    hsts: Duration({
      description:
        'How long browsers are to come back by https only (`Strict-Transport-Security`); 0s: they are not told.',
      default: HSTS,
      minimum: 0,
    }),
  },
  {
    description:
      'Own TLS (1.2 and 1.3). The files are read again when they change; connections go on with what they began with.',
  },
)

export type TlsSetting = Static<typeof tlsSchema>

/** Settings that name a file, relative to the project folder. */
export const TLS_FILES = ['certificate', 'key', 'pkcs12', 'clientCa'] as const

/** Whether endpoints are served by https. */
export function isTlsOn({ certificate, pkcs12 }: Pick<TlsSetting, 'certificate' | 'pkcs12'>): boolean {
  return certificate !== undefined || pkcs12 !== undefined
}

/** How URLs of `listen` begin. */
export function schemeOf({ tls }: { readonly tls: TlsSetting }): 'http' | 'https' {
  return isTlsOn(tls) ? 'https' : 'http'
}

interface TlsMistake {
  readonly at: keyof TlsSetting
  readonly message: string
  readonly hint: string
}

/**
 * What the schema cannot say; no value is shown.
 * @param byProxy a proxy passes on certificates of clients
 */
export function tlsMistake(tls: TlsSetting, byProxy: boolean): TlsMistake | undefined {
  if (tls.passphrase !== undefined && !isSettingReference(tls.passphrase))
    return {
      at: 'passphrase',
      message: '"tls.passphrase" is no reference to a secret',
      hint: 'Write ${env:NAME} or ${file:/path}, and nothing around it.',
    }
  if (isTlsOn(tls)) return undefined
  for (const at of ['key', 'passphrase', 'clientCa'] as const)
    if (tls[at] !== undefined && !(at === 'clientCa' && byProxy))
      return {
        at,
        message: `"tls.${at}" is there, but no "tls.certificate"`,
        hint: 'Add certificate: certificates/server.crt and key: certificates/server.key, or pkcs12: certificates/server.p12.',
      }
  return undefined
}
