import type { CredentialTestReport, CredentialTestRequest } from './core/control.ts'
import { Failure } from './core/failure.ts'
import type { CredentialTestStep } from './core/credential-test.ts'
import { hasErrors, type Problem } from './core/problem.ts'
import type { Credential, Send } from './core/services.ts'
import type { World } from './core/world.ts'
import { Errand } from './errand.ts'
import { failedStep, NOTHING_ASKED, testCall } from './credential-call.ts'
import type { SecurityMaterial } from './security/material.ts'
import type { Redactor } from './security/redaction.ts'

export interface CredentialTestSetting {
  readonly material: SecurityMaterial
  readonly send: Send
  readonly world: World
  readonly redactor: Pick<Redactor, 'text' | 'beginning'>
  readonly settings: { readonly securityMaterial: string; readonly projectFolder: string }
}

/** ms that all token requests of a test may take: one of them may take as long as `readTimeout` can be. */
const TOKEN_TIME = 11 * 60_000
/** ms for the call, as for an http step. */
const CALL_TIME = 60_000

/**
 * Tries a credential for a person: asks the token service at once, and then the receiver, where a call is wanted and
 * there is something to call it with. Undefined: there is no such credential.
 */
export async function testCredential(
  name: string,
  request: CredentialTestRequest,
  setting: CredentialTestSetting,
  signal?: AbortSignal,
): Promise<CredentialTestReport | undefined> {
  const { material, redactor, world } = setting
  const known = material.reports(() => []).find((entry) => entry.name === name)
  if (!known) return undefined
  const { type, file } = known
  const problems = await problemsOf(file, setting)
  const errand = new Errand(world, signal)
  const steps = await stepsOf(name, request, setting, errand).finally(() => errand.end())
  const report = { name, type, file, ok: works(steps) && !hasErrors(problems), problems, steps }
  return redacted(report, (text) => redactor.text(text))
}

async function stepsOf(
  name: string,
  { call, tryOthers }: CredentialTestRequest,
  setting: CredentialTestSetting,
  errand: Errand,
): Promise<CredentialTestStep[]> {
  const { material } = setting
  let credential: Credential
  try {
    credential = material.reference(name).current()
  } catch (thrown) {
    return [failedStep('settings', NOTHING_ASKED, Failure.from(thrown))]
  }
  errand.within(TOKEN_TIME)
  const steps = [...((await credential.authorizer.test?.(errand, { tryOthers })) ?? [])]
  if (call === undefined || !works(steps)) return steps
  errand.within(CALL_TIME)
  return [...steps, await testCall(call, credential, setting, errand)]
}

/** What the settings as they are came to: of several secrets the last one that was tried decides. */
function works(steps: readonly CredentialTestStep[]): boolean {
  return steps.filter(({ variant }) => !variant).at(-1)?.ok ?? true
}

/** The file may have mistakes while the version before is in force. */
async function problemsOf(
  shown: string,
  { material, settings }: CredentialTestSetting,
): Promise<readonly Problem[]> {
  const { files } = await material.read(settings.securityMaterial)
  return material.check(files).filter(({ file, code }) => file === shown && code !== 'credential/unset')
}

/** The same data without secrets in its texts. */
function redacted<T>(value: T, redact: (text: string) => string): T {
  if (typeof value === 'string') return redact(value) as T
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => redacted(item, redact)) as T
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, redacted(item as unknown, redact)]),
  ) as T
}
