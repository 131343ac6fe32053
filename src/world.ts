import { randomUUIDv7 } from 'node:crypto'
import type { Clock, Timer, World } from './core/world.ts'

/** Longest delay that setTimeout takes, ms. */
const LONGEST = 2 ** 31 - 1

export const realClock: Clock = {
  now: () => Date.now(),
  ticks: () => performance.now(),
  after,
}

function after(ms: number, action: () => void): Timer {
  let left = Math.max(0, ms)
  let timer: NodeJS.Timeout
  const arm = () => {
    const piece = Math.min(left, LONGEST)
    left -= piece
    timer = setTimeout(left > 0 ? arm : action, piece)
    timer.unref()
  }
  arm()
  return { cancel: () => clearTimeout(timer) }
}

export function realWorld(dispatcherFor: World['dispatcherFor']): World {
  return {
    clock: realClock,
    newId: () => randomUUIDv7(),
    random: Math.random,
    dispatcherFor,
  }
}
