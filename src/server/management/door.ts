import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { Actor } from '../../core/audit.ts'
import { ruleOf, type ManagementRole } from '../../core/management-role.ts'
import type { Access, Logger } from '../../core/services.ts'
import { problemReply } from '../problem-json.ts'
import { RouteCall } from '../route-call.ts'
import type { DevSession } from './dev-session.ts'
import { queryOf, withoutQuery } from '../../core/url-query.ts'

export interface DoorSetting {
  readonly access: Pick<Access, 'admit'>
  /** Where a request comes from. */
  readonly addressOf: (raw: IncomingMessage) => string
  /** Names under which it may be called, beside addresses and `localhost`. */
  readonly hosts: readonly string[]
  /** There under `--dev`. */
  readonly session: DevSession | undefined
  readonly log: Logger
  /** Takes live secrets out of a text. */
  readonly redact: (text: string) => string
}

/** ms without a byte taken, after which a slow reader is given up. */
const PATIENCE = 60_000
/** Requests of those let in that are answered at once, and of those whom nobody asks who they are. */
const MOST_AT_ONCE = 64
/** Whoever has used the link of `sluice dev`. */
const LINK_USER = 'local user (link)'

/** Who may use the management listener: judged by the headers, before a byte of the body is read. */
export class Door {
  readonly #setting: DoorSetting
  readonly #names: ReadonlySet<string>
  readonly #inside = { known: 0, anybody: 0 }

  constructor(setting: DoorSetting) {
    this.#setting = setting
    this.#names = new Set(setting.hosts.map((name) => name.toLowerCase()))
  }

  /**
   * Who asks; undefined: it was refused, and has its answer.
   * @param lacks is told of a caller that is who it says, and lacks the role
   */
  async admit(
    role: ManagementRole,
    raw: IncomingMessage,
    reply: ServerResponse,
    lacks?: (actor: Actor) => void,
  ): Promise<Actor | undefined> {
    if (!this.#comesRight(raw, reply)) return undefined
    const address = this.#setting.addressOf(raw)
    if (this.#setting.session?.holds(raw.headers.cookie, raw.socket.localPort))
      return this.#hasRoom('known', raw, reply) ? { who: LINK_USER, address } : undefined
    const call = this.#callOf(raw, reply)
    const caller = await this.#setting.access.admit(ruleOf(role), undefined, {
      raw,
      query: call.query,
      address,
      called: `the address ${call.path}`,
      deny(denial) {
        if (denial.caller !== undefined) lacks?.({ who: denial.caller, address })
        call.deny(denial)
      },
    })
    return caller && this.#hasRoom('known', raw, reply) ? { who: caller.id, address } : undefined
  }

  /** For what everybody may have; false: it was refused, and has its answer. */
  admitAnybody(raw: IncomingMessage, reply: ServerResponse): boolean {
    return this.#comesRight(raw, reply) && this.#hasRoom('anybody', raw, reply)
  }

  /** Whether it was called by a name of its own, and not by another site's page; else it has its answer. */
  #comesRight(raw: IncomingMessage, reply: ServerResponse): boolean {
    const refuse = (status: number, title: string, detail: string) => {
      this.#callOf(raw, reply).problem(problemReply(status, title, { detail }))
      return false
    }
    const { host = '' } = raw.headers
    if (!this.#isOwn(host))
      return refuse(
        421,
        'The address is called by a name that is not its own',
        `"${this.#setting.redact(host.slice(0, 200))}" is not known here; the setting managementAccess.hosts lists the names that are`,
      )
    if (isForeign(raw))
      return refuse(403, 'Pages of other sites may not call', 'the browser says that another site asks')
    return true
  }

  /** Those who were refused take no room: they could shut out those who may come in. */
  #hasRoom(who: 'known' | 'anybody', raw: IncomingMessage, reply: ServerResponse): boolean {
    if (this.#inside[who] >= MOST_AT_ONCE) {
      const detail = 'try again in a second'
      this.#callOf(raw, reply).problem(problemReply(503, 'Too many requests at once', { detail }))
      return false
    }
    if (reply.destroyed) return false
    this.#inside[who]++
    reply.once('close', () => this.#inside[who]--)
    return true
  }

  /** A page whose name was made to lead here (DNS rebinding) has a name; so addresses are always good. */
  #isOwn(host: string): boolean {
    const name = host.replace(/:\d*$/, '').toLowerCase()
    const plain = /^\[(.*)\]$/.exec(name)?.[1] ?? name
    return isIP(plain) !== 0 || name === 'localhost' || name.endsWith('.localhost') || this.#names.has(name)
  }

  #callOf(raw: IncomingMessage, reply: ServerResponse): RouteCall {
    return new RouteCall(raw, reply, {}, queryOf(raw.url!), withoutQuery(raw.url!), {
      ...this.#setting,
      patience: PATIENCE,
    })
  }
}

/** A page of another site; a link there that is followed is not. @see https://www.w3.org/TR/fetch-metadata/ */
function isForeign({ headers, method }: IncomingMessage): boolean {
  const { origin, host } = headers
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)) return true
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  return !(method === 'GET' && headers['sec-fetch-mode'] === 'navigate')
}
