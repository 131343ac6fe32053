import { createHash } from 'node:crypto'
import type { Html } from '../../core/html.ts'
import { curlLine } from './curl-line.ts'
import type { Answer, Media, PagedDocument, PagedOperation, Parameter } from './document.ts'
import { html, Markup, prose } from './html.ts'
import { SchemaViews } from './schema-view.ts'
import { STYLE } from './style.ts'

export interface PageLink {
  readonly text: string
  readonly href: string
}

interface Entry {
  readonly method: string
  readonly path: string
  readonly operation: PagedOperation
}

/** The policy allows exactly this text. */
const STYLE_ELEMENT = new Markup(`<style>${STYLE}</style>`)
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/**
 * An OpenAPI document as a page for people: whole in itself, without scripts, and whatever the document says is text.
 * @param links where else to go
 */
export function openApiPage(document: PagedDocument, links: readonly PageLink[]): Html {
  const entries = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
  )
  const groups = Map.groupBy(entries, ({ operation }) => operation.tags?.[0] ?? '')
  const { info } = document
  const server = document.servers[0]?.url ?? ''
  const schemas = new SchemaViews(document.components.schemas ?? {})
  const body = html`<header>
      <h1>${info.title}</h1>
      <p class="soft">
        Version ${info.version}${server === '' ? undefined : html` at <code>${server}</code>`}
      </p>
      ${info.description === undefined ? undefined : html`<p class="text">${prose(info.description)}</p>`}
      <nav>${links.map(({ text, href }) => html`<a href="${href}">${text}</a>`)}</nav>
    </header>
    ${howToCall(document)}
    <h2 id="all">All of them</h2>
    ${entries.length === 0 ? html`<p>There are none yet.</p>` : undefined}
    ${[...groups].map(
      ([tag, all]) =>
        html`${tag === '' ? undefined : html`<h4>${tag}</h4>`}
          <ul class="list">
            ${all.map(lineOf)}
          </ul>`,
    )}
    ${[...groups].map(([tag, all]) => html`${all.length === 0 ? undefined : html`<h2>${tag === '' ? 'Endpoints' : tag}</h2>`}${all.map((entry) => article(entry, server, schemas))}`)} `
  return { text: whole(info.title, body).text, contentSecurityPolicy: POLICY }
}

