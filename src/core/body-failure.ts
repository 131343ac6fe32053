import { Failure } from './failure.ts'

/** The parser's words without the piece of the text that it quotes: a receiver's text goes into no message. */
export function jsonMistake(error: unknown): string {
  const text = (error as Error).message
  return /nested deeper/.test(text)
    ? text
    : (/at position \d+( \(line \d+ column \d+\))?/.exec(text)?.[0] ?? 'it ends too early or holds no JSON')
}

export function tooLarge(limit: number, host: string | undefined): Failure {
  const details = {
    hint: 'Raise the limit (limits.body), or hand the body on without looking into it: it is then streamed, whatever its size.',
  }
  return host === undefined
    ? new Failure('body.too-large', `the body is larger than ${limit} bytes`, details)
    : new Failure('receiver.too-large', `the answer of "${host}" is larger than ${limit} bytes`, {
        ...details,
        receiver: { host },
      })
}

export function consumed(): Failure {
  return new Failure('body.consumed', 'the body was a stream and has been read already', {
    hint: 'A stream is read once. Look at the body before the step that sends it (for example with `set: { body: ${body} }`), so that it is kept in memory.',
  })
}
