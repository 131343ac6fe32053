import { createHmac, randomBytes } from 'node:crypto'
import type { CredentialExplanation } from '../core/explanation.ts'
import { readDocument, type Document, type Path, type ReadDocument } from '../core/document.ts'
import type { DestinationProperties } from '../core/findable.ts'
import type { AnyCredentialKind, ProblemReport } from '../core/kinds.ts'
import { didYouMean, hasErrors, type Place, type Problem } from '../core/problem.ts'
import type { ConnectivityProxy, EgressRules } from '../core/services.ts'
import { checkShape } from '../core/shape.ts'
import { checkCloudConnector, cloudConnectorLinks } from './cloud-connector.ts'
import { explained } from './credential-explanation.ts'
import { linksIn, type CredentialLink } from './credential-links.ts'
import { DESTINATION, isDestination, readDestination } from './destination.ts'
import { checkEgress } from './egress-check.ts'
import { frameSchema, readFrame, type Frame, type FrameOptions } from './frame.ts'
import { SHORTEST_SECRET } from './redaction.ts'
import { isUndecided } from './reach.ts'
import {
  PLACEHOLDER_HINT,
  resolveReferences,
  type ReferenceSources,
  type Resolved,
  type UnsetReference,
} from './references.ts'
import { secretsIn } from './rotation.ts'
import { hideInsertions } from './insertions.ts'
import { fileProblem, nameOf } from './material-name.ts'
import { mayHoldSecret, secretFields } from './secret-fields.ts'
import { namedSecrets } from './secret-names.ts'
import { unsetWarnings } from './unset-warnings.ts'
import { guardSecret, literalSecrets } from './secret-texts.ts'

export interface CredentialFile {
  readonly file: string
  readonly text: string
  /** Why it cannot be read though it is there; its text is empty then. */
  readonly unreadable?: Problem
}

/** A credential as its file says it, checked and with its references filled in. */
export interface CredentialSource {
  readonly name: string
  readonly file: string
  readonly kind: AnyCredentialKind
  readonly options: unknown
  readonly frame: Frame
  /** Brought in where secrets stand. */
  readonly secrets: readonly string[]
  /** Of the destination that it was written as; references stand in them as written. */
  readonly destination: DestinationProperties | undefined
  /** The same for the same content, references included; no secret can be told from it. */
  readonly fingerprint: string
}

/** What became of one file. */
export interface Examined {
  readonly name: string
  readonly file: string
  readonly type: string | undefined
  readonly problems: readonly Problem[]
  readonly unset: readonly UnsetReference[]
  /** References are unset, and there is no other mistake. */
  readonly incomplete: boolean
  /** As far as it can be told. */
  readonly baseUrl: string | undefined
  /** Absolute paths of the files it refers to. */
  readonly files: readonly string[]
  /** Other credentials that it is made with, as far as it can be told. */
  readonly links: readonly CredentialLink[]
  /** Those that it has a token for each; empty where there are none. */
  readonly tenants: readonly string[]
  /** Absent where there are mistakes or unset references. */
  readonly source?: CredentialSource
  /** What it is, in words; absent where its fields have mistakes. */
  readonly explain?: () => Pick<CredentialExplanation, 'sends' | 'hosts' | 'description'>
}

export interface ExamineSetting {
  readonly kinds: ReadonlyMap<string, AnyCredentialKind>
  readonly sources: ReferenceSources
  /** Secrets in clear are warnings only. */
  readonly dev: boolean
  readonly egress: EgressRules
  readonly connectivityProxy?: ConnectivityProxy
  /** Epoch ms. */
  readonly now: () => number
}

const LATER: Readonly<Record<string, string>> = {
  client: 'Write `type: client` as a line of its own; `sluice client create` writes such a file.',
  issuer: 'Write `type: issuer` as a line of its own.',
  signingKey: 'Write `type: signingKey` as a line of its own.',
}

/** Reads one file of the security material. Never throws for what is written in it. */
export function examineFile({ file, text, unreadable }: CredentialFile, setting: ExamineSetting): Examined {
  const name = nameOf(file)
  const problems = fileProblem(file, 'a credential', 'its credential')
  const read: ReadDocument = unreadable ? { problems: [unreadable] } : readDocument(file, text)
  for (const problem of read.problems)
    problems.push(problem.code === 'value/braces' ? { ...problem, hint: PLACEHOLDER_HINT } : problem)
  const nothing = {
    name,
    file,
    type: undefined,
    problems,
    unset: [],
    incomplete: false,
    baseUrl: undefined,
    files: [],
    links: [],
    tenants: [],
  }
  if (!read.document) return nothing
  const destination = isDestination(read.document)
    ? readDestination(read.document, setting.sources.projectFolder)
    : undefined
  problems.push(...(destination?.problems ?? []))
  const written = destination ? destination.document : read.document
  const ofDestination = destination?.files ?? []
  if (!written) return { ...nothing, type: DESTINATION, files: ofDestination }
  const resolved = resolveReferences(written, setting.sources)
  const kind = pickKind(resolved.document, setting.kinds, (problem) =>
    problems.push(hideInsertions(problem, resolved.insertions)),
  )
  problems.push(...resolved.problems, ...unsetWarnings(name, resolved.unset))
  const known = {
    ...nothing,
    unset: resolved.unset,
    files: [...ofDestination, ...resolved.files],
    type: kind?.name,
  }
  if (!kind) return { ...known, baseUrl: writtenBaseUrl(resolved.document) }
  const {
    frame,
    source,
    explain,
    links = [],
    tenants = [],
  } = readSource(
    { name, file, kind, resolved, written, destination: destination?.properties },
    setting,
    problems,
  )
  return {
    ...known,
    incomplete: resolved.unset.length > 0 && !hasErrors(problems),
    baseUrl: frame?.baseUrl?.href ?? writtenBaseUrl(resolved.document),
    links,
    tenants,
    ...(source && { source }),
    ...(explain && { explain }),
  }
}

