/**
 * What a reference to a secret of a backend gives.
 * - `why`: it has no value; `kept`: that may pass, and what was in force before stays
 */
export type BackendValue =
  | { readonly value: string }
  | { readonly why: string; readonly hint: string; readonly kept?: true }

/** A service outside of the project that keeps secrets. The engine runs without it: what needs it waits. */
export interface SecretBackend {
  /** Word of its references: `vault` of `${vault:apps/shop#password}`. */
  readonly kind: string
  /** How a reference is written: `${vault:path/of/secret#field}`. */
  readonly form: string
  /** What is wrong with the name of a reference; undefined: nothing. */
  mistakeOf(name: string): { readonly message: string; readonly hint: string } | undefined
  /** Finds what these names stand for, as far as it is not known yet. What is no longer named is forgotten. Never rejects. */
  open(names: readonly string[]): Promise<void>
  /** What is known of a name that was opened. */
  value(name: string): BackendValue
  /** From now on it looks by itself for what is new, and tells. */
  follow(changed: () => void): void
  /** Calls off what is under way. */
  stop(): void
}

/** Whether a reference (`vault:apps/shop#password`) is to a backend: its value is not in the project or its environment. */
export function isOfBackend(reference: string): boolean {
  return !/^(?:env|file|secret)\s*:/.test(reference)
}
