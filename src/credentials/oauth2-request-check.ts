import type { ProblemReport } from '../core/kinds.ts'
import { clientAuthenticationOf, type OAuth2Options } from './oauth2-options.ts'
import { USUAL_NAMES } from './token-request.ts'

/** What does not go together in the shape of the token request. */
export function checkTokenRequest(options: OAuth2Options, problem: (report: ProblemReport) => void): void {
  const report = (at: ProblemReport['at'], message: string, hint: string) =>
    problem({ code: 'credential/token-request', message, hint, at: at! })
  const how = clientAuthenticationOf(options)
  const { method, basicAuth, authScheme, resource, parameterNames } = options
  if (method === 'GET' && how === 'body')
    report(
      [options.clientAuthentication === undefined ? 'method' : 'clientAuthentication'],
      'id and secret go into the body, but a GET has none',
      'Write clientAuthentication: header (or query, with allowSecretInUrl), or method: POST.',
    )
  if (method === 'GET' && Object.keys(options.parameters?.body ?? {}).length > 0)
    report(['parameters', 'body'], '"parameters" has a "body", but a GET has none', 'Put them under "query".')
  if (basicAuth && options.clientAuthentication === 'header')
    report(
      ['basicAuth'],
      '"basicAuth" and the client both want the header',
      'Write clientAuthentication: body, or none; or leave basicAuth out.',
    )
  if (basicAuth && options.basicEncoding === 'raw' && basicAuth.username.includes(':'))
    report(
      ['basicAuth', 'username'],
      'a user name with a ":" cannot go raw into the header',
      'Write basicEncoding: form.',
    )
  if (authScheme !== undefined && how !== 'header' && !basicAuth)
    report(
      ['authScheme'],
      `"authScheme" says how the header begins, but clientAuthentication is ${how}`,
      'Take it out, or write clientAuthentication: header.',
    )
  checkSecretInUrl(options, problem)
  resource?.forEach((text, index) => {
    const url = URL.parse(text)
    if (url && url.hash === '' && !text.endsWith('#')) return
    report(
      resource.length === 1 ? ['resource'] : ['resource', index],
      `"${text}" is no absolute URI without fragment`,
      'A resource looks like https://api.example.com/ or urn:example:orders.',
    )
  })
  const names = Object.values({ ...USUAL_NAMES, ...parameterNames })
  for (const [field, name] of Object.entries(parameterNames ?? {}))
    if (name === '' || names.filter((other) => other === name).length > 1)
      report(
        ['parameterNames', field],
        name === '' ? `"${field}" is empty` : `two parameters are called "${name}"`,
        'Write what the service calls this one.',
      )
}

const SECRET_FIELDS = [
  'password',
  'refreshToken',
  'assertion',
  'subjectToken',
  'actorToken',
  'clientAssertion',
] as const

/** Where parameters go into the query, secrets must not go along unless that is wanted. */
function checkSecretInUrl(options: OAuth2Options, problem: (report: ProblemReport) => void): void {
  const { contentType, method, allowSecretInUrl } = options
  const inQuery = contentType === 'none' ? 'contentType none' : method === 'GET' ? 'a GET' : undefined
  const fields: string[] = inQuery ? SECRET_FIELDS.filter((field) => options[field] !== undefined) : []
  if (clientAuthenticationOf(options) === 'query') fields.push('clientAuthentication')
  if (allowSecretInUrl === true) {
    if (fields.length === 0)
      problem({
        code: 'credential/unused-field',
        severity: 'warning',
        message: '"allowSecretInUrl" is true, but no secret goes into the URL',
        hint: 'Take it out.',
        at: ['allowSecretInUrl'],
        on: 'key',
      })
    return
  }
  for (const field of fields)
    problem({
      code: 'credential/secret-in-url',
      message:
        field === 'clientAuthentication'
          ? '"clientAuthentication" puts the secret into the URL; addresses are written into logs on the way'
          : `"${field}" would go into the URL, because ${inQuery} has no body; addresses are written into logs on the way`,
      hint: 'Send it in another place; or write allowSecretInUrl: true, where the service takes it in no other way.',
      at: [field],
      on: field === 'clientAuthentication' ? 'value' : 'key',
    })
}
