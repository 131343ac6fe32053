/** A span of ms as people say it: `3 s`, `28 min`, `23 h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  if (seconds < 120 * 60) return `${Math.round(seconds / 60)} min`
  return seconds < 72 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`
}

export function ago(ms: number): string {
  return ms < 1000 ? 'just now' : `${span(ms)} ago`
}