function whole(title: string, body: Markup): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        ${body}
      </body>
    </html> `
}

function howToCall({ components, paths }: PagedDocument): Markup | undefined {
  const tokenUrl = components.securitySchemes?.['oauth2']?.flows?.clientCredentials?.tokenUrl
  if (tokenUrl === undefined) return undefined
  const closed = Object.values(paths)
    .flatMap((item) => Object.values(item))
    .filter(({ security = [] }) => security.some((scheme) => 'oauth2' in scheme))
  const basic = closed.filter(({ security }) => security!.some((scheme) => 'basic' in scheme))
  return html`<h2>How to get a token</h2>
    <p>
      A client of this engine, made with <code>sluice client create NAME --role ROLE</code>, gets one with its
      id and its secret; curl asks for the secret:
    </p>
    <pre>curl -s -u CLIENT -d grant_type=client_credentials ${tokenUrl}</pre>
    <p>
      <code>access_token</code> of the answer is <code>$TOKEN</code>
      below.${
        basic.length === 0
          ? undefined
          : html` Id and secret by Basic work without a
            token${basic.length < closed.length ? ' where it says so' : ', too'}.`
      }
    </p>`
}

function lineOf({ method, path, operation }: Entry): Markup {
  return html`<li>
    <span class="method ${method}">${method.toUpperCase()}</span
    ><a href="#${anchorOf(operation)}"><code>${path}</code></a> <span class="soft">${operation.summary}</span>
  </li>`
}

function anchorOf({ operationId }: PagedOperation): string {
  return encodeURIComponent(operationId)
}

function article(entry: Entry, server: string, schemas: SchemaViews): Markup {
  const { method, path, operation } = entry
  const { summary, description, parameters = [], requestBody } = operation
  return html`<article id="${anchorOf(operation)}">
    <h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></h3>
    ${summary === undefined || description?.startsWith(summary) ? undefined : html`<p>${summary}</p>`}
    ${description === undefined ? undefined : html`<p class="text">${prose(description)}</p>`}
    <p><b>Who may call:</b> ${whoMayCall(operation)}</p>
    ${
      parameters.length === 0
        ? undefined
        : html`<h4>Parameters</h4>
            <dl>${parameters.map((one) => parameterView(one, schemas))}</dl>`
    }
    ${
      requestBody &&
      html`<h4>Body${requestBody.required ? ', required' : ''}</h4>
        ${bodies(requestBody.content, schemas)}`
    }
    <h4>With curl</h4>
    <pre>${curlLine(method, server, path, operation)}</pre>
    <h4>Answers</h4>
    <dl>
      ${Object.entries(operation.responses).map(([status, answer]) => answerView(status, answer, schemas))}
    </dl>
  </article> `
}

/** How callers show who they are, by the name of the security scheme. */
const WAYS: Readonly<Record<string, string>> = {
  oauth2: 'a token',
  basic: 'Basic',
  apiKey: 'an API key',
  certificate: 'a certificate',
}

function whoMayCall({ security = [] }: PagedOperation): Markup {
  if (security.length === 0) return html`everybody`
  if (security.some((scheme) => 'signature' in scheme))
    return html`whoever signs the body with the key agreed on`
  const named = security.flatMap((scheme) => Object.entries(scheme))
  const ways = new Set(named.map(([scheme]) => WAYS[scheme] ?? scheme))
  const sets = new Map(
    named.flatMap(([, roles]) => (roles.length === 0 ? [] : [[JSON.stringify(roles), roles] as const])),
  )
  const said = [...sets.values()].map((roles) =>
    roles.map((role, i) => html`${i === 0 ? '' : ' and '}<code>${role}</code>`),
  )
  return html`clients${said.length === 0 ? undefined : html` with the role ${said.map((one, i) => html`${i === 0 ? '' : ' or '}${one}`)}`},
  by ${[...ways].join(' or ')}`
}

function parameterView(
  { name, in: place, required, description, schema }: Parameter,
  schemas: SchemaViews,
): Markup {
  return html`<dt><code>${name}</code></dt>
    <dd>
      <span class="type"
        >${place}${required && place !== 'path' ? ', required' : ''}${schema === undefined ? '' : `: ${schemas.typeOf(schema)}`}</span
      >${description === undefined ? undefined : html`<span class="note">${prose(description)}</span>`}
    </dd>`
}

function bodies(content: Readonly<Record<string, Media>>, schemas: SchemaViews): Markup {
  const alike = Map.groupBy(Object.entries(content), ([, media]) => JSON.stringify(media))
  return html`${[...alike.values()].map((entries) => {
    const types = entries.map(([type]) => type)
    const { schema, examples = {} } = entries[0]![1]
    return html`<p>
        ${types.map((type, i) => html`${i === 0 ? '' : ' or '}<code>${type === '*/*' ? 'any content type' : type}</code>`)}
      </p>
      ${schema === undefined ? undefined : schemas.view(schema)}
      ${Object.values(examples).map(
        ({ value }) =>
          html`<p class="soft">For example</p>
            <pre>${pretty(value)}</pre>`,
      )}
      ${
        schema === undefined
          ? undefined
          : html`<details>
              <summary>JSON Schema</summary>
              <pre>${pretty(schemas.resolved(schema))}</pre>
            </details>`
      }`
  })}`
}

function answerView(status: string, { description, content = {} }: Answer, schemas: SchemaViews): Markup {
  const described = Object.entries(content).filter(
    ([type, { schema }]) => schema !== undefined && type !== 'application/problem+json',
  )
  return html`<dt>${status}</dt>
    <dd>
      ${description}${
        described.length === 0
          ? undefined
          : html`<details>
              <summary>what is in it</summary>
              ${bodies(Object.fromEntries(described), schemas)}
            </details>`
      }
    </dd>`
}

function pretty(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)
}
