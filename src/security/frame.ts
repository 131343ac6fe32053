import type { Static, TObject, TProperties, TSchema } from '@sinclair/typebox'
import { isHeaderName, isHeaderValue } from '../core/header.ts'
import { toText } from '../core/json.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { Choice, Flag, Keys, ListOf, MapOf, Optional, Text, Value } from '../core/schema.ts'
import { CLOUD_CONNECTOR_FIELDS, readCloudConnector, type OnPremise } from './cloud-connector.ts'
import { createHostRules, hostRuleOf, readHostRule, type HostRules } from './hosts.ts'
import { readReach, REACH_FIELDS, type Reach } from './reach.ts'
import {
  readRotation,
  ROTATION_FIELDS,
  type Rotation,
  type RotationOptions,
  type SecretField,
} from './rotation.ts'
import { secretFields } from './secret-fields.ts'
import { readUrl } from './url.ts'

const freeMap = (description: string, examples: unknown[]) =>
  Optional(MapOf(Value({ description }), { description, examples }))

/** What every kind of credential for requests may say. */
const FIELDS = {
  description: Optional(Text({ description: 'For people.' })),
  baseUrl: Optional(
    Text({
      description:
        'Where relative addresses of flows begin; its host is the one that the credential may go to.',
      examples: ['https://acme.plateau.com/learning/odatav4/'],
    }),
  ),
  allowedHosts: Optional(
    ListOf(Text({ description: 'host, host:port or *.domain' }), {
      description: 'Where the credential may go, when that is not only the host of `baseUrl`.',
      examples: [['acme.plateau.com', '*.example.com:8443']],
    }),
  ),
  findable: Optional(
    Flag({
      description:
        'Whether callers with the role `destination.read` get its token, as a destination; where the setting `findDestination` is on.',
      default: false,
    }),
  ),
  apiHeaders: freeMap('Headers that go along with each request, only where the credential may go.', [
    { 'x-tenant': 'acme' },
  ]),
  apiQuery: freeMap('Query parameters that go along with each request, only where the credential may go.', [
    { tenant: 'acme' },
  ]),
}

const ALL_FIELDS = { ...FIELDS, ...REACH_FIELDS, ...CLOUD_CONNECTOR_FIELDS }

/** The whole schema of a file: the type, the common fields, and those of the kind. */
export function frameSchema(types: readonly string[], own: TSchema): TObject {
  const known = schemas.get(own)
  if (known?.types === types.join()) return known.schema
  const schema = schemaOf(types, own)
  schemas.set(own, { types: types.join(), schema })
  return schema
}

/** The last one of each kind: a thousand files of it are read with one. */
const schemas = new WeakMap<TSchema, { readonly types: string; readonly schema: TObject }>()

function schemaOf(types: readonly string[], own: TSchema): TObject {
  const type = Choice(types, { description: 'The kind of credential.' })
  const rotation = secretFields(own, undefined).length > 0 ? ROTATION_FIELDS : {}
  return Keys({ type, ...ALL_FIELDS, ...rotation, ...(own['properties'] as TProperties) })
}

export type FrameOptions = Static<TObject<typeof ALL_FIELDS>> & RotationOptions

/** What goes along with each request, and where to. */
export interface Frame {
  readonly description: string | undefined
  /** Its path ends with a slash, so that relative addresses add to it. */
  readonly baseUrl: URL | undefined
  readonly hosts: HostRules
  /** Other programs may have what it authenticates with. */
  readonly findable: boolean
  /** Flat: name, value. */
  readonly apiHeaders: readonly string[]
  readonly apiQuery: string
  /** Undefined: the age of its secret is not known. */
  readonly rotation: Rotation | undefined
  readonly reach: Reach
  /** Undefined: nothing goes by the Cloud Connector. */
  readonly onPremise: OnPremise | undefined
}

type Reporter = (report: ProblemReport) => void

