/** Who called an endpoint that is not public. */
export interface Caller {
  /** `oauth_client_<client id>` for clients of this engine. */
  readonly id: string
  readonly roles: readonly string[]
}

/** Headers in which proxies pass on the certificate of a caller; they never enter a flow. */
export const CERTIFICATE_HEADERS = [
  'x-forwarded-client-cert',
  'x-ssl-client-cert',
  'ssl-client-cert',
  'x-client-cert',
  'x-arr-clientcert',
  'x-amzn-mtls-clientcert',
  'x-forwarded-tls-client-cert',
  'client-cert',
] as const

/** Ways in which a caller shows who it is. */
export const SCHEMES = ['oauth2', 'basic', 'apiKey', 'certificate'] as const
export type Scheme = (typeof SCHEMES)[number]

/** Who may call an endpoint that is not public. */
export interface AccessRule {
  readonly roles: readonly string[]
  /** All of the roles are needed; else one of them. */
  readonly all: boolean
  /** The only ways in; every one where it is left out. */
  readonly schemes?: readonly Scheme[]
}

/** Requests are signed with this key of the security material; whoever has it may call. */
export interface SignedRule {
  readonly signature: string
}

/** Who may call an endpoint. */
export type EndpointAccess = 'public' | AccessRule | SignedRule

/** Whether callers need a role, which tokens and secrets give them. */
export function wantsRole(access: EndpointAccess): access is AccessRule {
  return access !== 'public' && 'roles' in access
}

/** The role that callers need where an endpoint does not name one. */
export const DEFAULT_ROLE = 'ESBMessaging.send'

const ROLE = /^[A-Za-z0-9_.:/-]{1,150}$/

export function isRole(text: string): boolean {
  return ROLE.test(text)
}

/** What the names of roles are made of, for people. */
export const ROLE_HINT = 'A role is a word of letters, digits and "_ . : / -", at most 150 of them.'

export function mayCall(rule: AccessRule, roles: readonly string[]): boolean {
  return rule.all
    ? rule.roles.every((role) => roles.includes(role))
    : rule.roles.some((role) => roles.includes(role))
}

const SAID: Readonly<Record<Scheme, string>> = {
  oauth2: 'a token',
  basic: 'id and secret',
  apiKey: 'an API key',
  certificate: 'a certificate',
}

/** For people, behind `clients with a role`: `, by a token or a certificate only`; empty: in every way. */
export function saySchemes({ schemes }: AccessRule): string {
  return schemes ? `, by ${schemes.map((scheme) => SAID[scheme]).join(' or ')} only` : ''
}

/** For people, what somebody has: `roles A, B`, `no role`. */
export function sayRoles(roles: readonly string[]): string {
  return roles.length === 0 ? 'no role' : `roles ${roles.join(', ')}`
}

/** For people: `the role "A"`, `one of the roles "A", "B"`. */
export function sayRule({ roles, all }: AccessRule): string {
  const names = roles.map((role) => `"${role}"`).join(', ')
  if (roles.length === 1) return `the role ${names}`
  return `${all ? 'all' : 'one'} of the roles ${names}`
}
