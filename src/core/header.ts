import type { Path } from './document.ts'
import { Failure } from './failure.ts'
import { toText } from './json.ts'
import type { ProblemReport } from './kinds.ts'

/** RFC 9110 5.6.2: what a header's name may be made of. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 9110 5.5: no CR, LF, NUL or other control characters but the tab. */
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/

/** Browsers take a reply for what its content type says. */
export const NO_SNIFFING: readonly string[] = ['x-content-type-options', 'nosniff']

/** What a flow's message cannot say in a reply: it belongs to the connection, to the engine, to requests only, or to access. */
export const WITHHELD_HEADERS: ReadonlySet<string> = new Set([
  'alt-svc',
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'date',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'server',
  'set-cookie',
  'sluice-run',
  'strict-transport-security',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-powered-by',
])

export function isHeaderName(name: string): boolean {
  return TOKEN.test(name)
}

export function isHeaderValue(value: string): boolean {
  return !UNFIT.test(value)
}

/** Reports a header name that cannot be sent. */
export function checkHeaderName(
  name: string,
  at: Path,
  reporter: { problem(report: ProblemReport): void },
): void {
  if (isHeaderName(name)) return
  reporter.problem({
    code: 'flow/header-name',
    message: `"${name}" cannot be the name of a header`,
    hint: 'Letters, digits and hyphens are fine; no spaces, colons or quotes.',
    at,
    on: 'key',
  })
}

/** A value as a header's text; undefined for null. @throws Failure `request.invalid` */
export function headerText(name: string, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  const text = toText(value)
  if (isHeaderValue(text)) return text
  throw new Failure(
    'request.invalid',
    `the value of the header "${name}" holds a line end or another character that headers cannot have`,
    {
      hint: 'Headers are one line of Latin characters; put other text into the body, or encode it (base64.encode).',
    },
  )
}
