import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Static, TProperties, TSchema } from '@sinclair/typebox'
import { readDocument, type Document } from './core/document.ts'
import type { ParameterValue } from './core/flow.ts'
import { nearest, type Problem } from './core/problem.ts'
import { Choice, Duration, Flag, Keys, MapOf, Optional, Size, Text, Value, Whole } from './core/schema.ts'
import { checkShape } from './core/shape.ts'
import { egressSchema, readableEgress, type EgressLists } from './egress-setting.ts'
import { placeless, readSetting, type Source } from './setting-source.ts'

/** Every setting: `sluice.yaml` < `SLUICE_*` < flags. The only place where they are written down. */
export const settingsSchema = Keys({
  listen: Text({
    description: 'Host and port of the flow endpoints; port 0 takes a free one.',
    default: '127.0.0.1:8080',
    pattern: '^((\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]\\s]+):)?\\d{1,5}$',
    examples: ['0.0.0.0:8080'],
  }),
  flows: Text({ description: 'Folder of the flows.', default: './flows' }),
  securityMaterial: Text({ description: 'Folder of the credentials.', default: './security-material' }),
  data: Text({
    description: 'Folder of the message log and the state; one engine a folder.',
    default: './data',
  }),
  dev: Flag({
    description: 'Literal secrets are warnings instead of problems. Not for production.',
    default: false,
  }),
  strict: Flag({
    description: 'A broken flow at the start ends the engine with exit code 1; otherwise the others run.',
    default: false,
  }),
  watch: Flag({
    description:
      'Changed flows, scripts and parameters take effect by themselves; else with `sluice reload` or SIGHUP.',
    default: false,
  }),
  shutdown: Keys(
    {
      grace: Duration({
        description: 'How long runs may go on after SIGTERM before they are cancelled.',
        default: '30s',
      }),
    },
    { description: 'How it ends.' },
  ),
  http: Keys(
    {
      proxy: Optional(
        Text({
          description: "Proxy for requests to receivers and token services; the environment's when left out.",
        }),
      ),
      ca: Optional(Text({ description: "File of certificates (PEM) to trust beside the system's." })),
      connections: Whole({
        description: 'Connections to one receiver at once.',
        default: 128,
        minimum: 1,
        maximum: 65_535,
      }),
    },
    { description: 'Requests to receivers and token services.' },
  ),
  egress: egressSchema,
  limits: Keys(
    {
      body: Size({ description: 'Largest body that is read into memory.', default: '40MB' }),
      header: Size({ description: 'Largest head of a request to an endpoint.', default: '16KB' }),
    },
    { description: 'How large things may be.' },
  ),
  log: Keys(
    {
      level: Choice(['debug', 'info', 'warn', 'error'], {
        description: "Of the engine's own log.",
        default: 'info',
      }),
      format: Choice(['auto', 'pretty', 'json'], {
        description: 'auto: pretty on a terminal, JSON else.',
        default: 'auto',
      }),
    },
    { description: "The engine's own log." },
  ),
  messageLog: Keys(
    {
      days: Whole({ description: 'Runs older than this are deleted.', default: 30, minimum: 1 }),
      size: Size({ description: 'Beyond this the oldest runs are deleted.', default: '1GB' }),
    },
    { description: 'The record of runs.' },
  ),
  parameters: Optional(
    MapOf(Value({ description: 'Text, number or boolean; or a map of them for the flow of this name.' }), {
      description: 'Values of parameters, for all flows or for one.',
    }),
  ),
})

export type Settings = Omit<Static<typeof settingsSchema>, 'parameters'> & {
  readonly parameters: Readonly<Record<string, unknown>>
  /** Absolute. */
  readonly projectFolder: string
}

export interface LoadedSettings {
  readonly settings: Settings
  readonly problems: readonly Problem[]
  /** Of sluice.yaml, for printing problems. */
  readonly text: string | undefined
}

/** In the project folder. */
export const SETTINGS_FILE = 'sluice.yaml'
/** Code of a flag whose value is none: the command was called wrongly. */
export const WRONG_FLAG = 'setting/flag'
const PREFIX = 'SLUICE_'
const SECTIONS = ['shutdown', 'http', 'egress', 'limits', 'log', 'messageLog'] as const

/** `http.connections` and the like, with their schemas. */
export function settingNames(schema: TSchema = settingsSchema, prefix = ''): [string, TSchema][] {
  return Object.entries(schema['properties'] as TProperties).flatMap(([name, property]) =>
    property['properties'] === undefined
      ? [[prefix + name, property] as [string, TSchema]]
      : settingNames(property, `${prefix}${name}.`),
  )
}

/** `securityMaterial` -> `SLUICE_SECURITY_MATERIAL`, `log.level` -> `SLUICE_LOG_LEVEL`. */
export function environmentName(setting: string): string {
  return `SLUICE_${setting.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`
}

