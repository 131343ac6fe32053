import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Static, TProperties, TSchema } from '@sinclair/typebox'
import { readDocument } from './core/document.ts'
import type { ParameterValue } from './core/flow.ts'
import type { Place, Problem } from './core/problem.ts'
import { Keys, Optional } from './core/schema.ts'
import { checkShape } from './core/shape.ts'
import { readableEgress, type EgressLists } from './egress-setting.ts'
import { unnamedIssuer } from './issuer-setting.ts'
import {
  certificateMistake,
  mistakeOf,
  parameterMistakes,
  strayVariables,
  unreadable,
  withoutParameters,
} from './setting-check.ts'
import { placeless, readSetting, type Source } from './setting-source.ts'
import { assign, leaveOut, valueOf } from './setting-values.ts'
import { KEY_FILE } from './security/secret-keys.ts'
import { settingsSchema } from './settings-schema.ts'
import { TLS_FILES, tlsMistake, type TlsSetting } from './tls-setting.ts'
import { readableProxies, unreadHeader } from './trusted-proxies.ts'
import { vaultMistake, type VaultSetting } from './vault-setting.ts'

export { settingsSchema }

/** Where metrics and health are served when the setting says no more than `on`. */
const MANAGEMENT = '127.0.0.1:9090'

export type Settings = Omit<Static<typeof settingsSchema>, 'parameters' | 'secret'> & {
  readonly parameters: Readonly<Record<string, unknown>>
  /** Where those of sluice.yaml stand. */
  readonly parameterPlaces: ReadonlyMap<string, Place>
  /** Where those of `tls` stand that name a file or a secret. */
  readonly tlsPlaces: ReadonlyMap<string, Place>
  /** Absolute. */
  readonly secret: { readonly file: string; readonly keyFile: string }
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
const SECTIONS = [
  'tls',
  'managementAccess',
  'secret',
  'vault',
  'shutdown',
  'http',
  'connectivityProxy',
  'egress',
  'access',
  'limits',
  'log',
  'messageLog',
] as const

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
      if (error.code !== 'ENOENT') problems.push(unreadable(error.code))
      return undefined
    },
  )
  const { values, placeOf } =
    text === undefined || saysNothing(text) ? { values: {}, placeOf: undefined } : fromFile(text, problems)
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
      const given = placeOf === undefined || environment[environmentName(name)]
      return given ? placeless(variable(name).source) : placeOf(['egress', list, index])
    },
    problems,
  )
  const vault = values['vault'] as VaultSetting
  const wrong = vaultMistake(vault)
  if (wrong) {
    const { at, ...mistake } = wrong
    const place = placeOf?.(['vault', ...at]) ?? placeless(SETTINGS_FILE)
    problems.push({ code: 'setting/vault', severity: 'error', ...mistake, ...place })
    values['vault'] = { ...vault, address: undefined }
  }
  const placeIn = (name: string, ...at: number[]) => {
    if (flags[name] !== undefined) return placeless(option(name).source)
    return environment[environmentName(name)] || placeOf === undefined
      ? placeless(variable(name).source)
      : placeOf([...name.split('.'), ...at])
  }
  const placeOfProxy = (index: number) => placeIn('access.trustedProxies', index)
  const tls = values['tls'] as TlsSetting
  const access = values['access'] as AccessLists
  const wrongTls = tlsMistake(tls, access.certificateHeader !== undefined)
  if (wrongTls) {
    const { at, ...mistake } = wrongTls
    problems.push({ code: 'setting/tls', severity: 'error', ...mistake, ...placeIn(`tls.${at}`) })
    values['tls'] = { ...tls, passphrase: undefined, clientCa: undefined }
  }
  problems.push(...unreadHeader(access, placeIn))
  problems.push(...unnamedIssuer(parseListen(String(values['listen']))?.host, access.issuer, placeIn))
  values['access'] = { ...access, ...readableProxies(access.trustedProxies, placeOfProxy, problems) }
  problems.push(...strayVariables(environment, variables()))
  const parameters = (values['parameters'] ?? {}) as Settings['parameters']
  const parameterPlaces = new Map(
    Object.keys(parameters).map((name) => [name, placeOf!(['parameters', name], 'key')]),
  )
  const settings = withAbsoluteFolders({
    ...values,
    parameters,
    parameterPlaces,
    tlsPlaces: new Map([...TLS_FILES, 'passphrase'].map((name) => [name, placeIn(`tls.${name}`)])),
    projectFolder: resolve(projectFolder),
  } as unknown as Settings)
  const { ca, ...http } = settings.http
  const mistake = ca === undefined ? undefined : await certificateMistake(ca)
  if (!mistake) return { settings, problems, text }
  const given = environment[environmentName('http.ca')]
  const place = given ? placeless(variable('http.ca').source) : placeOf!(['http', 'ca'])
  problems.push({ ...mistake, severity: 'error', ...place })
  return { settings: { ...settings, http }, problems, text }
}