function writtenBaseUrl({ value }: Document): string | undefined {
  const baseUrl = (value as { baseUrl?: unknown } | null | undefined)?.baseUrl
  return typeof baseUrl === 'string' ? baseUrl : undefined
}

function pickKind(
  document: Document,
  kinds: ReadonlyMap<string, AnyCredentialKind>,
  add: (problem: Problem) => void,
): AnyCredentialKind | undefined {
  const { value } = document
  const types = [...kinds.keys(), DESTINATION]
  const report = (message: string, hint: string, path: Path) =>
    add({ code: 'credential/type', severity: 'error', message, hint, ...document.place(path) })
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report('a credential is a map of fields', `Begin with type: ${types.join(', ')}.`, [])
    return undefined
  }
  const type = Object.hasOwn(value, 'type') ? (value as Record<string, unknown>)['type'] : undefined
  if (type === undefined || type === null) {
    if (!Object.hasOwn(value, 'type') || type === null)
      report('"type" is missing', `It is one of ${types.join(', ')}.`, [])
    return undefined
  }
  const kind = typeof type === 'string' ? kinds.get(type) : undefined
  if (kind) return kind
  if (typeof type === 'string' && Object.hasOwn(LATER, type))
    report(`the type "${type}" is not in this version`, LATER[type]!, ['type'])
  else
    report(
      typeof type === 'string'
        ? `there is no type "${type}" of credential${didYouMean(type, types)}`
        : '"type" is no text',
      `It is one of ${types.join(', ')}.`,
      ['type'],
    )
  return undefined
}

interface Reading {
  readonly name: string
  readonly file: string
  readonly kind: AnyCredentialKind
  readonly resolved: Resolved
  readonly written: Document
  readonly destination: DestinationProperties | undefined
}

function readSource(
  { name, file, kind, resolved, written, destination }: Reading,
  setting: ExamineSetting,
  problems: Problem[],
): { frame?: Frame } & Partial<Pick<Examined, 'links' | 'tenants' | 'source' | 'explain'>> {
  const { document, unset, unresolved, insertions } = resolved
  const imported = destination !== undefined
  const schema = frameSchema([...setting.kinds.keys()], kind.options)
  const found: Problem[] = []
  const problem = ({ at = [], on, offset, length, place, code, severity, message, hint }: ProblemReport) => {
    if (code === 'credential/certificate' && isUndecided(at, unresolved)) return
    const target = {
      ...(on && { on }),
      ...(offset !== undefined && { offset }),
      ...(length !== undefined && { length }),
    }
    const where = place ?? document.place(at, target)
    found.push({
      code,
      severity: severity ?? 'error',
      message,
      ...(hint !== undefined && { hint }),
      ...where,
    })
  }
  const shape = checkShape(schema, document, { subject: `a credential of the type ${kind.name}` })
  found.push(...shape.problems)
  let frame: Frame | undefined
  if (!hasErrors(shape.problems)) {
    for (const path of secretFields(schema, shape.value)) guardSecret(shape.value, path, document, problem)
    frame = readFrame(
      shape.value as FrameOptions,
      secretsIn(kind.options, shape.value),
      setting.now(),
      problem,
      kind.asksService === true,
    )
    kind.check?.(shape.value as never, problem, {
      imported,
      onPremise: frame.onPremise?.tokenRequests === true,
    })
    checkCloudConnector(shape.value as FrameOptions, kind, setting.connectivityProxy, { imported }, problem)
    checkEgress(shape.value as object, setting.egress, problem)
  }
  problems.push(
    ...literalSecrets(
      written,
      [...secretFields(schema, written.value), ...namedSecrets(written.value).map(({ path }) => path)],
      setting.dev,
    ),
    ...found
      .filter((one) => !unresolved.some((path) => isInside(one, written.place(path))))
      .map((one) => hideInsertions(one, insertions)),
  )
  if (!frame) return {}
  const links = [
    ...linksIn(kind.options, shape.value, document),
    ...cloudConnectorLinks(frame.onPremise, setting.connectivityProxy, document),
  ]
  const tenants = kind.tenants?.(shape.value as never) ?? []
  const explain = () => explained(kind, shape.value, frame)
  if (unset.length > 0 || hasErrors(problems)) return { frame, explain, links, tenants }
  const secrets = [
    ...insertions.filter(({ path }) => mayHoldSecret(schema, path)).map(({ value }) => value),
    ...namedSecrets(document.value).flatMap(({ text }) => (text.length < SHORTEST_SECRET ? [] : text)),
  ]
  const fingerprint = fingerprintOf([document.value, destination])
  return {
    frame,
    explain,
    links,
    tenants,
    source: { name, file, kind, options: shape.value, frame, secrets, destination, fingerprint },
  }
}

/** What is said of a text that is not filled in is no mistake of its own. */
function isInside(one: Place, field: Place): boolean {
  const from = one.line - field.line || one.column - field.column
  const to = one.line - (field.endLine ?? field.line) || one.column - (field.endColumn ?? field.column)
  return from >= 0 && to <= 0
}

const fingerprintKey = randomBytes(32)

function fingerprintOf(value: unknown): string {
  return createHmac('sha256', fingerprintKey).update(JSON.stringify(value)).digest('base64')
}
