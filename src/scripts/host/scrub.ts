/** What the language itself has. */
const LANGUAGE = new Set(
  (
    'Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error ' +
    'AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl ArrayBuffer ' +
    'Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray ' +
    'Float16Array Float32Array Float64Array DataView Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect WeakRef ' +
    'FinalizationRegistry decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite isNaN Temporal SuppressedError ' +
    'DisposableStack AsyncDisposableStack'
  ).split(' '),
)

/** What Node's own insides may still ask for. */
const PROCESS = new Set([
  'version',
  'versions',
  'arch',
  'platform',
  'release',
  'features',
  'nextTick',
  'emitWarning',
  'noDeprecation',
  'exitCode',
  'domain',
  '_exiting',
  '_events',
  '_eventsCount',
  '_maxListeners',
  '_tickCallback',
  '_fatalException',
])

/**
 * Takes everything out of this process's own world that could do anything: should a script ever get out of its
 * sandbox, there is nothing here to be found. To be called once everything needed has been captured.
 */
export function scrub(): void {
  clear(process as unknown as Record<string, unknown>, PROCESS)
  clear(globalThis, LANGUAGE)
}

function clear(object: Record<PropertyKey, unknown>, keep: ReadonlySet<PropertyKey>): void {
  for (const key of Reflect.ownKeys(object)) if (!keep.has(key)) Reflect.deleteProperty(object, key)
}
