import { randomFillSync } from 'node:crypto'
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

const chance = Buffer.alloc(8 * 1024)
let used = chance.length
const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A UUIDv7. Random bytes are fetched 8 KB at a time; Node's own asks for them anew for each id. @see RFC 9562, 5.7 */
function newId(): string {
  if (used + 10 > chance.length) {
    randomFillSync(chance)
    used = 0
  }
  const at = used
  used += 10
  const time = Date.now()
  if (time !== lastTime) {
    lastTime = time
    const text = time.toString(16).padStart(12, '0')
    timePart = `${text.slice(0, 8)}-${text.slice(8)}-7`
  }
  const h = (i: number): string => hex[chance[at + i]!]!
  const variant = hex[(chance[at + 2]! & 0x3f) | 0x80]!
  return timePart + h(0)[1]! + h(1) + '-' + variant + h(3) + '-' + h(4) + h(5) + h(6) + h(7) + h(8) + h(9)
}

let lastTime = 0
let timePart = ''

export function realWorld(dispatcherFor: World['dispatcherFor']): World {
  return {
    clock: realClock,
    newId,
    random: Math.random,
    dispatcherFor,
  }
}
