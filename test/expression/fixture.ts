import { Body } from '../../src/core/body.ts'
import type { Context } from '../../src/core/context.ts'
import type { Failure } from '../../src/core/failure.ts'
import { Message, type ReceiverResponse } from '../../src/core/message.ts'
import type { ExpressionSetting } from '../../src/expression/setting.ts'

/** 2026-11-21T12:00:00.250Z */
const NOW = Date.UTC(2026, 10, 21, 12, 0, 0, 250)

export const EVERYWHERE = ['body', 'headers', 'properties', 'param', 'trigger', 'response', 'run']

/** What a row may change of the common setting, message and context. */
export interface Given {
  /** A JSON value. */
  readonly body?: unknown
  /** A JSON text. */
  readonly json?: string
  readonly text?: string
  readonly bytes?: Uint8Array
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly properties?: Readonly<Record<string, unknown>>
  readonly response?: ReceiverResponse
  readonly error?: Failure
  readonly item?: unknown
  readonly index?: number
  readonly bodyLimit?: number
  /** Names beside those that are there everywhere. */
  readonly also?: readonly string[]
}

const ORDER = {
  id: 7,
  total: 12.5,
  none: null,
  name: 'Ada',
  paid: true,
  tags: ['a', 'b'],
  empty: '',
  emoji: '😀é',
  'order-id': 'x-1',
  '@odata.nextLink': 'https://example.com/2',
  lines: [
    { sku: 'A', qty: 2, price: 1.5 },
    { sku: 'B', qty: 0, price: 4 },
  ],
  prices: { apple: 3, pear: 5 },
  created: '2026-10-25T00:30:00Z',
}

export function settingFor(given: Given = {}): ExpressionSetting {
  let ids = 0
  return {
    variables: new Set([...EVERYWHERE, ...(given.also ?? [])]),
    parameters: new Set(['companyId', 'limit', 'live']),
    bodyLimit: given.bodyLimit ?? 1000,
    world: { clock: { now: () => NOW }, newId: () => `id-${++ids}` },
    place: (offset, length) => ({
      file: 'flows/a.yaml',
      line: 1,
      column: offset + 1,
      endColumn: offset + length + 1,
    }),
  }
}

export function messageFor(given: Given = {}): Message {
  const message = new Message(bodyFor(given))
  message.setHeader('x-request-id', 'r-1')
  for (const [name, value] of Object.entries(given.headers ?? {})) message.setHeader(name, value)
  Object.assign(message.properties, { stage: 'two', deep: { a: [1, { b: 2 }] } }, given.properties)
  message.response = given.response ?? null
  return message
}

function bodyFor(given: Given): Body {
  if (given.json !== undefined) return Body.ofText(given.json, 'application/json')
  if (given.text !== undefined) return Body.ofText(given.text, given.contentType ?? 'text/plain')
  if (given.bytes !== undefined) return Body.ofBytes(given.bytes, given.contentType ?? 'application/pdf')
  return Body.ofJson('body' in given ? given.body : ORDER)
}

export function contextFor(given: Given = {}): Context {
  return {
    run: {
      id: 'run-1',
      flow: 'orders',
      correlationId: 'corr-1',
      attempt: 1,
      startedAt: NOW - 1000,
      traceparent: '',
    },
    trigger: {
      kind: 'endpoint',
      data: { method: 'POST', path: '/orders', query: { page: '2' }, headers: { 'x-caller': 'shop' } },
    },
    parameters: { companyId: 'acme', limit: 10, live: true },
    step: 'log',
    item: given.item,
    index: given.index,
    error: given.error,
    deadline: Infinity,
    cancelled: undefined,
    onCancel: () => () => {},
    signal: () => new AbortController().signal,
    log: () => {},
    attach: () => {},
    used: () => {},
    progress: () => {},
    fork: () => contextFor(given),
    branch: () => ({ fork: () => contextFor(given), cancel: () => {}, end: () => {} }),
  }
}
