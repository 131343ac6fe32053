import type { Context } from '../core/context.ts'
import type { Deployment } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { didYouMean } from '../core/problem.ts'
import type { CredentialInfo } from '../core/services.ts'

/** Whose token a request carries. Undefined: there is only one. @param info of the step's credential, where it is known */
export function prepareTenant(
  given: { readonly tenant?: string; readonly credential?: { readonly name: string } },
  info: CredentialInfo | undefined,
  deployment: Deployment,
): ((message: Message, context: Context) => string) | undefined {
  const { tenant, credential } = given
  const tenants = info?.tenants
  if (tenant === undefined) {
    if (tenants && tenants.length > 1)
      deployment.problem({
        code: 'credential/tenant',
        message: `"tenant" is missing; the credential "${credential!.name}" has ${tenants.length} tenants`,
        hint: `Write tenant: ${tenants[0]!}, or an expression. There are: ${tenants.join(', ')}.`,
        at: ['credential'],
      })
    return undefined
  }
  const report = (message: string, hint: string) =>
    deployment.problem({ code: 'credential/tenant', message, hint, at: ['tenant'] })
  if (!credential) report('"tenant" is there, and no "credential"', 'Name the credential whose tenant it is.')
  else if (tenants?.length === 0)
    report(
      `the credential "${credential.name}" has no tenants`,
      'Take "tenant" out, or write tokenServiceUrlType: common and tenants into the credential.',
    )
  else if (tenants && !tenant.includes('${') && !tenants.includes(tenant))
    report(
      `the credential "${credential.name}" has no tenant "${tenant}"${didYouMean(tenant, tenants)}`,
      `There are: ${tenants.join(', ')}.`,
    )
  return deployment.text(tenant, ['tenant'])
}
