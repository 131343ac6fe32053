import type { ServerResponse } from 'node:http'
import type { Control, FollowReader, FollowRequest } from '../core/control.ts'

/** Bytes that may wait for a reader that is slow; beyond these, events are left out and counted. */
const ROOM = 1024 * 1024
/** Events that may wait until the stream begins. */
const EARLY = 2000

/** Sends what happens to runs, a line of JSON each, until the reader goes away or the run has ended. */
export async function streamEvents(
  control: Control,
  request: FollowRequest,
  response: ServerResponse,
): Promise<void> {
  const stream = new EventStream(response)
  response.once('close', () => stream.close())
  const release = await control.follow(request, stream.reader)
  stream.begin(release)
}

class EventStream {
  readonly #response: ServerResponse
  /** What came before the stream began. */
  #early: object[] | undefined = []
  #omitted = 0
  #over = false
  #closed = false
  #release: (() => void) | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('drain', () => this.#tellOmitted())
  }

  readonly reader: FollowReader = {
    show: (event) => this.#show(event),
    omit: (count) => void (this.#omitted += count),
    ended: () => {
      this.#over = true
      if (!this.#early) this.#end()
    },
  }

  begin(release: () => void): void {
    this.#release = release
    if (this.#closed) return release()
    this.#response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    this.#response.flushHeaders()
    const early = this.#early!
    this.#early = undefined
    for (const event of early) this.#show(event)
    if (this.#over) this.#end()
  }

  close(): void {
    this.#closed = true
    this.#release?.()
  }

  #show(event: object): void {
    if (this.#closed || (this.#over && !this.#early)) return
    if (this.#early) {
      if (this.#early.length < EARLY) this.#early.push(event)
      else this.#omitted++
    } else if (this.#response.writableLength > ROOM) this.#omitted++
    else {
      this.#tellOmitted()
      this.#write(event)
    }
  }

  #tellOmitted(): void {
    if (this.#omitted === 0 || this.#closed) return
    this.#write({ kind: 'omitted', count: this.#omitted })
    this.#omitted = 0
  }

  #write(event: object): void {
    this.#response.write(`${JSON.stringify(event)}\n`)
  }

  #end(): void {
    this.#tellOmitted()
    this.#response.end(`${JSON.stringify({ kind: 'end' })}\n`)
  }
}
