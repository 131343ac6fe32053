import type { RunFailure } from './failure.ts'
import type { RunStatus } from './stores.ts'

/** Which runs are meant: those that fit one of the values of everything that is given, and all headers. */
export interface RunSelection {
  /** Names; `*` stands for any text. */
  readonly flows?: readonly string[]
  readonly statuses?: readonly RunStatus[]
  /** Codes of failures; `*` stands for any text. */
  readonly codes?: readonly string[]
  /** Names of credentials that were used. */
  readonly credentials?: readonly string[]
  /** Hosts that were talked to, with their port or without. */
  readonly hosts?: readonly string[]
  readonly correlationId?: string
  /** Names and values of searchable headers. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** In a log line or the failure, whatever the case of ASCII letters. */
  readonly text?: string
}

/** What is looked at of a run. */
export interface SelectableRun {
  readonly id: string
  readonly flow: string
  readonly status: RunStatus
  readonly failure: RunFailure | undefined
  readonly credentials: readonly string[]
  readonly hosts: readonly string[]
  readonly correlationId: string
  readonly searchable: Readonly<Record<string, string>>
}

/** The pattern of a text in which `*` stands for any text; no pattern makes it look at a text twice. */
export function globPattern(glob: string): { test(text: string): boolean } {
  const [first = '', ...rest] = glob.split('*')
  const last = rest.pop()
  if (last === undefined) return { test: (text) => text === first }
  const inner = rest.filter((part) => part !== '')
  return {
    test(text) {
      const end = text.length - last.length
      if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
      let at = first.length
      for (const part of inner) {
        const found = text.indexOf(part, at)
        if (found < 0) return false
        at = found + part.length
      }
      return at <= end
    },
  }
}

/** Whether a run is meant, by all but the text. */
export function selects(selection: RunSelection): (run: SelectableRun) => boolean {
  const { statuses, credentials, correlationId, headers } = selection
  const flows = selection.flows?.map(globPattern)
  const codes = selection.codes?.map(globPattern)
  const hosts = selection.hosts?.map((host) => host.toLowerCase())
  return (run) =>
    (flows === undefined || flows.some((flow) => flow.test(run.flow))) &&
    (statuses === undefined || statuses.includes(run.status)) &&
    (codes === undefined ||
      (run.failure !== undefined && codes.some((code) => code.test(run.failure!.code)))) &&
    (credentials === undefined || credentials.some((name) => run.credentials.includes(name))) &&
    (hosts === undefined ||
      run.hosts.some((host) => hosts.includes(host) || hosts.includes(withoutPort(host)))) &&
    (correlationId === undefined || run.correlationId === correlationId || run.id === correlationId) &&
    (headers ?? []).every(([name, value]) => valueOf(run.searchable, name.toLowerCase()) === value)
}

/** What of a run that is followed is shown. */
export interface FollowChoice {
  run(run: SelectableRun): boolean
  /** Whether runs of this flow may be shown. */
  flow(flow: string): boolean
  /** Whether a line with this text may be shown. */
  text(text: string): boolean
  /** @param head of its run; undefined where that is not known */
  line(text: string, head: LineHead | undefined): boolean
}

export type LineHead = Pick<SelectableRun, 'id' | 'flow' | 'correlationId'>

/**
 * Runs that fit as they begin, come further and end, and their lines; no lines where it is asked for what is only known
 * when a run has ended. With a text, the lines and failures that have it.
 */
export function chooses(selection: RunSelection): FollowChoice {
  const { statuses, codes, credentials, hosts, headers, text, flows, correlationId } = selection
  const fits = selects(selection)
  const lines = [statuses, codes, credentials, hosts, headers].every((given) => given === undefined)
  const patterns = flows?.map(globPattern)
  const mayShow = (line: string) => lines && (text === undefined || holdsText(line, text))
  const ofAll = flows === undefined && correlationId === undefined
  return {
    run: (run) =>
      fits(run) &&
      (text === undefined || (run.failure !== undefined && holdsText(JSON.stringify(run.failure), text))),
    flow: (flow) => patterns === undefined || patterns.some((pattern) => pattern.test(flow)),
    text: mayShow,
    line: (line, head) => mayShow(line) && (ofAll || (head !== undefined && fits({ ...UNKNOWN, ...head }))),
  }
}

const UNKNOWN = {
  status: 'PROCESSING',
  failure: undefined,
  credentials: [],
  hosts: [],
  searchable: {},
} as const

/** Whether a text has another one in it, whatever the case of ASCII letters. */
export function holdsText(text: string, part: string): boolean {
  return lower(text).includes(lower(part))
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '')
}

function valueOf(searchable: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(searchable).find(([key]) => key.toLowerCase() === name)?.[1]
}

function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
