import type { Place, Problem } from './core/problem.ts'
import { isFirstOf, readNetwork } from './net/ip-address.ts'

const NAME = 'access.trustedProxies'

/** The entries that can be read; the others are reported. @param entries undefined in it: reported already */
export function readableProxies(
  entries: readonly (string | undefined)[] | undefined,
  placeOf: (index: number) => Place,
  problems: Problem[],
): { readonly trustedProxies?: readonly string[] } {
  if (entries === undefined) return {}
  const trustedProxies = entries.filter((text, index): text is string => {
    const network = text === undefined ? undefined : readNetwork(text)
    if (text === undefined || (network && isFirstOf(network))) return network !== undefined
    problems.push({
      code: 'setting/trusted-proxy',
      severity: 'error',
      message: network
        ? `"${text}" in "${NAME}" is no network: bits are set behind its first ${network.bits}`
        : `"${text}" in "${NAME}" is neither an address nor a network`,
      hint: 'Entries are 10.0.3.7, 10.20.0.0/16 or fd00::/8. Names are not possible: what a name leads to can change.',
      ...placeOf(index),
    })
    return false
  })
  return { trustedProxies }
}

/** A header that nobody is believed. */
export function unreadHeader(
  access: { readonly trustedProxies?: readonly unknown[]; readonly certificateHeader?: string },
  placeOf: (name: string) => Place,
): Problem[] {
  if (access.certificateHeader === undefined || (access.trustedProxies ?? []).length > 0) return []
  return [
    {
      code: 'setting/trusted-proxy',
      severity: 'error',
      message:
        '"access.certificateHeader" is there, but no "access.trustedProxies": the header is never read',
      hint: 'List the addresses of the proxies that set it: trustedProxies: [10.0.3.7].',
      ...placeOf('access.certificateHeader'),
    },
  ]
}
