import type { Cors } from '../core/cors.ts'
import { isHeaderName } from '../core/header.ts'
import type { Deployment } from '../core/kinds.ts'
import { Choice, Duration, Flag, Keys, OneOrMore, Optional, Text, Whole } from '../core/schema.ts'
import type { EndpointAccess } from '../core/access.ts'
import type { RateLimit } from './endpoint-rate.ts'

/** ms that browsers remember what they may. */
const REMEMBERED = 10 * 60_000
const ASKED = ['authorization', 'content-type']
const TOLD = ['sluice-run', 'retry-after']

export const rateLimitOption = Optional(
  Keys(
    {
      rate: Whole({ description: 'Requests of one caller that are taken in `per`.', minimum: 1 }),
      per: Optional(Duration({ description: 'The time that `rate` is for.', default: '1s', minimum: 1 })),
      by: Optional(
        Choice(['caller', 'address'], {
          description:
            'What tells callers apart: `caller`, the client (where everybody may call there is none); `address`, where the connection comes from.',
        }),
      ),
    },
    {
      description:
        'How often one caller may call; what comes more often is answered 429 with `Retry-After`, before its body is read.',
    },
  ),
)

export const corsOption = Optional(
  Keys(
    {
      origins: OneOrMore(Text({ description: 'Scheme, host and port of a page, or `*` for every one.' }), {
        description: 'Where pages that may call come from.',
        examples: ['https://shop.example.com'],
      }),
      headers: Optional(
        OneOrMore(Text({ description: 'Name of a header.' }), {
          description: 'Headers that their requests may have.',
          default: ASKED,
        }),
      ),
      exposedHeaders: Optional(
        OneOrMore(Text({ description: 'Name of a header.' }), {
          description: 'Headers of the reply that they may read.',
          default: TOLD,
        }),
      ),
      maxAge: Optional(Duration({ description: 'How long browsers remember the answer.', default: '10m' })),
      credentials: Optional(
        Flag({
          description: 'Whether requests may come with the certificates and cookies of the browser.',
          default: false,
        }),
      ),
    },
    { description: 'Pages in browsers that may call (CORS); none when left out.' },
  ),
)

/** What limits calls; reports what cannot be counted. */
export function readRateLimit(
  option: { rate: number; per?: number; by?: RateLimit['by'] } | undefined,
  access: EndpointAccess,
  deployment: Deployment,
): RateLimit | undefined {
  if (option === undefined) return undefined
  const { rate, per = 1000, by = access === 'public' ? 'address' : 'caller' } = option
  if (by === 'caller' && access === 'public')
    deployment.problem({
      code: 'endpoint/rate-limit',
      message: 'everybody may call this endpoint, so there are no callers to count by',
      hint: 'Write `by: address`, or let only clients call: leave `access: public` out.',
      at: ['rateLimit', 'by'],
    })
  return { rate, per, by }
}

/** Which pages may call; reports origins and headers that no browser sends. */
export function readCors(
  option:
    | {
        origins: readonly string[]
        headers?: readonly string[]
        exposedHeaders?: readonly string[]
        maxAge?: number
        credentials?: boolean
      }
    | undefined,
  deployment: Deployment,
): Cors | undefined {
  if (option === undefined) return undefined
  const { origins, headers = ASKED, exposedHeaders = TOLD, maxAge = REMEMBERED, credentials = false } = option
  const problem = (message: string, hint: string, ...at: (string | number)[]) =>
    deployment.problem({ code: 'endpoint/cors', message, hint, at: ['cors', ...at] })
  const every = origins.includes('*')
  if (every && credentials)
    problem(
      'browsers take no "*" together with credentials',
      'Name the origins, or leave "credentials" out: tokens need it not.',
      'credentials',
    )
  for (const origin of origins)
    if (origin !== '*' && !isOrigin(origin))
      problem(
        `"${origin}" is no origin`,
        'An origin is scheme, host and port where it is not the usual one, in lower case, with nothing behind: "https://shop.example.com".',
        'origins',
      )
  for (const [key, names] of [['headers', headers] as const, ['exposedHeaders', exposedHeaders] as const])
    for (const name of names)
      if (!isHeaderName(name))
        problem(`"${name}" cannot be the name of a header`, 'Letters, digits and hyphens are fine.', key)
  return { origins: every ? '*' : origins, headers, exposed: exposedHeaders, maxAge, credentials }
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text
}
