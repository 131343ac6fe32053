/** Offsets at which the lines of a text begin. */
export function lineStarts(text: string): number[] {
  const starts = [0]
  for (const end of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(end.index + end[0].length)
  return starts
}

/** Offset of a line and column, 1-based, UTF-16 units; the nearest there is. */
export function offsetOf(text: string, line: number, column: number): number {
  const start = lineStarts(text)[line - 1] ?? text.length
  return Math.min(text.length, start + column - 1)
}
