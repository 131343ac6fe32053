import { assemble, lay, type AppSetting } from './assembly.ts'
import { parseListen } from './config.ts'
import { callableHost } from './issuer-setting.ts'
import { openApiText } from './openapi.ts'
import type { Project } from './project.ts'
import type { SecurityMaterial } from './security/material.ts'
import { schemeOf } from './tls-setting.ts'

/** Reads and prepares everything, hands it on, and lets go of it; nothing is started. */
export async function withProject<T>(
  setting: AppSetting,
  use: (project: Project, material: SecurityMaterial, parts: Awaited<ReturnType<typeof assemble>>) => T,
  secrets = false,
): Promise<T> {
  const parts = await assemble({ ...setting, leaveVault: !secrets }, lay(setting), undefined)
  try {
    const project = await parts.load()
    project.stop()
    return use(project, parts.material, parts)
  } finally {
    await parts.close()
  }
}

/** The endpoints of all sound flows as OpenAPI 3.1. @param url where callers reach the engine */
export function describeProject(
  setting: AppSetting,
  url: string | undefined,
): Promise<{ readonly text: string } & Pick<Project, 'problems'>> {
  const { access, listen } = setting.settings
  const { host: bound, port } = parseListen(listen)!
  const host = callableHost(bound)
  const address = `${schemeOf(setting.settings)}://${host.includes(':') ? `[${host}]` : host}:${port}`
  return withProject(setting, (project, _material, { redactor }) => ({
    text: redactor.text(openApiText(project.flows, url ?? access.issuer ?? address)),
    problems: project.problems,
  }))
}
