import type { CredentialReport } from '../core/control.ts'
import { Failure } from '../core/failure.ts'
import { didYouMean } from '../core/problem.ts'
import type { Credential, CredentialInfo, CredentialReference } from '../core/services.ts'
import { describeReference, type Examined } from './credential-file.ts'
import type { LoadedCredential } from './loaded-credential.ts'

/** A name of the security material, and what stands behind it now. */
export class CredentialEntry implements CredentialReference {
  readonly name: string
  readonly #names: () => readonly string[]
  /** Undefined: there is no such file. */
  examined: Examined | undefined = undefined
  loaded: LoadedCredential | undefined = undefined

  constructor(name: string, names: () => readonly string[]) {
    this.name = name
    this.#names = names
  }

  current(): Credential {
    const { loaded } = this
    if (loaded === undefined) throw this.#missing()
    return loaded
  }

  /** Takes over what its file says now. A file with mistakes leaves the credential as it is. */
  take(examined: Examined | undefined, prepared: LoadedCredential | undefined): void {
    this.examined = examined
    const former = this.loaded
    if (prepared) this.loaded = prepared
    else if (examined === undefined || examined.incomplete) this.loaded = undefined
    if (this.loaded !== former) former?.stop()
  }

  info(): CredentialInfo | undefined {
    const { examined, loaded } = this
    if (!examined) return undefined
    const broken = loaded === undefined && !examined.incomplete
    return {
      name: this.name,
      type: loaded?.type ?? examined.type ?? 'unknown',
      baseUrl: loaded ? loaded.baseUrl?.href : standIn(examined.baseUrl ?? (broken ? '' : undefined)),
      unset: loaded ? [] : examined.unset.map(({ reference }) => reference),
      broken,
      ...(loaded && { hosts: loaded.hosts, allows: (url: URL) => loaded.allows(url) }),
    }
  }

  report(flows: readonly string[]): CredentialReport {
    const examined = this.examined!
    const { loaded } = this
    return {
      name: this.name,
      type: loaded?.type ?? examined.type ?? 'unknown',
      file: examined.file,
      description: loaded?.description,
      baseUrl: loaded ? loaded.baseUrl?.href : examined.baseUrl,
      hosts: loaded?.hosts ?? [],
      settings: loaded?.settings ?? {},
      state: loaded?.authorizer.state() ?? {
        status: examined.incomplete ? 'incomplete' : 'broken',
        details: examined.incomplete
          ? {}
          : { 'what to do': `sluice check tells what is wrong with ${examined.file}` },
      },
      flows,
      unset: loaded ? [] : examined.unset.map(({ reference }) => reference),
    }
  }

  #missing(): Failure {
    const { examined, name } = this
    if (!examined)
      return new Failure(
        'credential.missing',
        `there is no credential "${name}"${didYouMean(name, this.#names())}`,
        {
          hint: `Add security-material/${name}.yaml.`,
        },
      )
    if (!examined.incomplete)
      return new Failure(
        'credential.missing',
        `the credential "${name}" is not loaded: ${examined.file} has mistakes`,
        {
          hint: 'sluice check shows them.',
        },
      )
    const lacking = examined.unset.map(({ reference, why }) => `${describeReference(reference)} ${why}`)
    return new Failure(
      'credential.incomplete',
      `the credential "${name}" is incomplete: ${lacking.join('; ')}`,
      {
        hint: 'Set it (in the environment or in .env) and start the engine again; files are read as soon as they are there.',
      },
    )
  }
}

/** Relative addresses can be checked before it is known where they lead; of a file with mistakes that is not known. */
function standIn(baseUrl: string | undefined): string | undefined {
  return baseUrl === undefined || URL.canParse(baseUrl) ? baseUrl : 'https://unset.invalid/'
}
