/** Neither needed by a script nor safe or sensible in its hands. */
const UNWANTED = [
  'Atomics',
  'Buffer',
  'FinalizationRegistry',
  'GLOBAL',
  'Proxy',
  'ShadowRealm',
  'SharedArrayBuffer',
  'VMError',
  'WeakRef',
  'WebAssembly',
  'console',
  'escape',
  'eval',
  'root',
  'unescape',
]

/** Not for parameters: fixed in the language, or the way to everything else. */
const WITHHELD = ['globalThis', 'global', 'undefined', 'NaN', 'Infinity']

/** Names that code may set on its own objects although the prototype's are frozen. */
const OVERRIDABLE = ['constructor', 'message', 'name', 'toJSON', 'toLocaleString', 'toString', 'valueOf']

/** Removes what scripts shall not have. The names of what is left for them, and of what could not be removed. */
export function clearGlobals(): { names: string[]; hidden: string[] } {
  const all = globalThis as Record<string, unknown>
  const hidden = UNWANTED.filter((name) => !Reflect.deleteProperty(all, name))
  for (const name of ['transfer', 'transferToFixedLength', 'resize'])
    Reflect.deleteProperty(ArrayBuffer.prototype, name)
  for (const name of Object.getOwnPropertyNames(RegExp))
    if (name !== 'prototype' && Object.getOwnPropertyDescriptor(RegExp, name)!.get !== undefined)
      Reflect.deleteProperty(RegExp, name)
  const names = Object.getOwnPropertyNames(all).filter(
    (name) => /^[A-Za-z]\w*$/.test(name) && !WITHHELD.includes(name) && !hidden.includes(name),
  )
  return { names, hidden: [...hidden, 'globalThis', 'global'] }
}

/** Freezes everything that is reachable from the language's own objects, so that no message can leave anything behind. */
export function freezeIntrinsics(names: readonly string[], own: readonly unknown[]): void {
  const seen = new Set<object>()
  const found: object[] = []
  const note = (value: unknown) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return
    if (value === globalThis || seen.has(value)) return
    seen.add(value)
    found.push(value)
  }
  for (const name of names) note((globalThis as Record<string, unknown>)[name])
  for (const value of [...own, ...unnamed()]) note(value)
  for (let i = 0; i < found.length; i++) {
    const object = found[i]!
    note(Object.getPrototypeOf(object))
    for (const key of Reflect.ownKeys(object)) {
      const property = Object.getOwnPropertyDescriptor(object, key)!
      note(property.value)
      note(property.get)
      note(property.set)
    }
  }
  for (const object of found) allowOverrides(object)
  for (const object of found) Object.freeze(object)
}

function unnamed(): unknown[] {
  return [
    (function* () {})(),
    (async function* () {})(),
    async function () {},
    [][Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    ''[Symbol.iterator](),
    'a'.matchAll(/a/g),
    Iterator.from({ next: () => ({ done: true, value: 0 }) }),
    [].values().map((x) => x),
    new Intl.Segmenter().segment('a')[Symbol.iterator](),
  ]
}

/** `own.toString = ...` would fail where `toString` is frozen in the prototype: an accessor lets it through. */
function allowOverrides(object: object): void {
  if (!isPrototype(object)) return
  const names = object === Object.prototype ? Object.getOwnPropertyNames(object) : OVERRIDABLE
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(object, name)
    if (property === undefined || !('value' in property) || !property.configurable) continue
    const { value, enumerable = false } = property
    Object.defineProperty(object, name, {
      get: () => value as unknown,
      set(this: unknown, own: unknown) {
        if (this === object || typeof this !== 'object' || this === null)
          throw new TypeError(`"${name}" cannot be changed here`)
        Object.defineProperty(this, name, {
          value: own,
          writable: true,
          enumerable: true,
          configurable: true,
        })
      },
      enumerable,
      configurable: true,
    })
  }
}

function isPrototype(object: object): boolean {
  const made = Object.getOwnPropertyDescriptor(object, 'constructor')?.value as unknown
  return typeof made === 'function' && (made as { prototype?: unknown }).prototype === object
}
