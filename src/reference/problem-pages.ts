import { PROBLEM_CODES, type ProblemCode } from '../core/problem-codes.ts'
import type { ProblemText } from '../core/problem-codes/problem-text.ts'
import type { Page } from './page.ts'
import { readSnippet } from './snippet.ts'

const FOLDER = 'docs/reference/problems'
const AREAS: Readonly<Record<string, string>> = {
  yaml: 'YAML',
  key: 'Keys',
  value: 'Values',
  flow: 'Flows, requests and replies',
  endpoint: 'Endpoints',
  timer: 'Timers',
  expression: 'Expressions',
  script: 'Scripts',
  credential: 'Credentials',
  client: 'Clients',
  secret: 'Encrypted secrets',
  destination: 'Destinations of BTP',
  parameter: 'Parameters',
  setting: 'Settings',
  environment: 'The file .env',
  fmt: 'Files that sluice fmt leaves alone',
}

/** A page for each code of problems, and one that lists them. */
export function problemPages(): Page[] {
  const codes = Object.keys(PROBLEM_CODES) as ProblemCode[]
  return [
    { path: `${FOLDER}/index.md`, text: indexPage(codes) },
    ...codes.map((code) => ({
      path: `${FOLDER}/${code}.md`,
      text: `# ${PROBLEM_CODES[code].title}\n\nCode \`${code}\`, told by \`sluice ${code.startsWith('fmt/') ? 'fmt' : 'check'}\`.\n\n${problemMarkdown(code)}\n[All problems](../index.md)\n`,
    })),
  ]
}

/** What a code means, with its examples, without a title. */
export function problemMarkdown(code: ProblemCode): string {
  const { meaning, wrong, right, onlyTold }: ProblemText = PROBLEM_CODES[code]
  return `${meaning}\n\n${onlyTold === undefined ? 'Wrong:' : 'For example:'}\n\n${fences(wrong)}\nRight:\n\n${fences(right)}`
}

function indexPage(codes: readonly ProblemCode[]): string {
  const sections = Object.entries(AREAS).map(([area, title]) => {
    const lines = codes
      .filter((code) => code.startsWith(`${area}/`))
      .toSorted()
      .map((code) => `- [\`${code}\`](${code}.md): ${lowerFirst(PROBLEM_CODES[code].title)}`)
    return `## ${title}\n\n${lines.join('\n')}\n`
  })
  return `# Problems\n\nA problem is a mistake in a flow, a credential or the settings, found when they are loaded. Its code stands in\nbrackets behind it; \`sluice check --explain <code>\` tells the same as its page here.\n\n${sections.join('\n')}`
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}

function fences(snippet: string): string {
  return readSnippet(snippet)
    .map(({ file, text }) => {
      const title = file === undefined || file === 'flows/orders.yaml' ? '' : `\`${file}\`:\n\n`
      return `${title}\`\`\`${languageOf(file)}\n${text}\`\`\`\n`
    })
    .join('\n')
}

function languageOf(file: string | undefined): string {
  if (file === undefined || file === '.env') return 'sh'
  return file.slice(file.lastIndexOf('.') + 1)
}
