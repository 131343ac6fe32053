import { assemble, lay, type AppSetting } from './assembly.ts'
import type { CredentialTestReport, CredentialTestRequest } from './core/control.ts'
import { testCredential } from './credential-test.ts'

/** The same where no engine runs: loads the credentials, and nothing else is started. */
export async function testCredentialAlone(
  name: string,
  request: CredentialTestRequest,
  setting: AppSetting,
  signal: AbortSignal,
): Promise<{ report: CredentialTestReport | undefined; names: readonly string[] }> {
  const { settings } = setting
  const { world, material, services, redactor, close } = await assemble(setting, lay(setting), undefined)
  try {
    const { files } = await material.read(settings.securityMaterial)
    material.load(files)
    const { send } = services
    const report = await testCredential(name, request, { material, send, world, redactor, settings }, signal)
    return { report, names: material.names() }
  } finally {
    await close()
  }
}