/** Reads the common fields; what is wrong with them is reported. */
export function readFrame(
  options: FrameOptions,
  secrets: readonly SecretField[],
  now: number,
  problem: Reporter,
  asksService: boolean,
): Frame {
  const onPremise = readCloudConnector(options, asksService)
  const virtual = onPremise?.calls === true
  const baseUrl = readBaseUrl(options.baseUrl, virtual, problem)
  const findable = options.findable ?? false
  if (findable && options.baseUrl === undefined)
    problem({
      code: 'credential/missing-field',
      message:
        '"findable" is there, and "baseUrl" is not: who finds a destination wants to know where to call',
      hint: 'Add baseUrl: https://api.example.com/.',
      at: ['findable'],
      on: 'key',
    })
  return {
    findable,
    description: options.description,
    baseUrl,
    hosts: readHosts(options, baseUrl, virtual, problem),
    apiHeaders: readHeaders(options.apiHeaders ?? {}, problem),
    apiQuery: readQuery(options.apiQuery ?? {}, problem),
    reach: readReach(options, { asksService, now, problem }),
    rotation: readRotation(options, secrets, now, problem),
    onPremise,
  }
}

/** @param virtual it leads to a virtual host of the Cloud Connector */
function readBaseUrl(text: string | undefined, virtual: boolean, problem: Reporter): URL | undefined {
  if (text === undefined) return undefined
  const url = readUrl(text, virtual)
  if (!(url instanceof URL)) {
    problem({ code: 'credential/url', ...url, message: `"baseUrl" ${url.message}`, at: ['baseUrl'] })
    return undefined
  }
  if (url.search !== '')
    problem({
      code: 'credential/url',
      message: '"baseUrl" holds a query, which relative addresses would replace',
      hint: 'Put what each request needs into apiQuery.',
      at: ['baseUrl'],
      offset: text.indexOf('?'),
      length: text.length - text.indexOf('?'),
    })
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function readHosts(
  options: FrameOptions,
  baseUrl: URL | undefined,
  virtual: boolean,
  problem: Reporter,
): HostRules {
  const written = options.allowedHosts ?? []
  if (written.length === 0) {
    if (options.baseUrl === undefined)
      problem({
        code: 'credential/no-host',
        message:
          options.allowedHosts === undefined
            ? 'neither "baseUrl" nor "allowedHosts" is there; a credential is bound to the hosts it may go to'
            : '"allowedHosts" is empty, and "baseUrl" is not there; a credential is bound to the hosts it may go to',
        hint: 'Add baseUrl: https://api.example.com/ or allowedHosts: [api.example.com].',
        at: options.allowedHosts === undefined ? [] : ['allowedHosts'],
      })
    return createHostRules(baseUrl ? [hostRuleOf(baseUrl)] : [], virtual)
  }
  const rules = written.flatMap((text, index) => {
    const rule = readHostRule(text)
    if (typeof rule !== 'string') return [rule]
    problem({
      code: 'credential/host',
      message: `"${text}" ${rule}`,
      hint: 'Entries are api.example.com, api.example.com:8443 or *.example.com.',
      at: ['allowedHosts', index],
    })
    return []
  })
  const hosts = createHostRules(rules, virtual)
  if (baseUrl && rules.length === written.length && !hosts.allows(baseUrl))
    problem({
      code: 'credential/host',
      message: `"baseUrl" leads to ${baseUrl.host}, where the credential may not go; "allowedHosts" says ${hosts.names.join(', ')}`,
      hint: `Add ${baseUrl.host} to allowedHosts.`,
      at: ['baseUrl'],
    })
  return hosts
}

const OWN_HEADERS = new Set(['authorization', 'host', 'content-length', 'transfer-encoding', 'connection'])

function readHeaders(headers: Readonly<Record<string, unknown>>, problem: Reporter): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const report = (message: string, hint: string) =>
      problem({ code: 'credential/header', message, hint, at: ['apiHeaders', name], on: 'key' })
    if (!isHeaderName(name))
      report(
        `"${name}" cannot be the name of a header`,
        'Letters, digits and hyphens are fine; no spaces, colons or quotes.',
      )
    else if (OWN_HEADERS.has(name.toLowerCase()))
      report(
        `the header "${name}" is not free`,
        name.toLowerCase() === 'authorization' ? 'The credential itself makes it.' : 'The engine sets it.',
      )
    else if (typeof value === 'object' || !isHeaderValue(toText(value)))
      report(
        `the value of the header "${name}" cannot be sent`,
        'It is one text of Latin characters on one line; quote numbers that must stay as written.',
      )
    else return [name, toText(value)]
    return []
  })
}

function readQuery(query: Readonly<Record<string, unknown>>, problem: Reporter): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof item === 'object')
        problem({
          code: 'credential/query',
          message: `the value of the query parameter "${name}" is no text`,
          hint: 'Write a text, a number, or a list of them.',
          at: ['apiQuery', name],
        })
      else parameters.append(name, toText(item))
    }
  }
  return parameters.toString()
}
