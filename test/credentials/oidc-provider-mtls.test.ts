import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { test, type TestContext } from 'node:test'
import { decodeJwt } from 'jose'
import { Provider } from 'oidc-provider'
import { failureOf, sender, testWorld } from '../net/fixture.ts'
import { createAuthority, pkcs12Of } from '../support/certificates.ts'
import { projectWith } from '../support/files.ts'
import { setUpMaterial } from '../support/material.ts'
import { startMtlsService } from '../support/mtls-service.ts'
import { listenOnLoopback } from '../support/loopback.ts'

const PASSPHRASE = 'passphrase-0123456789'
const authority = createAuthority()
const acme = authority.issue({ subject: '/CN=acme' })
const globex = authority.issue({ subject: '/CN=globex' })

interface Context {
  req: { socket: TLSSocket }
}

/** A token service that no one here wrote: it knows its client by its certificate, and binds tokens to it. */
async function startProvider(t: TestContext): Promise<string> {
  t.mock.method(console, 'warn', () => {})
  const own = authority.issue({ subject: '/CN=idp', names: 'IP:127.0.0.1', usage: 'serverAuth' })
  const server = createServer({
    cert: own.certificate,
    key: own.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  })
  const issuer = `https://${await listenOnLoopback(t, server)}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'acme',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=acme',
        tls_client_certificate_bound_access_tokens: true,
      },
    ],
    clientAuthMethods: ['tls_client_auth', 'none'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        certificateBoundAccessTokens: true,
        getCertificate: ({ req }: Context) => {
          const { raw } = req.socket.getPeerCertificate()
          return raw && new X509Certificate(raw)
        },
        certificateAuthorized: ({ req }: Context) => req.socket.authorized,
        certificateSubjectMatches: ({ req }: Context, property: string, expected: string) =>
          property === 'tls_client_auth_subject_dn' &&
          `CN=${req.socket.getPeerCertificate().subject?.CN as string}` === expected,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:flows',
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'im.read',
          audience: 'urn:flows',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  server.on('request', provider.callback())
  return issuer
}

async function setUp(t: TestContext) {
  const issuer = await startProvider(t)
  const api = await startMtlsService(t, authority)
  const world = testWorld(t)
  const project = projectWith(t, {
    'ca.pem': authority.certificate,
    'acme.p12': pkcs12Of(acme, PASSPHRASE),
    'globex.p12': pkcs12Of(globex, PASSPHRASE),
  })
  const setup = setUpMaterial(t, { world, projectFolder: project, environment: { PASSPHRASE } })
  const load = (tls: string, where = `issuer: ${issuer}`) =>
    setup.material.load([
      setup.file(
        `type: oauth2\n${where}\nclientId: acme\nclientAuthentication: certificate\nscope: im.read\nbaseUrl: ${api.origin}/\ntls: { ca: "\${file:ca.pem}", ${tls} }\n`,
      ),
    ])
  const call = () => sender(t, world)({ url: 'items' }, setup.material.reference('x'))
  return { issuer, api, load, call }
}

test('oidc-provider gives a token to a certificate, found by its issuer and bound to the certificate', async (t) => {
  const { api, load, call } = await setUp(t)
  assert.deepEqual(load('pkcs12: "${file:acme.p12}", passphrase: "${env:PASSPHRASE}", useForApi: true'), [])
  await call()
  const [seen] = api.seen
  assert.equal(seen!.client, 'acme')
  const { cnf } = decodeJwt(seen!.headers['authorization']!.split(' ')[1]!) as {
    cnf?: Record<string, string>
  }
  const print = createHash('sha256').update(new X509Certificate(acme.certificate).raw).digest('base64url')
  assert.deepEqual(cnf, { 'x5t#S256': print })
})

test('oidc-provider refuses the certificate of another one: what to do', async (t) => {
  const { issuer, load, call } = await setUp(t)
  load('pkcs12: "${file:globex.p12}", passphrase: "${env:PASSPHRASE}"', `tokenServiceUrl: ${issuer}/token`)
  const { code, message, hint } = await failureOf(call())
  assert.equal(code, 'credential.refused')
  assert.match(message, /401 invalid_client/)
  assert.match(hint!, /which certificate it knows for this client/)
})

test('with a certificate the addresses for certificates count', async (t) => {
  const service = await startMtlsService(t, authority, { optional: true })
  const usual = service.answer
  service.answer = (seen, count) =>
    seen.line.includes('.well-known')
      ? {
          body: {
            issuer: service.origin,
            token_endpoint: `${service.origin}/usual/token`,
            mtls_endpoint_aliases: { token_endpoint: `${service.origin}/mtls/token` },
          },
        }
      : usual(seen, count)
  const { load, call } = await setUp(t)
  load(
    'pkcs12: "${file:globex.p12}", passphrase: "${env:PASSPHRASE}", useForApi: true',
    `issuer: ${service.origin}`,
  )
  await call()
  assert.deepEqual(
    service.seen.map(({ line, client }) => `${line} ${client}`),
    ['GET /.well-known/oauth-authorization-server globex', 'POST /mtls/token globex'],
  )
})
