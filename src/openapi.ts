import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TOKEN_PATH } from './access/token-service.ts'
import type { Project, ProjectFlow } from './project.ts'
import { openApiDocument, type DescribedEndpoint } from './reference/openapi.ts'

/** Where the description of the endpoints is served. */
export const OPENAPI_PATH = '/openapi.json'

/** The endpoints of a project's flows as OpenAPI 3.1, as text; flows with mistakes are not in it. */
export function openApiText(flows: readonly ProjectFlow[], url: string): string {
  const described = flows.flatMap(describe).toSorted((a, b) => (a.flow < b.flow ? -1 : 1))
  const hash = createHash('sha256').update(JSON.stringify(described)).digest('hex')
  const engine = { url: url.replace(/\/$/, ''), tokenPath: TOKEN_PATH, version: hash.slice(0, 12) }
  return `${JSON.stringify(openApiDocument(engine, described), undefined, 2)}\n`
}

/** The same of an engine, as it is now; put together again only when its flows are others. */
export function openApiOf(
  project: Pick<Project, 'flows'>,
  url: () => string | undefined,
  redact: (text: string) => string,
) {
  let flows: Project['flows'] | undefined
  let at: string | undefined
  let text = ''
  return (): string => {
    if (flows !== project.flows || at !== url()) {
      flows = project.flows
      at = url()
      text = redact(openApiText(flows, at ?? ''))
    }
    return text
  }
}

/** Serves it on the listener of the endpoints. */
export function serveOpenApi(content: () => string) {
  return (raw: IncomingMessage, reply: ServerResponse): Promise<void> => {
    raw.resume()
    const isRead = raw.method === 'GET' || raw.method === 'HEAD'
    const text = isRead ? content() : ''
    reply.writeHead(isRead ? 200 : 405, {
      ...(isRead ? { 'content-type': 'application/json' } : { allow: 'GET, HEAD' }),
      'cache-control': 'no-cache',
      'content-length': Buffer.byteLength(text),
    })
    reply.end(text)
    return Promise.resolve()
  }
}

function describe({ flow, prepared }: ProjectFlow): readonly DescribedEndpoint[] {
  const route = prepared?.trigger?.route
  if (!flow?.enabled || !route) return []
  const replies = flow.allSteps.flatMap(({ kind, options }) => {
    const { status } = options as { status?: number }
    return kind === 'respond' && status !== undefined ? [status] : []
  })
  const description = flow.trigger!.description ?? flow.description
  return [{ flow: flow.name, description: description?.trim(), route, replies }]
}
