import type { ProblemReport } from '../core/kinds.ts'
import type { EgressRules } from '../core/services.ts'

/** Fields of a credential that the engine connects to. */
const FIELDS = ['baseUrl', 'tokenServiceUrl', 'issuer', 'revocationUrl', 'proxy']

/** Reports the addresses of a credential that the engine certainly may not connect to. */
export function checkEgress(
  options: object,
  egress: EgressRules,
  problem: (report: ProblemReport) => void,
): void {
  for (const field of FIELDS) {
    const text: unknown = Object.hasOwn(options, field)
      ? (options as Record<string, unknown>)[field]
      : undefined
    const url = typeof text === 'string' ? URL.parse(text) : null
    if (!url || !/^https?:$/.test(url.protocol)) continue
    const refused = egress.refusal(url)
    if (refused)
      problem({
        code: 'credential/egress',
        ...refused,
        message: `"${field}": ${refused.message}`,
        at: [field],
      })
  }
}