/** Reads the settings of a project; mistakes come back as problems, with the defaults in their place. */
export async function loadSettings(
  projectFolder: string,
  environment: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string>>,
): Promise<LoadedSettings> {
  const problems: Problem[] = []
  const text = await readFile(join(projectFolder, SETTINGS_FILE), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    },
  )
  const document = text === undefined || saysNothing(text) ? undefined : documentOf(text, problems)
  const values = document === undefined ? {} : fromFile(document, problems)
  for (const section of SECTIONS) values[section] = { ...(values[section] as object | undefined) }
  for (const [name, schema] of settingNames()) {
    if (name === 'parameters') continue
    const given = environment[environmentName(name)]
    if (given !== undefined && given !== '')
      assign(values, name, readSetting(variable(name), name, given, schema, problems))
    const flag = flags[name]
    if (flag !== undefined) assign(values, name, readSetting(option(name), name, flag, schema, problems))
    if (valueOf(values, name) === undefined && schema['default'] !== undefined)
      assign(values, name, readSetting(variable(name), name, String(schema['default']), schema, problems))
  }
  values['egress'] = readableEgress(
    values['egress'] as EgressLists,
    (list, index) => {
      const name = `egress.${list}`
      const given = document === undefined || environment[environmentName(name)]
      return given ? placeless(variable(name).source) : document.place(['egress', list, index])
    },
    problems,
  )
  problems.push(...strayVariables(environment))
  const settings = { parameters: {}, ...values, projectFolder: resolve(projectFolder) } as unknown as Settings
  return { settings: withAbsoluteFolders(settings), problems, text }
}

/** Every line is empty or a comment. */
function saysNothing(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(#|$)/.test(line))
}

function documentOf(text: string, problems: Problem[]): Document | undefined {
  const { document, problems: unreadable } = readDocument(SETTINGS_FILE, text)
  problems.push(...unreadable)
  return document
}

function fromFile(document: Document, problems: Problem[]): Record<string, unknown> {
  const lenient = Keys(
    Object.fromEntries(
      Object.entries(settingsSchema.properties).map(([name, schema]) => [name, optional(schema)]),
    ),
  )
  const { value, problems: mistakes } = checkShape(lenient, document, { subject: 'settings' })
  problems.push(...mistakes)
  return { ...(value as Record<string, unknown> | undefined) }
}

/** Everything may be left out of the file: defaults come last, after environment and flags. */
function optional(schema: TSchema): TSchema {
  const properties = schema['properties'] as TProperties | undefined
  if (properties)
    return Optional(
      Keys(
        Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, optional(property)])),
      ),
    )
  const { default: _, ...rest } = schema
  return Optional({
    ...rest,
    [Symbol.for('TypeBox.Kind')]: (schema as never)[Symbol.for('TypeBox.Kind')],
  } as unknown as TSchema)
}

function variable(name: string): Source {
  return { source: `environment variable ${environmentName(name)}`, code: 'setting/variable' }
}

function option(name: string): Source {
  const words = name.replace(/[A-Z]/g, '-$&').replace('.', '-').toLowerCase()
  return { source: `option --${words}`, code: WRONG_FLAG }
}

/** Variables that look like a setting and are none. Parameters have their own. */
function strayVariables(environment: Readonly<Record<string, string | undefined>>): Problem[] {
  const known = settingNames()
    .filter(([name]) => name !== 'parameters')
    .map(([name]) => environmentName(name).slice(PREFIX.length))
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !/^SLUICE_PARAM(_|$)/.test(name))
    .map((name) => name.slice(PREFIX.length))
    .filter((word) => !known.includes(word))
    .flatMap((word) => {
      const near = nearest(word, known)
      if (near === undefined) return []
      return {
        code: 'setting/unknown-variable',
        severity: 'warning',
        message: `there is no setting for "${PREFIX}${word}"; did you mean "${PREFIX}${near}"?`,
        ...placeless(`environment variable ${PREFIX}${word}`),
      }
    })
}

/** Names of the settings that are different; parameters are not looked at. */
export function differentSettings(one: Settings, other: Settings): string[] {
  const of = (settings: object, name: string) => JSON.stringify(valueOf(settings, name))
  return settingNames()
    .map(([name]) => name)
    .filter((name) => name !== 'parameters' && of(one, name) !== of(other, name))
}

function valueOf(values: object, name: string): unknown {
  return name
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], values)
}

function assign(values: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) return
  const keys = name.split('.')
  const last = keys.pop()!
  const target = keys.reduce((at, key) => at[key] as Record<string, unknown>, values)
  target[last] = value
}

function withAbsoluteFolders(settings: Settings): Settings {
  const from = (folder: string) => resolve(settings.projectFolder, folder)
  return {
    ...settings,
    flows: from(settings.flows),
    securityMaterial: from(settings.securityMaterial),
    data: from(settings.data),
    http: {
      ...settings.http,
      ...(settings.http.ca === undefined ? {} : { ca: from(settings.http.ca) }),
    },
  }
}

/** `host:port`, `[::1]:port` or a port. Undefined: neither. */
export function parseListen(listen: string): { host: string; port: number } | undefined {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/.exec(listen)
  if (!match) return undefined
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port: Number(match[3]) }
}

/** Values that hold for all flows: text, numbers and booleans at the top of `parameters`. */
export function globalParameters(settings: Settings): Record<string, ParameterValue> {
  return Object.fromEntries(
    Object.entries(settings.parameters).filter((entry): entry is [string, ParameterValue] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  )
}
