import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AuthorizationServer } from './access/authorization-server.ts'
import { differentSettings, globalParameters, loadSettings, type Settings } from './config.ts'
import type { Audit } from './core/audit.ts'
import { hasErrors, type Problem } from './core/problem.ts'
import type { Logger, Services } from './core/services.ts'
import type { StateStore } from './core/stores.ts'
import { credentials } from './credentials/index.ts'
import type { Kinds } from './engine/deployment.ts'
import { Engine } from './engine/engine.ts'
import type { Faults, Guard } from './faults.ts'
import type { Clock } from './core/world.ts'
import type { Observer } from './observer.ts'
import { createLog } from './log.ts'
import { createConnectivityProxy } from './net/connectivity-proxy.ts'
import { createDispatchers } from './net/dispatchers.ts'
import type { TellRequest } from './net/measured.ts'
import { Egress } from './net/egress.ts'
import { createSend } from './net/send.ts'
import { TrustedProxies } from './net/trusted-proxies.ts'
import { loadProject, type ProjectSetting } from './project.ts'
import { createScripts } from './scripts/pool.ts'
import { readEnvironment } from './security/environment.ts'
import { createSecurityMaterial, type SecurityMaterial } from './security/material.ts'
import { proxySecrets } from './security/proxy-secrets.ts'
import { createRedactor, type Redactor } from './security/redaction.ts'
import { KEY_FILE } from './security/secret-keys.ts'
import { shownFrom } from './security/secret-store.ts'
import { RouteTable } from './server/routes.ts'
import { SealedTokens } from './store/stored-tokens.ts'
import { createTokensInMemory } from './store/tokens-in-memory.ts'
import { steps } from './steps/index.ts'
import { isTlsOn } from './tls-setting.ts'
import { triggers } from './triggers/index.ts'
import { version } from './version.ts'
import { vaultOf, vaultRefused } from './vault-backend.ts'
import { realWorld } from './world.ts'

/** ms that a token request which is under way at the end has: its answer may bring the only token that still holds. */
const LAST_ANSWERS = 10_000

const kinds: Kinds = {
  steps: new Map(steps.map((kind) => [kind.name, kind])),
  triggers: new Map(triggers.map((kind) => [kind.name, kind])),
}

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
  /** Who is told what happens, as it happens. */
  readonly observer?: Observer
  /** Secrets are not asked for: what needs them is without. */
  readonly leaveVault?: boolean
}

