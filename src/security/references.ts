import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Document, Path } from '../core/document.ts'
import type { ParameterValue } from '../core/flow.ts'
import type { ProblemCode } from '../core/problem-codes.ts'
import { didYouMean, type Place, type Problem } from '../core/problem.ts'
import type { SecretBackend } from '../core/secret-backend.ts'
import { isKeyStore } from './identity.ts'
import { isSecretName } from './secret-file.ts'
import type { OpenedSecret } from './secret-store.ts'

export interface ReferenceSources {
  /** Relative file references are from here. */
  readonly projectFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Global parameters of sluice.yaml. */
  readonly parameters: Readonly<Record<string, ParameterValue>>
  /** Of the encrypted ones. */
  readonly secret: (name: string) => OpenedSecret
  readonly backends: readonly SecretBackend[]
}

/** A reference without a value. */
export interface UnsetReference {
  /** `env:LMS_CLIENT_SECRET` */
  readonly reference: string
  /** `is not set`, `is empty`, `is not there`. */
  readonly why: string
  /** What to do, where it is not the usual. */
  readonly hint?: string
  /** It is there; another time it may be read. */
  readonly unreadable?: true
  /** It is there, and what was in force before stays; its files are watched. */
  readonly kept?: true
  readonly place: Place
}

/** What a reference brought in; it may be a secret. */
export interface Insertion {
  readonly path: Path
  /** `${env:LMS_CLIENT_SECRET}` */
  readonly reference: string
  readonly value: string
}

export interface Resolved {
  /** The same document with the values in the place of references; places still point into what was written. */
  readonly document: Document
  readonly problems: readonly Problem[]
  readonly unset: readonly UnsetReference[]
  /** Texts that still stand as they were written, because something in them has no value. */
  readonly unresolved: readonly Path[]
  /** Of the environment, of files and of the encrypted secrets. */
  readonly insertions: readonly Insertion[]
  /** Absolute; whether they are there or not. */
  readonly files: readonly string[]
}

/** Bytes that a `${file:}` may have. */
const FILE_LIMIT = 64 * 1024
const KINDS = ['env', 'file', 'secret', 'param']
const MARKS = /\$\$\{|\$\{([^}]*)\}?|\{\{[^{}]*\}\}/g

interface Piece {
  /** Where it begins in the written text and in the resolved one; it is as long as `written` and `resolved` say. */
  readonly from: number
  readonly to: number
  readonly written: number
  readonly resolved: number
}

/** Puts the values of `${env:X}`, `${file:/path}`, `${secret:x}`, `${param:x}` and those of backends into every text of a document, at any depth. `$${` stands for `${`. */
export function resolveReferences(document: Document, sources: ReferenceSources): Resolved {
  const problems: Problem[] = []
  const unset: UnsetReference[] = []
  const unresolved: Path[] = []
  const insertions: Insertion[] = []
  const files = new Set<string>()
  const pieces = new Map<string, readonly Piece[]>()
  const backends = new Map(sources.backends.map((backend) => [backend.kind, backend]))

  function resolveText(text: string, path: Path): string {
    let resolved = ''
    let at = 0
    let whole = true
    const own: Piece[] = []
    const put = (mark: RegExpExecArray, value: string) => {
      resolved += text.slice(at, mark.index)
      own.push({ from: mark.index, to: resolved.length, written: mark[0].length, resolved: value.length })
      resolved += value
      at = mark.index + mark[0].length
    }
    for (const mark of text.matchAll(MARKS)) {
      const place = () => document.place(path, { offset: mark.index, length: mark[0].length })
      if (mark[0] === '$${') {
        put(mark, '${')
        continue
      }
      const answer = readMark(mark)
      if ('value' in answer) {
        put(mark, answer.value)
        if (answer.guarded) insertions.push({ path, reference: mark[0], value: answer.value })
        continue
      }
      whole = false
      if ('why' in answer) {
        const reference = mark[1]!.trim()
        if (unset.every((one) => one.reference !== reference))
          unset.push({ reference, ...answer, place: place() })
      } else problems.push({ severity: 'error', ...answer, ...place() })
    }
    if (!whole) {
      unresolved.push(path)
      return text
    }
    if (own.length > 0) pieces.set(JSON.stringify(path), own)
    return resolved + text.slice(at)
  }

  function readMark(mark: RegExpExecArray): Value | Unset | Mistake {
    if (mark[1] === undefined) return placeholder(mark[0])
    if (!mark[0].endsWith('}'))
      return {
        ...REFERENCE,
        message: `"${mark[0].slice(0, 40)}" has no "}"`,
        hint: 'Close the reference: ${env:NAME}.',
      }
    const colon = mark[1].indexOf(':')
    const kind = mark[1].slice(0, Math.max(0, colon)).trim()
    const name = mark[1].slice(colon + 1).trim()
    const backend = backends.get(kind)
    if (!backend && !KINDS.includes(kind)) return unknownKind(mark[0], kind, sources.backends)
    if (name === '')
      return {
        ...REFERENCE,
        message: `"${mark[0]}" names nothing`,
        hint: `Write ${backend?.form ?? `\${${kind}:NAME}`}.`,
      }
    if (backend) return readBackend(name, backend)
    if (kind === 'env') return readVariable(name, sources.environment)
    if (kind === 'param') return readParameter(mark[0], name, sources.parameters)
    if (kind === 'secret') return readSecret(mark[0], name, sources.secret)
    const file = resolve(sources.projectFolder, name)
    files.add(file)
    return readSecretFile(name, file)
  }

  function resolveValue(value: unknown, path: Path): unknown {
    if (typeof value === 'string') return resolveText(value, path)
    if (Array.isArray(value)) return value.map((item, index) => resolveValue(item, [...path, index]))
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
      return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolveValue(item, [...path, key])]),
    )
  }

  const value = resolveValue(document.value, [])
  return {
    document: {
      file: document.file,
      text: document.text,
      value,
      written: (path) => document.written(path),
      place(path, target) {
        const own = target?.offset === undefined ? undefined : pieces.get(JSON.stringify(path))
        return document.place(
          path,
          own && target ? { ...target, ...backTo(own, target.offset!, target.length ?? 0) } : target,
        )
      },
    },
    problems,
    unset,
    unresolved,
    insertions,
    files: [...files],
  }
}

