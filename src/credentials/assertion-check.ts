import { X509Certificate } from 'node:crypto'
import type { Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { readCertificateChain } from '../security/certificate-chain.ts'
import {
  describeKey,
  neededKey,
  readSigningKey,
  usualAlgorithm,
  type KeyAlgorithm,
  type SigningKey,
} from '../security/signing-key.ts'
import { checkSaml, checkSamlKey } from './saml-check.ts'
import { samlFields } from './saml-options.ts'
import { SECRET_ALGORITHMS, SOURCES, USUAL_LIFETIME, type AssertionOptions } from './assertion-options.ts'

type Reporter = (report: ProblemReport) => void

const OWN_CLAIMS: Readonly<Record<string, string>> = {
  iss: 'issuer',
  sub: 'subject',
  aud: 'audience',
  exp: 'lifetime',
  iat: 'the engine',
  jti: 'the engine',
}
/** What is of no use without a key. */
const OF_KEYS = ['passphrase', 'certificate', 'x5t', 'x5c'] as const
/** What only a JWT has. */
const OF_JWTS = ['keyId', 'x5t', 'x5c', 'backdate', 'claims', 'typ'] as const
const OF_SAML = Object.keys(samlFields) as (keyof typeof samlFields)[]
/** What is of no use where nothing is signed. */
const OF_SIGNATURES = [
  'format',
  ...OF_SAML,
  ...OF_KEYS,
  'algorithm',
  'keyId',
  'issuer',
  'subject',
  'audience',
  'lifetime',
  'backdate',
  'claims',
  'typ',
] as const

/** With a key, as a JWT or in XML; with the client's secret; or not at all, because it is made somewhere else. */
export type Signing = 'jwt' | 'saml2' | 'shared' | 'taken'

/**
 * What is wrong with how something is signed.
 * @param at where it stands
 * @param issuer of the token service, where it is known
 */
export function checkAssertion(
  given: AssertionOptions,
  at: Path,
  how: Signing,
  problem: Reporter,
  issuer?: string,
): void {
  const field = at.join('.')
  if (how === 'shared') {
    checkShared(given, at, problem, issuer)
    return
  }
  const sources = SOURCES.filter((name) => given[name] !== undefined)
  if (sources.length === 0)
    problem({
      code: 'credential/missing-field',
      message: `"${field}" does not say what it is ${how === 'taken' ? 'taken from' : 'signed with'}`,
      hint:
        how === 'taken'
          ? 'Add fromCredential: NAME; or token, where somebody else makes it.'
          : 'Add key: ${file:keys/client.pem}; or fromCredential or token, where it is made somewhere else.',
      at,
      on: 'key',
    })
  if (sources.length > 1)
    problem({
      code: 'credential/assertion',
      message: `"${field}" has a ${sources.join(' and a ')}, of which only one can be used`,
      hint: 'Take one of them out.',
      at: [...at, sources[1]!],
      on: 'key',
    })
  if (given.key === undefined) {
    reportUnused(given, OF_SIGNATURES, at, 'nothing is signed here', problem)
    return
  }
  checkKey(given, given.key.reveal(), at, how, problem)
  if (how === 'saml2') {
    reportUnused(given, OF_JWTS, at, 'it belongs to JWTs, and this is a SAML assertion', problem)
    checkSaml(given, at, problem)
  } else {
    reportUnused(given, OF_SAML, at, 'it belongs to SAML assertions, and this is a JWT', problem)
    checkClaims(given, at, problem)
  }
  checkAudience(given, at, problem, issuer)
}

function checkShared(given: AssertionOptions, at: Path, problem: Reporter, issuer: string | undefined): void {
  reportUnused(
    given,
    [...SOURCES, ...OF_KEYS, ...OF_SAML, ...(given.format === 'saml2' ? (['format'] as const) : [])],
    at,
    'the secret signs it',
    problem,
  )
  const { algorithm = 'HS256' } = given
  if (!SECRET_ALGORITHMS.some((one) => one === algorithm))
    problem({
      code: 'credential/assertion',
      message: `"algorithm" is ${algorithm}, which needs a private key; the secret signs it`,
      hint: 'Write HS256, HS384 or HS512; or sign with a key, of a client with clientAuthentication: privateKeyJwt.',
      at: [...at, 'algorithm'],
    })
  checkClaims(given, at, problem)
  checkAudience(given, at, problem, issuer)
}

function checkKey(given: AssertionOptions, text: string, at: Path, how: Signing, problem: Reporter): void {
  const read = readSigningKey(text, given.passphrase?.reveal())
  if (!('key' in read)) {
    const name = read.passphrase ? 'passphrase' : 'key'
    problem({
      code: 'credential/key',
      message: `"${[...at, name].join('.')}" ${read.message}`,
      hint: read.hint,
      at: [...at, name],
    })
    return
  }
  if (how === 'saml2') {
    checkSamlKey(given, read.key, at, problem)
    checkCertificate(given, read, at, how, problem)
    return
  }
  const usual = usualAlgorithm(read.key)
  if (typeof usual !== 'string') {
    problem({
      code: 'credential/key',
      message: `"${[...at, 'key'].join('.')}" ${usual.message}`,
      hint: usual.hint,
      at: [...at, 'key'],
    })
    return
  }
  checkAlgorithm(given, read, at, problem)
  checkCertificate(given, read, at, how, problem)
}

function checkAlgorithm(given: AssertionOptions, { key }: SigningKey, at: Path, problem: Reporter): void {
  const { algorithm } = given
  if (algorithm === undefined) return
  const isShared = SECRET_ALGORITHMS.some((one) => one === algorithm)
  const needed = isShared ? 'a secret that both sides know' : neededKey(algorithm as KeyAlgorithm, key)
  if (needed !== undefined)
    problem({
      code: 'credential/key',
      message: `"algorithm" is ${algorithm}, which needs ${needed}; "key" is ${describeKey(key)}`,
      hint: `Leave algorithm out for ${usualAlgorithm(key) as string}, or use another key.`,
      at: [...at, 'algorithm'],
    })
}

function checkCertificate(
  given: AssertionOptions,
  { key }: SigningKey,
  at: Path,
  how: Signing,
  problem: Reporter,
): void {
  const { certificate } = given
  if (certificate === undefined) {
    if (how === 'jwt') reportUnused(given, ['x5t', 'x5c'], at, 'there is no certificate', problem)
    return
  }
  const report = (message: string, hint: string) =>
    problem({
      code: 'credential/certificate',
      message: `"${[...at, 'certificate'].join('.')}" ${message}`,
      hint,
      at: [...at, 'certificate'],
    })
  const chain = readCertificateChain(certificate, given.passphrase?.reveal())
  if (typeof chain === 'string') report(chain, 'Refer to a file: certificate: ${file:keys/client.crt}.')
  else if (!new X509Certificate(chain[0]!).checkPrivateKey(key))
    report(
      chain.length > 1 ? 'begins with a certificate of another key' : 'is of another key',
      'Use the certificate that was made for this key; where there are several, it comes first.',
    )
}

function checkClaims(
  { claims = {}, backdate = 0, lifetime = USUAL_LIFETIME }: AssertionOptions,
  at: Path,
  problem: Reporter,
): void {
  if (backdate >= lifetime)
    problem({
      code: 'credential/assertion',
      message: `"${[...at, 'backdate'].join('.')}" is not shorter than the lifetime: it would be over when it is signed`,
      hint: 'Make lifetime longer; backdate: 60s is enough for most clocks.',
      at: [...at, 'backdate'],
    })
  for (const name of Object.keys(claims)) {
    const owner = Object.hasOwn(OWN_CLAIMS, name) ? OWN_CLAIMS[name] : undefined
    if (owner !== undefined)
      problem({
        code: 'credential/assertion',
        message: `the claim "${name}" is set by ${owner}`,
        hint:
          owner === 'the engine'
            ? 'Take it out: it is new in each attempt.'
            : `Write ${owner} beside "claims".`,
        at: [...at, 'claims', name],
        on: 'key',
      })
  }
}

function checkAudience(
  { audience = [] }: AssertionOptions,
  at: Path,
  problem: Reporter,
  issuer: string | undefined,
): void {
  audience.forEach((text, index) => {
    if (text === 'issuer' && issuer === undefined)
      problem({
        code: 'credential/assertion',
        message: '"audience" is issuer, but the address of the issuer is not known here',
        hint: 'Write issuer in place of tokenServiceUrl; or the address itself here, such as audience: https://login.example.com/; the service tells it as "issuer" under /.well-known/openid-configuration.',
        at: audience.length === 1 ? [...at, 'audience'] : [...at, 'audience', index],
      })
  })
}

function reportUnused(
  given: AssertionOptions,
  fields: readonly (keyof AssertionOptions)[],
  at: Path,
  why: string,
  problem: Reporter,
): void {
  for (const field of fields)
    if (given[field] !== undefined)
      problem({
        code: 'credential/unused-field',
        message: `"${[...at, field].join('.')}" has no use: ${why}`,
        hint: 'Take it out.',
        at: [...at, field],
        on: 'key',
      })
}
