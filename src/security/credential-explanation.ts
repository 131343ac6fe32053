import type { CredentialExplanation } from '../core/explanation.ts'
import type { AnyCredentialKind } from '../core/kinds.ts'
import { explainWay } from './cloud-connector.ts'
import type { Frame } from './frame.ts'
import { showsReceiver, type ReachOptions } from './reach.ts'

/** What a credential is, in words. */
export function explained(
  kind: AnyCredentialKind,
  options: unknown,
  { description, hosts, apiHeaders, apiQuery, onPremise }: Frame,
): Pick<CredentialExplanation, 'sends' | 'hosts' | 'description'> {
  const headers = apiHeaders.filter((_, index) => index % 2 === 0)
  const query = [...new URLSearchParams(apiQuery).keys()]
  const further = [
    ...(headers.length > 0 ? [`the headers ${headers.join(', ')}`] : []),
    ...(query.length > 0 ? [`the query parameters ${query.join(', ')}`] : []),
  ]
  const told = kind.explain?.(options as never) ?? `what its type ${kind.name} says`
  const shown = showsReceiver(options as ReachOptions, kind.asksService === true)
  if (shown && !told.includes('a client certificate')) further.unshift('a client certificate')
  const sends = [told, ...further]
  return { description, hosts: hosts.names, sends: sends.join('; also ') + explainWay(onPremise) }
}
