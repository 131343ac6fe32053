import { X509Certificate } from 'node:crypto'
import { readCertificates } from '../core/certificates.ts'
import type { Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import {
  describeKey,
  neededKey,
  readSigningKey,
  usualAlgorithm,
  type KeyAlgorithm,
  type SigningKey,
} from '../security/signing-key.ts'
import { SECRET_ALGORITHMS, SOURCES, type AssertionOptions } from './assertion-options.ts'

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
/** What is of no use where nothing is signed. */
const OF_SIGNATURES = [
  ...OF_KEYS,
  'algorithm',
  'keyId',
  'issuer',
  'subject',
  'audience',
  'lifetime',
  'claims',
  'typ',
] as const

/**
 * What is wrong with how something is signed.
 * @param at where it stands
 * @param how with a key; with the client's secret; or not at all, because it is made somewhere else
 * @param issuer of the token service, where it is known
 */
export function checkAssertion(
  given: AssertionOptions,
  at: Path,
  how: 'signed' | 'shared' | 'taken',
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
  if (given.key === undefined) reportUnused(given, OF_SIGNATURES, at, 'nothing is signed here', problem)
  else checkKey(given, given.key.reveal(), at, problem)
  checkClaims(given, at, problem, issuer)
}

function checkShared(given: AssertionOptions, at: Path, problem: Reporter, issuer: string | undefined): void {
  reportUnused(given, [...SOURCES, ...OF_KEYS], at, 'clientSecretJwt signs with the secret', problem)
  const { algorithm = 'HS256' } = given
  if (!SECRET_ALGORITHMS.some((one) => one === algorithm))
    problem({
      code: 'credential/assertion',
      message: `"algorithm" is ${algorithm}, which needs a private key; clientSecretJwt signs with the secret`,
      hint: 'Write HS256, HS384 or HS512; or clientAuthentication: privateKeyJwt, with a key.',
      at: [...at, 'algorithm'],
    })
  checkClaims(given, at, problem, issuer)
}

function checkKey(given: AssertionOptions, text: string, at: Path, problem: Reporter): void {
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
  checkCertificate(given, read, at, problem)
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

function checkCertificate(given: AssertionOptions, { key }: SigningKey, at: Path, problem: Reporter): void {
  const { certificate } = given
  if (certificate === undefined) {
    reportUnused(given, ['x5t', 'x5c'], at, 'there is no certificate', problem)
    return
  }
  const report = (message: string, hint: string) =>
    problem({
      code: 'credential/certificate',
      message: `"${[...at, 'certificate'].join('.')}" ${message}`,
      hint,
      at: [...at, 'certificate'],
    })
  const chain = readCertificates(certificate)
  if (typeof chain === 'string') report(chain, 'Refer to a file: certificate: ${file:keys/client.crt}.')
  else if (!new X509Certificate(chain[0]!).checkPrivateKey(key))
    report(
      chain.length > 1 ? 'begins with a certificate of another key' : 'is of another key',
      'Use the certificate that was made for this key; where there are several, it comes first.',
    )
}

function checkClaims(
  { claims = {}, audience = [] }: AssertionOptions,
  at: Path,
  problem: Reporter,
  issuer: string | undefined,
): void {
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
