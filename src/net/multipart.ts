import { Body } from '../core/body.ts'
import { typeName } from '../core/json.ts'

/** One field of a form. */
export interface Part {
  readonly name: string
  /** Any value of a flow. */
  readonly content: unknown
  /** Made of the content when left out: none for text, numbers and booleans that are no file. */
  readonly contentType: string | undefined
  readonly filename: string | undefined
}

/**
 * Parts as one body of `multipart/form-data`, as browsers send it.
 * @param id makes the boundary one that nobody knows beforehand
 * @throws Failure `body.invalid` when a text does not fit into its charset
 * @see https://html.spec.whatwg.org/#multipart-form-data
 */
export function multipartBody(parts: readonly Part[], id: string): Body {
  const sections = parts.map((part) => sectionOf(part))
  const boundary = boundaryFor(sections, `sluice-${id}`)
  const pieces = sections.flatMap(({ head, content }) => [
    Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`),
    content,
    Buffer.from('\r\n'),
  ])
  const bytes = Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
  return Body.ofBytes(bytes, `multipart/form-data; boundary=${boundary}`)
}

interface Section {
  readonly head: string
  readonly content: Buffer
}

function sectionOf({ name, content, contentType, filename }: Part): Section {
  const type = contentType ?? usualType(content, filename !== undefined)
  const file = filename === undefined ? '' : `; filename="${escaped(filename)}"`
  const line = type === undefined ? '' : `\r\nContent-Type: ${type}`
  return {
    head: `Content-Disposition: form-data; name="${escaped(lines(name))}"${file}${line}`,
    content: Body.of(content, type).bytes(),
  }
}

function usualType(content: unknown, file: boolean): string | undefined {
  switch (typeName(content)) {
    case 'map':
    case 'list':
      return 'application/json'
    case 'bytes':
      return 'application/octet-stream'
    case 'text':
      return file ? 'text/plain; charset=utf-8' : undefined
    default:
      return undefined
  }
}

/** Line ends of a name are CRLF. */
function lines(name: string): string {
  return name.replace(/\r\n|\r|\n/g, '\r\n')
}

/** What would end a quoted text or a line. */
function escaped(text: string): string {
  return text.toWellFormed().replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22')
}

/** A boundary that is in none of the contents. */
function boundaryFor(sections: readonly Section[], first: string): string {
  let boundary = first
  for (let n = 1; sections.some(({ content }) => content.includes(boundary)); n++) boundary = `${first}-${n}`
  return boundary
}
