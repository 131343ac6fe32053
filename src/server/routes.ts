import type { IncomingMessage, ServerResponse } from 'node:http'
import { corsHeaders, preflightHeaders } from '../core/cors.ts'
import { fetchesCsrfToken } from '../core/csrf.ts'
import { NO_SNIFFING } from '../core/header.ts'
import { parsePath, type RouteSegment } from '../core/route.ts'
import type { Logger, Route, RouteHandler, Routes } from '../core/services.ts'
import { LEFTOVER_TIME } from './leftover.ts'
import { problemReply } from './problem-json.ts'
import { RouteCall, type CallGround, type Redact } from './route-call.ts'
import { queryOf, withoutQuery } from '../core/url-query.ts'

interface Entry {
  readonly route: Route
  readonly owner: string
  readonly handler: RouteHandler
  readonly segments: readonly RouteSegment[]
  /** Names of the parameters, in the order of the path; `*` for the rest. */
  readonly names: readonly string[]
}

/** Who serves one path, by method. */
type Methods = Map<string, Entry>

interface Branch {
  readonly texts: Map<string, Branch>
  parameter: Branch | undefined
  rest: Methods | undefined
  here: Methods | undefined
}

interface Index {
  /** Paths without parameters, as they are called. */
  readonly fixed: Map<string, Methods>
  readonly root: Branch
}

interface Search {
  readonly method: string
  /** It asks for a CSRF token: whoever serves the path by another method gives it. */
  readonly fetches: boolean
  readonly values: readonly string[]
  readonly taken: string[]
  readonly allowed: Set<string>
}

/** Where the paths of flows begin. */
export const PREFIX = '/http'
const NO_PARAMETERS: Readonly<Record<string, string>> = Object.freeze(Object.create(null))
const NOTHING = Buffer.alloc(0)

/**
 * Which flow serves which path. Text goes before parameters, parameters before `*`. Where two owners ask for one
 * path and method, the later one gets it when the earlier one lets it go.
 */
export class RouteTable implements Routes {
  private entries: readonly Entry[] = []
  private index: Index | undefined
  private readonly redact: Redact
  private readonly addressOf: (raw: IncomingMessage) => string
  private readonly patience: number
  readonly leftoverTime: number
  private ground: CallGround | undefined

  /**
   * @param redact takes live secrets out of what a caller is told
   * @param addressOf where a request comes from
   * @param patience ms without a byte taken, after which a slow reader is given up
   * @param leftoverTime ms that the rest of a body which nobody wants may take
   */
  constructor(redact: Redact, addressOf = directAddress, patience = 60_000, leftoverTime = LEFTOVER_TIME) {
    this.leftoverTime = leftoverTime
    this.patience = patience
    this.redact = redact
    this.addressOf = addressOf
  }

  serve(route: Route, owner: string, handler: RouteHandler): () => void {
    const segments = parsePath(route.path)
    if ('message' in segments) throw new Error(segments.message)
    const entry: Entry = { route, owner, handler, segments, names: namesOf(segments) }
    const place = this.entries.findIndex((other) => other.owner === owner)
    const others = this.entries.filter((other) => other.owner !== owner)
    this.entries = place === -1 ? [...others, entry] : others.toSpliced(place, 0, entry)
    this.index = undefined
    return () => {
      this.entries = this.entries.filter((other) => other !== entry)
      this.index = undefined
    }
  }

  /** Hands a request for `/http/...` to the flow that serves it, or answers: 204 to OPTIONS, 400, 404, 405. */
  dispatch(raw: IncomingMessage, reply: ServerResponse, log: Logger): void {
    const url = raw.url!
    const path = withoutQuery(url).slice(PREFIX.length)
    const query = queryOf(url)
    const { fixed, root } = (this.index ??= build(this.entries))
    const { redact, addressOf, patience, leftoverTime } = this
    const ground =
      this.ground?.log === log
        ? this.ground
        : (this.ground = { log, redact, addressOf, patience, leftoverTime })
    const method = raw.method!
    const fetches = fetchesCsrfToken(raw)
    const direct = entryFor(fixed.get(path), method, fetches)
    if (direct !== undefined) {
      if (method !== 'OPTIONS' || !isPreflight(raw)) {
        serveCall(direct, new RouteCall(raw, reply, NO_PARAMETERS, query, path, ground))
        return
      }
    }
    const call = new RouteCall(raw, reply, NO_PARAMETERS, query, path, ground)
    const values = decodeSegments(path)
    if (values === undefined) {
      call.problem(problemReply(400, 'The path is not encoded correctly'))
      return
    }
    if (method === 'OPTIONS' && isPreflight(raw)) {
      const wanted = raw.headers['access-control-request-method']!
      const asked = find(root, 0, {
        method: wanted,
        fetches: false,
        values,
        taken: [],
        allowed: new Set(),
      })
      if (asked?.route.cors) {
        const { cors, methods } = asked.route
        call.answer(204, [...preflightHeaders(cors, raw.headers.origin!, methods), ...NO_SNIFFING], NOTHING)
        return
      }
    }
    const search: Search = { method, fetches, values, taken: [], allowed: new Set() }
    const entry = find(root, 0, search)
    if (entry === undefined) refuse(call, method, search.allowed)
    else serveCall(entry, new RouteCall(raw, reply, parametersOf(entry, search.taken), query, path, ground))
  }
}

