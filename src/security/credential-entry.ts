import { CERTIFICATE_ENDS, type CredentialReport } from '../core/control.ts'
import type { CredentialExplanation } from '../core/explanation.ts'
import { Failure } from '../core/failure.ts'
import type { CredentialState } from '../core/credential-state.ts'
import { didYouMean } from '../core/problem.ts'
import { isOfBackend } from '../core/secret-backend.ts'
import type { CredentialInfo, CredentialReference } from '../core/services.ts'
import type { Clock } from '../core/world.ts'
import { sayExpiry } from './client-certificate.ts'
import { changeOf, type CredentialChange } from './credential-change.ts'
import type { Examined } from './credential-file.ts'
import { describeReference } from './unset-warnings.ts'
import { Leaving } from './leaving.ts'
import type { LoadedCredential } from './loaded-credential.ts'
import { UNREADABLE } from './material-files.ts'
import type { UnsetReference } from './references.ts'
import { describeRotation } from './rotation.ts'

/** A name of the security material, and what stands behind it now. */
export class CredentialEntry implements CredentialReference {
  readonly name: string
  readonly #names: () => readonly string[]
  /** Undefined: there is no such file. */
  examined: Examined | undefined = undefined
  loaded: LoadedCredential | undefined = undefined
  readonly #clock: Clock
  #leaving: Leaving | undefined

  constructor(name: string, names: () => readonly string[], clock: Clock) {
    this.name = name
    this.#names = names
    this.#clock = clock
  }

  current(): LoadedCredential {
    const { loaded } = this
    if (loaded === undefined) throw this.#missing()
    return loaded
  }

  /** As it is, as long as it is of this type. */
  ofType(type: string): CredentialReference {
    const { name } = this
    return {
      name,
      current: () => {
        const credential = this.current()
        if (credential.type === type) return credential
        throw new Failure(
          'credential.type',
          `credential "${name}" is a "${credential.type}" credential now; "${type}" is wanted here`,
          { hint: 'Correct the credential, or take `type` out of the step.' },
        )
      },
    }
  }

  /** Something of it is there and could not be read; it should be tried again. */
  get isDoubtful(): boolean {
    const { problems = [], unset = [] } = this.examined ?? {}
    return problems.some(({ code }) => code === UNREADABLE) || unset.some(({ unreadable }) => unreadable)
  }

  /** Takes over what its file says now. A file with mistakes, or what cannot be read, leaves the credential as it is. */
  take(examined: Examined | undefined, prepared: LoadedCredential | undefined): CredentialChange | undefined {
    const before = { examined: this.examined, loaded: this.loaded }
    this.examined = examined
    const former = this.loaded
    if (prepared) {
      if (former) prepared.inherit(former)
      this.#leaving?.moveTo(prepared)
      this.#leaving = undefined
      this.loaded = prepared
    } else if (examined === undefined || isEnded(examined)) this.loaded = undefined
    if (examined !== undefined) {
      if (this.loaded !== former) former?.stop()
    } else if (former) this.#leaving = new Leaving(former, this.#clock, () => this.examined !== undefined)
    return changeOf(this.name, before, this)
  }

  /** The engine ends. */
  stop(): void {
    this.loaded?.stop()
    this.#leaving?.stop()
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
      ...(loaded && {
        tenants: loaded.tenants,
        hosts: loaded.hosts,
        allows: (url: URL) => loaded.allows(url),
      }),
    }
  }

  /** What its file says, in words; whether it is loaded does not matter. Undefined: there is no such file. */
  explanation(): CredentialExplanation | undefined {
    const { examined } = this
    if (!examined) return undefined
    const told = examined.explain?.()
    return {
      name: this.name,
      type: examined.type ?? 'unknown',
      description: told?.description,
      sends: told?.sends,
      baseUrl: examined.baseUrl?.replaceAll('%7B', '{').replaceAll('%7D', '}'),
      hosts: told?.hosts ?? [],
      unset: examined.unset.map(({ reference }) => reference),
      broken: !examined.source && !examined.incomplete,
    }
  }

  /** @param now epoch ms */
  report(flows: readonly string[], now: number): CredentialReport {
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
      state: loaded ? stateOf(loaded, examined, now) : stateWithout(examined),
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
    const lacking = examined.unset.map(lackOf)
    return new Failure(
      'credential.incomplete',
      `the credential "${name}" is incomplete: ${lacking.join('; ')}`,
      {
        hint:
          examined.unset.find(({ hint }) => hint !== undefined)?.hint ??
          'Set it (in the environment or in .env) and start the engine again; files are read as soon as they are there.',
      },
    )
  }
}

/** What a service that keeps secrets has not given, and why. */
function waitsFor(unset: readonly UnsetReference[]): Record<string, string> {
  const outside = unset.filter(({ reference }) => isOfBackend(reference))
  return outside.length === 0 ? {} : { 'waits for': outside.map(lackOf).join('; ') }
}

function lackOf({ reference, why }: UnsetReference): string {
  return `${describeReference(reference)} ${why}`
}

/** A secret of it was taken away: it is no mistake that somebody made in a hurry. */
function isEnded({ incomplete, unset }: Examined): boolean {
  return incomplete && !unset.every(({ unreadable, kept }) => unreadable || kept)
}

function stateOf(loaded: LoadedCredential, examined: Examined, now: number): CredentialState {
  const { details, ...state } = loaded.authorizer.state()
  return {
    ...state,
    details: {
      ...details,
      ...(loaded.rotation && describeRotation(loaded.rotation, now)),
      ...certificateDetails(loaded, now),
      ...(!examined.source && {
        'in force': `the version before; sluice check tells what is wrong with ${examined.file}`,
      }),
    },
  }
}

function certificateDetails(
  { certificate }: LoadedCredential,
  now: number,
): Readonly<Record<string, string>> {
  const expiry = certificate && sayExpiry(certificate, now)
  return expiry === undefined ? {} : { [CERTIFICATE_ENDS]: `it ${expiry}` }
}

function stateWithout({ file, incomplete, unset }: Examined): CredentialState {
  return incomplete
    ? { status: 'incomplete', details: waitsFor(unset) }
    : { status: 'broken', details: { 'what to do': `sluice check tells what is wrong with ${file}` } }
}

/** Relative addresses can be checked before it is known where they lead; of a file with mistakes that is not known. */
function standIn(baseUrl: string | undefined): string | undefined {
  return baseUrl === undefined || URL.canParse(baseUrl) ? baseUrl : 'https://unset.invalid/'
}
