import { join } from 'node:path'
import type { AccessRule, Caller } from '../core/access.ts'
import type { Access, Addresses, Logger, RouteRequest } from '../core/services.ts'
import type { Timer, World } from '../core/world.ts'
import { addressesOf } from './addresses.ts'
import { Clients } from './clients.ts'
import { Gate } from './gate.ts'
import { RefusalLog } from './refusal-log.ts'
import { SecretCheck } from './secret-check.ts'
import { SigningKeys } from './signing-keys.ts'
import { TokenRecords } from './token-records.ts'
import { Tokens } from './tokens.ts'

/** Between looks whether it is time for a new signing key. */
const HOUR = 3_600_000

export interface AccessSetting {
  readonly world: Pick<World, 'clock' | 'newId'>
  readonly log: Logger
}

export interface OpenSetting {
  /** Of the state; absolute, and there. */
  readonly folder: string
  /** The address of this engine, as tokens name it. */
  readonly issuer: () => string
  readonly audience: () => string
}

/** Who may call: clients, their tokens, and the gate before endpoints that are not public. */
export class AuthorizationServer implements Access {
  readonly clients: Clients
  readonly #setting: AccessSetting
  #gate: Gate | undefined

  constructor(setting: AccessSetting) {
    this.#setting = setting
    this.clients = new Clients(setting.log)
  }

  admit(
    rule: AccessRule,
    flow: string,
    request: RouteRequest,
  ): Caller | undefined | Promise<Caller | undefined> {
    if (this.#gate) return this.#gate.admit(rule, flow, request)
    throw new Error('the gate is not open: nothing listens')
  }

  /** Reads keys and tokens; from now on there is somebody at the gate. @throws Error `SLUICE_ACCESS` */
  async open({ folder, issuer, audience }: OpenSetting): Promise<{
    readonly addresses: Addresses
    close(): Promise<void>
  }> {
    const { log, world } = this.#setting
    const { clock } = world
    const ofId = (clientId: string) => this.clients.ofId(clientId)
    const keys = await SigningKeys.open(join(folder, 'access-keys.json'), clock)
    const records = await TokenRecords.open(join(folder, 'access-tokens.json'), clock, log)
    const secrets = new SecretCheck({ clock, ofId })
    const tokens = new Tokens({ keys, records, clock, issuer, audience, ofId })
    const shared = { tokens, secrets, refusals: new RefusalLog(log, clock) }
    this.#gate = new Gate({ ...shared, newId: () => world.newId() })
    let timer: Timer
    const rotateLater = () => {
      timer = clock.after(HOUR, () => {
        keys
          .rotate()
          .catch((error: Error) => log.error({ err: error }, 'the next signing key could not be kept'))
          .finally(rotateLater)
      })
    }
    rotateLater()
    return {
      addresses: addressesOf({ ...shared, keys, issuer }),
      async close() {
        timer.cancel()
        await records.close()
      },
    }
  }
}
