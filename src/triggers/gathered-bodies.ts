import { Failure } from '../core/failure.ts'

/** Bytes of all bodies together that are in memory and not judged yet. */
const ROOM = 128 * 1024 * 1024

/** What there is room for of bodies that have to be whole before they are judged: by their signature, by a schema. */
export class GatheredBodies {
  readonly #room: number
  #held = 0

  /** @param room bytes */
  constructor(room = ROOM) {
    this.#room = room
  }

  /**
   * The place of one more body, or why there is none.
   * @param length bytes that it says it has; -1: it does not say
   */
  place(length: number): BodyPlace | Failure {
    return this.#has(length, 0) ? this.#newPlace() : noRoom()
  }

  #newPlace(): BodyPlace {
    let own = 0
    return {
      take: (bytes) => {
        if (!this.#has(bytes, own)) return noRoom()
        own += bytes
        this.#held += bytes
        return undefined
      },
      leave: () => {
        this.#held -= own
        own = 0
      },
    }
  }

  /** A body that is alone has room whatever its size: its endpoint takes it. */
  #has(bytes: number, own: number): boolean {
    return this.#held + bytes <= this.#room || this.#held === own
  }
}

/** Counts what has arrived of one body; what is only announced takes no room from others. */
export interface BodyPlace {
  /** Undefined: so many bytes more are kept. */
  take(bytes: number): Failure | undefined
  /** The body was judged, or is given up. */
  leave(): void
}

function noRoom(): Failure {
  return new Failure('flow.overload', 'too many large bodies are being read at once')
}

const byListener = new WeakMap<object, GatheredBodies>()

/** Those of all endpoints of one listener. */
export function gatheredBodiesOf(listener: object): GatheredBodies {
  let gathered = byListener.get(listener)
  if (!gathered) byListener.set(listener, (gathered = new GatheredBodies()))
  return gathered
}
