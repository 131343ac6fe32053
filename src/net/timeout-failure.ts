import { Failure } from '../core/failure.ts'
import type { TimeLimit } from '../core/time-limit.ts'

/** What was waited for. */
export type Awaited = 'connection' | 'send' | 'answer' | 'rest' | 'body' | 'reader'

/** @param ms how long @param whose time was up */
export function timeoutFailure(what: Awaited, host: string, ms: number, whose: TimeLimit = 'own'): Failure {
  const time = duration(ms)
  const raise =
    whose === 'own'
      ? 'raise `timeout` of the step, and of the flow where that is not longer'
      : 'the time of the flow (or of a step around this one) was up: raise its `timeout`'
  const [message, hint] = {
    connection: [
      `no connection to "${host}" within ${time}`,
      'Check the host and port and the firewall; if all connections to it are busy, raise `http.connections`.',
    ],
    send: [
      `the request to "${host}" was not sent within ${time}`,
      `The receiver takes it too slowly; ${raise}.`,
    ],
    answer: [
      `no answer from "${host}" within ${time}`,
      `${capital(raise)}, or ask the operator of the receiver.`,
    ],
    rest: [
      `the answer of "${host}" was not complete within ${time}`,
      `${capital(raise)}, or ask for less at once.`,
    ],
    body: [
      `no byte of the body from "${host}" for ${time}`,
      'The receiver stalled in the middle of its answer; try again.',
    ],
    reader: [
      `nobody read the body of "${host}" for ${time}`,
      'The connection was closed; let a step read the body, or end the flow earlier.',
    ],
  }[what] as [string, string]
  return new Failure('receiver.timeout', message, { receiver: { host }, hint })
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** `60 s`, `1.5 s`, `300 ms` */
function duration(ms: number): string {
  return ms < 1000 ? `${Math.max(0, Math.round(ms))} ms` : `${Math.round(ms / 100) / 10} s`
}
