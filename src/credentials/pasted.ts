import type { Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { characterName } from '../security/url.ts'

/** White space around a text and typographic quotes come with copying from pages and mails; the text itself is not told. */
export function checkPasted(
  field: string,
  text: string,
  at: Path,
  problem: (report: ProblemReport) => void,
): void {
  const odd = /^\s|\s$|[\u2018-\u201f\u00ab\u00bb\u200b\ufeff]/.exec(text)
  if (!odd) return
  const what = /\s/.test(odd[0])
    ? `${odd.index === 0 ? 'begins' : 'ends'} with white space`
    : `holds ${characterName(odd[0])} (character ${odd.index + 1} of ${text.length})`
  problem({
    code: 'credential/pasted',
    severity: 'warning',
    message: `"${field}" ${what}; it was probably copied with something around it`,
    hint: 'Look at the variable, the file or the text that it comes from. It is sent as it is.',
    at,
  })
}