function directAddress({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? ''
}

function isPreflight({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

function serveCall({ route, handler }: Entry, call: RouteCall): void {
  if (route.cors) call.extra = corsHeaders(route.cors, call.raw.headers.origin)
  handler(call)
}

function find(branch: Branch, depth: number, search: Search): Entry | undefined {
  const { values, taken } = search
  if (depth === values.length) return pick(branch.here, search)
  const value = values[depth]!
  const text = branch.texts.get(value)
  const entry = text && find(text, depth + 1, search)
  if (entry) return entry
  if (branch.parameter && value !== '') {
    taken.push(value)
    const found = find(branch.parameter, depth + 1, search)
    if (found) return found
    taken.pop()
  }
  if (!branch.rest) return
  const found = pick(branch.rest, search)
  if (found) taken.push(values.slice(depth).join('/'))
  return found
}

function pick(methods: Methods | undefined, search: Search): Entry | undefined {
  const entry = entryFor(methods, search.method, search.fetches)
  if (entry === undefined && methods) for (const method of methods.keys()) search.allowed.add(method)
  return entry
}

function entryFor(methods: Methods | undefined, method: string, fetches: boolean): Entry | undefined {
  if (methods === undefined) return
  const entry = methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined)
  return entry ?? (fetches ? methods.values().find(({ route }) => route.givesCsrfToken) : undefined)
}

function refuse(call: RouteCall, method: string, allowed: Set<string>): void {
  if (allowed.size === 0) {
    call.problem(problemReply(404, 'No flow serves this address'))
    return
  }
  if (allowed.has('GET')) allowed.add('HEAD')
  allowed.add('OPTIONS')
  const allow = ['allow', [...allowed].toSorted().join(', ')]
  if (method === 'OPTIONS') {
    call.answer(204, [...allow, ...NO_SNIFFING], NOTHING)
    return
  }
  const problem = problemReply(405, 'This address does not take this method')
  call.problem({ ...problem, headers: [...problem.headers, ...allow] })
}

function build(entries: readonly Entry[]): Index {
  const root = newBranch()
  const fixed = new Map<string, Methods>()
  for (const entry of entries) {
    let branch = root
    let methods: Methods | undefined
    for (const segment of entry.segments) {
      if ('rest' in segment) methods = branch.rest ??= new Map()
      else if ('parameter' in segment) branch = branch.parameter ??= newBranch()
      else branch = textBranch(branch, segment.text)
    }
    methods ??= branch.here ??= new Map()
    for (const method of entry.route.methods) if (!methods.has(method)) methods.set(method, entry)
    if (entry.names.length === 0) fixed.set(entry.route.path, methods)
  }
  return { fixed, root }
}

function newBranch(): Branch {
  return { texts: new Map(), parameter: undefined, rest: undefined, here: undefined }
}

function textBranch(branch: Branch, text: string): Branch {
  const known = branch.texts.get(text)
  if (known) return known
  const made = newBranch()
  branch.texts.set(text, made)
  return made
}

function namesOf(segments: readonly RouteSegment[]): readonly string[] {
  return segments.flatMap((segment) =>
    'parameter' in segment ? [segment.parameter] : 'rest' in segment ? ['*'] : [],
  )
}

function parametersOf(entry: Entry, values: readonly string[]): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = Object.create(null)
  for (const [index, name] of entry.names.entries()) parameters[name] = values[index]!
  return parameters
}

/** The segments after the first slash; undefined where what `%` says is not UTF-8. */
function decodeSegments(path: string): readonly string[] | undefined {
  const segments = path.slice(1).split('/')
  if (!path.includes('%')) return segments
  try {
    return segments.map(decodeURIComponent)
  } catch {
    return undefined
  }
}
