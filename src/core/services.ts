import type { Dispatcher } from 'undici'
import type { AccessRule, Caller } from './access.ts'
import type { Cors } from './cors.ts'
import type { Cancellation, Context } from './context.ts'
import type { Failure } from './failure.ts'
import type { Authorizer, LentToken, RunRequest, RunResult } from './kinds.ts'
import type { OutgoingRequest, ReceiverAnswer } from './http.ts'
import type { StateStore } from './stores.ts'
import type { Message } from './message.ts'
import type { Place } from './problem.ts'

/** The engine's own log (pino). No line per message at `info`. */
export interface Logger {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** A credential that is loaded, as the sender needs it. */
export interface Credential {
  readonly name: string
  readonly type: string
  readonly baseUrl: URL | undefined
  /** Whether it may go there: https (http on loopback only) and one of its hosts. */
  allows(url: URL): boolean
  /** For messages: the hosts it may go to. */
  readonly hosts: readonly string[]
  readonly authorizer: Authorizer
  /** Where its requests go through; undefined: through the usual connections. */
  readonly dispatcher: Dispatcher | undefined
  /** For people: the client certificate that the receiver sees, if it asks for one. */
  readonly shownCertificate?: string | undefined
  /** Static extras of each call, flat; they go only where the credential goes. */
  readonly apiHeaders: readonly string[]
  readonly apiQuery: string
}

/** A credential by name; it may be replaced or removed while flows run. */
export interface CredentialReference {
  readonly name: string
  /** As it is now. @throws Failure `credential.missing`, `credential.incomplete`, `credential.type` */
  current(): Credential
}

export interface CredentialInfo {
  readonly name: string
  readonly type: string
  readonly baseUrl: string | undefined
  /** References that are not set; flows that use it do not start. */
  readonly unset: readonly string[]
  /** Its file has mistakes and nothing is loaded; flows that use it do not start. */
  readonly broken?: boolean
  /** Those that a step may name; empty: it has none. Left out where that is not known yet. */
  readonly tenants?: readonly string[]
  /** For messages: the hosts it may go to. Left out where they are not known yet. */
  readonly hosts?: readonly string[]
  /** Whether it may go there. Left out where that is not known yet. */
  allows?(url: URL): boolean
}

/** What flows may know of the security material: names and kinds, no secret and no token. */
export interface Credentials {
  names(): readonly string[]
  info(name: string): CredentialInfo | undefined
  /** @param type the only one that is taken */
  reference(name: string, type?: string): CredentialReference
}

/** What is refused, and what to do about it. */
export interface Refused {
  readonly message: string
  readonly hint: string
}

/** Where the engine may connect to. */
export interface EgressRules {
  /** Why a URL is certainly refused. Undefined: it may be reached, or only its address can tell. */
  refusal(url: URL): Refused | undefined
}

/** SAP's connectivity proxy, as the settings name it. */
export interface ConnectivityProxy {
  /** Name of the credential whose token it wants. */
  readonly credential: string | undefined
  /** Takes requests to virtual hosts, and to nothing else. */
  dispatcherFor(hosts: VirtualHosts): Dispatcher
}

/** How a credential gets to virtual hosts of the Cloud Connector. */
export interface VirtualHosts {
  /** Which Cloud Connector, where the subaccount has several. */
  readonly locationId: string | undefined
  lend(credential: string, until: Cancellation): Promise<LentToken>
}

/** Sends a request of a step: checks hosts, adds the credential, renews once after a refusal, follows redirects. */
export type Send = (
  request: OutgoingRequest,
  credential: CredentialReference | undefined,
  context: Context,
) => Promise<ReceiverAnswer>

export interface ScriptSource {
  /** As shown in errors: `flows/orders.yaml` or `scripts/map-items.ts`. */
  readonly file: string
  readonly text: string
  /** `body`: the inside of an async function; `module`: exports a function. */
  readonly form: 'body' | 'module'
  /** Name of the exported function; the default export when left out. */
  readonly function?: string
  /** Where an offset of its text is shown to people; line and column of the text itself when left out. */
  readonly place?: (offset: number) => Place
}

/** `function`: the file has no such function, or exports none. The last two are warnings: it does nothing; a name is not there. */
export type ScriptMistakeCode = 'script/mistake' | 'script/function' | 'script/empty' | 'script/name'

/** A mistake in a script; offset and length are in its text. */
export interface ScriptMistake {
  readonly code: ScriptMistakeCode
  readonly message: string
  readonly hint?: string
  readonly offset: number
  readonly length: number
}

export interface CompiledScript {
  /** False: the script certainly never looks at the body, and the body does not travel to it. */
  readonly readsBody: boolean
  /** What is odd about it, though it can run. */
  readonly warnings: readonly ScriptMistake[]
  /**
   * Runs the script over the message in a child process and, once it succeeded, changes the message.
   * @throws Failure `script.*` with its place, or what `fail()` said
   */
  run(message: Message, context: Context, limits: { timeout: number }): Promise<void>
  dispose(): void
}

export interface Scripts {
  /** Compiles in a child. Never throws for the script's mistakes. */
  compile(source: ScriptSource): Promise<CompiledScript | readonly ScriptMistake[]>
}

/** Where endpoints of flows are served. */
export interface Routes {
  /** From now on requests go to `handler`. Replaces what `owner` served there before. Returns how to take it away. */
  serve(route: Route, owner: string, handler: RouteHandler): () => void
}

export interface Route {
  /** `/orders/{id}`, `*` at the end. */
  readonly path: string
  readonly methods: readonly string[]
  /** Pages that may call. */
  readonly cors?: Cors
  /** The handler takes requests for a CSRF token, too, whatever its methods. */
  readonly givesCsrfToken?: boolean
}

/** A request to an endpoint of a flow, before a byte of its body is read. */
export interface RouteRequest {
  readonly raw: import('node:http').IncomingMessage
  readonly reply: import('node:http').ServerResponse
  /** Decoded; what `*` stands for under that name. */
  readonly params: Readonly<Record<string, string>>
  /** Where it comes from, behind the proxies that are trusted. */
  readonly address: string
  /** Raw query string without `?`. */
  readonly query: string
  /** Path as called, encoded, without `/http` and the query. */
  readonly path: string
  /** Asks for the body where the caller waits to be asked (`Expect: 100-continue`). To be called before it is read. */
  proceed(): void
  /**
   * Answers once. Adds the content length; takes care of HEAD and of a request body that nobody has read.
   * @param headers flat: name, value
   * @param length bytes of a stream, where known
   * @throws Error when a header cannot be sent; then nothing was sent
   */
  answer(
    status: number,
    headers: string[],
    body: Buffer | import('node:stream').Readable,
    length?: number,
  ): void
  /** Answers with problem+json. */
  refuse(failure: Failure, run?: string): void
  /** Answers with problem+json to somebody who may not call; says nothing of why. */
  deny(denial: Denial): void
}

/** A request that is judged by its headers, wherever it came in. */
export type JudgedRequest = Pick<RouteRequest, 'raw' | 'query' | 'address' | 'deny'> & {
  /** What is called, for the log, where it is no flow: `the address /...`. */
  readonly called?: string
}

/** What somebody is told who may not call. */
export interface Denial {
  readonly status: number
  readonly code: string
  readonly title: string
  /** Flat: name, value. */
  readonly headers: readonly string[]
  /** By which the reason is found in the engine's log. */
  readonly id: string
  /** Id of one who is who it says and lacks the role; not for the answer. */
  readonly caller?: string
}

/** The gate before endpoints that are not public. */
export interface Access {
  /** Who calls, before a byte of the body is read; undefined: the request was refused, and has its answer. */
  admit(
    rule: AccessRule,
    flow: string | undefined,
    request: JudgedRequest,
  ): Caller | undefined | Promise<Caller | undefined>
  /**
   * The same for requests that are signed: judges the headers, and gives what judges the body when it has been read.
   * @param key name of the signing key
   */
  admitSigned(
    key: string,
    flow: string,
    request: RouteRequest,
  ): ((body: Buffer) => Caller | undefined) | undefined
  /** Names of the signing keys that can be used. */
  signingKeys(): readonly string[]
}

/** What the public listener serves beside flows, by path: the exact one, or what it is directly below where it ends with a slash. */
export type Addresses = ReadonlyMap<
  string,
  (raw: import('node:http').IncomingMessage, reply: import('node:http').ServerResponse) => Promise<void>
>

export type RouteHandler = (request: RouteRequest) => void

/** The other flows of the engine. */
export interface Flows {
  /** Runs a deployed flow as a run of its own. Undefined: there is none of this name. */
  run(flow: string, request: RunRequest): RunResult | Promise<RunResult> | undefined
}

/** What rooms need of each other. No token and no secret is in reach. */
export interface Services {
  readonly send: Send
  readonly credentials: Credentials
  readonly egress: EgressRules
  readonly scripts: Scripts
  readonly routes: Routes
  readonly access: Access
  readonly flows: Flows
  readonly state: StateStore
  readonly log: Logger
  /** Bytes, and ms. */
  readonly limits: { readonly body: number; readonly bodyTime: number }
  /** Absolute; files that flows name are inside it. */
  readonly projectFolder: string
}
