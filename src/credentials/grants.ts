import type { AssertionFormat } from './saml-options.ts'

/** The grants that are known by more than their name. */
export type GrantKind =
  | 'client_credentials'
  | 'password'
  | 'refresh_token'
  | 'jwt-bearer'
  | 'saml2-bearer'
  | 'token-exchange'
  | 'none'
  | 'other'

export interface TokenGrantType {
  readonly kind: GrantKind
  /** As the service is told; undefined: no `grant_type` is sent. */
  readonly sent: string | undefined
}

const URN = 'urn:ietf:params:oauth:grant-type:'
const BY_NAME: Readonly<Record<string, GrantKind>> = {
  client_credentials: 'client_credentials',
  password: 'password',
  refresh_token: 'refresh_token',
  'jwt-bearer': 'jwt-bearer',
  [`${URN}jwt-bearer`]: 'jwt-bearer',
  'saml2-bearer': 'saml2-bearer',
  [`${URN}saml2-bearer`]: 'saml2-bearer',
  'token-exchange': 'token-exchange',
  [`${URN}token-exchange`]: 'token-exchange',
  none: 'none',
}
/** Short names of this page for what the service knows by a URN. */
const BY_URN: readonly GrantKind[] = ['jwt-bearer', 'saml2-bearer', 'token-exchange']

/** What people write, for "did you mean". */
export const GRANT_NAMES: readonly string[] = Object.keys(BY_NAME).filter((name) => !name.startsWith(URN))

/** What `grantType` says; text that is not known here goes to the service as it is. */
export function readGrantType(written = 'client_credentials'): TokenGrantType {
  const kind = Object.hasOwn(BY_NAME, written) ? BY_NAME[written]! : 'other'
  if (kind === 'none') return { kind, sent: undefined }
  return { kind, sent: BY_URN.includes(kind) ? URN + kind : written }
}

/** Grants that need a person each time, and what to do instead. */
const WITH_A_PERSON: Readonly<Record<string, string>> = {
  authorization_code:
    'Register a client for client_credentials at the service. Where it acts for a user only: let the user log in once with a tool of the service, and write grantType: refresh_token with the refresh token that comes of it.',
  implicit: 'Register a client for client_credentials at the service, and leave grantType out.',
  device_code:
    'Register a client for client_credentials at the service. Where it acts for a user only: let the user log in once on a device, and write grantType: refresh_token with the refresh token that comes of it.',
  [`${URN}device_code`]:
    'Write grantType: refresh_token with the refresh token of one login, or register a client for client_credentials.',
  'urn:openid:params:grant-type:ciba':
    'Register a client for client_credentials at the service, and leave grantType out.',
}

/** What to do in place of a grant that needs a person; undefined for the others. */
export function insteadOf(grantType: string): string | undefined {
  return Object.hasOwn(WITH_A_PERSON, grantType) ? WITH_A_PERSON[grantType] : undefined
}

/** A signed assertion stands for the client, too: it may have no secret. */
export function isAssertionGrant(kind: GrantKind): kind is 'jwt-bearer' | 'saml2-bearer' {
  return kind === 'jwt-bearer' || kind === 'saml2-bearer'
}

/** What the assertion of a grant is written in, unless it says so itself. */
export function formatOfGrant(grantType: string | undefined): AssertionFormat {
  return readGrantType(grantType).kind === 'saml2-bearer' ? 'saml2' : 'jwt'
}
