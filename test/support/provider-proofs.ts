import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { compactVerify } from 'jose'
import { createAuthority } from './certificates.ts'
import { certificateOf, p256, pemOf, rsa } from './keys.ts'
import type { ProviderFixture } from './providers.ts'
import { elements, isSigned, parseXml } from './saml.ts'

export interface Seen {
  /** `POST https://host/path?query`, as if it had gone there. */
  readonly line: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** `CN=sluice`, of the client; left out where it showed none. */
  readonly certificate?: string
}

const JWT = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/
/** XML that begins with `<`, in base64url. */
const SAML = /(?<=\bassertion=)P[DH][\w-]+/

export type ProviderKeys = ReturnType<typeof providerKeys>

/** Keys that fixtures refer to, made once. */
export function providerKeys() {
  const certificate = certificateOf(rsa)
  const shown = createAuthority().issue({ subject: '/CN=sluice' })
  const { raw } = new X509Certificate(certificate)
  const thumbprint = (name: string) => createHash(name).update(raw).digest('base64url')
  return {
    tls: { cert: shown.certificate, key: shown.key },
    files: {
      'certificates/client.crt': shown.certificate,
      'certificates/client.key': shown.key,
      'keys/client.pem': pemOf(rsa),
      'keys/client.crt': certificate,
      'keys/client.p8': pemOf(p256),
      'keys/service-account.json': JSON.stringify({
        type: 'service_account',
        private_key_id: 'key-id-of-the-file',
        private_key: pemOf(rsa),
        client_email: 'sluice@acme.iam.gserviceaccount.com',
      }),
    },
    thumbprints: { '<x5t>': thumbprint('sha1'), '<x5t#S256>': thumbprint('sha256') },
  }
}

/** The body of a request, with `<jwt>` and `<saml>` for what is another one each time. */
export function withoutProofs(body: string): string {
  return body.replace(JWT, '<jwt>').replace(SAML, '<saml>')
}

/** What was signed for a request, and that it was signed with the key. */
export async function checkProofs(seen: Seen, fixture: ProviderFixture, keys: ProviderKeys): Promise<void> {
  await checkJwt(seen, fixture, keys)
  checkSaml(seen, fixture)
}

async function checkJwt(
  { body, headers }: Seen,
  { jwt, environment = {} }: ProviderFixture,
  { thumbprints }: ProviderKeys,
): Promise<void> {
  const text = JWT.exec(`${body} ${headers['authorization'] ?? ''}`)?.[0]
  assert.equal(text !== undefined, jwt !== undefined, 'a JWT in the request')
  if (!jwt || text === undefined) return
  const [secret = ''] = Object.values(environment)
  const key = { rsa: rsa.publicKey, p256: p256.publicKey, secret: Buffer.from(secret) }[jwt.key]
  const { payload, protectedHeader } = await compactVerify(text, key)
  const wanted = Object.entries(thumbprints).reduce(
    (rest, [name, value]) => rest.replace(name, value),
    JSON.stringify(jwt.header),
  )
  assert.deepEqual(protectedHeader, JSON.parse(wanted))
  assert.deepEqual(JSON.parse(Buffer.from(payload).toString()), jwt.claims)
}

function checkSaml({ body }: Seen, { saml }: ProviderFixture): void {
  const text = SAML.exec(body)?.[0]
  assert.equal(text !== undefined, saml !== undefined, 'a SAML assertion in the request')
  if (!saml || text === undefined) return
  const xml = Buffer.from(text, 'base64url').toString('utf8')
  assert.ok(isSigned(xml, rsa.publicKey), 'the signature of the assertion')
  const root = parseXml(xml)
  const textOf = (name: string) => elements(root, name)[0]?.textContent
  const attributes = elements(root, 'Attribute').map((one) => [one.getAttribute('Name'), one.textContent])
  assert.deepEqual(
    {
      issuer: textOf('Issuer'),
      subject: textOf('NameID'),
      audience: textOf('Audience'),
      recipient: elements(root, 'SubjectConfirmationData')[0]?.getAttribute('Recipient'),
      attributes: Object.fromEntries(attributes),
    },
    saml,
  )
}
