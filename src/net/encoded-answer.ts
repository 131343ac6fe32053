import { Failure } from '../core/failure.ts'
import type { ReceiverAnswer } from '../core/http.ts'

/** What says that a body is as it is. @see https://www.rfc-editor.org/rfc/rfc9110#section-8.4 */
const PLAIN = /^[\s,]*(identity[\s,]*)*$/i
/** What the names of encodings look like; anything else is not told. */
const NAME = /^[a-z0-9-]{1,10}(, *[a-z0-9-]{1,10})*$/i

/** Why an answer cannot be taken as it is: its body is compressed, though that was not asked for. */
export function encodedAnswer({ status, headers, body, url }: ReceiverAnswer): Failure | undefined {
  const encoding = headers['content-encoding']
  if (encoding === undefined || PLAIN.test(encoding) || body.isEmpty) return undefined
  const { host } = new URL(url)
  return new Failure(
    'receiver.broken',
    `"${host}" answered in ${NAME.test(encoding) ? `the encoding "${encoding}"` : 'an encoding'}, which nobody asked for`,
    {
      receiver: { status, host },
      hint: 'The request says `accept-encoding: identity`, because compressed answers are not read in this version. Ask the operator of the receiver, or of what stands between.',
    },
  )
}