interface Value {
  readonly value: string
  /** It comes from where secrets are kept. */
  readonly guarded: boolean
}

type Unset = Pick<UnsetReference, 'why' | 'hint' | 'unreadable' | 'kept'>

interface Mistake {
  readonly code: ProblemCode
  readonly message: string
  readonly hint: string
  readonly related?: readonly (Place & { readonly message: string })[]
}

const REFERENCE = { code: 'credential/reference' } as const

/** What to do about CPI's `{{name}}`. */
export const PLACEHOLDER_HINT =
  'Write the value, or a reference: ${env:NAME}, ${file:/path}, ${secret:NAME} or ${param:name}, in quotes.'

function placeholder(text: string): Mistake {
  return {
    code: 'value/braces',
    message: `"${text}" is not replaced here`,
    hint: PLACEHOLDER_HINT,
  }
}

function unknownKind(text: string, kind: string, backends: readonly SecretBackend[]): Mistake {
  const words = [...KINDS, ...backends.map((backend) => backend.kind)]
  const forms = ['${env:NAME}', '${file:/path}', '${secret:NAME}', ...backends.map(({ form }) => form)]
  const hint = `There are ${forms.join(', ')} and \${param:name}; $\${ stands for a plain \${.`
  if (kind !== '' && /^[\w-]+$/.test(kind))
    return {
      ...REFERENCE,
      message: `"${text}": there is no "${kind}" to refer to${didYouMean(kind, words)}`,
      hint,
    }
  return {
    ...REFERENCE,
    message: `"${text}" is no reference; a credential does not see messages`,
    hint: `${hint} Expressions of \`response\` and \`invalidateWhen\` stand bare, without \${}.`,
  }
}

function readVariable(name: string, environment: ReferenceSources['environment']): Value | Unset {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined
  return value ? { value, guarded: true } : { why: value === '' ? 'is empty' : 'is not set' }
}

function readParameter(
  text: string,
  name: string,
  parameters: ReferenceSources['parameters'],
): Value | Mistake {
  const names = Object.keys(parameters)
  if (names.includes(name)) return { value: String(parameters[name]), guarded: false }
  return {
    ...REFERENCE,
    message: `"${text}": sluice.yaml has no parameter "${name}"${didYouMean(name, names)}`,
    hint: 'Add it to "parameters" of sluice.yaml.',
  }
}

function readSecret(text: string, name: string, secret: ReferenceSources['secret']): Value | Unset | Mistake {
  if (!isSecretName(name))
    return {
      ...REFERENCE,
      message: `"${text}": "${name}" cannot be the name of a secret`,
      hint: 'It is a letter, then at most 149 letters, digits, "_", "." and "-".',
    }
  const opened = secret(name)
  if ('value' in opened) return { value: opened.value, guarded: true }
  const { state: _, ...outcome } = opened
  return 'why' in outcome ? outcome : { code: 'credential/secret', ...outcome }
}

function readBackend(name: string, backend: SecretBackend): Value | Unset | Mistake {
  const mistake = backend.mistakeOf(name)
  if (mistake) return { ...REFERENCE, ...mistake }
  const found = backend.value(name)
  return 'value' in found ? { value: found.value, guarded: true } : found
}

function readSecretFile(name: string, file: string): Value | Unset | Mistake {
  let text: string
  try {
    const about = statSync(file)
    if (!about.isFile()) return { why: 'is no file' }
    if (about.size > FILE_LIMIT)
      return {
        ...REFERENCE,
        message: `the file "${name}" has more than ${FILE_LIMIT / 1024} KB`,
        hint: 'Name the file that holds the secret and nothing else.',
      }
    const bytes = readFileSync(file)
    if (isKeyStore(bytes)) return { value: bytes.toString('base64'), guarded: true }
    text = bytes.toString('utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    return code === 'ENOENT' ? { why: 'is not there' } : { why: `cannot be read (${code})`, unreadable: true }
  }
  const value = text.replace(/^\ufeff/, '').replace(/\r?\n$/, '')
  return value === '' ? { why: 'is empty' } : { value, guarded: true }
}

/** An offset and length of the resolved text, in the written one. A place inside a reference's value is the reference. */
function backTo(
  pieces: readonly Piece[],
  offset: number,
  length: number,
): { offset: number; length: number } {
  const start = writtenAt(pieces, offset, 'start')
  return { offset: start, length: writtenAt(pieces, offset + length, 'end') - start }
}

function writtenAt(pieces: readonly Piece[], offset: number, edge: 'start' | 'end'): number {
  let moved = 0
  for (const piece of pieces) {
    const end = piece.to + piece.resolved
    if (offset < piece.to || (edge === 'end' && offset === piece.to)) break
    if (offset < end || (edge === 'end' && offset === end))
      return edge === 'start' ? piece.from : piece.from + piece.written
    moved = piece.from + piece.written - end
  }
  return offset + moved
}
