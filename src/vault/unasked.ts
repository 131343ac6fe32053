import type { BackendValue, SecretBackend } from '../core/secret-backend.ts'
import { FORM, readReference } from './reference.ts'

/** What is not known yet, and leaves what is in force. */
export const UNASKED: BackendValue = {
  why: 'was not asked for yet',
  hint: 'Write the reference on one line, without escapes.',
  kept: true,
}

/** Why Vault is not asked. */
const REASONS = {
  unset: {
    why: 'cannot be read: there is no setting "vault.address"',
    hint: 'Set vault.address and vault.auth in sluice.yaml; the variables are SLUICE_VAULT_ADDRESS and the like.',
  },
  'left alone': {
    why: 'was not asked for',
    hint: 'The engine asks Vault for it; so does `sluice check --secrets`.',
  },
} as const

/** What is wrong with the name of a reference to Vault. */
export function mistakeIn(name: string): { readonly message: string; readonly hint: string } | undefined {
  const read = readReference(name)
  if (typeof read !== 'string') return undefined
  return {
    message: `"${name}" ${read}`,
    hint: `Write ${FORM}: the path below the mount, without "data/".`,
  }
}

/** The references are read, and Vault is not asked: everything is without a value. */
export function unaskedVault(reason: keyof typeof REASONS): SecretBackend {
  return {
    kind: 'vault',
    form: FORM,
    mistakeOf: mistakeIn,
    open: () => Promise.resolve(),
    value: () => REASONS[reason],
    follow() {},
    stop() {},
  }
}
