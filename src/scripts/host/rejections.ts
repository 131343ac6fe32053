import { captured } from './captured.ts'

/** Of a sandbox: to be handed to nothing but a function of the same sandbox. */
export interface Rejection {
  readonly reason: unknown
}

let first: Rejection | undefined

process.on('unhandledRejection', (reason) => {
  first ??= { reason }
})

/**
 * The first promise that was rejected since the last call and that nobody has handled, as Node itself finds them; its
 * event loop, which would tell, never turns here. Of promises that a script makes with `new Promise` and `then`
 * nothing is heard: vm2 handles them all.
 */
export function takeRejection(): Rejection | undefined {
  captured.tick()
  const found = first
  first = undefined
  return found
}
