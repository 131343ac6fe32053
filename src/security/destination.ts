import { readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { readDocument, type Document, type Path, type Target } from '../core/document.ts'
import type { DestinationProperties } from '../core/findable.ts'
import { hasErrors, type Place, type Problem } from '../core/problem.ts'
import { Keys, ListOf, MapOf, Optional, Text, Value } from '../core/schema.ts'
import { checkShape } from '../core/shape.ts'
import { isMap } from '../core/shape-values.ts'
import { frameSchema } from './frame.ts'
import { ROTATION_FIELDS } from './rotation.ts'
import { readProperties } from './destination-properties.ts'
import { translate } from './destination-rows.ts'
import type { SecretReferences } from './destination-secrets.ts'
import { Translation, type DestinationMistake } from './destination-translation.ts'

/** The word of `type`. */
export const DESTINATION = 'destination'
/** Bytes that a destination may have. */
const MOST_BYTES = 256 * 1024

/** What a credential of this type says itself; the rest is in the destination. */
export const destinationOptions = Keys({
  file: Optional(
    Text({
      description:
        'A destination as BTP exports it (properties or JSON); relative to the file of the credential.',
      examples: ['jam.properties'],
    }),
  ),
  properties: Optional(
    MapOf(Value({ description: 'A text.' }), {
      description: 'The properties of the destination, in place of `file`.',
      examples: [{ URL: 'https://demo.sapjam.com/OData/OData.svc' }],
    }),
  ),
  override: Optional(
    MapOf(Value({ description: 'A text; null takes the property out.' }), {
      description: 'Properties that hold in place of those of the destination, or beside them: its secrets.',
      examples: [{ clientSecret: '${env:JAM_SECRET}' }],
    }),
  ),
  tenants: Optional(
    ListOf(Text({ description: 'Subdomain of a tenant.' }), {
      description: 'Tenants that flows may name with `tenant`, where tokenServiceURLType is Common.',
      examples: [['acme', 'globex']],
    }),
  ),
  ...ROTATION_FIELDS,
})

/** What the reference tells of this type, as of the kinds of credentials. */
export const destination = {
  name: DESTINATION,
  summary: 'A destination of SAP BTP, as it is exported, in place of a credential written here.',
  description:
    'The destination is read as one of the other types: `OAuth2ClientCredentials`, `OAuth2Password`, `OAuth2TokenExchange`, `OAuth2JWTBearer`, `OAuth2RefreshToken` and (for a technical user) `OAuth2SAMLBearerAssertion` as `oauth2`, `ClientCertificateAuthentication` as `certificate`, `BasicAuthentication` as `basic`, `NoAuthentication` as `none`. Its `URL` is the `baseUrl`; `URL.headers.*` and `URL.queries.*` go along with each request. Exports hold no secrets: they come from `override`. What is not safe (`TrustAll`, plain http to another machine) is refused with the way out. Properties for other programs are passed over, unknown ones are told.',
  options: destinationOptions,
  examples: [
    {
      title: 'An exported destination, and its secret',
      yaml: "type: destination\nfile: jam.properties\noverride: { clientSecret: '${env:JAM_SECRET}' }\n",
    },
    {
      title: 'Written into the file itself',
      yaml: "type: destination\nproperties:\n  URL: https://demo.example.com/odata\n  Authentication: OAuth2ClientCredentials\n  tokenServiceURL: https://login.example.com/oauth/token\n  clientId: acme\noverride: { clientSecret: '${env:DEMO_SECRET}' }\n",
    },
  ],
}

const OWN = new Set(['type', 'file', 'properties', 'override'])

/** The destination as a credential of another type. */
export interface ReadDestination {
  /** Absent: there are mistakes, or it could not be read. */
  readonly document?: Document
  /** As they were exported or written, with what `override` says; references stand in them as written. */
  readonly properties?: DestinationProperties
  readonly problems: readonly Problem[]
  /** Absolute paths of the files that it was made of. */
  readonly files: readonly string[]
}

export function isDestination({ value }: Document): boolean {
  return isMap(value) && value['type'] === DESTINATION
}

/**
 * Reads the destination that a credential's file names or holds, as the credential that it is.
 * @param references what holds in place of its secrets
 */
export function readDestination(
  written: Document,
  projectFolder: string,
  references?: SecretReferences,
): ReadDestination {
  const shape = checkShape(frameSchema([DESTINATION], destinationOptions), written, {
    subject: 'a credential of the type destination',
  })
  const value = written.value as Record<string, unknown>
  const nothing = { problems: shape.problems, files: [] }
  if (hasErrors(shape.problems)) return nothing
  const { file, properties } = value
  if ((file === undefined) === (properties === undefined))
    return {
      ...nothing,
      problems: [
        at(written.place(file === undefined ? [] : ['properties'], { on: 'key' }), {
          code: 'destination/missing',
          message:
            file === undefined
              ? 'neither "file" nor "properties" is there: the destination itself is missing'
              : '"file" and "properties" are both there',
          hint: 'Write file: jam.properties, as it was exported, or the properties themselves.',
        }),
      ],
    }
  const source = typeof file === 'string' ? readSource(file, written, projectFolder) : inline(written)
  if (!source.document) return { problems: source.problems, files: source.files }
  if (hasErrors(source.problems)) return { problems: source.problems, files: source.files }
  const { problems, ...destination } = joined(written, source.document, source.root, references)
  return { ...destination, problems: [...source.problems, ...problems], files: source.files }
}

interface Source {
  readonly document?: Document
  /** Where in it the properties are. */
  readonly root: Path
  readonly problems: readonly Problem[]
  readonly files: readonly string[]
}

function inline(written: Document): Source {
  return { document: written, root: ['properties'], problems: [], files: [] }
}

function readSource(file: string, written: Document, projectFolder: string): Source {
  const path = resolve(projectFolder, dirname(written.file), file)
  const shown = relative(projectFolder, path).split(sep).join('/')
  const failed = (message: string, hint: string): Source => ({
    root: [],
    files: [path],
    problems: [at(written.place(['file']), { code: 'destination/file', message, hint })],
  })
  let text: string
  try {
    const { size } = statSync(path)
    if (size > MOST_BYTES)
      return failed(
        `"${file}" has ${size} bytes; no destination is as large`,
        'Name the file of one destination.',
      )
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    return failed(
      code === 'ENOENT' ? `there is no file "${shown}"` : `"${shown}" cannot be read (${code})`,
      'The path is relative to the file of the credential; export the destination in the BTP cockpit and put it there.',
    )
  }
  if (!/^\s*[{[]/.test(text)) {
    const { document, problems } = readProperties(shown, text)
    return { document, root: [], problems, files: [path] }
  }
  const { document, problems } = readDocument(shown, text)
  if (!document) return { root: [], problems, files: [path] }
  const { value } = document
  if (!isMap(value))
    return failed(
      `"${shown}" holds a list`,
      'Name a file with one destination: a JSON map of its properties.',
    )
  const root = isMap(value['destinationConfiguration']) ? ['destinationConfiguration'] : []
  return { document, root, problems, files: [path] }
}

/** The credential that a destination and what its file says beside it make. */
function joined(
  written: Document,
  source: Document,
  root: Path,
  { instead, assumed }: Pick<SecretReferences, 'instead' | 'assumed'> = { instead: {}, assumed: {} },
): Pick<ReadDestination, 'document' | 'properties' | 'problems'> {
  const value = written.value as Record<string, unknown>
  const override = (value['override'] ?? {}) as Record<string, unknown>
  const given = root.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], source.value)
  const keystores = join(dirname(written.file), 'keystores').split(sep).join('/')
  const translation = new Translation({ ...(given as object), ...instead, ...override }, keystores, assumed)
  translate(translation)
  const placeOf = (property: string, target?: Target): Place =>
    Object.hasOwn(override, property)
      ? written.place(['override', property], target)
      : source.place([...root, property], target)
  const whole = () => written.place([value['file'] === undefined ? 'properties' : 'file'])
  const problems = translation.mistakes.map((mistake) =>
    at(
      mistake.property === undefined
        ? whole()
        : placeOf(mistake.property, { on: ON_KEY.has(mistake.code) ? 'key' : 'value' }),
      mistake,
    ),
  )
  const { properties } = translation
  if (translation.fields['type'] === undefined) return { problems, properties }
  const own = Object.entries(value).filter(([key]) => !OWN.has(key))
  const fields: Record<string, unknown> = { ...translation.fields }
  for (const [key, field] of own)
    fields[key] = isMap(field) && isMap(fields[key]) ? { ...fields[key], ...field } : field
  return {
    problems,
    properties,
    document: {
      file: written.file,
      text: written.text,
      value: fields,
      place(path, target) {
        if (hasPath(value, path)) return written.place(path, target)
        const property = originOf(translation, path)
        if (property === undefined) return whole()
        const isCopy = translation.read(property) === fieldAt(fields, path)
        return placeOf(property, isCopy ? target : target?.on && { on: target.on })
      },
      written: (path) => (hasPath(value, path) ? written.written(path) : undefined),
    },
  }
}

const ON_KEY = new Set(['destination/unused', 'destination/unsafe'])

function at(place: Place, { code, message, hint, severity }: DestinationMistake): Problem {
  return { code, severity: severity ?? 'error', message, ...(hint !== undefined && { hint }), ...place }
}

function originOf({ origins }: Translation, path: Path): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const property = origins.get(JSON.stringify(path.slice(0, length)))
    if (property !== undefined) return property
  }
  return undefined
}

function fieldAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => (isMap(at) ? at[key] : undefined), value)
}

/** Whether the file of the credential itself says it. */
function hasPath(value: Record<string, unknown>, path: Path): boolean {
  const [first, ...rest] = path
  if (first === undefined || OWN.has(String(first)) || !Object.hasOwn(value, first)) return false
  return rest.length === 0 || fieldAt(value[first], rest) !== undefined || !isMap(value[first])
}
