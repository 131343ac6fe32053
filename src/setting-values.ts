/** Values of settings by their dotted names, `http.proxy`. */
type Values = Record<string, unknown>

/** Undefined where it is not there. */
export function valueOf(values: object, name: string): unknown {
  return name.split('.').reduce<unknown>((value, key) => (value as Values | undefined)?.[key], values)
}

/** Takes a value out. */
export function leaveOut(values: Values, name: string): void {
  const keys = name.split('.')
  const last = keys.pop()!
  const target = keys.reduce<Values | undefined>((at, key) => at?.[key] as Values | undefined, values)
  delete target?.[last]
}

/** Puts a value in, with the maps around it; undefined changes nothing. */
export function assign(values: Values, name: string, value: unknown): void {
  if (value === undefined) return
  const keys = name.split('.')
  const last = keys.pop()!
  const target = keys.reduce((at, key) => (at[key] ??= {}) as Values, values)
  target[last] = value
}
