/** Lines of at most `width` characters, broken at spaces; a longer word keeps a line of its own. Indents stay. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, width))
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = []
  const [indent] = /^ */.exec(line)!
  let current = ''
  for (const word of line.slice(indent.length).split(' ')) {
    if (current !== '' && indent.length + current.length + 1 + word.length > width) {
      lines.push(current)
      current = word
    } else current = current === '' ? word : `${current} ${word}`
  }
  return [...lines, current].map((part) => indent + part)
}

/** The same for a list, broken between its items where they are not longer than a line. */
export function wrapList(items: readonly string[], width: number): string[] {
  const lines: string[] = []
  let current = ''
  for (const [index, item] of items.entries()) {
    const text = index === items.length - 1 ? item : `${item},`
    const [first, ...more] = wrap(text, width)
    if (current !== '' && (more.length > 0 || current.length + 1 + first!.length > width)) {
      lines.push(current)
      current = ''
    }
    lines.push(...(more.length > 0 ? [first!, ...more.slice(0, -1)] : []))
    const last = more.at(-1) ?? first!
    current = current === '' ? last : `${current} ${last}`
  }
  return [...lines, current]
}
