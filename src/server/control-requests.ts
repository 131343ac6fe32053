import type { IncomingMessage } from 'node:http'
import {
  LONGEST_LEVEL,
  type CredentialTestRequest,
  type FollowRequest,
  type LevelRequest,
  type ManualRun,
} from '../core/control.ts'

/** Bytes of a request; a body travels as base64 in it. */
const LIMIT = 256 * 1024 * 1024

/** A request that the engine does not understand, with its status. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > LIMIT) throw new Refusal(413, `the request is larger than ${LIMIT} bytes`)
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw new Refusal(400, 'the request is not JSON')
  }
}

export function manualRun(sent: unknown): ManualRun {
  const { body, headers = {}, parameters = {} } = mapOf(sent)
  if (!isTexts(headers) || !isTexts(parameters) || (body !== undefined && typeof body !== 'string'))
    throw new Refusal(400, 'body is base64 text; headers and parameters are maps of texts')
  return { ...(body === undefined ? {} : { body: Buffer.from(body, 'base64') }), headers, parameters }
}

export function testRequest(sent: unknown): CredentialTestRequest {
  const { call, tryOthers = false } = mapOf(sent)
  if (typeof tryOthers !== 'boolean' || (call !== undefined && typeof call !== 'string'))
    throw new Refusal(400, 'call is a text, and tryOthers true or false')
  return { tryOthers, ...(call !== undefined && { call }) }
}

export function levelRequest(sent: unknown): LevelRequest {
  const { level, duration = 0 } = mapOf(sent)
  if (level === undefined) return { duration: 0 }
  const isLevel = level === 'none' || level === 'info' || level === 'debug' || level === 'trace'
  if (!isLevel || typeof duration !== 'number' || !(duration > 0 && duration <= LONGEST_LEVEL))
    throw new Refusal(400, `level is none, info, debug or trace, and duration 1 to ${LONGEST_LEVEL} ms`)
  return { level, duration }
}

const LISTS = ['flows', 'statuses', 'codes', 'credentials', 'hosts'] as const
const TEXTS = ['correlationId', 'text'] as const

export function followRequest(sent: unknown): FollowRequest {
  const { selection = {}, run } = mapOf(sent)
  const given = mapOf(selection)
  const fits =
    (run === undefined || typeof run === 'string') &&
    LISTS.every((name) => given[name] === undefined || isListOf(given[name], isText)) &&
    TEXTS.every((name) => given[name] === undefined || isText(given[name])) &&
    (given['headers'] === undefined ||
      isListOf(given['headers'], (pair) => isListOf(pair, isText) && pair.length === 2))
  if (!fits) throw new Refusal(400, 'selection is a map of lists of texts, correlationId, text and headers')
  return { selection: given, ...(run !== undefined && { run }) }
}

function mapOf(sent: unknown): Record<string, unknown> {
  if (typeof sent !== 'object' || sent === null) throw new Refusal(400, 'the request is not a map')
  return sent as Record<string, unknown>
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isListOf<T>(value: unknown, fits: (entry: unknown) => entry is T): value is T[]
function isListOf(value: unknown, fits: (entry: unknown) => boolean): value is unknown[]
function isListOf(value: unknown, fits: (entry: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits)
}

function isTexts(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every(isText)
}
