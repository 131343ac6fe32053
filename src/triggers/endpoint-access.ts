import { DEFAULT_ROLE, isRole, ROLE_HINT, sayRule, type AccessRule } from '../core/access.ts'
import type { Path } from '../core/document.ts'
import type { Deployment } from '../core/kinds.ts'
import { guess, nearest } from '../core/problem.ts'
import { describe } from '../core/shape-values.ts'

/** Who may call an endpoint. */
export type EndpointAccess = 'public' | AccessRule

const HINT =
  'Write `access: public` for everybody, `access: { role: orders.write }` for callers with a role, or a list of roles of which one is enough.'
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

function ofMap(map: object, report: Deployment['problem']): AccessRule {
  const known = ['role', 'roles', 'all']
  for (const key of Object.keys(map))
    if (!known.includes(key))
      report({
        code: 'endpoint/access',
        message: `"${key}" is not a key of "access"${guess(nearest(key, known))}`,
        hint: 'It has `role`, or `roles` with `all: true` where every one of them is needed.',
        at: ['access', key],
        on: 'key',
      })
  const { role, roles, all = false } = map as Readonly<Record<string, unknown>>
  const wrong = (message: string, at: Path = ['access']) => {
    report({ code: 'endpoint/access', message, hint: HINT, at })
    return DEFAULT
  }
  if (typeof all !== 'boolean') return wrong('"all" is true or false', ['access', 'all'])
  if (role !== undefined && roles !== undefined)
    return wrong('"access" has both "role" and "roles"; one of them is wanted')
  if (role !== undefined) return rolesOf([role], all, ['access', 'role'], report)
  if (Array.isArray(roles)) return rolesOf(roles, all, ['access', 'roles'], report)
  if (roles !== undefined) return wrong('"roles" is no list of roles', ['access', 'roles'])
  return wrong('"access" names no role')
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
  return access === 'public'
    ? 'Everybody who reaches the engine may call (access: public).'
    : `Who may call: clients with ${sayRule(access)}.`
}
