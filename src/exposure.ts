/** How a process of Node was started, as far as it opens it to others. */
export interface ProcessStart {
  /** Flags of Node itself. */
  readonly flags: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where its debugger listens: `ws://127.0.0.1:9229/...`. */
  readonly debuggerUrl: string | undefined
}

const DUMPS: readonly [flag: RegExp, what: string][] = [
  [/^--(heapsnapshot-|heap-prof)/, 'writes its memory, secrets and tokens in it, to a file'],
  [/^--report-/, 'writes its environment, secrets in it, to a file'],
  [/^--abort-on-uncaught-exception$/, 'leaves a core dump, secrets and tokens in it, at a fault'],
  [/^--tls-keylog/, 'writes the keys of its TLS connections to a file'],
]
const DEBUGGED = /^(?:http|http2|https|net|stream|tls|undici|fetch)/i

/** What lets others read secrets of this process: a sentence each. The id of a debugger session is left out. */
export function exposures({ flags, environment, debuggerUrl }: ProcessStart): string[] {
  const found: string[] = []
  if (debuggerUrl !== undefined)
    found.push(
      `the debugger of this process listens on ${URL.parse(debuggerUrl)?.host}: who reaches it reads every secret. Start without --inspect.`,
    )
  const given = [...flags, ...(environment['NODE_OPTIONS'] ?? '').split(/\s+/)]
  for (const [flag, what] of DUMPS) {
    const name = given.find((one) => flag.test(one))?.replace(/=.*$/s, '')
    if (name !== undefined) found.push(`this process ${what}. Start without ${name}.`)
  }
  const debugged = (environment['NODE_DEBUG'] ?? '').split(',').find((one) => DEBUGGED.test(one.trim()))
  if (debugged !== undefined)
    found.push(
      `Node writes what goes over the wire, tokens in it, to standard error. Take "${debugged.trim()}" out of NODE_DEBUG.`,
    )
  return found
}

/** Whether Node was told to trust any certificate. Its own reading of the variable: exactly `0`. */
export function trustsAnyCertificate(environment: ProcessStart['environment']): boolean {
  return environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
}
