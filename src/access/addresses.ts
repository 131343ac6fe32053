import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Addresses } from '../core/services.ts'
import { SIGNATURE_ALGORITHMS } from './signature-algorithms.ts'
import { answerError, answerJson } from './json-answer.ts'
import { CERTIFICATE_METHODS } from './certificates/certificate-authentication.ts'
import type { SigningKeys } from './signing-keys.ts'
import {
  grantToken,
  introspectToken,
  revokeToken,
  serveForm,
  TOKEN_PATH,
  type TokenServiceSetting,
} from './token-service.ts'

/** Where clients get tokens: our own address, CPI's (Neo), and XSUAA's. */
const TOKEN_PATHS = [TOKEN_PATH, '/oauth2/api/v1/token', '/oauth/token']
const PATHS = {
  revocation: '/oauth2/revoke',
  introspection: '/oauth2/introspect',
  keys: '/oauth2/jwks',
  metadata: '/.well-known/oauth-authorization-server',
} as const

/** What the authorization server serves, by path. */
export function addressesOf(
  setting: TokenServiceSetting & { readonly keys: SigningKeys; readonly issuer: () => string },
): Addresses {
  const { keys, issuer, clients } = setting
  const grant = serveForm(grantToken, setting)
  return new Map<string, (raw: IncomingMessage, reply: ServerResponse) => Promise<void>>([
    ...TOKEN_PATHS.map((path) => [path, grant] as const),
    [PATHS.revocation, serveForm(revokeToken, setting)],
    [PATHS.introspection, serveForm(introspectToken, setting)],
    [PATHS.keys, open(() => keys.published())],
    [PATHS.metadata, open(() => metadataOf(issuer(), clients.certificates.some))],
  ])
}

function open(content: () => object) {
  return (raw: IncomingMessage, reply: ServerResponse): Promise<void> => {
    raw.resume()
    if (raw.method === 'GET' || raw.method === 'HEAD') answerJson(reply, 200, content())
    else answerError(reply, 405, 'invalid_request', 'this address takes GET only', ['allow', 'GET, HEAD'])
    return Promise.resolve()
  }
}

/** What an assertion may be meant for that is sent to `path`. */
export function audiencesOf(issuer: string, path: string): readonly string[] {
  const base = issuer.replace(/\/$/, '')
  return [issuer, ...TOKEN_PATHS.map((one) => base + one), base + path]
}

/** @see https://www.rfc-editor.org/rfc/rfc8414 */
function metadataOf(issuer: string, byCertificate: boolean): object {
  const base = issuer.replace(/\/$/, '')
  const methods = [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    ...(byCertificate ? CERTIFICATE_METHODS : []),
  ]
  const algorithms = [...SIGNATURE_ALGORITHMS]
  return {
    issuer,
    token_endpoint: base + TOKEN_PATH,
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    jwks_uri: base + PATHS.keys,
    revocation_endpoint: base + PATHS.revocation,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint: base + PATHS.introspection,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    ...(byCertificate && { tls_client_certificate_bound_access_tokens: true }),
  }
}