export interface Ground {
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

/** What an engine is put together from. */
export type Parts = Awaited<ReturnType<typeof assemble>>

/**
 * What every way of running shares: the world, the credentials, the sandbox, the sender.
 * @param told is told of each request of the flows
 * @param audit left out: nothing of who changed or got something is recorded
 */
export async function assemble(
  setting: AppSetting,
  { redactor, log }: Ground,
  state: StateStore | undefined,
  told?: TellRequest,
  audit?: Audit,
) {
  const { settings } = setting
  const found: Problem[] = []
  const environment = await readEnvironment(settings.projectFolder, setting.environment, (problem) =>
    found.push(problem),
  )
  for (const secret of proxySecrets(settings.http.proxy, environment)) redactor.add(secret)
  const egress = new Egress(settings.egress)
  const dispatchers = createDispatchers({
    egress,
    connections: settings.http.connections,
    environment,
    ...(settings.http.proxy === undefined ? {} : { proxy: settings.http.proxy }),
    ...(settings.http.ca === undefined ? {} : { ca: await certificates(settings.http.ca) }),
  })
  const world = realWorld((tls, proxy) => dispatchers.dispatcherFor(tls, proxy))
  const { url, credential } = settings.connectivityProxy
  const connectivityProxy =
    url === undefined
      ? undefined
      : createConnectivityProxy({ url, ...(credential !== undefined && { credential }) }, world, egress)
  let current = settings
  const globals = globalParameters(settings)
  const access = new AuthorizationServer({
    world,
    log,
    authoritiesKnown: settings.tls.clientCa !== undefined,
    signing: { dev: settings.dev, hide: (secret) => void redactor.add(secret) },
    ...(audit && { audit }),
  })
  const { keyFile } = settings.secret
  const ageKeys = {
    keys: { environment, keyFile, shownKeyFile: shownFrom(settings.projectFolder, keyFile) },
    mayMakeKey: keyFile === join(settings.data, KEY_FILE),
  }
  const sealed =
    state &&
    new SealedTokens({
      state,
      clock: world.clock,
      log,
      redactor,
      ...ageKeys,
    })
  const material = createSecurityMaterial({
    others: access.files,
    kinds: new Map(credentials.map((kind) => [kind.name, kind])),
    projectFolder: settings.projectFolder,
    world,
    egress,
    ...(connectivityProxy && { connectivityProxy }),
    log,
    redactor,
    storedTokens: sealed ?? createTokensInMemory(),
    environment,
    parameters: globals,
    secrets: settings.secret,
    backends: [await vaultOf(settings, !setting.leaveVault, { world, log, redactor, environment })],
    dev: settings.dev,
  })
  found.push(...vaultRefused(settings.vault, egress))
  if (isTlsOn(settings.tls) || settings.tls.clientCa !== undefined) {
    const { readOwnTls } = await import('./own-tls.ts')
    const hide = (secret: string) => void redactor.add(secret)
    found.push(...(await readOwnTls(settings, environment, hide, world.clock.now())).problems)
  }
  const scripts = createScripts({ world, log })
  let engine: Engine | undefined
  const proxies = new TrustedProxies(settings.access.trustedProxies ?? [])
  const routes = new RouteTable((text) => redactor.text(text), proxies.addressOf)
  const services: Services = {
    send: createSend(world, { userAgent: `sluice/${version}`, ...(told && { told }) }),
    credentials: material,
    egress,
    scripts,
    routes,
    access,
    flows: { run: (flow, request) => engine?.process(flow, request) },
    state: state ?? NO_STATE,
    log,
    limits: settings.limits,
    projectFolder: settings.projectFolder,
  }
  const loading = (): ProjectSetting => ({
    settings: current,
    kinds,
    world,
    services,
    material,
    environment,
    flags: setting.parameters,
    found,
  })
  const written = await loadSettings(settings.projectFolder, setting.environment, {})
  const readSettings = async () => {
    const { settings: now, problems } = await loadSettings(settings.projectFolder, setting.environment, {})
    if (hasErrors(problems)) return { problems, restart: [], parameters: false }
    const parameters = JSON.stringify(now.parameters) !== JSON.stringify(current.parameters)
    current = { ...current, parameters: now.parameters, parameterPlaces: now.parameterPlaces }
    replaceAll(globals, globalParameters(current))
    return { problems, restart: differentSettings(written.settings, now), parameters }
  }
  return {
    world,
    log,
    redactor,
    material,
    kinds,
    scripts,
    routes,
    proxies,
    access,
    /** Where the keys are that encrypt what is kept. */
    ageKeys,
    services,
    /** Flows that call others call those of this one. */
    runOn: (started: Engine) => void (engine = started),
    load: () => loadProject(loading()),
    loading,
    readSettings,
    /** Looks after the tokens that are kept, once a day. @returns how to end that */
    tendTokens: () => tendDaily(sealed, material, world.clock, log),
    close: async () => {
      material.stop()
      await scripts.close()
      await sealed?.settled(world.clock, LAST_ANSWERS)
      await dispatchers.destroy()
    },
  }
}

/** ms from the start until all credentials have looked at what is kept for them, and between two times. */
const FIRST_TENDING = 60_000
const DAY = 24 * 60 * 60 * 1000

function tendDaily(
  sealed: SealedTokens | undefined,
  material: Pick<SecurityMaterial, 'names'>,
  clock: Clock,
  log: Logger,
): () => void {
  let timer = clock.after(FIRST_TENDING, tend)
  function tend(): void {
    timer = clock.after(DAY, tend)
    const names = new Set(material.names())
    sealed
      ?.tend((credential) => names.has(credential))
      .catch((error: unknown) => log.warn({ err: error }, 'the kept tokens could not be looked after'))
  }
  return () => timer.cancel()
}

function replaceAll<T>(target: Record<string, T>, values: Readonly<Record<string, T>>): void {
  for (const name of Object.keys(target)) delete target[name]
  Object.assign(target, values)
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
  tokens: () => Promise.resolve([]),
}
