import { managementAddress, parseListen } from './config.ts'
import { assemble, lay, type AppSetting, type Ground } from './assembly.ts'
import { makeDataFolder } from './data-folder.ts'
import { onBehalfOf } from './control-audit.ts'
import { createControl, credentialReports, flowState, readiness } from './control.ts'
import { SIGNAL, SOCKET, TERMINAL } from './core/audit.ts'
import type { Control, CredentialReport, FlowState } from './core/control.ts'
import type { Logger } from './core/services.ts'
import { followFiles } from './file-following.ts'
import { Engine } from './engine/engine.ts'
import { FlowStarter } from './flow-starter.ts'
import { callableOrigin } from './issuer-setting.ts'
import type { Monitoring } from './monitoring.ts'
import type { Project } from './project.ts'
import { RunEvents } from './run-events.ts'
import { createControlSocket } from './server/control-socket.ts'
import { createServer } from './server/server.ts'
import { openApiAddresses, openApiOf } from './openapi.ts'
import { withProject } from './project-at-rest.ts'
import { keepTls } from './tls-start.ts'
import { openStores, type Stores } from './store/message-log.ts'
import { realClock } from './world.ts'

/** No authority issues certificates of clients. */
const NOBODY: readonly never[] = []

/** ms after the grace time that replies of cancelled runs have to go out. */
const LAST_REPLIES = 6000

/** What the files say, where no engine runs. */
export function checkedState(setting: AppSetting): Promise<{
  flows: readonly FlowState[]
  credentials: readonly CredentialReport[]
}> {
  return withProject(setting, (project, material) => ({
    flows: project.flows.map((entry) => flowState(entry, undefined)),
    credentials: credentialReports(project, material),
  }))
}

/** Reads and prepares everything and starts nothing. @param secrets services that keep secrets are asked for them */
export function checkProject(
  setting: AppSetting,
  secrets = false,
): Promise<Pick<Project, 'flows' | 'problems' | 'texts'>> {
  return withProject(setting, (project) => project, secrets)
}

export interface App {
  readonly control: Control
  readonly project: Project
  /** `http://127.0.0.1:8080`; undefined where nothing listens. */
  readonly url: string | undefined
  /** Opens the management pages once; for the person at a development engine, and for no log. */
  readonly loginLink: string | undefined
  /** Runs found open at the start. */
  readonly abandoned: number
  readonly log: Logger
  /** Reads flows again because the process got SIGHUP; a fault goes to the log. */
  hangUp(): Promise<void>
  /** Which rings of the script sandbox hold here. */
  rings(): readonly string[]
  /** Resolves when all that was recorded so far can be read from the data folder. */
  flush(): Promise<void>
  /** Ends what runs within the grace time, flushes, closes. */
  stop(): Promise<void>
}

/**
 * Starts an engine on the data folder. With `quiet` it takes nothing from outside: no endpoint, no timer, no
 * socket; flows run when asked for.
 * @throws Error with `code` `store.in-use` when another engine has the data folder, other `store.*`, `SLUICE_LISTEN` when the address cannot be had, `SLUICE_TLS` when its certificate cannot be used
 */
export async function startApp(setting: AppSetting, quiet = false): Promise<App> {
  const { settings } = setting
  await makeDataFolder(settings.data)
  const ground = lay(setting)
  const stores = await openStores({
    folder: settings.data,
    clock: realClock,
    redactor: ground.redactor,
    log: ground.log,
    retention: {
      days: settings.messageLog.days,
      bytes: settings.messageLog.size,
      auditDays: settings.messageLog.auditDays,
    },
  })
  setting.faults?.guard({ ...ground.guard, flush: () => stores.messageLog.flush() })
  const closing: (() => Promise<unknown>)[] = [() => stores.close()]
  const stop = async () => {
    const faults: unknown[] = []
    for (const close of closing.toReversed()) await close().catch((error: unknown) => faults.push(error))
    if (faults.length > 0) throw faults[0]
  }
  try {
    return await startOn(setting, ground, stores, closing, stop, quiet)
  } catch (error) {
    await stop()
    throw error
  }
}

/** Nothing of it is loaded where nobody looks. */
async function monitoringOf(
  setting: AppSetting,
  ground: Ground,
  quiet: boolean,
): Promise<Monitoring | undefined> {
  const address = quiet ? undefined : managementAddress(setting.settings)
  if (!address) return undefined
  const { Monitoring } = await import('./monitoring.ts')
  return new Monitoring(address, setting, ground)
}

