import type { KeyObject } from 'node:crypto'
import type { Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { didYouMean } from '../core/problem.ts'
import { describeKey, neededKey } from '../security/signing-key.ts'
import { findNoXml } from '../core/xml-characters.ts'
import type { AssertionOptions } from './assertion-options.ts'
import type { XmlAlgorithm } from '../security/xml-signature.ts'
import {
  authnContextOf,
  NAME_ID_FORMATS,
  nameIdFormatOf,
  SAML_ALGORITHMS,
  usualXmlAlgorithm,
} from './saml-options.ts'

type Reporter = (report: ProblemReport) => void

/** What is wrong with the key that a SAML assertion is signed with. */
export function checkSamlKey(given: AssertionOptions, key: KeyObject, at: Path, problem: Reporter): void {
  if (usualXmlAlgorithm(key) === undefined) {
    problem({
      code: 'credential/key',
      message: `"${[...at, 'key'].join('.')}" is ${describeKey(key)}; SAML assertions are signed with an RSA key, or one of the curves P-256, P-384 and P-521`,
      hint: 'Make one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out client.pem, and register its certificate at the service.',
      at: [...at, 'key'],
    })
    return
  }
  const { algorithm } = given
  if (algorithm !== undefined && !SAML_ALGORITHMS.some((one) => one === algorithm))
    problem({
      code: 'credential/key',
      message: `"algorithm" is ${algorithm}; SAML assertions are signed with ${SAML_ALGORITHMS.join(', ').replace(/, (?=\w+$)/, ' or ')}`,
      hint: `Leave algorithm out for ${usualXmlAlgorithm(key)!}.`,
      at: [...at, 'algorithm'],
    })
  else if (algorithm !== undefined) {
    const needed = neededKey(algorithm as XmlAlgorithm, key)
    if (needed !== undefined)
      problem({
        code: 'credential/key',
        message: `"algorithm" is ${algorithm}, which needs ${needed}; "key" is ${describeKey(key)}`,
        hint: `Leave algorithm out for ${usualXmlAlgorithm(key)!}, or use another key.`,
        at: [...at, 'algorithm'],
      })
  }
}

/** What is wrong with what a SAML assertion says. */
export function checkSaml(given: AssertionOptions, at: Path, problem: Reporter): void {
  const { nameIdFormat, authnContext, attributes = {}, audience = [] } = given
  if (nameIdFormatOf(nameIdFormat) === undefined)
    problem({
      code: 'credential/assertion',
      message: `"${nameIdFormat}" is no format of a NameID${didYouMean(nameIdFormat!, NAME_ID_FORMATS)}`,
      hint: `It is ${NAME_ID_FORMATS.join(', ')}, or a URI that the service knows.`,
      at: [...at, 'nameIdFormat'],
    })
  if (authnContextOf(authnContext) === undefined)
    problem({
      code: 'credential/assertion',
      message: `"${authnContext}" is no class of authentication`,
      hint: 'It is one word such as PreviousSession, X509 or unspecified, a URI that the service knows, or none.',
      at: [...at, 'authnContext'],
    })
  for (const field of ['issuer', 'subject', 'nameQualifier', 'recipient'] as const)
    checkText(given[field] ?? '', [...at, field], problem)
  audience.forEach((text, index) => checkText(text, placeOf([...at, 'audience'], audience, index), problem))
  for (const [name, values] of Object.entries(attributes)) {
    const place = [...at, 'attributes', name]
    if (name.trim() === '')
      problem({
        code: 'credential/assertion',
        message: 'an attribute has no name',
        hint: 'Write the name that the service knows it by.',
        at: place,
        on: 'key',
      })
    checkText(name, place, problem)
    values.forEach((text, index) => checkText(text, placeOf(place, values, index), problem))
  }
}

/** A single value needs not be a list. */
function placeOf(at: Path, values: readonly string[], index: number): Path {
  return values.length === 1 ? at : [...at, index]
}

function checkText(text: string, at: Path, problem: Reporter): void {
  const found = findNoXml(text)
  if (found !== undefined)
    problem({
      code: 'credential/assertion',
      message: `"${at.join('.')}" holds the character ${found}, which XML cannot have`,
      hint: 'It was probably copied along; take it out.',
      at,
    })
}
