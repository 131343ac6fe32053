import type { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { AccessRule, Caller } from '../core/access.ts'
import { ENGINE, NO_AUDIT, type Actor, type Audit } from '../core/audit.ts'
import type { FindableDestinations } from '../core/findable.ts'
import type { Access, Addresses, JudgedRequest, Logger, RouteRequest } from '../core/services.ts'
import type { Timer, World } from '../core/world.ts'
import type { TrustedProxies } from '../net/trusted-proxies.ts'
import type { OtherFiles } from '../security/material.ts'
import { addressesOf, audiencesOf } from './addresses.ts'
import { PresentedCertificates } from './certificates/presented.ts'
import { ClientAssertions } from './client-assertion.ts'
import { ClientLedger } from './client-ledger.ts'
import { Clients } from './clients.ts'
import { FailedAttempts } from './failed-attempts.ts'
import { FailureCount } from './failure-count.ts'
import { Gate } from './gate.ts'
import { IssuerTokens } from './issuers/issuer-tokens.ts'
import { together } from './other-files.ts'
import { KeySeal, type KeySealSetting } from './key-seal.ts'
import { RefusalLog } from './refusal-log.ts'
import { SecretCheck } from './secret-check.ts'
import { SignedCalls, type JudgeBody } from './signatures/signed-calls.ts'
import type { SigningKeySetting } from './signatures/signing-key-file.ts'
import { SIGNING_KEYS_FILE, SigningKeys } from './signing-keys.ts'
import { TokenRecords } from './token-records.ts'
import { Tokens } from './tokens.ts'

/** Between looks whether it is time for a new signing key. */
const HOUR = 3_600_000
/** API keys that may be wrong within a minute, from one network. */
const WRONG_KEYS = 5

export interface AccessSetting {
  readonly world: Pick<World, 'clock' | 'newId' | 'dispatcherFor'>
  readonly log: Logger
  /** Of the signing keys of senders. */
  readonly signing: SigningKeySetting
  readonly audit?: Audit
  /** The settings name who issues certificates of clients. */
  readonly authoritiesKnown?: boolean
}

export interface OpenSetting {
  /** Of the state; absolute, and there. */
  readonly folder: string
  /** The address of this engine, as tokens name it. */
  readonly issuer: () => string
  readonly audience: () => string
  /** Left out: nobody may find destinations. */
  readonly destinations?: FindableDestinations
  readonly proxies: TrustedProxies
  /** What signing keys are encrypted with. */
  readonly seal: KeySealSetting
  /** In which trusted proxies pass on certificates of callers, in lower case. */
  readonly certificateHeader: string | undefined
  /** Those who issue certificates of clients. */
  readonly authorities: () => readonly X509Certificate[]
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
    this.clients = new Clients(setting.log, setting.authoritiesKnown)
    this.issuers = new IssuerTokens(setting.world, setting.log)
    this.signed = new SignedCalls(setting.world.clock, setting.log, setting.signing)
    this.files = together([this.clients, this.issuers.files, this.signed.files])
  }

  admit(
    rule: AccessRule,
    flow: string | undefined,
    request: JudgedRequest,
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

  /** It did not come about. */
  withdrawChange(client: string, actor: Actor): void {
    this.#ledger?.withdraw(client, actor)
  }

  /** Reads keys and tokens; from now on there is somebody at the gate. @throws Error `SLUICE_ACCESS` */
  async open(opened: OpenSetting): Promise<{
    readonly addresses: Addresses
    close(): Promise<void>
  }> {
    const { log, world, audit = NO_AUDIT } = this.#setting
    const { clock } = world
    const { folder, issuer, audience, destinations, proxies } = opened
    const ofId = (clientId: string) => this.clients.ofId(clientId)
    const keyFile = join(folder, SIGNING_KEYS_FILE)
    const seal = new KeySeal(keyFile, opened.seal, log)
    const keys = await SigningKeys.open(keyFile, clock, seal, () =>
      audit.record({ ...ENGINE, what: 'key.rotated', outcome: 'done' }),
    )
    const records = await TokenRecords.open(join(folder, 'access-tokens.json'), clock, log)
    const attempts = new FailedAttempts(clock)
    const secrets = new SecretCheck({ clock, attempts, ofId })
    const audiences = (path: string) => audiencesOf(issuer(), path)
    const assertions = new ClientAssertions({ clock, attempts, ofId, audiences })
    const finding = destinations && (await import('./find-destination.ts'))
    const zone = finding && (() => finding.zoneOf(issuer()))
    const tokens = new Tokens({ keys, records, clock, issuer, audience, ofId, ...(zone && { zone }) })
    const certificates = new PresentedCertificates({
      proxies,
      header: opened.certificateHeader,
      authorities: opened.authorities,
    })
    const { addressOf } = proxies
    const clients = this.clients
    const refusals = new RefusalLog(log, clock)
    const shared = { tokens, secrets, refusals, audit, ofId, certificates, clients, clock, addressOf }
    const ledger = await ClientLedger.open({ file: join(folder, 'access-clients.json'), audit, log, clock })
    this.#ledger = ledger
    ledger.compare(this.clients, 'noticed at the start')
    records.endAllOf(this.clients.all().flatMap(({ enabled, clientId }) => (enabled ? [] : clientId)))
    this.clients.onLoad = (ended) => {
      records.endAllOf(ended)
      ledger.compare(this.clients)
    }
    const gate = new Gate({
      ...shared,
      wrongKeys: new FailureCount(clock, WRONG_KEYS),
      issuers: this.issuers,
      signed: this.signed,
      issuer,
      newId: () => world.newId(),
    })
    this.#gate = gate
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
      addresses: new Map([
        ...addressesOf({ ...shared, assertions, keys, issuer }),
        ...(finding && zone
          ? finding.findAddresses({ destinations, gate, clock, zone, log, audit, addressOf })
          : []),
      ]),
      async close() {
        timer.cancel()
        await ledger.close()
        await records.close()
      },
    }
  }
}
