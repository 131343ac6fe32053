import { mkdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseListen, globalParameters, type Settings } from './config.ts'
import { createControl, credentialReports, flowState } from './control.ts'
import type { Control, CredentialReport, FlowState } from './core/control.ts'
import type { Problem } from './core/problem.ts'
import type { Logger, Services } from './core/services.ts'
import type { StateStore } from './core/stores.ts'
import { credentials } from './credentials/index.ts'
import type { Kinds } from './engine/deployment.ts'
import { Engine } from './engine/engine.ts'
import { createLog } from './log.ts'
import { createDispatchers } from './net/dispatchers.ts'
import { createSend } from './net/send.ts'
import { loadProject, type Project } from './project.ts'
import { createScripts } from './scripts/pool.ts'
import { readEnvironment } from './security/environment.ts'
import { createSecurityMaterial } from './security/material.ts'
import { createRedactor, type Redactor } from './security/redaction.ts'
import { createControlSocket } from './server/control-socket.ts'
import { RouteTable } from './server/routes.ts'
import { createServer } from './server/server.ts'
import { steps } from './steps/index.ts'
import { openStores } from './store/message-log.ts'
import { triggers } from './triggers/index.ts'
import { version } from './version.ts'
import { realClock, realWorld } from './world.ts'

/** Made by `npm run prepare`. */
const scriptBundle = fileURLToPath(new URL('../dist/script-host.cjs', import.meta.url))

const kinds: Kinds = {
  steps: new Map(steps.map((kind) => [kind.name, kind])),
  triggers: new Map(triggers.map((kind) => [kind.name, kind])),
}

/** ms after the grace time that replies of cancelled runs have to go out. */
const LAST_REPLIES = 6000

export interface AppSetting {
  readonly settings: Settings
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `--param name=value` */
  readonly parameters: Readonly<Record<string, string>>
  readonly color: boolean
  /** A person reads the engine's log. */
  readonly terminal: boolean
  /** Where the engine's log goes. */
  readonly writeLog: (text: string) => void
}

interface Ground {
  readonly redactor: Redactor
  readonly log: Logger
}

/** The engine's log and what keeps secrets out of it: there before everything else. */
function lay({ settings, color, terminal, writeLog }: AppSetting): Ground {
  const redactor = createRedactor()
  const format = settings.log.format === 'auto' ? (terminal ? 'pretty' : 'json') : settings.log.format
  return { redactor, log: createLog({ level: settings.log.level, format, color, redactor, write: writeLog }) }
}

/** What every way of running shares: the world, the credentials, the sandbox, the sender. */
async function assemble(setting: AppSetting, { redactor, log }: Ground, state: StateStore | undefined) {
  const { settings } = setting
  const found: Problem[] = []
  const environment = await readEnvironment(settings.projectFolder, setting.environment, (problem) =>
    found.push(problem),
  )
  const dispatchers = createDispatchers({
    connections: settings.http.connections,
    environment,
    ...(settings.http.proxy === undefined ? {} : { proxy: settings.http.proxy }),
    ...(settings.http.ca === undefined ? {} : { ca: await readFile(settings.http.ca, 'utf8') }),
  })
  const world = realWorld((tls, proxy) => dispatchers.dispatcherFor(tls, proxy))
  const material = createSecurityMaterial({
    kinds: new Map(credentials.map((kind) => [kind.name, kind])),
    projectFolder: settings.projectFolder,
    world,
    log,
    redactor,
    environment,
    parameters: globalParameters(settings),
    dev: settings.dev,
  })
  const scripts = createScripts({ world, log, bundle: scriptBundle })
  const routes = new RouteTable()
  const services: Services = {
    send: createSend(world, { userAgent: `sluice/${version}` }),
    credentials: material,
    scripts,
    routes,
    state: state ?? NO_STATE,
    log,
    limits: { body: settings.limits.body },
    projectFolder: settings.projectFolder,
  }
  const load = () =>
    loadProject({
      settings,
      kinds,
      world,
      services,
      material,
      environment,
      flags: setting.parameters,
      found,
    })
  return {
    world,
    log,
    redactor,
    material,
    scripts,
    routes,
    services,
    load,
    close: async () => {
      material.stop()
      await scripts.close()
      await dispatchers.destroy()
    },
  }
}

