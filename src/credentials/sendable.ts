import type { Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'

/** Reports a secret that cannot stand in a header, without telling what it is. */
export function checkSendable(
  field: string,
  secret: Secret,
  at: Path,
  problem: (report: ProblemReport) => void,
): void {
  const text = secret.reveal()
  const odd = /[^\x21-\x7e]/.exec(text)
  if (!odd) return
  const what = /\s/.test(odd[0]) ? 'a space or line end' : 'a character beyond ASCII'
  problem({
    code: 'credential/secret',
    message: `"${field}" holds ${what} (character ${odd.index + 1} of ${text.length}), which cannot be sent`,
    hint: 'Look at the variable or file that it comes from; it was probably cut or pasted with something around it.',
    at,
  })
}
