/** Values of settings by their dotted names, `http.proxy`. */
type Values = Record<string, unknown>

/** Undefined where it is not there. */
export function valueOf(values: object, name: string): unknown {
  return name.split('.').reduce<unknown>((value, key) => (value as Values | undefined)?.[key], values)
}

/** Takes a value out. */
export function leaveOut(values: Values, name: string): void {
  const [first, second] = name.split('.')
  if (second === undefined) delete values[first!]
  else delete (values[first!] as Values | undefined)?.[second]
}

/** Puts a value in; undefined changes nothing. */
export function assign(values: Values, name: string, value: unknown): void {
  if (value === undefined) return
  const keys = name.split('.')
  const last = keys.pop()!
  const target = keys.reduce((at, key) => at[key] as Values, values)
  target[last] = value
}
