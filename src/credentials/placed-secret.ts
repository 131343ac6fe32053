import { isHeaderName, isHeaderValue } from '../core/header.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { Choice, Keys, Optional, Text } from '../core/schema.ts'

/** Where on a request a token or key goes. */
export interface Placement {
  readonly in: 'header' | 'query' | 'cookie'
  readonly name: string
  /** Before the secret, with its space where it wants one. */
  readonly prefix: string
}

/** The ready-made header lines and query of a secret at its place. */
export function placeSecret(
  placement: Placement,
  secret: string,
): { readonly headers: readonly string[]; readonly query: string } {
  const text = placement.prefix + secret
  if (placement.in === 'query')
    return { headers: [], query: new URLSearchParams([[placement.name, text]]).toString() }
  if (placement.in === 'cookie') return { headers: ['cookie', `${placement.name}=${text}`], query: '' }
  return { headers: [placement.name, text], query: '' }
}

/** Where it goes, for people: `in the header authorization`. */
export function placeInWords({ in: where, name }: Placement): string {
  return `in the ${where === 'query' ? 'query parameter' : where} ${name}`
}

/** The option that says where on a request a token or key goes. */
export const tokenIn = (preset: Placement) =>
  Optional(
    Keys(
      {
        in: Optional(
          Choice(['header', 'query', 'cookie'], { description: 'Where it goes.', default: preset.in }),
        ),
        name: Optional(
          Text({ description: 'Name of the header, parameter or cookie.', default: preset.name }),
        ),
        prefix: Optional(
          Text({ description: 'What stands before it, with its space: `Token `.', default: preset.prefix }),
        ),
      },
      { description: 'Where on the request it goes.' },
    ),
  )

type WrittenPlacement = { readonly [Key in keyof Placement]?: Placement[Key] | undefined }

/** At another place than the usual one nothing stands before it, unless that is written. */
export function placementOf(written: WrittenPlacement | undefined, preset: Placement): Placement {
  const where = written?.in ?? preset.in
  const name = written?.name ?? preset.name
  const usual = where === preset.in && name.toLowerCase() === preset.name.toLowerCase()
  return { in: where, name, prefix: written?.prefix ?? (usual ? preset.prefix : '') }
}

/** What the schema cannot say of it. */
export function checkPlacement(
  written: WrittenPlacement | undefined,
  preset: Placement,
  problem: (report: ProblemReport) => void,
): void {
  const { in: where, name, prefix } = placementOf(written, preset)
  if (where !== preset.in && written?.name === undefined)
    problem({
      code: 'credential/token-in',
      message: `"tokenIn" does not say the name of the ${where === 'query' ? 'query parameter' : where}`,
      hint: `tokenIn: { in: ${where}, name: key }`,
      at: ['tokenIn'],
    })
  if (name === '' || (where !== 'query' && !isHeaderName(name)))
    problem({
      code: 'credential/token-in',
      message: `"${name}" cannot be the name of a ${where === 'query' ? 'query parameter' : where}`,
      hint: 'Letters, digits and hyphens are fine; no spaces, colons or quotes.',
      at: ['tokenIn', 'name'],
    })
  if (!isHeaderValue(prefix))
    problem({
      code: 'credential/token-in',
      message: '"prefix" holds a line end or another character that cannot be sent',
      hint: 'A word and a space are usual: `Token `.',
      at: ['tokenIn', 'prefix'],
    })
}
