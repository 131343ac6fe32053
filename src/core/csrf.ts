import type { IncomingMessage } from 'node:http'

/** Where callers that are used to SAP send and find a token against forged requests. */
export const CSRF_HEADER = 'x-csrf-token'
/** What they are given and may send back: requests carry no cookies that could be abused, so that nothing has to be checked. */
export const CSRF_TOKEN = 'not-needed'

/** Whether a request asks for such a token, and for nothing else: `X-CSRF-Token: Fetch` with GET or HEAD. */
export function fetchesCsrfToken({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const asked = headers[CSRF_HEADER]
  return typeof asked === 'string' && asked.toLowerCase() === 'fetch'
}
