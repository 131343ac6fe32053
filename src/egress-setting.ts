import type { Place, Problem } from './core/problem.ts'
import { Keys, ListOf, Optional, Text } from './core/schema.ts'
import { readEgressEntry } from './net/egress-entry.ts'

/** Where connections may lead to. */
export const egressSchema = Keys(
  {
    allow: Optional(
      ListOf(Text({ description: 'Host, `*.domain`, address, network or word, with or without a port.' }), {
        description: 'Where the engine may connect to, and nowhere else; left out: wherever is not refused.',
        examples: [['api.example.com', '10.20.0.0/16', 'public']],
      }),
    ),
    deny: Optional(
      ListOf(Text({ description: 'Host, `*.domain`, address, network or word, with or without a port.' }), {
        description:
          'Where it may not, whatever `allow` says. `link-local` and `metadata` are refused unless `allow` names them.',
        examples: [['private', 'loopback']],
      }),
    ),
  },
  { description: 'Where connections may lead to: receivers, token services, proxies.' },
)

/** `egress` as it is read, entries not checked yet; undefined: reported already. */
export type EgressLists = { readonly [list in 'allow' | 'deny']?: readonly (string | undefined)[] }

/** The same without the entries that cannot be read; those are reported. */
export function readableEgress(
  lists: EgressLists,
  placeOf: (list: 'allow' | 'deny', index: number) => Place,
  problems: Problem[],
): { readonly [list in 'allow' | 'deny']?: readonly string[] } {
  const readable = (list: 'allow' | 'deny') =>
    lists[list]?.filter((text, index): text is string => {
      if (text === undefined) return false
      const mistake = readEgressEntry(text)
      if (typeof mistake !== 'string') return true
      problems.push({
        code: 'setting/egress',
        severity: 'error',
        message: `"${text}" in "egress.${list}" ${mistake}`,
        hint: 'Entries are api.example.com, *.example.com, 10.0.0.5, 10.0.0.0/8, public, private, loopback, link-local or metadata; a port may follow: 10.0.0.5:8443.',
        ...placeOf(list, index),
      })
      return false
    })
  return {
    ...(lists.allow && { allow: readable('allow')! }),
    ...(lists.deny && { deny: readable('deny')! }),
  }
}
