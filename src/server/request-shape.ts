import type { IncomingMessage } from 'node:http'
import { problemReply, type ProblemReply } from './problem-json.ts'

const MALFORMED = { code: 'request.malformed' }
const NO_HOST = problemReply(400, 'The request has no Host header', MALFORMED)
const TWO_HOSTS = problemReply(400, 'The request has more than one Host header', MALFORMED)
const CHUNKED_EARLY = problemReply(400, 'HTTP/1.0 knows no Transfer-Encoding', MALFORMED)
const OTHER_VERSION = problemReply(505, 'Requests are HTTP/1.1 or HTTP/1.0', { code: 'request.version' })

/** A request that expects what no server here does. @see https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1 */
export const UNKNOWN_EXPECTATION = problemReply(417, 'The only expectation that is met is 100-continue', {
  code: 'request.expectation',
})

/**
 * Why a request that Node has parsed is not taken: proxies could read it as another one. Undefined: it is.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
export function misshapen({ httpVersion, headers, rawHeaders }: IncomingMessage): ProblemReply | undefined {
  if (httpVersion !== '1.1') {
    if (httpVersion !== '1.0') return OTHER_VERSION
    if (headers['transfer-encoding'] !== undefined) return CHUNKED_EARLY
  } else if (headers.host === undefined) return NO_HOST
  return hosts(rawHeaders) > 1 ? TWO_HOSTS : undefined
}

function hosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}
