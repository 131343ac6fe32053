/** One file of an example, or a command line. */
export interface SnippetPart {
  /** Relative to the project folder. Undefined: a command line. */
  readonly file: string | undefined
  /** Ends with a line feed. */
  readonly text: string
}

const HEADING = /^(?:#|\/\/) ((?:[\w.-]+\/)*[\w. -]*\.(?:yaml|js|ts|env)|\.env)$/

/**
 * The files of an example: a line `# sluice.yaml` or `// scripts/map.js` begins the next one; without such a line all
 * is one flow. Lines that begin with `$ ` are command lines.
 */
export function readSnippet(text: string): SnippetPart[] {
  const parts: { file: string | undefined; text: string }[] = []
  let headed = false
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const heading = HEADING.exec(line)?.[1]
    const isCommand = line.startsWith('$ ')
    if (heading !== undefined) parts.push({ file: heading, text: '' })
    else if (isCommand) parts.push({ file: undefined, text: `${line.slice(2)}\n` })
    else if (headed) parts.at(-1)!.text += `${line}\n`
    else parts.push({ file: 'flows/orders.yaml', text: `${line}\n` })
    headed = true
  }
  return parts
}
