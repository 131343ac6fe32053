import type { Path } from '../core/document.ts'
import type { Deployment } from '../core/kinds.ts'
import { didYouMean } from '../core/problem.ts'
import type { CredentialInfo, CredentialReference } from '../core/services.ts'

export interface WantedCredential {
  readonly reference: CredentialReference
  readonly info: CredentialInfo
}

/** Looks up the credential that a step names; reports when it is not there, of another type, or lacks a secret. */
export function wantedCredential(
  { name, type }: { readonly name: string; readonly type?: string },
  deployment: Deployment,
): WantedCredential | undefined {
  const { credentials } = deployment.services
  const at: Path = type === undefined ? ['credential'] : ['credential', 'name']
  if (name.includes('${')) {
    deployment.problem({
      code: 'credential/computed',
      message: `a credential is named, not computed; "${name}" is no name`,
      hint: /^\$\{\s*param\b/.test(name)
        ? 'Write the name itself: each environment has security material of its own, with other content under the same name.'
        : 'Write the name itself. Where it depends on the message, take a `choose` with one http step for each credential.',
      at,
    })
    return undefined
  }
  const info = credentials.info(name)
  if (!info) {
    const names = credentials.names()
    deployment.problem({
      code: 'credential/unknown',
      message: `there is no credential "${name}"${didYouMean(name, names)}`,
      hint:
        names.length === 0
          ? `Write it to security-material/${name}.yaml.`
          : `Known credentials: ${names.join(', ')}. A new one is a file: security-material/${name}.yaml.`,
      at,
    })
    return undefined
  }
  if (type !== undefined && !info.broken && info.type !== type)
    deployment.problem({
      code: 'credential/type',
      message: `credential "${name}" is a "${info.type}" credential; "${type}" is wanted here`,
      hint: 'Name another credential, or take out `type`.',
      at: ['credential', 'type'],
    })
  return { reference: credentials.reference(name, type), info }
}
