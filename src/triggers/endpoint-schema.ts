import { readFile, realpath } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { isJsonType } from '../core/body.ts'
import { readDocument, type Document, type Path } from '../core/document.ts'
import type { Deployment, ProblemReport } from '../core/kinds.ts'
import { describe } from '../core/shape-values.ts'
import type { BodySchema } from './body-schema.ts'
import type { SchemaMistake } from '../core/json-schema.ts'

/** The schema of an endpoint's bodies, and how it was written. */
export interface EndpointSchema extends BodySchema {
  readonly schema: object
}

/** The content types that are taken where there is a schema and nothing else is said. */
export const JSON_TYPES: readonly string[] = ['application/json', 'application/*+json']
const AT: Path = ['body', 'schema']

/** Reads and compiles what `body.schema` says; mistakes are reported, and there is no schema then. */
export async function readEndpointSchema(
  written: unknown,
  types: readonly string[] | undefined,
  deployment: Deployment,
): Promise<EndpointSchema | undefined> {
  if (written === undefined) return undefined
  for (const [index, type] of (types ?? []).entries())
    if (!isJsonType(type))
      deployment.problem({
        code: 'endpoint/schema',
        message: `bodies of "${type}" cannot be checked by a JSON Schema`,
        hint: 'Leave "contentTypes" out (JSON is taken then), or serve the other types at another endpoint.',
        at: ['body', 'contentTypes', index],
      })
  if (typeof written === 'string') return ofFile(written, deployment)
  if (typeof written === 'object' && written !== null && !Array.isArray(written))
    return compiled(written, deployment, (at, on) => ({ at: [...AT, ...at], ...(on && { on }) }))
  deployment.problem({
    code: 'endpoint/schema',
    message: `"schema" is ${describe(written)}; a JSON Schema or the name of its file is wanted`,
    hint: 'Write it below `schema:`, or name a file of the project: `schema: schemas/order.json`.',
    at: AT,
  })
  return undefined
}

type Place = (at: Path, on?: 'key') => Pick<ProblemReport, 'at' | 'on' | 'place'>

async function compiled(
  schema: object,
  deployment: Deployment,
  placed: Place,
): Promise<EndpointSchema | undefined> {
  const report = ({ message, hint, at, on }: SchemaMistake, severity: 'error' | 'warning') =>
    deployment.problem({
      code: 'endpoint/schema',
      severity,
      message,
      ...(hint !== undefined && { hint }),
      ...placed(at, on),
    })
  const { compileBodySchema } = await import('./body-schema.ts')
  const result = compileBodySchema(schema)
  if (!('check' in result)) {
    for (const mistake of result) report(mistake, 'error')
    return undefined
  }
  for (const warning of result.warnings) report(warning, 'warning')
  return { ...result, schema }
}

async function ofFile(file: string, deployment: Deployment): Promise<EndpointSchema | undefined> {
  const { projectFolder } = deployment.services
  const wrong = (message: string, hint: string) =>
    void deployment.problem({ code: 'endpoint/schema', message, hint, at: AT })
  const path = join(projectFolder, file)
  const outside = () =>
    wrong(
      `"${file}" is outside of the project folder`,
      'Schemas are files of the project, named relative to its folder: `schemas/order.json`.',
    )
  if (isAbsolute(file) || !isInside(projectFolder, path)) return outside()
  let text: string
  try {
    if (!isInside(await realpath(projectFolder), await realpath(path))) return outside()
    text = await readFile(path, 'utf8')
  } catch (error) {
    deployment.madeFrom(path, '')
    const { code, message } = error as NodeJS.ErrnoException
    return wrong(
      code === 'ENOENT' || code === 'ENOTDIR'
        ? `there is no file "${file}"`
        : `"${file}" cannot be read (${code ?? message})`,
      'The path is relative to the project folder.',
    )
  }
  deployment.madeFrom(path, text)
  const shown = relative(projectFolder, path).replaceAll(sep, '/')
  const { document, problems } = readDocument(shown, text)
  if (!document || problems.length > 0) {
    for (const { code, message, hint, ...place } of problems)
      deployment.problem({ code, message, ...(hint !== undefined && { hint }), place })
    return undefined
  }
  return compiled(document.value as object, deployment, placeIn(document))
}

function placeIn(document: Document): Place {
  return (at, on) => ({ place: document.place(at, on && { on }) })
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}
