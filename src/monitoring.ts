import type { Control, EngineHealth } from './core/control.ts'
import type { Logger } from './core/services.ts'
import type { MessageLog } from './core/stores.ts'
import { flowTrouble } from './health.ts'
import { engineFamilies, type EngineNow, type ScriptsNow } from './metrics/engine-metrics.ts'
import { ReceiverMetrics } from './metrics/receiver-metrics.ts'
import { CONTENT_TYPE, createExposition } from './metrics/registry.ts'
import { RunMetrics } from './metrics/run-metrics.ts'
import { isLoopback } from './net/proxy.ts'
import type { Address } from './server/listening.ts'
import { createManagementServer, type ManagementServer } from './server/management.ts'
import { version } from './version.ts'

export interface MonitoringSetting {
  readonly address: Address
  readonly log: Logger
  /** Takes live secrets out of a text. */
  readonly redact: (text: string) => string
}

/** What is told of an engine; it is there before the first message. */
export interface MonitoredEngine {
  readonly control: Pick<Control, 'flows' | 'status' | 'credentials' | 'health'>
  readonly scripts: () => ScriptsNow
  readonly messageLog: Pick<MessageLog, 'backlog' | 'lost' | 'trouble'>
  readonly abandoned: number
  /** What is served as the description of the endpoints. */
  readonly openApi: () => string
}

/** Metrics and health, served where the setting `management` says; loaded only where it does. */
export class Monitoring {
  readonly runs = new RunMetrics()
  readonly receivers: ReceiverMetrics
  /** Undefined while it does not listen. */
  url: string | undefined
  readonly #setting: MonitoringSetting
  #server: ManagementServer | undefined

  constructor(setting: MonitoringSetting) {
    this.#setting = setting
    this.receivers = new ReceiverMetrics(setting.redact)
  }

  /** @throws Error with `code` `SLUICE_LISTEN` */
  async listen(engine: MonitoredEngine): Promise<void> {
    const { address, log, redact } = this.#setting
    let now: EngineNow | undefined
    const exposition = createExposition([
      ...this.runs.families(),
      ...this.receivers.families(),
      ...engineFamilies(() => (now ??= lookAt(engine))),
    ])
    this.#server = createManagementServer({
      listen: address,
      health: (): EngineHealth => engine.control.health(),
      metrics: () => {
        now = undefined
        return exposition.text()
      },
      contentType: CONTENT_TYPE,
      openApi: engine.openApi,
      redact,
      log,
    })
    this.url = await this.#server.listen()
    if (!isLoopback(new URL(this.url).hostname))
      log.warn(
        { address: this.url },
        'metrics and health are not protected: whoever reaches the address of the setting "management" reads them; let only your monitoring through to it, or keep it on 127.0.0.1',
      )
  }

  async close(): Promise<void> {
    await this.#server?.close()
    this.url = undefined
  }
}

function lookAt({ control, scripts, messageLog, abandoned }: MonitoredEngine): EngineNow {
  const flows = control.flows()
  return {
    version,
    ready: control.status().ready,
    flows,
    flowsNotWell: new Set(flows.flatMap((flow) => (flowTrouble(flow) === undefined ? [] : [flow.name]))),
    credentials: control.credentials(),
    scripts: scripts(),
    messageLog,
    abandoned,
  }
}
