import type { ScriptMistake, ScriptMistakeCode } from '../core/services.ts'

/**
 * How the engine and a script process talk: frames over a socket pair, length first, little endian.
 *
 * Request: u32 length of the rest | u8 type | u8 body kind | u16 0 | u32 id | u32 script | u32 length of the headers |
 * u32 of the properties | u32 of the extras | u32 0 | headers, properties, extras (JSON texts), body.
 * Reply: u32 length of the rest | u8 type | 3 bytes 0 | u32 id | u32 microseconds | payload.
 * The payload of a result is a head (JSON, one line), a line feed, and the body's bytes.
 * Replies come in the order of the requests.
 */
export const PROTOCOL = 2

export const REQUEST_HEADER = 32
export const REPLY_HEADER = 16

export const REQUEST = { compile: 1, load: 2, run: 3, unload: 4 } as const
export const REPLY = { ready: 1, compiled: 2, result: 3 } as const

/** What a body is on the way in (and, but for `absent`, on the way back; `same` then means untouched). */
export const BODY = { none: 0, json: 1, text: 2, bytes: 3, absent: 4 } as const
export const SAME = 5

/** What a script does not mention does not travel. */
export interface Uses {
  readonly body: boolean
  readonly headers: boolean
  readonly properties: boolean
  /** Of `trigger`, `response`, `param`, `run`. */
  readonly extras: readonly string[]
}

export const EXTRAS = ['trigger', 'response', 'param', 'run'] as const

/** A script that is free of mistakes, as the processes load it. */
export interface Compiled {
  /** JavaScript, each character where it stood in the script's own text. */
  readonly code: string
  readonly form: 'body' | 'module'
  /** In a body: it awaits something. */
  readonly async: boolean
  /** In a module: the local name of the function. */
  readonly entry: string
  /** What vm2 will put into the code: offset and length, in order. */
  readonly insertions: readonly (readonly [number, number])[]
  readonly uses: Uses
}

export interface CompileRequest {
  readonly file: string
  readonly text: string
  readonly form: 'body' | 'module'
  readonly function?: string
}

export interface CompileReply {
  readonly compiled?: Compiled
  readonly warnings?: readonly ScriptMistake[]
  readonly mistakes?: readonly ScriptMistake[]
}

export const MISTAKE_CODES: readonly ScriptMistakeCode[] = [
  'script/mistake',
  'script/function',
  'script/empty',
  'script/name',
]

export interface ReadyReply {
  readonly protocol: number
  /** Whether the process ends with the engine, whatever happens to that. */
  readonly bound: boolean
}

export type LogLine = readonly [level: string, text: string, fields?: unknown]
export type AttachmentLine = readonly [name: string, contentType: string, content: string, base64: boolean]

/** Why a script did not end well. */
export interface ScriptError {
  /**
   * `thrown`, `rejected` (by an asynchronous function that nobody awaits), `fail` (the script said so), `body` (it is
   * not the JSON it should be), `output`, `pending`.
   */
  readonly kind: 'thrown' | 'rejected' | 'fail' | 'body' | 'output' | 'pending'
  readonly message: string
  readonly name?: string
  /** 1-based, in the script's own text. */
  readonly line?: number
  readonly column?: number
  readonly status?: number
  readonly code?: string
}

/** The head of a result. */
export interface ResultHead {
  /** A kind of body, or {@link SAME}. */
  readonly b: number
  /** Headers, where they changed. */
  readonly h?: unknown
  /** Properties, where they changed. */
  readonly p?: unknown
  readonly l?: readonly LogLine[]
  readonly a?: readonly AttachmentLine[]
  /** Integers beyond 2^53 were in the body. */
  readonly n?: 1
  readonly e?: ScriptError
}

/** A script's name in stack traces. No leading slash: vm2 hides the frames of such files. */
export const SCRIPT_FILE = 'sluice-script'

/** What a sandbox says of a file whose export is something else. */
export const NO_FUNCTION = 'what it exports is no function'

export const LIMITS = {
  /** Bytes of a message on the way in. */
  input: 8 * 1024 * 1024,
  /** Bytes of what comes back. */
  output: 8 * 1024 * 1024,
  logLines: 1000,
  /** Characters. */
  logLine: 16 * 1024,
  attachments: 100,
  /** Levels of nesting in JSON. */
  depth: 1000,
} as const
