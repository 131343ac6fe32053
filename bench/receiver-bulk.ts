import type { Socket } from 'node:net'

const RECORDS = 100
/** Makes a record 1 KB. */
const NOTE = 'n'.repeat(1000)
const CHUNK = Buffer.alloc(1024 * 1024, 'large ')

/** A page of records; `next` leads to the one behind it. */
export function page(head: string): string {
  const query = queryOf(head)
  const number = Number(query.get('page') ?? 1)
  const run = query.get('run')
  const pages = Number(query.get('pages'))
  const first = (number - 1) * RECORDS
  const records = Array.from({ length: RECORDS }, (_, i) => `{"id":"${run}-${first + i}","note":"${NOTE}"}`)
  const next = number < pages ? `"/api/records?run=${run}&pages=${pages}&page=${number + 1}"` : null
  return `{"records":[${records.join()}],"next":${next}}`
}

/** So many bytes, as fast as they are taken. */
export class LargeAnswer {
  private readonly socket: Socket
  private left: number

  constructor(socket: Socket, head: string) {
    this.socket = socket
    this.left = Number(queryOf(head).get('bytes'))
  }

  begin(): void {
    this.socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: ${this.left}\r\n\r\n`,
    )
    this.go()
  }

  private readonly go = (): void => {
    while (this.left > 0) {
      const chunk = this.left < CHUNK.length ? CHUNK.subarray(0, this.left) : CHUNK
      this.left -= chunk.length
      if (this.socket.write(chunk)) continue
      this.socket.once('drain', this.go)
      return
    }
  }
}

function queryOf(head: string): URLSearchParams {
  const target = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'))
  return new URLSearchParams(target.slice(target.indexOf('?')))
}
