import type { IncomingMessage } from 'node:http'
import type { AppSetting, Ground } from './assembly.ts'
import { apiDocument } from './api-openapi.ts'
import { ClientChanges } from './client-changes.ts'
import type { UnnamedControl } from './control.ts'
import type { EngineHealth } from './core/control.ts'
import type { MessageLog } from './core/stores.ts'
import type { Clock } from './core/world.ts'
import type { AuthorizationServer } from './access/authorization-server.ts'
import { flowTrouble } from './health.ts'
import { managedEngine } from './managed-engine.ts'
import { engineFamilies, type EngineNow, type ScriptsNow } from './metrics/engine-metrics.ts'
import { ReceiverMetrics } from './metrics/receiver-metrics.ts'
import { CONTENT_TYPE, createExposition } from './metrics/registry.ts'
import { RunMetrics } from './metrics/run-metrics.ts'
import { isLoopback } from './net/proxy.ts'
import { OPENAPI_PAGE, OPENAPI_PATH, pageOf } from './openapi.ts'
import { API_PREFIX } from './server/api/routes.ts'
import type { Address } from './server/listening.ts'
import { DevSession } from './server/management/dev-session.ts'
import { createManagementServer, type ManagementServer } from './server/management/server.ts'
import type { OwnTls } from './server/own-tls.ts'
import { LogReading } from './store/log-reading.ts'
import type { Stores } from './store/message-log.ts'
import { version } from './version.ts'

/** What is told of an engine; it is there before the first message. */
export interface MonitoredEngine {
  readonly control: UnnamedControl
  readonly clock: Clock
  readonly access: AuthorizationServer
  readonly scripts: () => ScriptsNow
  readonly stores: Stores
  /** Resolves when all that was recorded so far can be read. */
  readonly flush: () => Promise<void>
  /** What is served as the description of the endpoints. */
  readonly openApi: () => string
  /** Left out: it speaks plain HTTP. */
  readonly tls?: OwnTls | undefined
  /** Where a request comes from, behind the proxies that are trusted. */
  readonly addressOf: (raw: IncomingMessage) => string
  /** Where clients get tokens; undefined: it is not known yet. */
  readonly issuer: () => string | undefined
}

/** The management API, metrics and health, served where the setting `management` says; loaded only where it does. */
export class Monitoring {
  readonly runs = new RunMetrics()
  readonly receivers: ReceiverMetrics
  /** Undefined while it does not listen. */
  url: string | undefined
  readonly #address: Address
  readonly #setting: AppSetting
  readonly #ground: Ground
  #server: ManagementServer | undefined
  #session: DevSession | undefined
  #log: LogReading | undefined

  constructor(address: Address, setting: AppSetting, ground: Ground) {
    this.#address = address
    this.#setting = setting
    this.#ground = ground
    this.receivers = new ReceiverMetrics((text) => ground.redactor.text(text))
  }

  /** Opens the management pages once, for a person before a development engine; not to be logged. */
  get loginLink(): string | undefined {
    return this.url === undefined ? undefined : this.#session?.link(this.url)
  }

  /** @throws Error with `code` `SLUICE_LISTEN` */
  async listen(engine: MonitoredEngine): Promise<void> {
    const { settings } = this.#setting
    const { log, redactor } = this.#ground
    const { control, stores, access, openApi, tls, addressOf } = engine
    let now: EngineNow | undefined
    const exposition = createExposition([
      ...this.runs.families(),
      ...this.receivers.families(),
      ...engineFamilies(() => (now ??= lookAt(engine))),
    ])
    const { host } = this.#address
    this.#session = settings.dev && isLoopback(host) ? new DevSession(engine.clock) : undefined
    this.#log = new LogReading(settings.data, engine.clock)
    const redact = (text: string) => redactor.text(text)
    const api = () => JSON.stringify(apiDocument(this.url!, engine.issuer() ?? ''))
    this.#server = createManagementServer({
      listen: this.#address,
      tls,
      addressOf,
      access,
      hosts: [host, ...(settings.managementAccess.hosts ?? [])],
      openMetrics: settings.managementAccess.metrics === 'public',
      session: this.#session,
      engine: managedEngine({
        control,
        audit: stores.audit,
        log: this.#log,
        flush: engine.flush,
        clients: new ClientChanges({
          clients: access.clients,
          audit: stores.audit,
          projectFolder: settings.projectFolder,
          expect: (client, actor) => access.expectChange(client, actor),
          withdraw: (client, actor) => access.withdrawChange(client, actor),
          readAgain: () => control.readMaterial(),
        }),
      }),
      audit: stores.audit,
      health: (): EngineHealth => control.health(),
      metrics: () => {
        now = undefined
        return exposition.text()
      },
      contentType: CONTENT_TYPE,
      documents: {
        endpoints: openApi,
        endpointsPage: pageOf(openApi, [
          { text: 'OpenAPI (JSON)', href: OPENAPI_PATH },
          { text: 'Management API', href: API_PREFIX },
        ]),
        api,
        apiPage: pageOf(api, [
          { text: 'OpenAPI (JSON)', href: `${API_PREFIX}/openapi.json` },
          { text: 'Endpoints', href: OPENAPI_PAGE },
        ]),
      },
      bodyLimit: settings.limits.body,
      redact,
      log,
    })
    this.url = await this.#server.listen()
    this.#warn(this.url)
  }

  async close(): Promise<void> {
    await this.#server?.close()
    await this.#log?.close()
    this.url = undefined
  }

  #warn(url: string): void {
    if (isLoopback(new URL(url).hostname)) return
    const isOpen = this.#setting.settings.managementAccess.metrics === 'public'
    if (!isOpen && url.startsWith('https:')) return
    this.#ground.log.warn(
      { address: url },
      isOpen
        ? 'metrics and health are not protected: whoever reaches the address of the setting "management" reads them; let only your monitoring through to it, or set managementAccess.metrics to closed'
        : 'the address of the setting "management" is reached from other machines by plain HTTP: give the engine a certificate (tls), or put what ends TLS before it, because tokens and secrets travel in headers',
    )
  }
}

function lookAt({ control, scripts, stores }: MonitoredEngine): EngineNow {
  const flows = control.flows()
  const messageLog: Pick<MessageLog, 'backlog' | 'lost' | 'trouble'> = stores.messageLog
  return {
    version,
    ready: control.status().ready,
    flows,
    flowsNotWell: new Set(flows.flatMap((flow) => (flowTrouble(flow) === undefined ? [] : [flow.name]))),
    credentials: control.credentials(),
    scripts: scripts(),
    messageLog,
    abandoned: stores.abandoned,
  }
}
