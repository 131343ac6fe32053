import { Body, isJsonType } from '../core/body.ts'
import { Failure } from '../core/failure.ts'
import type { Answer } from '../core/http.ts'
import type { Grant } from '../core/kinds.ts'
import { discard } from './answer-stream.ts'
import { decodedSmall } from './content-encoding.ts'

/** Bytes of an answer that `Grant.refuses` looks into. */
export const LOOKED_INTO = 64 * 1024

/**
 * What an answer says of the grant: it was taken; refused by a status against which no renewal helps (`final`), by
 * one that means "no longer good", or by what `Grant.refuses` finds in it.
 */
export type Verdict = 'taken' | 'final' | 'status' | 'content'

/** Judges an answer; to be asked once an answer. Lets go of the answer where it throws. @throws what `refuses` throws */
export function judge(answer: Answer, grant: Grant): Verdict {
  const { status, headers } = answer
  if (grant.refusedBy.includes(status)) return 'status'
  if (grant.refuses !== undefined) {
    try {
      if (grant.refuses(status, headers, jsonOf(answer))) return 'content'
    } catch (error) {
      discard(answer)
      throw error
    }
  }
  return status === 401 ? 'final' : 'taken'
}

/** The answer's JSON; null where it is none, or is not in memory, or is larger. The answer itself stays unparsed. */
function jsonOf({ headers, body }: Answer): unknown {
  const type = headers['content-type']
  if (!Buffer.isBuffer(body) || body.length > LOOKED_INTO || !isJsonType(type)) return null
  const encoding = headers['content-encoding']
  const plain = encoding === undefined ? body : decodedSmall(body, encoding, LOOKED_INTO)
  if (plain === undefined) return null
  try {
    return Body.ofBytes(plain, type).value()
  } catch {
    return null
  }
}

/** A refusal whose answer was larger than the flow takes, without headers and body: what is lost is only its page. */
export function refusalBeyondLimit(thrown: unknown, grant: Grant): Answer | undefined {
  if (!(thrown instanceof Failure) || thrown.code !== 'receiver.too-large') return undefined
  const status = thrown.receiver?.status
  return status !== undefined && grant.refusedBy.includes(status)
    ? { status, headers: {}, body: Buffer.alloc(0) }
    : undefined
}

/** The token is good, but not for this. @see https://www.rfc-editor.org/rfc/rfc6750#section-3.1 */
export function lacksScope(headers: Answer['headers']): boolean {
  return /\berror\s*=\s*"?insufficient_scope\b/i.test(headers['www-authenticate'] ?? '')
}

/** The scope that is missing, as the receiver says it, in brackets; empty where it does not. */
export function missingScope(headers: Answer['headers']): string {
  const [, scope] =
    /\bscope\s*=\s*"([\x21\x23-\x5b\x5d-\x7e ]{1,100})"/i.exec(headers['www-authenticate'] ?? '') ?? []
  return scope === undefined ? '' : ` (${scope})`
}