/** Where flows are only checked, no timer is started and nothing asks. */
const NO_STATE: StateStore = {
  atomically: () => Promise.resolve(true),
  lastFire: () => Promise.resolve(undefined),
}

/** What the files say, where no engine runs. */
export async function checkedState(setting: AppSetting): Promise<{
  flows: readonly FlowState[]
  credentials: readonly CredentialReport[]
}> {
  const parts = await assemble(setting, lay(setting), undefined)
  try {
    const project = await parts.load()
    project.stop()
    return {
      flows: project.flows.map((entry) => flowState(entry, undefined)),
      credentials: credentialReports(project, parts.material),
    }
  } finally {
    await parts.close()
  }
}

/** Reads and prepares everything and starts nothing. */
export async function checkProject(
  setting: AppSetting,
): Promise<Pick<Project, 'flows' | 'problems' | 'texts'>> {
  const parts = await assemble(setting, lay(setting), undefined)
  try {
    const project = await parts.load()
    project.stop()
    return project
  } finally {
    await parts.close()
  }
}

export interface App {
  readonly control: Control
  readonly project: Project
  /** `http://127.0.0.1:8080`; undefined where nothing listens. */
  readonly url: string | undefined
  /** Runs found open at the start. */
  readonly abandoned: number
  readonly log: Logger
  /** Which rings of the script sandbox hold here. */
  rings(): readonly string[]
  /** Ends what runs within the grace time, flushes, closes. */
  stop(): Promise<void>
}

/**
 * Starts an engine on the data folder. With `quiet` it takes nothing from outside: no endpoint, no timer, no
 * socket; flows run when asked for.
 * @throws Error with `code` `store.in-use` when another engine has the data folder, other `store.*`, `SLUICE_LISTEN` when the address cannot be had
 */
export async function startApp(setting: AppSetting, quiet = false): Promise<App> {
  const { settings } = setting
  await mkdir(settings.data, { recursive: true, mode: 0o700 })
  const ground = lay(setting)
  const stores = await openStores({
    folder: settings.data,
    clock: realClock,
    redact: (text) => ground.redactor.text(text),
    redactBytes: (bytes) => ground.redactor.bytes(bytes),
    log: ground.log,
    retention: { days: settings.messageLog.days, bytes: settings.messageLog.size },
  })
  const parts = await assemble(setting, ground, stores.state).catch(async (error: unknown) => {
    await stores.close()
    throw error
  })
  const project = await parts.load()
  const engine = new Engine({
    world: parts.world,
    messageLog: stores.messageLog,
    log: parts.log,
    bodyLimit: settings.limits.body,
  })
  for (const { flow, prepared, lacking } of project.flows)
    if (prepared && flow!.enabled && lacking.length === 0) engine.deploy(prepared, quiet)
    else prepared?.stop()

  const health = { ready: !quiet, stopping: false }
  const server = quiet
    ? undefined
    : createServer({
        routes: parts.routes,
        listen: parseListen(settings.listen)!,
        health: () => readiness(project, health.stopping),
        limits: settings.limits,
        log: parts.log,
      })
  let url: string | undefined
  const control = createControl({
    engine,
    project,
    material: parts.material,
    settings,
    world: parts.world,
    url: () => url,
    readiness: () => readiness(project, health.stopping),
  })
  const socket = quiet ? undefined : createControlSocket({ control, folder: settings.data, log: parts.log })
  const stop = async () => {
    health.stopping = true
    await Promise.all([
      engine.stop(settings.shutdown.grace),
      server?.close(settings.shutdown.grace + LAST_REPLIES),
    ])
    await socket?.close()
    await parts.close()
    await stores.close()
  }
  try {
    url = await server?.listen()
    await socket?.listen()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    control,
    project,
    url,
    abandoned: stores.abandoned,
    log: parts.log,
    rings: () => parts.scripts.rings(),
    stop,
  }
}

function readiness(project: Project, stopping: boolean): { ready: boolean; reasons: string[] } {
  const reasons = project.flows
    .filter(({ flow, prepared, lacking }) => (!prepared || lacking.length > 0) && flow?.enabled !== false)
    .map(({ name }) => `the flow "${name}" does not run`)
  if (stopping) reasons.push('the engine is shutting down')
  return { ready: reasons.length === 0, reasons }
}
