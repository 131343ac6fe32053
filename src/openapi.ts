import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TOKEN_PATH } from './access/token-service.ts'
import type { Project, ProjectFlow } from './project.ts'
import type { Html } from './core/html.ts'
import type { Addresses } from './core/services.ts'
import type { PagedDocument } from './reference/openapi-page/document.ts'
import { openApiPage, type PageLink } from './reference/openapi-page/page.ts'
import { openApiDocument, type DescribedEndpoint } from './reference/openapi.ts'

/** Where the description of the endpoints is served. */
export const OPENAPI_PATH = '/openapi.json'
/** Where the same is served as a page. */
export const OPENAPI_PAGE = '/openapi'

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

/** The same as a page; put together again only when it is another. */
export function pageOf(content: () => string, links: readonly PageLink[]): () => Html {
  let of: string | undefined
  let page: Html | undefined
  return () => {
    const text = content()
    if (page === undefined || text !== of) page = openApiPage(JSON.parse(text) as PagedDocument, links)
    of = text
    return page
  }
}

/** Both, on the listener of the endpoints. */
export function openApiAddresses(content: () => string): Addresses {
  const page = pageOf(content, [{ text: 'OpenAPI (JSON)', href: OPENAPI_PATH }])
  return new Map([
    [OPENAPI_PATH, serve(() => ({ text: content(), headers: { 'content-type': 'application/json' } }))],
    [
      OPENAPI_PAGE,
      serve(() => {
        const { text, contentSecurityPolicy } = page()
        return {
          text,
          headers: {
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': contentSecurityPolicy,
            'x-content-type-options': 'nosniff',
          },
        }
      }),
    ],
  ])
}

function serve(content: () => { readonly text: string; readonly headers: Readonly<Record<string, string>> }) {
  return (raw: IncomingMessage, reply: ServerResponse): Promise<void> => {
    raw.resume()
    const isRead = raw.method === 'GET' || raw.method === 'HEAD'
    const { text, headers } = isRead ? content() : { text: '', headers: { allow: 'GET, HEAD' } }
    reply.writeHead(isRead ? 200 : 405, {
      ...headers,
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
