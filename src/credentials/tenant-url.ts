import type { ProblemReport } from '../core/kinds.ts'
import { readUrl } from '../security/url.ts'
import type { OAuth2Options } from './oauth2-options.ts'
import { withoutQuery } from '../core/url-query.ts'

/** What stands in a URL where the tenant goes. */
export const PLACEHOLDER = '{tenant}'
/** A label of a host name (RFC 1123): nothing in it changes what a URL is. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

/**
 * An address of a tenant's token service: the tenant in the place that is kept for it, else as the first label of the host.
 * @param tenant one of the credential's own
 * @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/oauth-client-credentials-authentication
 */
export function tenantUrl(url: string, tenant: string): string {
  return url.includes(PLACEHOLDER)
    ? url.replaceAll(PLACEHOLDER, tenant)
    : url.replace(/^([a-z]+:\/\/)/i, `$1${tenant}.`)
}

/**
 * What cannot be said of tenants.
 * @param onPremise the token service is a virtual host of the Cloud Connector
 */
export function checkTenants(
  { tokenServiceUrlType, tokenServiceUrl = '', revocationUrl = '', issuer, tenants }: OAuth2Options,
  onPremise: boolean,
  problem: (report: ProblemReport) => void,
): void {
  const about = { code: 'credential/tenant' as const }
  if (tokenServiceUrlType !== 'common') {
    if (tenants)
      problem({
        ...about,
        message: '"tenants" has no effect: the token service is that of a single one',
        hint: 'Write tokenServiceUrlType: common, and {tenant} in tokenServiceUrl where the tenant goes; or take it out.',
        at: ['tenants'],
        on: 'key',
      })
    for (const [field, url] of Object.entries({ tokenServiceUrl, revocationUrl }))
      if (url.includes(PLACEHOLDER))
        problem({
          ...about,
          message: `"${field}" keeps a place free for a tenant, and "tokenServiceUrlType" does not say so`,
          hint: 'Write tokenServiceUrlType: common, and the tenants that flows may name: tenants: [acme].',
          at: [field],
          offset: url.indexOf(PLACEHOLDER),
          length: PLACEHOLDER.length,
        })
    return
  }
  if (issuer !== undefined && tokenServiceUrl === '')
    problem({
      ...about,
      message: '"tokenServiceUrlType" is common, but an issuer is that of a single tenant',
      hint: 'Write tokenServiceUrl in place of issuer, with {tenant} in it.',
      at: ['tokenServiceUrlType'],
    })
  if (!tenants || tenants.length === 0)
    problem({
      ...about,
      message: `"tenants" is ${tenants ? 'empty' : 'missing'}; tokens are asked for those tenants only that it names`,
      hint: 'Add tenants: [acme, globex].',
      at: tenants ? ['tenants'] : ['tokenServiceUrlType'],
    })
  for (const [index, tenant] of (tenants ?? []).entries()) {
    if (!LABEL.test(tenant))
      problem({
        ...about,
        message: `"${tenant}" cannot be a tenant: it is a part of a host name`,
        hint: 'Letters, digits and hyphens are fine, up to 63.',
        at: ['tenants', index],
      })
    else if (tenants!.indexOf(tenant) < index)
      problem({ ...about, message: `the tenant "${tenant}" is there twice`, at: ['tenants', index] })
  }
  const sound = [...new Set(tenants)].filter((tenant) => LABEL.test(tenant))
  for (const [field, url] of Object.entries({ tokenServiceUrl, revocationUrl }))
    checkAddresses(field, url, sound, onPremise, problem)
}

/** As long as the place that is kept for a tenant, so that offsets hold. */
const STAND_IN = 'a-tenant'

/** The address without a tenant, to be checked. */
export function withStandIn(url: string): string {
  return url.replaceAll(PLACEHOLDER, STAND_IN)
}

/** Each tenant has to make an address of one that is sound by itself. */
function checkAddresses(
  field: string,
  url: string,
  tenants: readonly string[],
  onPremise: boolean,
  problem: (report: ProblemReport) => void,
): void {
  if (url === '' || !(readUrl(withStandIn(url), onPremise) instanceof URL)) return
  for (const tenant of tenants) {
    const made = tenantUrl(url, tenant)
    const read = readUrl(made, onPremise)
    if (read instanceof URL) continue
    problem({
      code: 'credential/tenant',
      message: `"${field}" of the tenant "${tenant}" would be ${withoutQuery(made)}; it ${read.message}`,
      hint: url.includes(PLACEHOLDER)
        ? 'Move {tenant} to where a tenant makes an address, or take the tenant out.'
        : 'Without {tenant} the tenant goes before the host; write {tenant} where it goes in the address.',
      at: [field],
    })
    return
  }
}
