import { inOrder, type Place, type Problem } from '../core/problem.ts'
import type { Logger } from '../core/services.ts'
import type { CredentialFile } from '../security/credential-file.ts'
import type { ReferenceSources } from '../security/references.ts'
import type { OtherFiles } from '../security/material.ts'
import { isOfType } from '../security/material-name.ts'

interface Named {
  readonly name: string
  readonly file: string
}

/** What became of one file. */
export interface ReadNamed<T> {
  /** Absent where there are mistakes. */
  readonly value?: T
  readonly problems: readonly Problem[]
  /** Absolute paths of the files that its references name. */
  readonly files?: readonly string[]
  /** Where the key is written, for others that have the same. */
  readonly place: Place
}

export interface NamedFilesSetting<T> {
  /** As in `type: issuer`. */
  readonly type: string
  readonly log: Logger
  /** Has no effect. */
  read(file: CredentialFile, sources: ReferenceSources): ReadNamed<T>
  /** No two have the same. */
  key(value: T): string
  /** The problem of the second one with a key. */
  taken(value: T, owner: T): Pick<Problem, 'code' | 'message' | 'hint'>
  /** Whether nothing has changed. */
  same(a: T, b: T): boolean
}

interface Entry<T> {
  readonly text: string
  readonly read: ReadNamed<T>
}

/** Files of one type of the security material. One whose file has mistakes stays as it was. */
export class NamedFiles<T extends Named> implements OtherFiles {
  readonly #setting: NamedFilesSetting<T>
  #entries: ReadonlyMap<string, Entry<T>> = new Map()
  #byKey: ReadonlyMap<string, T> = new Map()
  #loaded = false

  constructor(setting: NamedFilesSetting<T>) {
    this.#setting = setting
  }

  takes(file: CredentialFile): boolean {
    return file.unreadable ? this.#entries.has(file.file) : isOfType(file, this.#setting.type)
  }

  load(files: readonly CredentialFile[], sources: ReferenceSources): Problem[] {
    const { key, same } = this.#setting
    const { entries, problems } = this.#read(files, sources)
    const former = new Map([...this.#byKey.values()].map((value) => [value.file, value]))
    const byKey = new Map<string, T>()
    for (const [file, { read }] of entries) {
      const before = former.get(file)
      const value = read.value ?? before
      if (!value || byKey.has(key(value))) continue
      const kept = before && same(before, value) ? before : value
      byKey.set(key(value), kept)
      const isSame = before === kept && this.#entries.get(file)?.text === entries.get(file)!.text
      if (this.#loaded && !isSame) this.#tell(before, kept, read)
      former.delete(file)
    }
    if (this.#loaded) for (const { name } of former.values()) this.#say('info', name, 'was removed')
    this.#entries = entries
    this.#byKey = byKey
    this.#loaded = true
    return problems
  }

  check(files: readonly CredentialFile[], sources: ReferenceSources): Problem[] {
    return this.#read(files, sources).problems
  }

  get references(): string[] {
    return [...this.#entries.values()].flatMap(({ read }) => read.files ?? [])
  }

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key)
  }

  /** In the order of their files. */
  all(): T[] {
    return [...this.#byKey.values()]
  }

  #read(
    files: readonly CredentialFile[],
    sources: ReferenceSources,
  ): { entries: Map<string, Entry<T>>; problems: Problem[] } {
    const { read: readFile, key, taken } = this.#setting
    const entries = new Map<string, Entry<T>>()
    const problems: Problem[] = []
    const owners = new Map<string, T>()
    for (const file of files) {
      const known = this.#entries.get(file.file)
      if (file.unreadable) {
        problems.push(file.unreadable)
        if (known) entries.set(file.file, known)
        continue
      }
      const read = readFile(file, sources)
      entries.set(file.file, { text: file.text, read })
      problems.push(...read.problems)
      if (!read.value) continue
      const owner = owners.get(key(read.value))
      if (!owner) owners.set(key(read.value), read.value)
      else problems.push({ severity: 'error', ...taken(read.value, owner), ...read.place })
    }
    return { entries, problems: inOrder(problems) }
  }

  #tell(former: T | undefined, value: T, { value: read }: ReadNamed<T>): void {
    if (!former) this.#say('info', value.name, 'was added')
    else if (!read) this.#say('warn', value.name, 'has mistakes; the version before stays in force')
    else if (former !== value)
      this.#say('info', value.name, 'was changed; it counts from the next request on')
  }

  #say(level: 'info' | 'warn', name: string, what: string): void {
    const { type, log } = this.#setting
    log[level]({ [type]: name }, `${type} "${name}" ${what}`)
  }
}
