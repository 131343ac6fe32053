import type { CredentialSetting, LentToken } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'
import { createAssertion, describeAssertion, type AssertionDefaults } from './assertion.ts'
import { clientAssertionType } from './assertion-options.ts'
import { clientAuthenticationOf, isJwt, type OAuth2Options } from './oauth2-options.ts'
import { formatOfGrant } from './grants.ts'
import { tokenTypeOf } from './token-type.ts'
import type { Field, Proof } from './token-request.ts'

/** Where a line of the file belongs. */
export const UNDER_ASSERTION = ' # under "assertion"'

/** What a client's own assertion says unless it is told otherwise. @see https://www.rfc-editor.org/rfc/rfc7523#section-3 */
export function clientDefaults(given: OAuth2Options, secret: Secret | undefined): AssertionDefaults {
  return {
    format: 'jwt',
    issuer: given.clientId,
    subject: given.clientId,
    tokenUrl: given.tokenServiceUrl === undefined ? undefined : new URL(given.tokenServiceUrl),
    serviceIssuer: given.issuer,
    sharedSecret: secret,
    ...(clientAuthenticationOf(given) === 'bearer' && { isToken: true as const }),
  }
}

/** How the client proves who it is with a JWT; undefined where it does otherwise. */
export function clientProofOf(
  given: OAuth2Options,
  secret: Secret | undefined,
  setting: CredentialSetting,
): Proof | undefined {
  const how = clientAuthenticationOf(given)
  if (!isJwt(how)) return undefined
  const { clientAssertion = {} } = given
  const make = createAssertion(clientAssertion, clientDefaults(given, secret), setting)
  const type = clientAssertion.type ?? clientAssertionType(clientAssertion.format ?? 'jwt')
  return async (until, url) => {
    const { assertion, borrowed: other } = await make(until, url)
    const borrowed = other ? [other] : []
    if (how === 'bearer') return { fields: [], bearer: assertion, borrowed }
    return {
      fields: [
        ['client_assertion_type', type],
        ['client_assertion', assertion],
      ],
      borrowed,
    }
  }
}

/** What the grant's own assertion or tokens say unless they are told otherwise. */
export function grantDefaults(given: OAuth2Options): AssertionDefaults {
  const { isToken: _, ...defaults } = clientDefaults(given, undefined)
  return { ...defaults, format: formatOfGrant(given.grantType), subject: undefined }
}

/**
 * What the token is given for; undefined where the grant wants nothing of the kind.
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-2.1
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1
 */
export function grantProofOf(given: OAuth2Options, setting: CredentialSetting): Proof | undefined {
  const parts = [
    { name: 'assertion', options: given.assertion, type: undefined },
    { name: 'subject_token', options: given.subjectToken, type: given.subjectToken?.type },
    { name: 'actor_token', options: given.actorToken, type: given.actorToken?.type },
  ].flatMap(({ name, options, type }) => {
    if (!options) return []
    const usual = options.fromCredential ? 'access_token' : 'jwt'
    const typed: readonly Field[] = name === 'assertion' ? [] : [[`${name}_type`, tokenTypeOf(type ?? usual)]]
    return { name, typed, make: createAssertion(options, grantDefaults(given), setting) }
  })
  if (parts.length === 0) return undefined
  return async (until, url) => {
    const fields: Field[] = []
    const borrowed: LentToken[] = []
    for (const { name, typed, make } of parts) {
      const made = await make(until, url)
      fields.push([name, made.assertion], ...typed)
      if (made.borrowed) borrowed.push(made.borrowed)
    }
    return { fields, borrowed }
  }
}

/** A SAML assertion in the other encoding; undefined where nothing is signed. */
export function otherGrantProofOf(
  given: OAuth2Options,
  setting: CredentialSetting,
): { readonly proof: Proof; readonly change: string } | undefined {
  const { assertion } = given
  if (!assertion?.key || (assertion.format ?? formatOfGrant(given.grantType)) !== 'saml2') return undefined
  const encoding = assertion.encoding === 'base64' ? 'base64url' : 'base64'
  return {
    proof: (until, url) =>
      grantProofOf({ ...given, assertion: { ...assertion, encoding } }, setting)!(until, url),
    change: `encoding: ${encoding}${UNDER_ASSERTION}`,
  }
}

/** For `sluice credential show`. */
export function describeGrantProof(given: OAuth2Options): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (['assertion', 'subjectToken', 'actorToken'] as const).flatMap((field) => {
      const options = given[field]
      return options ? [[field, describeAssertion(options, grantDefaults(given))]] : []
    }),
  )
}
