import { createHash } from 'node:crypto'
import type { Static } from '@sinclair/typebox'
import type { Document } from '../core/document.ts'
import { readDocument } from '../core/document.ts'
import type { Flow, Step } from '../core/flow.ts'
import { inOrder, type Problem } from '../core/problem.ts'
import { describe } from '../core/shape-values.ts'
import { checkShape } from '../core/shape.ts'
import { readParameters } from './parameters.ts'
import { findFiles } from './files.ts'
import { flowSchema, LATER } from './schema.ts'
import { StepReader, type FlowKinds } from './steps.ts'

export interface LoadedFlow {
  /** What of it is sound; it may only be deployed when no problem is an error. */
  readonly flow?: Flow
  readonly name: string
  readonly problems: Problem[]
}

const NAME = /^[a-z0-9][a-z0-9/-]*$/

/**
 * Reads and checks one flow; all its mistakes are reported.
 * @param file as shown to people
 * @param name where the flow does not say it; the file's path without `flows/` and `.yaml` when left out
 */
export function loadFlow(
  file: string,
  text: string,
  kinds: FlowKinds,
  name = withoutEnding(file.replace(/^flows\//, '')),
): LoadedFlow {
  const { document, problems } = readDocument(file, text)
  if (!document) return { name, problems: [...problems] }
  const read = readFlow(document, kinds, name)
  return { ...read, problems: inOrder([...problems, ...read.problems]) }
}

export interface LoadedFlows {
  readonly flows: { readonly name: string; readonly file: string; readonly flow?: Flow }[]
  readonly problems: Problem[]
  /** By file, as shown to people. */
  readonly texts: ReadonlyMap<string, string>
}

/**
 * Reads every flow of a folder and its subfolders (`*.yaml`, `*.yml`, without `*.test.yaml`).
 * @param folder absolute
 * @param projectFolder absolute; files are shown relative to it
 */
export async function loadFlows(
  folder: string,
  projectFolder: string,
  kinds: FlowKinds,
): Promise<LoadedFlows> {
  const { files, problems } = await findFiles(folder, projectFolder)
  const flows: { name: string; file: string; flow?: Flow }[] = []
  const named = new Map<string, LoadedFlow & { file: string }>()
  for (const { file, path, text } of files) {
    const loaded = { ...loadFlow(file, text, kinds, withoutEnding(path)), file }
    problems.push(...loaded.problems)
    const { name, flow } = loaded
    const other = named.get(name)
    if (other) problems.push(sameName(loaded, other))
    else named.set(name, loaded)
    flows.push({ name, file, ...(flow && { flow }) })
  }
  return { flows, problems: inOrder(problems), texts: new Map(files.map(({ file, text }) => [file, text])) }
}

function withoutEnding(file: string): string {
  return file.replace(/\.ya?ml$/, '')
}

function sameName(flow: LoadedFlow & { file: string }, other: LoadedFlow & { file: string }): Problem {
  const placeOf = (loaded: LoadedFlow & { file: string }) =>
    loaded.flow && Object.hasOwn(loaded.flow.document.value as object, 'name')
      ? loaded.flow.document.place(['name'])
      : { file: loaded.file, line: 1, column: 1 }
  return {
    code: 'flow/duplicate-name',
    severity: 'error',
    message: `the flow of ${other.file} is named "${flow.name}", too`,
    hint: 'Give one of them another name.',
    ...placeOf(flow),
    related: [{ ...placeOf(other), message: 'the other one' }],
  }
}

function readFlow(document: Document, kinds: FlowKinds, fileName: string): LoadedFlow {
  const { value } = document
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { name: fileName, problems: [noMap(document)] }
  const reader = new StepReader(document, kinds)
  const lists = new Map<unknown, readonly Step[]>()
  const shaped = checkShape(flowSchema, document, {
    subject: 'a flow',
    later: LATER.flowKeys,
    steps: (path) => {
      lists.set(path[0], reader.list(path, -1))
      return []
    },
  })
  reader.name()
  const keys = shaped.value as Partial<Static<typeof flowSchema>>
  const name = keys.name ?? fileName
  const parameters = readParameters(document)
  const problems = [...shaped.problems, ...reader.problems, ...parameters.problems]
  if (keys.name === undefined && !NAME.test(fileName)) problems.push(badFileName(document.file, fileName))
  const { description, timeout, concurrency } = keys
  const flow: Flow = {
    name,
    file: document.file,
    version: versionOf(name, document.text),
    ...(description !== undefined && { description }),
    enabled: keys.enabled ?? true,
    parameters: parameters.parameters,
    ...(reader.trigger && { trigger: reader.trigger }),
    steps: lists.get('steps') ?? [],
    onError: lists.get('onError') ?? [],
    allSteps: reader.all,
    ...(timeout !== undefined && { timeout }),
    ...(concurrency && { concurrency: { ...usualConcurrency(reader.trigger, kinds), ...concurrency } }),
    logLevel: keys.logLevel ?? 'info',
    searchable: (keys.searchable ?? []).map((header) => header.toLowerCase()),
    onDisconnect: keys.onDisconnect ?? 'continue',
    labels: keys.labels ?? {},
    document,
  }
  return { flow, name, problems }
}

/** What the half that is left out of `concurrency` is. */
function usualConcurrency(trigger: Step | undefined, kinds: FlowKinds): { running: number; waiting: number } {
  const kind = trigger && kinds.triggers.get(trigger.kind)
  return kind?.concurrency((trigger!.options ?? {}) as never) ?? { running: 100, waiting: 1000 }
}

/** Of a flow: what a change of its text changes. */
export function versionOf(name: string, text: string): string {
  return createHash('sha256').update(name).update('\n').update(text).digest('hex').slice(0, 12)
}

function noMap(document: Document): Problem {
  return {
    code: 'flow/no-steps',
    severity: 'error',
    message: `a flow is ${describe(document.value)}; a map with "steps" is wanted`,
    hint: Array.isArray(document.value)
      ? 'Write "steps:" above the list.'
      : 'Write "steps:" and below it the steps.',
    ...document.place([]),
  }
}

function badFileName(file: string, name: string): Problem {
  return {
    code: 'flow/name',
    severity: 'error',
    message: `the file gives its flow the name "${name}", which is none: small letters, digits, "-" and "/" are possible`,
    hint: 'Rename the file, or give the flow a "name".',
    file,
    line: 1,
    column: 1,
  }
}
