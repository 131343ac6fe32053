import type { Static, TObject } from '@sinclair/typebox'
import type { Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { Flag, Keys, Optional, SecretText, Text } from '../core/schema.ts'
import type { TlsMaterial, World } from '../core/world.ts'
import { readCertificateChain } from './certificate-chain.ts'
import { isPkcs12 } from './pkcs12.ts'
import { readClientCertificate, reportTls, type ClientCertificate } from './client-certificate.ts'

/** How a credential gets to its token service and its receiver. */
export const REACH_FIELDS = {
  proxy: Optional(
    Text({
      description:
        'Proxy for its token requests and calls, in place of the setting `http.proxy`; `none`: no proxy.',
      examples: ['http://proxy.example.com:3128', 'none'],
    }),
  ),
  tls: Optional(
    Keys(
      {
        certificate: Optional(
          Text({
            description:
              'Client certificate (PEM) that is shown to the token service, or to the receiver where there is none; those that issued it may follow.',
            examples: ['${file:certificates/client.crt}'],
          }),
        ),
        key: Optional(
          SecretText({
            description: 'Private key (PEM) of `certificate`.',
            examples: ['${file:certificates/client.key}'],
          }),
        ),
        passphrase: Optional(
          SecretText({
            description: 'Of an encrypted `key`, or of `pkcs12`.',
            examples: ['${env:KEY_PASSPHRASE}'],
          }),
        ),
        pkcs12: Optional(
          SecretText({
            description:
              'Client certificate and key in one: a PKCS#12 file (.p12, .pfx), or its bytes in base64.',
            examples: ['${file:certificates/client.p12}'],
          }),
        ),
        useForApi: Optional(
          Flag({
            description:
              'Where there is a token service: the client certificate is shown to the receiver as well, which tokens that are bound to it need.',
            default: false,
          }),
        ),
        serverName: Optional(
          Text({
            description:
              'Name that the certificate of the token service must have (of the receiver where there is no token service), where it is not the host of its address.',
            examples: ['login.internal.example.com'],
          }),
        ),
        ca: Optional(
          Text({
            description:
              "Certificates to trust for its token requests and calls, beside the system's: PEM, or a PKCS#12 trust store (.p12).",
            examples: ['${file:certificates/acme-ca.pem}'],
          }),
        ),
        caPassphrase: Optional(
          SecretText({
            description: 'Of a trust store (`ca` in PKCS#12).',
            examples: ['${env:TRUST_STORE_PASSPHRASE}'],
          }),
        ),
      },
      { description: 'TLS of its token requests and calls. Certificates are always verified.' },
    ),
  ),
}

export type ReachOptions = Static<TObject<typeof REACH_FIELDS>>

/** What differs from the settings of the engine. */
export interface Reach {
  readonly proxy: string | undefined
  /** Undefined: that of the engine. */
  readonly toService: TlsMaterial | undefined
  readonly toReceiver: TlsMaterial | undefined
  readonly ca: string | undefined
  readonly certificate: ClientCertificate | undefined
  /** Whether the receiver sees the certificate. */
  readonly showsReceiver: boolean
}

export interface ReachSetting {
  /** The kind asks a token service. */
  readonly asksService: boolean
  /** Epoch ms. */
  readonly now: number
  readonly problem: (report: ProblemReport) => void
}

/** Reads these fields; what is wrong with them is reported. */
export function readReach({ proxy, tls = {} }: ReachOptions, setting: ReachSetting): Reach {
  const { asksService, now, problem } = setting
  checkProxy(proxy, problem)
  const { serverName } = tls
  const ca = trustedBy(tls, problem)
  const certificate = readClientCertificate(tls, now, problem)
  checkUse(tls, asksService, problem)
  if (serverName !== undefined && !/^(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(serverName))
    problem({
      code: 'credential/host',
      message: `"tls.serverName" is "${serverName}", which is no name of a host`,
      hint: 'Write the name as the certificate has it, without scheme and port: login.example.com.',
      at: ['tls', 'serverName'],
    })
  const shows = certificate !== undefined && showsReceiver({ tls }, asksService)
  const trust: TlsMaterial = ca === undefined ? {} : { ca }
  const named: TlsMaterial = serverName === undefined ? {} : { serverName }
  return {
    proxy,
    ca,
    certificate,
    showsReceiver: shows,
    toService: filled({ ...trust, ...named, ...certificate?.material }),
    toReceiver: filled({
      ...trust,
      ...(!asksService && named),
      ...(shows && certificate.material),
    }),
  }
}

const READ_TOGETHER = [
  ['ca', 'caPassphrase'],
  ['certificate', 'key', 'passphrase', 'pkcs12'],
]

/** Whether a field of `tls` cannot be judged, because one that is read with it has no value yet. */
export function isUndecided(at: Path, unresolved: readonly Path[]): boolean {
  const group = READ_TOGETHER.find((fields) => at[0] === 'tls' && fields.includes(String(at[1])))
  return (
    group !== undefined && unresolved.some(([top, field]) => top === 'tls' && group.includes(String(field)))
  )
}

/** The certificates that are trusted, as PEM; undefined where there are none of its own. */
function trustedBy(
  { ca, caPassphrase }: NonNullable<ReachOptions['tls']>,
  problem: ReachSetting['problem'],
): string | undefined {
  const report = reportTls(problem)
  const isStore = ca !== undefined && isPkcs12(ca)
  if (caPassphrase && !isStore)
    report('caPassphrase', 'has no use: "tls.ca" is no PKCS#12 file', 'Take it out.', 'key')
  if (ca === undefined) return undefined
  const chain = readCertificateChain(ca, caPassphrase?.reveal())
  if (typeof chain !== 'string') return isStore ? chain.join('') : ca
  report(
    'ca',
    chain,
    isStore
      ? 'Look at caPassphrase: ${env:NAME}; or write its certificates as PEM: openssl pkcs12 -in STORE.p12 -nokeys -out STORE.pem.'
      : 'Refer to a file of certificates: ca: ${file:certificates/ca.pem}.',
  )
  return undefined
}

/** Whether the receiver is to see a client certificate. */
export function showsReceiver({ tls = {} }: ReachOptions, asksService: boolean): boolean {
  const isThere = tls.certificate !== undefined || tls.pkcs12 !== undefined
  return isThere && (!asksService || tls.useForApi === true)
}

function checkProxy(proxy: string | undefined, problem: ReachSetting['problem']): void {
  if (proxy === undefined || proxy === 'none') return
  const url = URL.parse(withScheme(proxy))
  if (!(url && /^https?:$/.test(url.protocol) && url.host !== ''))
    problem({
      code: 'credential/proxy',
      message: '"proxy" is no address of a proxy',
      hint: 'Write http://host:port, http://user:password@host:port with the password as a reference, or none.',
      at: ['proxy'],
    })
}

function checkUse(
  { useForApi, certificate, key, pkcs12 }: NonNullable<ReachOptions['tls']>,
  asksService: boolean,
  problem: ReachSetting['problem'],
): void {
  if (useForApi === undefined) return
  const report = (message: string, hint: string) =>
    problem({ code: 'credential/unused-field', message, hint, at: ['tls', 'useForApi'], on: 'key' })
  if (certificate === undefined && key === undefined && pkcs12 === undefined)
    report(
      '"tls.useForApi" has no use: there is no client certificate',
      'Add tls.certificate, or take it out.',
    )
  else if (!asksService && !useForApi)
    report(
      '"tls.useForApi" is false, but there is no token service that the certificate could be for',
      'Take it out, or the certificate.',
    )
}

function filled(tls: TlsMaterial): TlsMaterial | undefined {
  return Object.keys(tls).length === 0 ? undefined : tls
}

function withScheme(proxy: string): string {
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

/** The world as this credential sees it: its token requests go by its own proxy, and with its own certificates. */
export function worldToService(world: World, { proxy, toService }: Reach): World {
  if (proxy === undefined && toService === undefined) return world
  const dispatcher = world.dispatcherFor(toService, proxy)
  return { ...world, dispatcherFor: () => dispatcher }
}

/** What must not be seen anywhere. */
export function reachSecrets({ tls = {} }: ReachOptions): string[] {
  return [tls.key, tls.passphrase, tls.pkcs12, tls.caPassphrase].flatMap((secret) => secret?.reveal() ?? [])
}
