import {
  DEFAULT_ROLE,
  isRole,
  ROLE_HINT,
  sayRule,
  saySchemes,
  SCHEMES,
  type AccessRule,
  type EndpointAccess,
  type Scheme,
} from '../core/access.ts'
import type { Path } from '../core/document.ts'
import type { Deployment } from '../core/kinds.ts'
import { didYouMean, guess, nearest } from '../core/problem.ts'
import { describe } from '../core/shape-values.ts'

const HINT =
  'Write `access: public` for everybody, `access: { role: orders.write }` for callers with a role, a list of roles of which one is enough, or `access: { signature: NAME }` for signed requests.'
const DEFAULT: AccessRule = { roles: [DEFAULT_ROLE], all: false }

/** Reads what `access` says; mistakes are reported, and nobody may call then. */
export function readAccess(access: unknown, report: Deployment['problem']): EndpointAccess {
  if (access === undefined) return DEFAULT
  if (access === 'public') return 'public'
  if (Array.isArray(access)) return rolesOf(access, false, ['access'], report)
  if (typeof access === 'object' && access !== null) return ofMap(access, report)
  const near = typeof access === 'string' && access.toLowerCase() === 'public' ? guess('public') : ''
  report({
    code: 'endpoint/access',
    message: `"access" is ${describe(access)}; "public", a role or a list of roles is wanted${near}`,
    hint: HINT,
    at: ['access'],
  })
  return DEFAULT
}

function ofMap(map: object, report: Deployment['problem']): EndpointAccess {
  const known = ['role', 'roles', 'all', 'scheme', 'signature']
  for (const key of Object.keys(map))
    if (!known.includes(key))
      report({
        code: 'endpoint/access',
        message: `"${key}" is not a key of "access"${guess(nearest(key, known))}`,
        hint: 'It has `role`, or `roles` with `all: true` where every one of them is needed, and `scheme`; or `signature`.',
        at: ['access', key],
        on: 'key',
      })
  const { role, roles, all = false } = map as Readonly<Record<string, unknown>>
  const wrong = (message: string, at: Path = ['access']) => {
    report({ code: 'endpoint/access', message, hint: HINT, at })
    return DEFAULT
  }
  if (Object.hasOwn(map, 'signature')) {
    const { signature } = map as { signature: unknown }
    if (Object.keys(map).some((key) => ['role', 'roles', 'all', 'scheme'].includes(key)))
      return wrong('"access" has "signature" beside roles or a scheme; who signs has neither')
    if (typeof signature === 'string' && signature !== '') return { signature }
    return wrong(`"signature" is ${describe(signature)}; the name of a signing key is wanted`, [
      'access',
      'signature',
    ])
  }
  const schemes = schemesOf(map, report)
  const limited = (rule: AccessRule): AccessRule => (schemes ? { ...rule, schemes } : rule)
  if (typeof all !== 'boolean') return wrong('"all" is true or false', ['access', 'all'])
  if (role !== undefined && roles !== undefined)
    return wrong('"access" has both "role" and "roles"; one of them is wanted')
  if (role !== undefined) return limited(rolesOf([role], all, ['access', 'role'], report))
  if (Array.isArray(roles)) return limited(rolesOf(roles, all, ['access', 'roles'], report))
  if (roles !== undefined) return wrong('"roles" is no list of roles', ['access', 'roles'])
  if (Object.hasOwn(map, 'scheme') && !Object.hasOwn(map, 'all')) return limited(DEFAULT)
  return wrong('"access" names no role')
}

/** The only ways in; undefined: every one. */
function schemesOf(map: object, report: Deployment['problem']): readonly Scheme[] | undefined {
  if (!Object.hasOwn(map, 'scheme')) return undefined
  const { scheme } = map as { scheme: unknown }
  const list: readonly unknown[] = Array.isArray(scheme) ? scheme : [scheme]
  const wrong = (message: string, at: Path) =>
    report({
      code: 'endpoint/access',
      message,
      hint: `Ways in are ${SCHEMES.join(', ')}; without "scheme" each of them is taken.`,
      at,
    })
  if (list.length === 0) wrong('the list of schemes is empty', ['access', 'scheme'])
  for (const [index, one] of list.entries())
    if (!SCHEMES.includes(one as Scheme))
      wrong(
        typeof one === 'string'
          ? `"${one}" is no scheme${didYouMean(one, SCHEMES)}`
          : `a scheme is a text, not ${describe(one)}`,
        Array.isArray(scheme) ? ['access', 'scheme', index] : ['access', 'scheme'],
      )
  return SCHEMES.filter((one) => list.includes(one))
}

function rolesOf(
  roles: readonly unknown[],
  all: boolean,
  at: Path,
  report: Deployment['problem'],
): AccessRule {
  const isList = at.at(-1) !== 'role'
  if (roles.length === 0)
    report({ code: 'endpoint/access', message: 'the list of roles is empty', hint: HINT, at })
  for (const [index, role] of roles.entries())
    if (typeof role !== 'string' || !isRole(role))
      report({
        code: 'endpoint/access',
        message:
          typeof role === 'string' ? `"${role}" is no role` : `a role is a text, not ${describe(role)}`,
        hint: ROLE_HINT,
        at: isList ? [...at, index] : at,
      })
  return { roles: [...new Set(roles.filter((role) => typeof role === 'string'))], all }
}

/** For people, as a sentence. */
export function sayAccess(access: EndpointAccess): string {
  if (access === 'public') return 'Everybody who reaches the engine may call (access: public).'
  return 'signature' in access
    ? `Who may call: whoever signs the body with the signing key "${access.signature}".`
    : `Who may call: clients with ${sayRule(access)}${saySchemes(access)}.`
}

/** Reports a signing key that is not there. */
export function checkSignature(access: EndpointAccess, deployment: Deployment): void {
  if (access === 'public' || !('signature' in access)) return
  const keys = deployment.services.access.signingKeys()
  if (keys.includes(access.signature)) return
  deployment.problem({
    code: 'signature/unknown',
    message: `there is no signing key "${access.signature}" that can be used${didYouMean(access.signature, keys)}`,
    hint: `Write security-material/${access.signature}.yaml with \`type: signingKey\`.`,
    at: ['access', 'signature'],
  })
}
