import type { Place, Problem } from './core/problem.ts'

/** Addresses that stand for all of the machine's: one can listen there, and nobody can call them. */
const ANYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** The address under which this machine itself reaches what listens at `host`. */
export function callableHost(host: string): string {
  return ANYWHERE[host] ?? host
}

/** The same for the start of a URL. @param origin `http://0.0.0.0:8080` */
export function callableOrigin(origin: string): string {
  return origin.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:')
}

/** Nobody has said what callers call an engine that listens everywhere. @param host undefined: reported already */
export function unnamedIssuer(
  host: string | undefined,
  issuer: string | undefined,
  placeOf: (name: string) => Place,
): Problem[] {
  if (issuer !== undefined || host === undefined || !Object.hasOwn(ANYWHERE, host)) return []
  return [
    {
      code: 'setting/issuer',
      severity: 'warning',
      message: `"listen" is every address of this machine, and no "access.issuer" says which one callers use: tokens and the metadata of the token service name ${callableHost(host)}`,
      hint: 'Write access: { issuer: "https://flows.example.com" }, the address that callers know (SLUICE_ACCESS_ISSUER).',
      ...placeOf('listen'),
    },
  ]
}
