import { Failure } from '../core/failure.ts'
import type { RouteHandler, Services } from '../core/services.ts'
import { IncomingBody } from './endpoint-body.ts'
import { EndpointCall, headFailure, lengthOf, type Endpoint } from './endpoint-call.ts'

/** Bytes that anybody may make the engine hold before the signature is judged; a larger `body.limit` is the flow's own wish. */
export const SIGNED_LIMIT = 25 * 1024 * 1024

/** Takes requests that are signed: the headers are judged, the body is read, the signature is judged, and then the run begins. */
export function signed(key: string, served: Endpoint, { access, log }: Services): RouteHandler {
  return (request) => {
    const judge = access.admitSigned(key, served.host.flow, request)
    if (!judge) return
    const refused = headFailure(served, request)
    if (refused) {
      request.refuse(refused)
      return
    }
    const place = served.gathered.place(lengthOf(request.raw.headers))
    if (place instanceof Failure) {
      request.refuse(place)
      return
    }
    bodyOf(new IncomingBody(request, served, place))
      .then((body) => {
        if (request.raw.destroyed && !request.raw.complete) return
        const caller = judge(body)
        if (caller) new EndpointCall(served, request, caller).takeRead(body)
      })
      .catch((error: unknown) => {
        if (!(error instanceof Failure))
          log.error({ err: error, flow: served.host.flow }, 'a fault in the engine while a request was taken')
        request.refuse(Failure.from(error))
      })
      .finally(() => place.leave())
  }
}

/** @throws Failure `body.too-large`, `body.cut-off`, `flow.overload` */
async function bodyOf(incoming: IncomingBody): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}
