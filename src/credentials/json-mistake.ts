const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const DEEPEST = 200

/** Offset from which on a text is no JSON (UTF-16 units; its length when it ends too early); undefined: it is JSON. */
export function jsonMistakeAt(text: string): number | undefined {
  let at = 0

  function skip(): void {
    while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++
  }

  function take(pattern: RegExp): boolean {
    skip()
    pattern.lastIndex = at
    if (!pattern.test(text)) return false
    at = pattern.lastIndex
    return true
  }

  function value(depth: number): boolean {
    if (depth > DEEPEST) return false
    if (take(/\{/y)) return members(/\}/y, () => take(TEXT) && take(/:/y) && value(depth + 1))
    if (take(/\[/y)) return members(/\]/y, () => value(depth + 1))
    return take(TEXT) || take(SCALAR)
  }

  function members(end: RegExp, member: () => boolean): boolean {
    if (take(end)) return true
    do if (!member()) return false
    while (take(/,/y))
    return take(end)
  }

  const complete = value(0)
  skip()
  return complete && at === text.length ? undefined : at
}
