import type { Secret } from '../core/secret.ts'
import type { StoredTokens, TokenSlot } from '../core/stores.ts'
import { Turns } from './turns.ts'

/** Tokens in memory: they last as long as the process. */
export function createTokensInMemory(now: () => number = Date.now): StoredTokens {
  const kept = new Map<string, { readonly origin: string; readonly content: Secret; readonly at: number }>()
  const asked = new Map<string, { readonly origin: string; readonly at: number }>()
  const turns = new Turns()
  const keyOf = ({ credential, kind }: Pick<TokenSlot, 'credential' | 'kind'>) => `${kind} ${credential}`
  return {
    async read(slot) {
      const known = kept.get(keyOf(slot))
      return known?.origin === slot.origin ? { content: known.content, at: known.at } : undefined
    },
    async asking({ credential, origin }) {
      const before = asked.get(credential)
      asked.set(credential, { origin, at: now() })
      return before?.origin === origin ? before.at : undefined
    },
    async answered({ credential }) {
      asked.delete(credential)
    },
    async keep(slot, content) {
      kept.set(keyOf(slot), { origin: slot.origin, content, at: now() })
      asked.delete(slot.credential)
    },
    async drop(slot) {
      kept.delete(keyOf(slot))
    },
    inTurn: (slot, work) => turns.take(keyOf(slot), work),
  }
}
