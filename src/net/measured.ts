import type { Answer } from '../core/http.ts'
import type { Clock } from '../core/world.ts'

/** @param status 0 where no answer came @param ms until its head, and where it is small its body, was there */
export type TellRequest = (host: string, status: number, ms: number) => void

/** The answer; how long it took is told when it has come, or failed to. */
export function measured(
  pending: Promise<Answer>,
  clock: Clock,
  host: string,
  told: TellRequest,
): Promise<Answer> {
  const began = clock.ticks()
  return pending.then(
    (answer) => {
      told(host, answer.status, clock.ticks() - began)
      return answer
    },
    (error: unknown) => {
      told(host, 0, clock.ticks() - began)
      throw error
    },
  )
}
