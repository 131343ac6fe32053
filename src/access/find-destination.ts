import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isRole, type AccessRule, type Caller } from '../core/access.ts'
import type { Audit } from '../core/audit.ts'
import { Cancellable } from '../core/cancellation.ts'
import { Failure } from '../core/failure.ts'
import type { DestinationProperties, FindableDestination, FindableDestinations } from '../core/findable.ts'
import type { Addresses, Denial, Logger } from '../core/services.ts'
import type { Clock } from '../core/world.ts'
import { authTokensOf, sayTokens, type AuthToken } from './auth-tokens.ts'
import type { Gate } from './gate.ts'
import { answerJson } from './json-answer.ts'
import { queryOf, withoutQuery } from '../core/url-query.ts'

/** Who has it may find every destination; with `:NAME` behind it, that one. */
const FIND_ROLE = 'destination.read'

const BASE = '/destination-configuration/v1'
/** Here the name is followed by its level. */
const CONSUME = '/destination-configuration/v2/destinations/'
/** ms that a token may take. */
const PATIENCE = 60_000
/** Characters of what a caller sent that are logged. */
const LONGEST_NAME = 150
/** Clients of SAP look at this text. */
const UNKNOWN = 'Configuration with the specified name was not found'
/** They say for whom the token shall be, or by what; a destination here is its credential's, and nobody else's. */
const FOR_OTHERS =
  /^x-(user-token|refresh-token|code(-.+)?|redirect-uri|subject-token(-.+)?|actor-token(-.+)?|client-assertion(-.+)?|chain-.+|fragment-.+)$/

export interface FindSetting {
  readonly destinations: FindableDestinations
  readonly gate: Pick<Gate, 'admit'>
  readonly clock: Clock
  /** Of this engine, in the place of a subaccount. */
  readonly zone: () => string
  readonly log: Logger
  readonly audit: Audit
  /** Where a request comes from. */
  addressOf(raw: IncomingMessage): string
}

/** One request of somebody who may ask. */
interface Asked {
  readonly raw: IncomingMessage
  readonly reply: ServerResponse
  readonly caller: Caller
  /** Decoded; undefined where all are asked for. */
  readonly name: string | undefined
  /** Behind the name: `NAME@subaccount`. */
  readonly level: string | undefined
  readonly query: URLSearchParams
}

type Answer = (asked: Asked, setting: FindSetting) => void | Promise<void>

/**
 * The addresses of the destination service of BTP, as far as other programs find destinations by them.
 * @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/find-destination-response-structure
 */
export function findAddresses(setting: FindSetting): Addresses {
  return new Map(
    [
      [`${BASE}/destinations/`, findOne] as const,
      [`${BASE}/subaccountDestinations`, listAll] as const,
      [`${BASE}/subaccountDestinations/`, showOne] as const,
      [`${BASE}/instanceDestinations`, listNone] as const,
      [`${BASE}/instanceDestinations/`, notHere] as const,
      [CONSUME, consumeOne] as const,
    ].map(([address, answer]) => [address, serve(address, answer, setting)] as const),
  )
}