interface AccessLists {
  readonly trustedProxies?: readonly (string | undefined)[]
  readonly certificateHeader?: string
  readonly issuer?: string
}

type PlaceOf = (path: readonly (string | number)[], on?: 'key') => Place

/** Every line is empty or a comment. */
function saysNothing(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(#|$)/.test(line))
}

function fromFile(
  text: string,
  problems: Problem[],
): { values: Record<string, unknown>; placeOf: PlaceOf | undefined } {
  const { document, problems: mistakesOfText } = readDocument(SETTINGS_FILE, text)
  problems.push(...mistakesOfText.map(withoutParameters))
  if (!document) return { values: {}, placeOf: undefined }
  const lenient = Keys(
    Object.fromEntries(
      Object.entries(settingsSchema.properties).map(([name, schema]) => [name, optional(schema)]),
    ),
  )
  const { value, problems: mistakes } = checkShape(lenient, document, { subject: 'settings' })
  problems.push(...mistakes.map(withoutParameters))
  const values = { ...(value as Record<string, unknown> | undefined) }
  for (const [name] of settingNames()) {
    const mistake = mistakeOf(name, valueOf(document.value as object, name))
    if (!mistake) continue
    problems.push({ ...mistake, severity: 'error', ...document.place(name.split('.')) })
    leaveOut(values, name)
  }
  problems.push(...parameterMistakes(document))
  return { values, placeOf: (path, on) => document.place(path, on && { on }) }
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

/** Names of all variables that are a setting. */
function variables(): string[] {
  return settingNames()
    .filter(([name]) => name !== 'parameters')
    .map(([name]) => environmentName(name))
}

/** Names of the settings that are different; parameters are not looked at. */
export function differentSettings(one: Settings, other: Settings): string[] {
  const of = (settings: object, name: string) => JSON.stringify(valueOf(settings, name))
  return settingNames()
    .map(([name]) => name)
    .filter((name) => name !== 'parameters' && of(one, name) !== of(other, name))
}

function withAbsoluteFolders(settings: Settings): Settings {
  const from = (...path: string[]) => resolve(settings.projectFolder, ...path)
  const { securityMaterial, data } = settings
  const { file, keyFile } = settings.secret as Partial<Settings['secret']>
  return {
    ...settings,
    flows: from(settings.flows),
    securityMaterial: from(securityMaterial),
    data: from(data),
    secret: {
      file: file === undefined ? from(securityMaterial, 'secrets.yaml') : from(file),
      keyFile: keyFile === undefined ? from(data, KEY_FILE) : from(keyFile),
    },
    tls: {
      ...settings.tls,
      ...Object.fromEntries(
        TLS_FILES.flatMap((name) => {
          const file = settings.tls[name]
          return file === undefined ? [] : [[name, from(file)]]
        }),
      ),
    },
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

/** Where metrics and health are served; undefined: nowhere. */
export function managementAddress({
  management,
}: Pick<Settings, 'management'>): { host: string; port: number } | undefined {
  const text = String(management)
  if (text === 'off' || text === 'false') return undefined
  return parseListen(text === 'on' || text === 'true' ? MANAGEMENT : text)
}

/** Values that hold for all flows: text, numbers and booleans at the top of `parameters`. */
export function globalParameters(settings: Settings): Record<string, ParameterValue> {
  return Object.fromEntries(
    Object.entries(settings.parameters).filter((entry): entry is [string, ParameterValue] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  )
}
