import type { Caller } from '../../core/access.ts'
import type { Logger, RouteRequest } from '../../core/services.ts'
import type { Clock } from '../../core/world.ts'
import { NamedFiles } from '../named-files.ts'
import type { Deny } from '../gate.ts'
import { fitsSignature, readSignature } from './signature.ts'
import { readSigningKey, type SigningKey, type SigningKeySetting } from './signing-key-file.ts'

/** Judges the body, once it is there; undefined: the request was refused, and has its answer. */
export type JudgeBody = (body: Buffer) => Caller | undefined

/** Requests whose sender signs them. */
export class SignedCalls {
  readonly files: NamedFiles<SigningKey>
  readonly #clock: Clock

  constructor(clock: Clock, log: Logger, setting: SigningKeySetting) {
    this.#clock = clock
    this.files = new NamedFiles<SigningKey>({
      type: 'signingKey',
      log,
      read: (file, sources) => readSigningKey(file, sources, setting),
      key: ({ name }) => name,
      taken: ({ name }, owner) => ({
        code: 'credential/name',
        message: `there are two signing keys "${name}": ${owner.file} is the other one`,
        hint: 'Rename one of the files.',
      }),
      same: (a, b) => a.fingerprint === b.fingerprint,
    })
  }

  /** Judges the headers; the body is judged when it has been read. Undefined: it was refused. */
  admit(name: string, { raw }: RouteRequest, deny: Deny): JudgeBody | undefined {
    const key = this.files.get(name)
    if (!key) return deny('signature', `there is no signing key "${name}" any more`)
    if (key.secrets.length === 0) return deny('unavailable', `the secret of signing key "${name}" is not set`)
    const signed = readSignature(raw.headers, key.signing, this.#clock.now())
    if ('why' in signed) return deny('signature', signed.why)
    return (body) => {
      if (fitsSignature(signed, key.signing, key.secrets, raw.headers, body))
        return { id: `signing_key_${name}`, roles: [] }
      return deny('signature', `its signature is not that of signing key "${name}"`)
    }
  }
}
