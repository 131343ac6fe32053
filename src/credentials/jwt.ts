import type { CredentialTestStep } from '../core/credential-test.ts'
import { sayDuration } from '../core/duration.ts'
import { defineCredential, type CredentialSetting, type ProblemReport } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'
import { createAssertion, describeAssertion, type AssertionDefaults } from './assertion.ts'
import { USUAL_LIFETIME } from './assertion-options.ts'
import { checkAssertion } from './assertion-check.ts'
import { jwtOptions, type JwtOptions } from './jwt-options.ts'
import { secretTexts } from './oauth2-key.ts'
import { BEARER } from './oauth2-options.ts'
import { checkPlacement, placeInWords, placementOf, placeSecret } from './placed-secret.ts'
import type { FetchedToken } from './token-exchange.ts'
import { TokenManager } from './token-manager.ts'

const MINUTE = 60_000
const NOWHERE = new URL('https://nowhere.invalid/')
const NOTHING: CredentialTestStep['asked'] = { method: '', url: '', headers: [], query: [], fields: [] }

export const jwt = defineCredential({
  name: 'jwt',
  summary: 'A JWT that is signed here and is itself the token: no token service is asked.',
  description:
    'It is signed when the first request needs it, sent with every request, signed anew shortly before its end, and once more when a receiver refuses it. An `oauth2` credential may name it by `fromCredential`.',
  examples: [
    {
      title: 'App Store Connect',
      yaml: `type: jwt
key: \${file:/run/secrets/AuthKey_2X9R4HXF34.p8}
keyId: 2X9R4HXF34
issuer: 57246542-96fe-1a63-e053-0824d011072a
audience: appstoreconnect-v1
lifetime: 15m
baseUrl: https://api.appstoreconnect.apple.com/v1/
`,
    },
    {
      title: 'Snowflake with a key pair',
      yaml: `type: jwt
key: \${file:/run/secrets/snowflake.pem}
passphrase: \${env:SNOWFLAKE_PASSPHRASE}
issuer: ACME-PROD.SLUICE.SHA256:\${env:SNOWFLAKE_FINGERPRINT}
subject: ACME-PROD.SLUICE
lifetime: 50m
apiHeaders: { X-Snowflake-Authorization-Token-Type: KEYPAIR_JWT }
baseUrl: https://acme-prod.snowflakecomputing.com/api/v2/
`,
    },
    {
      title: 'A GitHub App, as itself',
      yaml: `type: jwt
key: \${file:/run/secrets/github-app.pem}
issuer: Iv23liAbCdEfGhIjKlMn
backdate: 60s
lifetime: 10m
baseUrl: https://api.github.com/
`,
    },
  ],
  options: jwtOptions,
  lends: true,
  check: checkJwt,
  prepare: (given, { name }, setting) => createSigner(given, name, setting),
  describe(given) {
    const { in: where, name } = placementOf(given.tokenIn, BEARER)
    return {
      ...(given.key ? { key: '[secret]' } : { secret: '[secret]' }),
      jwt: describeAssertion(given, defaultsOf(given)),
      lifetime: sayDuration(given.lifetime ?? USUAL_LIFETIME),
      ...(given.tokenIn && { tokenIn: `${where} ${name}` }),
      ...(given.invalidateOn && { invalidateOn: given.invalidateOn.join(', ') }),
    }
  },
  explain({ issuer, subject, tokenIn }) {
    const about = [issuer && `of ${issuer}`, subject && subject !== issuer && `for ${subject}`].filter(
      Boolean,
    )
    const whose = about.length === 0 ? '' : ` ${about.join(' ')}`
    return `a JWT that is signed here${whose}, ${placeInWords(placementOf(tokenIn, BEARER))}`
  },
  asDestination: () => ({ Authentication: 'OAuth2ClientCredentials' }),
})

function defaultsOf({ secret }: JwtOptions): AssertionDefaults {
  return {
    format: 'jwt',
    issuer: undefined,
    subject: undefined,
    tokenUrl: undefined,
    serviceIssuer: undefined,
    sharedSecret: secret,
    isToken: true,
  }
}

function checkJwt(given: JwtOptions, problem: (report: ProblemReport) => void): void {
  const { key, secret, audience = [] } = given
  if (key === undefined && secret === undefined)
    problem({
      code: 'credential/missing-field',
      message: '"key" is missing: the JWT is signed with it',
      hint: 'Add key: ${file:keys/client.pem}; or secret: ${env:NAME}, where both sides know one.',
      at: [],
    })
  else if (key !== undefined && secret !== undefined)
    problem({
      code: 'credential/unused-field',
      message: '"secret" has no use: the JWT is signed with "key"',
      hint: 'Take one of them out.',
      at: ['secret'],
      on: 'key',
    })
  else checkAssertion(given, [], key === undefined ? 'shared' : 'jwt', problem)
  audience.forEach((text, index) => {
    if (text === 'tokenUrl')
      problem({
        code: 'credential/assertion',
        message: '"audience" is tokenUrl, but no token service is asked',
        hint: 'Write the name or the address that the receiver wants, or leave audience out.',
        at: audience.length === 1 ? ['audience'] : ['audience', index],
      })
  })
  checkPlacement(given.tokenIn, BEARER, problem)
}

function createSigner(given: JwtOptions, name: string, setting: CredentialSetting): TokenManager {
  const { world, log } = setting
  const make = createAssertion(given, defaultsOf(given), setting)
  const releases = secretTexts(given).map((text) => setting.redact(text))
  const placement = placementOf(given.tokenIn, BEARER)
  const refusedBy = given.invalidateOn ?? [401]
  const sign = async (until: Parameters<typeof make>[0]): Promise<FetchedToken> => {
    const { clock } = world
    const signedAt = { askedTicks: clock.ticks(), askedAt: clock.now() }
    const { assertion, endsAt } = await make(until, NOWHERE)
    const lifetime = endsAt! - signedAt.askedAt
    log.info({ credential: name, lifetime: sayDuration(lifetime) }, 'token signed')
    return { ...SIGNED, ...signedAt, token: assertion.reveal(), lifetime }
  }
  return new TokenManager(
    {
      name,
      // Another version signs for itself: that costs nothing, and no service has to be asked.
      key: world.newId(),
      secrets: [],
      warm: false,
      refreshBefore: given.refreshBefore ?? MINUTE,
      patience: MINUTE,
      place: (token) => ({ ...placeSecret(placement, token), refusedBy, refuses: undefined }),
      fetch: sign,
      async test(until) {
        const outcome = await sign(until)
        const got = {
          signed: describeAssertion(given, defaultsOf(given)),
          lifetime: sayDuration(outcome.lifetime),
        }
        return { steps: [{ title: 'token', ok: true, asked: NOTHING, got }], outcome }
      },
      stored: () => ({}),
      keepsTokens: false,
      lacking: () => [],
      secretInUse: () => undefined,
      counts: { requests: 0, failures: 0 },
      details: () => ({}),
      stopped() {
        for (const release of releases) release()
      },
    },
    setting,
  )
}

const SIGNED = {
  kind: 'token',
  told: true,
  scope: undefined,
  refreshToken: undefined,
  type: undefined,
  status: 200,
  secret: undefined as Secret | undefined,
} as const
