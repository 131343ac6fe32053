import { join } from 'node:path'
import type { AccessRule, Caller } from '../core/access.ts'
import { ENGINE, NO_AUDIT, type Actor, type Audit } from '../core/audit.ts'
import type { Access, Addresses, Logger, RouteRequest } from '../core/services.ts'
import type { Timer, World } from '../core/world.ts'
import type { OtherFiles } from '../security/material.ts'
import { addressesOf } from './addresses.ts'
import { ClientLedger } from './client-ledger.ts'
import { Clients } from './clients.ts'
import { Gate } from './gate.ts'
import { IssuerTokens } from './issuers/issuer-tokens.ts'
import { together } from './other-files.ts'
import { RefusalLog } from './refusal-log.ts'
import { SecretCheck } from './secret-check.ts'
import { SignedCalls, type JudgeBody } from './signatures/signed-calls.ts'
import type { SigningKeySetting } from './signatures/signing-key-file.ts'
import { SigningKeys } from './signing-keys.ts'
import { TokenRecords } from './token-records.ts'
import { Tokens } from './tokens.ts'

/** Between looks whether it is time for a new signing key. */
const HOUR = 3_600_000

export interface AccessSetting {
  readonly world: Pick<World, 'clock' | 'newId' | 'dispatcherFor'>
  readonly log: Logger
  /** Of the signing keys of senders. */
  readonly signing: SigningKeySetting
  readonly audit?: Audit
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
  readonly issuers: IssuerTokens
  readonly signed: SignedCalls
  /** Its part of the security material. */
  readonly files: OtherFiles
  readonly #setting: AccessSetting
  #gate: Gate | undefined
  #ledger: ClientLedger | undefined

  constructor(setting: AccessSetting) {
    this.#setting = setting
    this.clients = new Clients(setting.log)
    this.issuers = new IssuerTokens(setting.world, setting.log)
    this.signed = new SignedCalls(setting.world.clock, setting.log, setting.signing)
    this.files = together([this.clients, this.issuers.files, this.signed.files])
  }

  admit(
    rule: AccessRule,
    flow: string,
    request: RouteRequest,
  ): Caller | undefined | Promise<Caller | undefined> {
    if (this.#gate) return this.#gate.admit(rule, flow, request)
    throw new Error('the gate is not open: nothing listens')
  }

  admitSigned(key: string, flow: string, request: RouteRequest): JudgeBody | undefined {
    if (this.#gate) return this.#gate.admitSigned(key, flow, request)
    throw new Error('the gate is not open: nothing listens')
  }

  signingKeys(): readonly string[] {
    return this.signed.files.all().map(({ name }) => name)
  }

  /** Who is about to change the file of a client, for the audit log. */
  expectChange(client: string, actor: Actor): void {
    this.#ledger?.expect(client, actor)
  }

  /** Reads keys and tokens; from now on there is somebody at the gate. @throws Error `SLUICE_ACCESS` */
  async open({ folder, issuer, audience }: OpenSetting): Promise<{
    readonly addresses: Addresses
    close(): Promise<void>
  }> {
    const { log, world, audit = NO_AUDIT } = this.#setting
    const { clock } = world
    const ofId = (clientId: string) => this.clients.ofId(clientId)
    const keys = await SigningKeys.open(join(folder, 'access-keys.json'), clock, () =>
      audit.record({ ...ENGINE, what: 'key.rotated', outcome: 'done' }),
    )
    const records = await TokenRecords.open(join(folder, 'access-tokens.json'), clock, log)
    const secrets = new SecretCheck({ clock, ofId })
    const tokens = new Tokens({ keys, records, clock, issuer, audience, ofId })
    const shared = { tokens, secrets, audit, ofId, refusals: new RefusalLog(log, clock) }
    const ledger = await ClientLedger.open({ file: join(folder, 'access-clients.json'), audit, log, clock })
    this.#ledger = ledger
    ledger.compare(this.clients.all(), 'noticed at the start')
    this.clients.onLoad = () => ledger.compare(this.clients.all())
    this.#gate = new Gate({
      ...shared,
      clients: this.clients,
      issuers: this.issuers,
      signed: this.signed,
      issuer,
      newId: () => world.newId(),
    })
    this.issuers.warm()
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
        await ledger.close()
        await records.close()
      },
    }
  }
}
