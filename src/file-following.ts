import { join } from 'node:path'
import type { AppSetting, Parts } from './assembly.ts'
import { SETTINGS_FILE } from './config.ts'
import { usersOf } from './control.ts'
import type { Audit } from './core/audit.ts'
import type { Control } from './core/control.ts'
import type { Engine } from './engine/engine.ts'
import { auditCredentials, auditReload } from './file-audit.ts'
import type { FlowStarter } from './flow-starter.ts'
import { withFlows, type Project } from './project.ts'
import { Reloader } from './reload.ts'
import { watchMaterial } from './security/reload.ts'
import { Watch } from './security/watch.ts'

export interface FollowingSetting {
  readonly setting: AppSetting
  readonly parts: Parts
  readonly project: Project
  readonly engine: Engine
  readonly starter: FlowStarter
  readonly audit: Audit
  /** What has to be closed, the last first; the watches are added. */
  readonly closing: (() => Promise<unknown>)[]
  /** After each change of the security material. */
  readonly clientsChanged: () => void
}

/** Lets a running engine follow the files of its project: the security material always, flows where they are watched. */
export async function followFiles(
  following: FollowingSetting,
): Promise<Pick<Control, 'readMaterial' | 'reload'>> {
  const { setting, parts, project, engine, starter, audit, closing } = following
  const { settings, observer } = setting
  const material = watchMaterial({
    material: parts.material,
    clock: parts.world.clock,
    log: parts.log,
    folder: settings.securityMaterial,
    usedBy: (name) => usersOf(name, project, engine),
    loaded: (changes) => {
      following.clientsChanged()
      auditCredentials(changes, audit)
      return starter.credentialsChanged(changes)
    },
    ...(observer && {
      tellProblems: (problems) =>
        observer.credentialProblems(problems.map((one) => withFlows(one, project.flows, parts.material))),
    }),
  })
  closing.push(() => material.close())
  await material.begun
  const leave = parts.material.follow(() => void material.again())
  closing.push(() => Promise.resolve(leave()))
  const reloader = new Reloader({
    project,
    engine,
    starter,
    log: parts.log,
    ...(observer && { tell: (report) => observer.reloaded(report) }),
    loading: parts.loading,
    async readSettings() {
      const { parameters, ...read } = await parts.readSettings()
      if (parameters) await material.again()
      return read
    },
  })
  if (settings.watch) {
    const flows = new Watch({
      clock: parts.world.clock,
      log: parts.log,
      what: 'flows',
      folder: settings.flows,
      files: () => [join(settings.projectFolder, SETTINGS_FILE), ...reloader.files()],
      async changed() {
        auditReload(await reloader.reload(), audit)
        return true
      },
    })
    closing.push(() => flows.close())
    await flows.begun
  }
  return {
    reload: () => reloader.reload(),
    async readMaterial() {
      await material.again()
      return { read: true }
    },
  }
}
