import {
  apiError,
  contentType,
  count,
  json,
  jsonObject,
  oauthError,
  onlyMethod,
  onlyOptions,
  type Call,
  type Reply,
  type Service,
} from './http.ts'
import { isReply, type TokenBook } from './tokens.ts'

export interface IncentiveSetting {
  readonly tokens: TokenBook
  /** Tokens that one client gets in a minute before it is told to wait. */
  readonly tokensPerMinute: number
  /** Epoch ms. */
  readonly now: () => number
}

export interface Incentive extends Service {
  /** All that was written. */
  readonly credits: readonly Credit[]
}

export interface Credit {
  readonly id: string
  readonly participantId: string
  readonly amount: number
  readonly currency: string
}

const API = '/successfactors/im/'
const FIELDS = ['grant_type', 'client_id', 'client_secret', 'scope']
const SCOPES = ['im.read', 'im.write']
const MINUTE = 60_000
const NAMES = ['Ada', 'Bram', 'Chloé', 'Dieter', 'Elif', 'Femke', 'Giulia', 'Hugo']

/** Who takes part: 40, every fifth no longer. */
const participants = Array.from({ length: 40 }, (_, i) => ({
  id: `P-${String(i + 1).padStart(4, '0')}`,
  name: `${NAMES[i % NAMES.length]} ${String.fromCodePoint(65 + (i % 26))}.`,
  status: i % 5 === 4 ? 'INACTIVE' : 'ACTIVE',
  plan: i % 2 === 0 ? 'SALES' : 'SERVICE',
}))

/**
 * In the manner of SuccessFactors Incentive Management: client credentials in a form body, scopes `im.read` and
 * `im.write`, participants to read, credits to write, and little patience with clients that keep asking for tokens.
 */
export function createIncentive(setting: IncentiveSetting): Incentive {
  const { tokens } = setting
  const credits: Credit[] = []
  const tokenFor = createTokenEndpoint(setting)
  return {
    credits,
    handle(call) {
      const { pathname } = call.url
      if (pathname === '/oauth/token') return tokenFor(call)
      if (pathname === `${API}participants`) {
        const token = tokens.check(call, 'im.read')
        return isReply(token) ? token : listParticipants(call)
      }
      if (pathname === `${API}credits`) {
        const token = tokens.check(call, call.method === 'GET' ? 'im.read' : 'im.write')
        if (isReply(token)) return token
        return (
          onlyMethod(call, 'GET', 'POST') ??
          (call.method === 'GET' ? json({ value: credits }) : write(call, credits))
        )
      }
      return undefined
    },
  }
}

function createTokenEndpoint({ tokens, tokensPerMinute, now }: IncentiveSetting): (call: Call) => Reply {
  const recent = new Map<string, number[]>()
  return (call) => {
    const early = tokens.receive(call) ?? onlyMethod(call, 'POST')
    if (early) return early
    if (contentType(call) !== 'application/x-www-form-urlencoded')
      return oauthError(
        400,
        'invalid_request',
        `the content type must be application/x-www-form-urlencoded, found "${contentType(call)}"`,
      )
    const form = new URLSearchParams(call.body.toString('utf8'))
    const flaw = flawOf(form)
    if (flaw !== undefined) return oauthError(400, 'invalid_request', flaw)
    if (form.get('grant_type') !== 'client_credentials')
      return oauthError(400, 'unsupported_grant_type', 'grant_type must be client_credentials')
    const client = tokens.authenticate(form.get('client_id')!, form.get('client_secret')!, 'Bearer')
    if (isReply(client)) return client

    const times = (recent.get(client.id) ?? []).filter((time) => time > now() - MINUTE)
    recent.set(client.id, times)
    if (times.length >= tokensPerMinute)
      return oauthError(
        429,
        'too_many_requests',
        `more than ${tokensPerMinute} tokens in a minute; keep the one you have`,
        {
          'retry-after': String(Math.max(1, Math.ceil((times[0]! + MINUTE - now()) / 1000))),
        },
      )
    const scopes = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
    if (scopes.some((scope) => !SCOPES.includes(scope)))
      return oauthError(400, 'invalid_scope', `there are the scopes ${SCOPES.join(' and ')}`)
    const extra = scopes.find((scope) => !client.scopes.includes(scope))
    if (extra !== undefined)
      return oauthError(403, 'invalid_scope', `the scope ${extra} is not granted to this client`)
    times.push(now())
    return tokens.issue(client, scopes.length === 0 ? client.scopes : scopes)
  }
}

/** What is malformed, naming the field. */
function flawOf(form: URLSearchParams): string | undefined {
  const names = [...form.keys()]
  const unknown = names.find((name) => !FIELDS.includes(name))
  const missing = FIELDS.slice(0, 3).find((name) => !form.get(name))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (missing !== undefined)
    return `${missing} is missing in the body${unknown === undefined ? '' : `; ${printable(unknown)} is not known`}`
  if (unknown !== undefined) return `${printable(unknown)} is not known`
  return twice === undefined ? undefined : `${twice} is there twice`
}

function printable(name: string): string {
  return `"${name.replace(/[^\x20-\x7e]/g, '?').slice(0, 40)}"`
}

function listParticipants(call: Call): Reply {
  const wrong = onlyMethod(call, 'GET') ?? onlyOptions(call, ['$filter', '$top'])
  if (wrong) return wrong
  const top = count(call, '$top', participants.length)
  if (typeof top !== 'number') return top
  const filter = call.url.searchParams.get('$filter')
  const [, field, value] = /^(status|plan) eq '([^']*)'$/.exec(filter ?? '') ?? []
  if (filter !== null && field === undefined)
    return apiError(400, 'invalid_filter', "$filter wants status eq 'VALUE' or plan eq 'VALUE'")
  const found = participants.filter(
    (participant) => field === undefined || participant[field as 'status' | 'plan'] === value,
  )
  return json({ value: found.slice(0, top) })
}

function write(call: Call, credits: Credit[]): Reply {
  if (contentType(call) !== 'application/json')
    return apiError(415, 'content_type', 'a credit is sent as application/json')
  const { participantId, amount, currency } = jsonObject(call) ?? {}
  if (!participants.some(({ id, status }) => id === participantId && status === 'ACTIVE'))
    return apiError(422, 'participant', 'participantId names no active participant')
  if (typeof amount !== 'number' || !Number.isFinite(amount))
    return apiError(422, 'amount', 'amount is no number')
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency))
    return apiError(422, 'currency', 'currency is no code of three capital letters')
  const credit: Credit = {
    id: `C-${String(credits.length + 1).padStart(6, '0')}`,
    participantId: participantId as string,
    amount,
    currency,
  }
  credits.push(credit)
  return json(credit, 201, { location: `${call.url.origin}${API}credits/${credit.id}` })
}
