import { request, type RequestOptions } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import type { Authority, Issued } from './certificates.ts'

export interface HttpsAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: Record<string, any>
}

export interface HttpsCall extends RequestOptions {
  readonly body?: string
  /** What the client shows. */
  readonly as?: Issued
}

/** One request over TLS to 127.0.0.1, known as `localhost`; only this authority is trusted. */
export function httpsCall(
  authority: Authority,
  url: string,
  { body, as, ...options }: HttpsCall = {},
): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: body === undefined ? 'GET' : 'POST',
        ca: authority.certificate,
        servername: 'localhost',
        agent: false,
        ...(as && { cert: as.certificate, key: as.key }),
        ...options,
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => (text += chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          let parsed: Record<string, unknown> = {}
          try {
            parsed = JSON.parse(text) as Record<string, unknown>
          } catch {
            // It is a text.
          }
          resolve({ status: answer.statusCode!, headers: answer.headers, text, body: parsed })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
