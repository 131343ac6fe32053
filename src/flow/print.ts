import type { Place, Problem } from '../core/problem.ts'

/** Cells that a source line may take, at the most and at the least. */
const WIDTH = 120
const NARROW = 40

/**
 * Problems for people: where, what, the source line with a caret, what to do; and how many there are.
 * Literal secrets in source lines are covered. Empty when there are no problems.
 * @param columns of the terminal: source lines are cut, so that the caret stands below its place
 */
export function printProblems(
  problems: readonly Problem[],
  texts: (file: string) => string | undefined,
  { color, columns = WIDTH + 20 }: { readonly color: boolean; readonly columns?: number },
): string {
  if (problems.length === 0) return ''
  const paint = color ? painted : plain
  const lines = new Map<string, readonly string[] | undefined>()
  const lineOf = ({ file, line }: Place) => {
    if (!lines.has(file))
      lines.set(
        file,
        texts(file)
          ?.replace(/^\uFEFF/, '')
          .split(/\r?\n/),
      )
    return lines.get(file)?.[line - 1]
  }
  const blocks = problems.map((problem) => {
    const isError = problem.severity === 'error'
    const tone = isError ? RED : YELLOW
    const gutter = ' '.repeat(String(problem.line).length)
    const source = lineOf(problem)
    const head = `${paint(BOLD, placeText(problem))} ${isError ? '' : `${paint(YELLOW, 'warning:')} `}${printable(problem.message)} ${paint(DIM, `[${problem.code}]`)}`
    const excerpt =
      source === undefined || source.trim() === ''
        ? []
        : excerptOf(source, problem, columns - gutter.length - 3)
    return [
      head,
      ...excerpt.map((text, i) =>
        i === 0
          ? `${paint(DIM, `${problem.line} |`)} ${text}`
          : `${paint(DIM, `${gutter} |`)} ${paint(tone, text)}`,
      ),
      ...(problem.hint === undefined
        ? []
        : [`${gutter} ${paint(DIM, '= help:')} ${printable(problem.hint)}`]),
      ...(problem.related ?? []).map(
        (place) => `${gutter} ${paint(DIM, '= see:')} ${placeText(place)} ${printable(place.message)}`,
      ),
    ].join('\n')
  })
  return `${blocks.join('\n\n')}\n\n${summary(problems)}\n`
}

const BOLD = 1
const DIM = 2
const RED = 31
const YELLOW = 33

function painted(tone: number, text: string): string {
  return `\x1b[${tone}m${text}\x1b[0m`
}

function plain(_tone: number, text: string): string {
  return text
}

function placeText({ file, line, column }: Place): string {
  return line === 0 ? `${printable(file)}:` : `${printable(file)}:${line}:${column}:`
}

function summary(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  const files = new Set(problems.filter(({ line }) => line > 0).map(({ file }) => file)).size
  const counts = [counted(errors, 'error'), counted(warnings, 'warning')].filter(
    (count) => !count.startsWith('0'),
  )
  return files === 0 ? counts.join(', ') : `${counts.join(', ')} in ${counted(files, 'file')}`
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

/** The source line, cut around the place where it is long, and a caret under the place. */
export function excerptOf(source: string, place: Place, room = WIDTH): [string, string] {
  const width = Math.max(NARROW, Math.min(WIDTH, room))
  const line = withoutSecrets(source)
  const start = Math.min(place.column - 1, line.length)
  const sameLine = place.endLine === undefined || place.endLine === place.line
  const stop = sameLine ? (place.endColumn ?? place.column + 1) - 1 : line.trimEnd().length
  const end = Math.max(start, Math.min(stop, line.length))
  const before = cellsOf(line.slice(0, start))
  const marked = cellsOf(line.slice(start, end))
  const after = cellsOf(line.slice(end))
  const total = before.length + marked.length + after.length
  const first = total <= width ? 0 : Math.max(0, Math.min(before.length - 20, total - width))
  const all = [...before, ...marked, ...after].slice(first, first + width)
  if (first > 0) all[0] = '…'
  if (first + width < total) all[all.length - 1] = '…'
  const length = Math.max(1, Math.min(marked.length, all.length - (before.length - first)))
  return [all.join('').trimEnd(), ' '.repeat(before.length - first) + '^' + '~'.repeat(length - 1)]
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** One entry a cell; the second cell of a wide character is empty, a mark without width goes with what it marks. */
function cellsOf(text: string): string[] {
  const cells: string[] = []
  for (const character of text) {
    if (character === '\t') cells.push(' ', ' ')
    else if (/[\p{Mn}\p{Me}\u200d]/u.test(character) && cells.length > 0) cells[cells.length - 1] += character
    else if (WIDE.test(character)) cells.push(character, '')
    else cells.push(printable(character))
  }
  return cells
}

/** Control characters do not reach a terminal. */
function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, ' ')
}

const SECRET =
  /((?:^|[\s{,])["']?[\w.-]*(?:secret(?:[-_]?(?:hash|id))?|password|passphrase|authorization|token|api-?key|private-?key|assertion)(?:["']:[ \t]*|:[ \t]+)|^key:[ \t]+)("[^"]*"?|'[^']*'?|[^,{}\s](?:[^,}]*[^,}\s])?)/gi
/** The password of an address. */
const SECRET_OF_USER = /(:\/\/[^/?#\s:@]*:)([^/?#\s@]+)(?=@)/g
const SECRET_IN_FORM =
  /((?:^|[?&"'\s])[\w.-]*(?:secret|password|passphrase|token|api-?key|assertion)=)([^&\s"',}]+)/gi

/** The private part of a key. @see https://www.rfc-editor.org/rfc/rfc7518#section-6 */
const PRIVATE_PART = /((?:^|[\s{,])["']?(?:d|p|q|dp|dq|qi|k)["']?:[ \t]*["']?)([A-Za-z0-9_-]{16,})/g

/** `response: { token: body.data.token }` tells where a token is. */
const EXPRESSION = /^["']?(body|headers)[.[]/

/** A literal secret, or what looks like one, as stars; references and expressions stay. */
function withoutSecrets(line: string): string {
  return [SECRET, SECRET_OF_USER, SECRET_IN_FORM, PRIVATE_PART].reduce(
    (covered, pattern) =>
      covered.replace(pattern, (all, key: string, value: string) =>
        value.includes('${') || value.length < 3 || EXPRESSION.test(value)
          ? all
          : key + '*'.repeat(value.length),
      ),
    line,
  )
}