/** @param closing what has to be closed, the last first */
async function startOn(
  setting: AppSetting,
  ground: Ground,
  stores: Stores,
  closing: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
  quiet: boolean,
): Promise<App> {
  const { settings, observer } = setting
  const { grace } = settings.shutdown
  const monitoring = await monitoringOf(setting, ground, quiet)
  const parts = await assemble(setting, ground, stores.state, monitoring?.receivers.told, stores.audit)
  closing.push(() => parts.close())
  const project = await parts.load()
  const counted = monitoring?.runs.counting(stores.messageLog) ?? stores.messageLog
  const messageLog = new RunEvents(counted, ground.redactor, (error) =>
    parts.log.error({ err: error }, 'a fault while a run was shown'),
  )
  if (observer) messageLog.listen((event) => observer.run(event))
  const engine = new Engine({
    world: parts.world,
    messageLog,
    log: parts.log,
    bodyLimit: settings.limits.body,
    ...(monitoring && { unrecorded: monitoring.runs }),
  })
  parts.runOn(engine)
  let stopping = false
  const health = () => readiness(project, engine, stores.messageLog.trouble, stopping)
  let url: string | undefined
  let reload: Control['reload'] = () => Promise.reject(new Error('the engine is not up yet'))
  let readMaterial: Control['readMaterial'] = () => Promise.resolve({ read: false })
  const control = createControl({
    reload: () => reload(),
    readMaterial: () => readMaterial(),
    engine,
    project,
    material: parts.material,
    settings,
    events: messageLog,
    world: parts.world,
    send: parts.services.send,
    redactor: ground.redactor,
    url: () => url,
    managementUrl: () => monitoring?.url,
    messageLog: stores.messageLog,
    expectClientChange: (client, actor) => parts.access.expectChange(client, actor),
    withdrawClientChange: (client, actor) => parts.access.withdrawChange(client, actor),
    readiness: health,
  })
  const keeper = quiet ? undefined : await keepTls(setting, ground, parts.access.clients)
  if (keeper) closing.push(() => keeper.close())
  const address = () => settings.access.issuer ?? (url && callableOrigin(url))
  const issuer = () => address()!
  const access = quiet
    ? undefined
    : await parts.access.open({
        folder: settings.data,
        issuer,
        audience: () => settings.access.audience ?? issuer(),
        ...(settings.findDestination && { destinations: parts.material.destinations }),
        proxies: parts.proxies,
        seal: { ...parts.ageKeys, hide: (secret) => void ground.redactor.add(secret) },
        certificateHeader: settings.access.certificateHeader,
        authorities: () => keeper?.authorities ?? NOBODY,
      })
  if (access) closing.push(() => access.close())
  const openApi = openApiOf(project, address, (text) => ground.redactor.text(text))
  const server = createServer({
    routes: parts.routes,
    addresses: new Map([
      ...(access?.addresses ?? []),
      ...(settings.openapi ? openApiAddresses(openApi) : []),
    ]),
    listen: parseListen(settings.listen)!,
    tls: keeper?.tls,
    health,
    limits: settings.limits,
    log: parts.log,
  })
  if (monitoring) {
    closing.push(() => monitoring.close())
    await monitoring.listen({
      control,
      clock: parts.world.clock,
      access: parts.access,
      scripts: () => parts.scripts.status(),
      stores,
      flush: () => messageLog.flush(),
      openApi,
      tls: settings.tls.management ? keeper?.tls : undefined,
      addressOf: parts.proxies.addressOf,
      issuer: address,
    })
  }
  closing.push(() => {
    stopping = true
    return Promise.all([engine.stop(grace), quiet ? undefined : server.close(grace + LAST_REPLIES)])
  })
  const readAgain = () => {
    reload().catch((error: unknown) => parts.log.error({ err: error }, 'a fault while flows were read'))
  }
  const starter = new FlowStarter({
    project,
    engine,
    material: parts.material,
    log: parts.log,
    ...(settings.watch && { readAgain }),
  })
  if (quiet) starter.start(quiet)
  else {
    // No timer fires before the endpoints are there, or where the address cannot be had.
    await server.listen((bound) => {
      url = bound
      starter.start(quiet)
    })
    await keeper?.watch()
    const socket = createControlSocket({
      control: onBehalfOf(SOCKET, control, stores.audit),
      folder: settings.data,
      ...ground.guard,
    })
    await socket.listen()
    closing.push(() => socket.close())
    parts.material.warm()
    parts.material.remind()
    const endTending = parts.tendTokens()
    closing.push(async () => endTending())
    const followed = await followFiles({
      setting,
      parts,
      project,
      engine,
      starter,
      audit: stores.audit,
      closing,
      clientsChanged: () => keeper?.clientsChanged(),
    })
    readMaterial = followed.readMaterial
    reload = followed.reload
  }
  return {
    control: onBehalfOf(TERMINAL, control, stores.audit),
    project,
    url,
    loginLink: monitoring?.loginLink,
    abandoned: stores.abandoned,
    log: parts.log,
    hangUp: () =>
      onBehalfOf(SIGNAL, control, stores.audit)
        .reload()
        .then(
          () => {},
          (error: unknown) => parts.log.error({ err: error }, 'a fault while flows were read'),
        ),
    rings: () => parts.scripts.rings(),
    flush: () => messageLog.flush(),
    stop,
  }
}