/** An id of the engine that looks like that of a subaccount; the same for the same issuer. */
export function zoneOf(issuer: string): string {
  const hex = createHash('sha256').update(issuer).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

function serve(address: string, answer: Answer, setting: FindSetting) {
  return async (raw: IncomingMessage, reply: ServerResponse): Promise<void> => {
    raw.resume()
    if (raw.method !== 'GET' && raw.method !== 'HEAD') {
      answerMistake(reply, 405, 'this address takes GET only', ['allow', 'GET, HEAD'])
      return
    }
    const query = queryOf(raw.url!)
    const asked = address.endsWith('/') ? decoded(withoutQuery(raw.url!).slice(address.length)) : undefined
    const [, name = asked, level] = (address === CONSUME && /^(.*)@(\w+)$/.exec(asked ?? '')) || []
    const caller = await setting.gate.admit(ruleFor(name), undefined, {
      raw,
      query,
      address: setting.addressOf(raw),
      called: `the address ${address}`,
      deny: ({ status, title, headers, code, id }: Denial) =>
        answerMistake(reply, status, title, headers, { code, id }),
    })
    if (caller) await answer({ raw, reply, caller, name, level, query: new URLSearchParams(query) }, setting)
  }
}

/** What is not encoded correctly stays as it is: no destination has such a name. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function ruleFor(name: string | undefined): AccessRule {
  const own = `${FIND_ROLE}:${name}`
  return { roles: name !== undefined && isRole(own) ? [FIND_ROLE, own] : [FIND_ROLE], all: false }
}

const findOne: Answer = async (asked, setting) => {
  const found = await takeOut(asked, setting)
  if (found) answerJson(asked.reply, 200, { owner: ownerOf(setting), ...found })
}

/** @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/referring-resources-using-rest-api */
const consumeOne: Answer = async (asked, setting) => {
  const { reply, name, level, query } = asked
  if (level === undefined) {
    answerMistake(reply, 400, 'the level is missing behind the name: NAME@subaccount')
    return
  }
  if (level !== 'subaccount' && level !== 'provider_subaccount') {
    answerMistake(reply, 404, UNKNOWN)
    return
  }
  const found = await takeOut(asked, setting)
  if (!found) return
  const owner = { destinations: [{ Name: name, ...ownerOf(setting) }] }
  const $metadata = query.get('includeMetadata') === 'owner' ? { owner } : undefined
  const { destinationConfiguration, ...rest } = found
  answerJson(reply, 200, {
    destinationConfiguration: { ...destinationConfiguration, ...($metadata && { $metadata }) },
    ...rest,
  })
}

function ownerOf({ zone }: FindSetting): object {
  return { SubaccountId: zone(), InstanceId: null }
}

/** A destination with its tokens. Undefined: there is none, and the request has its answer. */
async function takeOut(
  asked: Asked,
  setting: FindSetting,
): Promise<
  { destinationConfiguration: DestinationProperties; authTokens?: readonly AuthToken[] } | undefined
> {
  const { raw, reply, query } = asked
  const foreign = Object.keys(raw.headers).find((header) => FOR_OTHERS.test(header))
  if (foreign !== undefined) {
    tell(asked, setting, 'refused', `refused, it has the header ${foreign}`)
    const why = `the header "${foreign}" is not taken here: tokens are those of the destination itself`
    answerMistake(reply, 400, why)
    return undefined
  }
  const found = lookUp(asked, setting)
  if (!found) return undefined
  const skips = query.get('$skipTokenRetrieval')?.toLowerCase() === 'true'
  const authTokens = skips ? [] : await tokensFor(asked, found, setting)
  const { words, more } = skips ? { words: 'found, without a token as it wished' } : sayTokens(authTokens)
  tell(asked, setting, 'done', words, more)
  return { destinationConfiguration: found.properties, ...(authTokens.length > 0 && { authTokens }) }
}

const showOne: Answer = (asked, setting) => {
  const found = lookUp(asked, setting)
  if (!found) return
  tell(asked, setting, 'done', 'found, its properties only')
  answerJson(asked.reply, 200, found.properties)
}

const listAll: Answer = (asked, setting) => {
  const { destinations } = setting
  const all = destinations.names().flatMap((name) => {
    const found = destinations.find(name)
    return typeof found === 'string' ? [] : [found.properties]
  })
  tell(asked, setting, 'done', `${all.length} found, their properties only`)
  answerJson(asked.reply, 200, all)
}

const listNone: Answer = ({ reply }) => answerJson(reply, 200, [])

const notHere: Answer = ({ reply }) => answerMistake(reply, 404, UNKNOWN)

/** Undefined: there is none, and the request has its answer. */
function lookUp(asked: Asked, setting: FindSetting): FindableDestination | undefined {
  const found = setting.destinations.find(asked.name!)
  if (typeof found !== 'string') return found
  tell(asked, setting, 'refused', `not found, ${found}`)
  answerMistake(asked.reply, 404, UNKNOWN)
  return undefined
}

async function tokensFor(
  { raw, reply }: Asked,
  found: FindableDestination,
  { clock }: FindSetting,
): Promise<readonly AuthToken[]> {
  const until = new Cancellable(clock.ticks() + PATIENCE)
  const hungUp = () => until.cancel(new Failure('flow.cancelled', 'the caller has gone'))
  reply.once('close', hungUp)
  try {
    return await authTokensOf(found, until, tenantOf(raw))
  } finally {
    reply.off('close', hungUp)
  }
}

function tenantOf({ headers }: IncomingMessage): string | undefined {
  const tenant = headers['x-tenant']
  return tenant === undefined ? undefined : String(tenant)
}

/**
 * Every time that somebody asked for a destination: who, for what, and what came of it.
 * @param more for the log only: the audit log counts what has the same words
 */
function tell(
  { raw, caller, name }: Asked,
  { log, addressOf, audit }: FindSetting,
  outcome: 'done' | 'refused',
  words: string,
  more = '',
): void {
  const destination = name?.slice(0, LONGEST_NAME)
  const what =
    destination === undefined ? 'all destinations' : `the destination ${JSON.stringify(destination)}`
  const address = addressOf(raw)
  log.info(
    { caller: caller.id, destination, tenant: tenantOf(raw)?.slice(0, LONGEST_NAME), address },
    `${caller.id} asked for ${what}: ${words}${more}`,
  )
  audit.count({
    who: caller.id,
    address,
    what: 'destination.found',
    object: outcome === 'done' ? destination : undefined,
    outcome,
    detail: words,
  })
}

function answerMistake(
  reply: ServerResponse,
  status: number,
  message: string,
  headers: readonly string[] = [],
  more: object = {},
): void {
  answerJson(reply, status, { ErrorMessage: message, ...more }, headers)
}
