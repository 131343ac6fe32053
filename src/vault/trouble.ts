/**
 * Why Vault does not give what it was asked for.
 * - `away`: it cannot be asked now: not reached, sealed, too busy
 * - `login`: it does not let the engine in
 * - `forbidden`: the engine may not read this
 * - `missing`: it is not there
 */
export class Trouble {
  readonly kind: 'away' | 'login' | 'forbidden' | 'missing'
  /** Behind a name: `cannot be read: Vault is sealed`. */
  readonly why: string
  readonly hint: string

  constructor(kind: Trouble['kind'], why: string, hint: string) {
    this.kind = kind
    this.why = why
    this.hint = hint
  }
}

/** Characters of what Vault says that are told. */
const MOST = 150

/** The first error of an answer, on one line; empty where there is none. */
export function saidIn(body: unknown, redact: (text: string) => string): string {
  const errors = (body as { errors?: unknown } | null)?.errors
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined
  if (typeof first !== 'string') return ''
  const line = redact(first)
    .replace(/[\s\p{C}]+/gu, ' ')
    .replace(/^\d+ errors? occurred: \* /, '')
    .trim()
  return line.length > MOST ? `${line.slice(0, MOST)}…` : line
}

/** Why nothing can be made of a status, whatever was asked; undefined: it depends on what was asked. */
export function troubleOf(status: number, said: string): Trouble | undefined {
  if (status >= 300 && status < 400)
    return new Trouble(
      'away',
      `cannot be read: Vault answers with a redirect (${status}), which is not followed`,
      'Let vault.address name the active server, or what stands before all of them.',
    )
  if (status === 503)
    return /sealed/i.test(said)
      ? new Trouble('away', 'cannot be read: Vault is sealed', 'Unseal Vault; it is tried again by itself.')
      : away(`Vault is not ready (503${said === '' ? '' : `: ${said}`})`)
  if (status === 429) return away('Vault takes no more requests now (429)')
  if (status >= 500 || status === 412)
    return away(`Vault answers with ${status}${said === '' ? '' : `: ${said}`}`)
  return undefined
}

/** @param reason what is the matter with Vault */
export function away(reason: string, hint = 'It is tried again by itself.'): Trouble {
  return new Trouble('away', `cannot be read: ${reason}`, hint)
}
