import { Body } from './body.ts'

/** What the receiver of the last http step answered, body apart. Header names are lower case. */
export interface ReceiverResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly url: string
}

/** What travels through a flow. Steps change it in place. */
export class Message {
  body: Body
  /** By lower-case name; without `content-type`, which belongs to the body. */
  headers: Record<string, string>
  /** Any JSON value by name; they never leave the flow. */
  properties: Record<string, unknown>
  response: ReceiverResponse | null = null
  /** Status of the reply to the caller, once a step has set one. */
  replyStatus: number | undefined = undefined

  constructor(body: Body = Body.empty()) {
    this.body = body
    this.headers = Object.create(null) as Record<string, string>
    this.properties = Object.create(null) as Record<string, unknown>
  }

  /** @param name lower case */
  header(name: string): string | undefined {
    return name === 'content-type' ? this.body.contentType : this.headers[name]
  }

  /** @param name lower case; `content-type` becomes the body's */
  setHeader(name: string, value: string | undefined): void {
    if (name === 'content-type') this.body = this.body.as(value)
    else if (value === undefined) delete this.headers[name]
    else this.headers[name] = value
  }

  /** All headers with `content-type`, as a copy. */
  allHeaders(): Record<string, string> {
    const type = this.body.contentType
    return Object.assign(
      Object.create(null) as Record<string, string>,
      type === undefined ? undefined : { 'content-type': type },
      this.headers,
    )
  }
}
