import type { ProblemReport } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'
import { checkAssertion } from './assertion-check.ts'
import { clientAuthenticationOf, hasCertificate, isJwt, type OAuth2Options } from './oauth2-options.ts'
import { checkPasted } from './pasted.ts'

type Reporter = (report: ProblemReport) => void

/** What is wrong with how the client proves who it is. */
export function checkClient(options: OAuth2Options, problem: Reporter): void {
  const how = clientAuthenticationOf(options)
  const missing = (field: string) =>
    problem({
      code: 'credential/missing-field',
      message: `"${field}" is missing; clientAuthentication ${how} needs it`,
      hint:
        field === 'clientSecret'
          ? 'Add clientSecret: ${env:NAME}, or write clientAuthentication: none for a client without a secret.'
          : field === 'tls.certificate'
            ? 'Add tls: { certificate: "${file:...}", key: "${file:...}" }, or tls: { pkcs12: "${file:...}", passphrase: "${env:NAME}" }.'
            : 'Add it.',
      at: [],
    })
  if (isJwt(how)) checkClientAssertion(options, how, missing, problem)
  else if (options.clientAssertion)
    problem({
      code: 'credential/unused-field',
      message: `"clientAssertion" has no use: clientAuthentication is ${how}`,
      hint: 'Write clientAuthentication: privateKeyJwt, clientSecretJwt or bearer, or take clientAssertion out.',
      at: ['clientAssertion'],
      on: 'key',
    })
  if (how === 'certificate') {
    if (!options.clientId) missing('clientId')
    else checkPasted('clientId', options.clientId, ['clientId'], problem)
    if (!hasCertificate(options) && options.tls?.key === undefined) missing('tls.certificate')
  }
  if (how !== 'none' && how !== 'privateKeyJwt' && how !== 'bearer' && how !== 'certificate') {
    if (!options.clientId) missing('clientId')
    if (options.clientSecret === undefined) missing('clientSecret')
    else checkSecrets(options.clientSecret, problem)
    if (options.clientId) checkPasted('clientId', options.clientId, ['clientId'], problem)
  } else if (options.clientSecret !== undefined)
    problem({
      code: 'credential/unused-field',
      severity: 'warning',
      message: `"clientSecret" is never sent, because clientAuthentication is ${how}`,
      hint: 'Write clientAuthentication: header or body, or take the secret out.',
      at: ['clientSecret'],
      on: 'key',
    })
  const colon = options.clientId?.indexOf(':') ?? -1
  if (how === 'header' && options.basicEncoding === 'raw' && colon >= 0)
    problem({
      code: 'credential/client-id',
      message: '"clientId" holds a ":", where a raw Basic header ends the id',
      hint: 'Write basicEncoding: form, or clientAuthentication: body.',
      at: ['clientId'],
      offset: colon,
      length: 1,
    })
}

function checkClientAssertion(
  options: OAuth2Options,
  how: 'privateKeyJwt' | 'clientSecretJwt' | 'bearer',
  missing: (field: string) => void,
  problem: Reporter,
): void {
  const { clientAssertion: assertion, clientId } = options
  if (how !== 'clientSecretJwt') {
    const named =
      how === 'bearer' ||
      assertion?.token !== undefined ||
      assertion?.fromCredential !== undefined ||
      (assertion?.issuer && assertion.subject)
    if (!clientId && !named) missing('clientId')
    if (clientId) checkPasted('clientId', clientId, ['clientId'], problem)
    if (!assertion) {
      problem({
        code: 'credential/missing-field',
        message: `"clientAssertion" is missing; clientAuthentication ${how} needs it`,
        hint: 'Add clientAssertion: { key: "${file:keys/client.pem}" }.',
        at: [],
      })
      return
    }
  }
  if (how === 'bearer' && assertion?.format === 'saml2')
    problem({
      code: 'credential/assertion',
      message: '"clientAssertion.format" is saml2, and a bearer is a JWT',
      hint: 'Take it out, or write clientAuthentication: privateKeyJwt.',
      at: ['clientAssertion', 'format'],
    })
  else if (assertion)
    checkAssertion(
      assertion,
      ['clientAssertion'],
      how === 'clientSecretJwt' ? 'shared' : (assertion.format ?? 'jwt'),
      problem,
      options.issuer,
    )
}

const MOST_SECRETS = 2

function checkSecrets(secrets: readonly Secret[], problem: Reporter): void {
  const at = (index: number) => (secrets.length === 1 ? ['clientSecret'] : ['clientSecret', index])
  for (const [index, secret] of secrets.entries())
    checkPasted('clientSecret', secret.reveal(), at(index), problem)
  if (secrets.length > MOST_SECRETS)
    problem({
      code: 'credential/secret',
      message: `"clientSecret" is a list of ${secrets.length}; at most ${MOST_SECRETS} are used: the current and the other one`,
      hint: 'Each wrong secret counts at the service like an attack: keep the new one and the one before.',
      at: ['clientSecret'],
    })
}
