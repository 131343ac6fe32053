import type { ServerResponse } from 'node:http'
import { NO_SNIFFING } from '../core/header.ts'

/** Answers with JSON that nobody may keep. */
export function answerJson(
  reply: ServerResponse,
  status: number,
  content: object,
  headers: readonly string[] = [],
): void {
  if (reply.destroyed) return
  const text = JSON.stringify(content)
  reply.writeHead(status, [
    'content-type',
    'application/json',
    'cache-control',
    'no-store',
    'pragma',
    'no-cache',
    ...NO_SNIFFING,
    'content-length',
    String(Buffer.byteLength(text)),
    ...headers,
  ])
  reply.end(text)
}

/** An error as RFC 6749 5.2 tells it. */
export function answerError(
  reply: ServerResponse,
  status: number,
  error: string,
  description: string,
  headers: readonly string[] = [],
): void {
  answerJson(reply, status, { error, error_description: description }, headers)
}
