import { mkdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseListen, globalParameters, type Settings } from './config.ts'
import { createControl, credentialReports, flowState, readiness, usersOf } from './control.ts'
import type { Control, CredentialReport, FlowState } from './core/control.ts'
import type { Problem } from './core/problem.ts'
import type { Logger, Services } from './core/services.ts'
import type { StateStore } from './core/stores.ts'
import { credentials } from './credentials/index.ts'
import type { Kinds } from './engine/deployment.ts'
import { Engine } from './engine/engine.ts'
import type { Faults, Guard } from './faults.ts'
import { FlowStarter } from './flow-starter.ts'
import { createLog } from './log.ts'
import { createDispatchers } from './net/dispatchers.ts'
import { proxySecrets } from './security/proxy-secrets.ts'
import { createSend } from './net/send.ts'
import { loadProject, type Project } from './project.ts'
import { createScripts } from './scripts/pool.ts'
import { readEnvironment } from './security/environment.ts'
import { createSecurityMaterial, type SecurityMaterial } from './security/material.ts'
import { createRedactor, type Redactor } from './security/redaction.ts'
import { watchMaterial } from './security/reload.ts'
import { createControlSocket } from './server/control-socket.ts'
import { RouteTable } from './server/routes.ts'
import { createServer } from './server/server.ts'
import { steps } from './steps/index.ts'
import { openStores, type Stores } from './store/message-log.ts'
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
  /** Who tells of errors that nobody caught. */
  readonly faults?: Faults
}

interface Ground {
  readonly redactor: Redactor
  readonly log: Logger
  readonly guard: Guard
}

/** The engine's log and what keeps secrets out of it: there before everything else. */
export function lay({ settings, color, terminal, writeLog, faults }: AppSetting): Ground {
  const redactor = createRedactor()
  const format = settings.log.format === 'auto' ? (terminal ? 'pretty' : 'json') : settings.log.format
  const log = createLog({ level: settings.log.level, format, color, redactor, write: writeLog })
  const guard = { redact: (text: string) => redactor.text(text), log }
  faults?.guard(guard)
  return { redactor, log, guard }
}

/** What every way of running shares: the world, the credentials, the sandbox, the sender. */
export async function assemble(
  setting: AppSetting,
  { redactor, log }: Ground,
  state: StateStore | undefined,
) {
  const { settings } = setting
  const found: Problem[] = []
  const environment = await readEnvironment(settings.projectFolder, setting.environment, (problem) =>
    found.push(problem),
  )
  for (const secret of proxySecrets(settings.http.proxy, environment)) redactor.add(secret)
  const dispatchers = createDispatchers({
    connections: settings.http.connections,
    environment,
    ...(settings.http.proxy === undefined ? {} : { proxy: settings.http.proxy }),
    ...(settings.http.ca === undefined ? {} : { ca: await certificates(settings.http.ca) }),
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
  const routes = new RouteTable((text) => redactor.text(text))
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

async function certificates(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw Object.assign(new Error(`cannot read the certificates "${file}" (setting "http.ca"): ${code}`), {
      code: 'SLUICE_CA',
    })
  }
}

/** Where flows are only checked, no timer is started and nothing asks. */
const NO_STATE: StateStore = {
  atomically: () => Promise.resolve(true),
  lastFire: () => Promise.resolve(undefined),
}

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

/** Reads and prepares everything and starts nothing. */
export function checkProject(setting: AppSetting): Promise<Pick<Project, 'flows' | 'problems' | 'texts'>> {
  return withProject(setting, (project) => project)
}

async function withProject<T>(
  setting: AppSetting,
  use: (project: Project, material: SecurityMaterial) => T,
): Promise<T> {
  const parts = await assemble(setting, lay(setting), undefined)
  try {
    const project = await parts.load()
    project.stop()
    return use(project, parts.material)
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
    redactor: ground.redactor,
    log: ground.log,
    retention: { days: settings.messageLog.days, bytes: settings.messageLog.size },
  })
  setting.faults?.guard({ ...ground.guard, flush: () => stores.messageLog.flush() })
  const closing: (() => Promise<unknown>)[] = [() => stores.close()]
  const stop = async () => {
    for (const close of closing.toReversed()) await close()
  }
  try {
    return await startOn(setting, ground, stores, closing, stop, quiet)
  } catch (error) {
    await stop()
    throw error
  }
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
  const { settings } = setting
  const { grace } = settings.shutdown
  const parts = await assemble(setting, ground, stores.state)
  closing.push(() => parts.close())
  const project = await parts.load()
  const engine = new Engine({
    world: parts.world,
    messageLog: stores.messageLog,
    log: parts.log,
    bodyLimit: settings.limits.body,
  })
  let stopping = false
  const health = () => readiness(project, engine, stores.messageLog.trouble, stopping)
  let url: string | undefined
  const control = createControl({
    engine,
    project,
    material: parts.material,
    settings,
    world: parts.world,
    send: parts.services.send,
    redactor: ground.redactor,
    url: () => url,
    readiness: health,
  })
  const server = createServer({
    routes: parts.routes,
    listen: parseListen(settings.listen)!,
    health,
    limits: settings.limits,
    log: parts.log,
  })
  closing.push(() => {
    stopping = true
    return Promise.all([engine.stop(grace), quiet ? undefined : server.close(grace + LAST_REPLIES)])
  })
  const starter = new FlowStarter({ project, engine, material: parts.material, log: parts.log })
  starter.start(quiet)
  if (!quiet) {
    url = await server.listen()
    const socket = createControlSocket({ control, folder: settings.data, ...ground.guard })
    await socket.listen()
    closing.push(() => socket.close())
    parts.material.warm()
    parts.material.remind()
    const watch = watchMaterial({
      material: parts.material,
      clock: parts.world.clock,
      log: parts.log,
      folder: settings.securityMaterial,
      projectFolder: settings.projectFolder,
      usedBy: (name) => usersOf(name, project, engine),
      loaded: (changes) => starter.credentialsChanged(changes),
    })
    closing.push(() => watch.close())
    await watch.begun
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
