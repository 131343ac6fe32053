import type { AccessRule } from './access.ts'

/** Roles of those who may use the management API; each may do what those before it may. */
export const MANAGEMENT_ROLES = ['sluice.viewer', 'sluice.operator', 'sluice.admin'] as const

export type ManagementRole = (typeof MANAGEMENT_ROLES)[number]

/** Who may use what needs this role: those who have it or a greater one. */
export function ruleOf(role: ManagementRole): AccessRule {
  return { roles: MANAGEMENT_ROLES.slice(MANAGEMENT_ROLES.indexOf(role)), all: false }
}
