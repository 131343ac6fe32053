import type { ProblemReport } from '../core/kinds.ts'
import { readHostRule } from '../security/hosts.ts'
import { readUrl } from '../security/url.ts'
import type { OAuth2Options } from './oauth2-options.ts'
import { checkTenants, withStandIn } from './tenant-url.ts'

type Reporter = (report: ProblemReport) => void

const SECRET_PARAMETERS = [
  'client_secret',
  'client_assertion',
  'password',
  'refresh_token',
  'assertion',
  'subject_token',
  'actor_token',
]

/**
 * What is wrong with where the token service is said to be.
 * @param onPremise it is a virtual host of the Cloud Connector
 */
export function checkTokenService(options: OAuth2Options, onPremise: boolean, problem: Reporter): void {
  const { tokenServiceUrl, issuer, tokenServiceHosts, revocationUrl } = options
  checkTenants(options, onPremise, problem)
  const unused = (field: string, why: string, hint: string) =>
    problem({
      code: 'credential/unused-field',
      message: `"${field}" has no use: ${why}`,
      hint,
      at: [field],
      on: 'key',
    })
  if (tokenServiceUrl === undefined && issuer === undefined)
    problem({
      code: 'credential/missing-field',
      message: '"tokenServiceUrl" is missing: tokens come from there',
      hint: 'Add tokenServiceUrl: https://login.example.com/oauth2/token; or issuer, where the service publishes its metadata.',
      at: [],
    })
  if (tokenServiceUrl !== undefined) checkServiceUrl('tokenServiceUrl', tokenServiceUrl, onPremise, problem)
  if (revocationUrl !== undefined) checkServiceUrl('revocationUrl', revocationUrl, onPremise, problem)
  if (issuer !== undefined && tokenServiceUrl !== undefined)
    unused('issuer', '"tokenServiceUrl" says where the token service is', 'Take one of them out.')
  else if (issuer !== undefined) checkIssuer(issuer, problem)
  if (issuer === undefined && tokenServiceHosts)
    unused(
      'tokenServiceHosts',
      'there is no "issuer"',
      'Take it out, or write issuer in place of tokenServiceUrl.',
    )
  for (const [index, text] of (tokenServiceHosts ?? []).entries()) {
    const rule = readHostRule(text)
    if (typeof rule === 'string')
      problem({
        code: 'credential/host',
        message: `"${text}" ${rule}`,
        hint: 'Entries are login.example.com, login.example.com:8443 or *.example.com.',
        at: ['tokenServiceHosts', index],
      })
  }
}

function checkServiceUrl(
  field: 'tokenServiceUrl' | 'revocationUrl',
  written: string,
  onPremise: boolean,
  problem: Reporter,
): void {
  const url = readUrl(withStandIn(written), onPremise)
  if (!(url instanceof URL)) {
    problem({
      code: 'credential/url',
      ...url,
      message: `"${field}" ${url.message}`,
      at: [field],
    })
    return
  }
  for (const name of SECRET_PARAMETERS)
    if (url.searchParams.has(name))
      problem({
        code: 'credential/url',
        message: `"${field}" holds "${name}" in its query; addresses are written into logs on the way`,
        hint: 'Secrets have fields of their own: clientSecret, password, refreshToken, assertion.',
        at: [field],
      })
}

/** @see https://www.rfc-editor.org/rfc/rfc8414#section-2 */
function checkIssuer(issuer: string, problem: Reporter): void {
  const url = readUrl(issuer)
  const report = (about: Omit<ProblemReport, 'code' | 'at'>) =>
    problem({ code: 'credential/url', ...about, message: `"issuer" ${about.message}`, at: ['issuer'] })
  if (!(url instanceof URL)) report(url)
  else if (url.search !== '' || issuer.endsWith('?'))
    report({
      message: 'holds a query, which an issuer never has',
      hint: 'Write the issuer as its metadata says it.',
      offset: issuer.indexOf('?'),
      length: issuer.length - issuer.indexOf('?'),
    })
  else if (issuer.includes('/.well-known/'))
    report({
      message: 'is the address of the metadata, not the issuer',
      hint: `Write the issuer itself: ${issuer.replace(/\/\.well-known\/[^/]*/, '')}.`,
    })
}
