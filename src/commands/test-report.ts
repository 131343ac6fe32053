import type { CredentialTestReport } from '../core/control.ts'
import type { CredentialTestStep } from '../core/credential-test.ts'
import { hasErrors, type Problem } from '../core/problem.ts'
import { paint, type Paint } from './paint.ts'
import { bytes, oneLine, printable } from './plain-text.ts'
import { wrap, wrapList } from './wrap.ts'

export interface ReportSetting {
  readonly color: boolean
  readonly columns: number
  /** What was to be called. */
  readonly call: string | undefined
  readonly tryOthers: boolean
  /** It was asked by the engine that runs, which keeps the token. */
  readonly byEngine: boolean
}

/** Columns that a report takes at the most: longer lines are hard to read. */
const WIDTH = 80
const INDENT = '    '
const LABEL = 7
const PART = 9
/** Headers that hardly anything depends on. */
const USUAL: ReadonlySet<string> = new Set(['accept', 'accept-encoding', 'user-agent'])

/** What a test found, for a person in trouble: each step with what was asked, what came back, why and what to do. */
export function printCredentialTest(report: CredentialTestReport, setting: ReportSetting): string {
  const sheet = new Sheet(Math.max(40, Math.min(WIDTH, setting.columns)), paint(setting.color))
  const { colors } = sheet
  const { name, type, file, problems, steps } = report
  sheet.out.push(
    `${colors.bold(oneLine(name))}  ${type}  ${oneLine(file)}`,
    colors.dim(
      setting.byEngine
        ? '  asked by the running engine, which keeps the token'
        : '  asked in a process of its own: no engine runs on this data folder',
    ),
  )
  const [first] = steps
  const isLoaded = first?.title !== 'settings'
  if (problems.length > 0 || !isLoaded) {
    sheet.head('settings', isLoaded ? colors.yellow('odd') : colors.red('failed'))
    if (first?.failure && !isLoaded && !hasErrors(problems)) sheet.failure(first.failure)
    for (const problem of problems) sheet.problem(problem)
  }
  for (const [index, step] of (isLoaded ? steps : []).entries()) sheet.step(index + 1, step, file)
  sheet.end(conclusionOf(report, setting))
  return `${sheet.out.join('\n')}\n`
}

class Sheet {
  readonly out: string[] = []
  readonly colors: Paint
  readonly #width: number

  constructor(width: number, colors: Paint) {
    this.#width = width
    this.colors = colors
  }

  /** @param status painted */
  head(title: string, status: string): void {
    const room = this.#width - 2 - 'failed'.length
    const [first, ...rest] = wrap(oneLine(title), room - 2)
    this.out.push(`  ${first!.padEnd(room)}${status}`, ...rest.map((line) => `    ${line}`))
  }

  step(number: number, step: CredentialTestStep, file: string): void {
    const { colors } = this
    this.head(`${number} ${step.title}`, step.ok ? colors.green('ok') : colors.red('failed'))
    const isBrief = step.variant === true && !step.ok
    if (!isBrief) this.#asked(step.asked)
    this.#got(step, isBrief)
    if (step.failure && !isBrief) this.failure(step.failure)
    for (const warning of step.warnings ?? []) this.row('note', warning, colors.yellow)
    if (step.change !== undefined) {
      this.row('change', `${oneLine(file)}:`, colors.green)
      for (const line of step.change.split('\n')) this.row('', `  ${line}`, colors.green)
    }
  }

  failure({ message, hint }: { readonly message: string; readonly hint?: string }): void {
    this.row('why', message, this.colors.red)
    if (hint !== undefined) this.row('fix', hint)
  }

  problem({ file, line, column, severity, message, hint }: Problem): void {
    const place = line === 0 ? file : `${file}:${line}:${column}`
    const isError = severity === 'error'
    this.row(isError ? 'why' : 'note', `${place}: ${message}`, isError ? this.colors.red : this.colors.yellow)
    if (hint !== undefined) this.row('fix', hint)
  }

  #asked({ method, url, headers, query, fields, certificate }: CredentialTestStep['asked']): void {
    if (method === '') return
    this.#put('asked', [printable(`${method} ${url}`)])
    const own = headers.filter((name) => !USUAL.has(name))
    const sorted = [...own, ...headers.filter((name) => USUAL.has(name))]
    for (const [name, list] of Object.entries({ headers: sorted, query, fields }))
      if (list.length > 0) this.row('', list, undefined, name)
    if (certificate !== undefined) this.row('', `client certificate ${certificate}`)
  }

  /** @param whole also what the message of the failure tells */
  #got({ got, failure }: CredentialTestStep, whole: boolean): void {
    const { body, ...facts } = got
    const told = Object.entries(facts).filter(
      ([name, value]) => whole || name !== 'description' || !failure?.message.includes(String(value)),
    )
    if (told.length > 0)
      this.row(
        'got',
        told.map(
          ([name, value]) => `${name} ${typeof value === 'number' && name === 'size' ? bytes(value) : value}`,
        ),
      )
    if (body !== undefined) this.#body(String(body))
  }

  /** Of a receiver; words that are longer than a line are broken, too. */
  #body(text: string): void {
    const start = LABEL + PART
    const width = this.#width - INDENT.length - start
    const lines = wrap(printable(text), width).flatMap(
      (line) => line.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [''],
    )
    this.#put(`${' '.repeat(LABEL)}body`, lines, this.colors.dim, start)
  }

  /** @param part the name of what stands in the row, in a column of its own */
  row(
    label: string,
    content: string | readonly string[],
    color: (text: string) => string = String,
    part?: string,
  ): void {
    const width = this.#width - INDENT.length - LABEL - (part === undefined ? 0 : PART)
    const lines =
      typeof content === 'string' ? wrap(printable(content), width) : wrapList(content.map(oneLine), width)
    this.#put(`${label.padEnd(LABEL)}${part ?? ''}`, lines, color, part === undefined ? LABEL : LABEL + PART)
  }

  #put(
    label: string,
    lines: readonly string[],
    color: (text: string) => string = String,
    width: number = LABEL,
  ): void {
    const name = label.padEnd(width)
    for (const [index, line] of lines.entries())
      this.out.push(
        `${INDENT}${index === 0 ? this.colors.dim(name) : ' '.repeat(name.length)}${color(line)}`.trimEnd(),
      )
  }

  end(conclusion: readonly string[]): void {
    this.out.push('', ...conclusion.flatMap((line) => wrap(printable(line), this.#width)))
  }
}

/** What it came to, and what to do next. */
function conclusionOf(
  { name, type, ok, file, steps, problems }: CredentialTestReport,
  { call, tryOthers }: ReportSetting,
): string[] {
  const variants = steps.filter(({ variant }) => variant)
  const others = steps.reduce((most, step) => Math.max(most, step.others ?? 0), 0)
  const next = `Try it at the receiver: sluice credential test ${name} --call URL`
  if (ok && call !== undefined) return [`${name} works.`]
  if (ok && steps.length > 0) return [`${name} gets a token.`, next]
  if (ok) return [`Credentials of the type ${type} ask for nothing: they are sent as they are.`, next]
  const last = steps.at(-1)
  const worksAsBefore = hasErrors(problems) && steps.every(({ ok: passed }) => passed)
  if (worksAsBefore)
    return [`${name} works as it was; ${file} has mistakes, and does not count until they are mended.`]
  if (last?.title === 'call' && steps.length > 1)
    return [`${name} gets a token, but the call with it failed.`]
  const lines = [`${name} does not work as it is.`]
  if (variants.at(-1)?.ok) lines[0] += ` It does with the change above: write it into ${file}.`
  else if (variants.length > 0)
    lines[0] += ' Nor does another common way: look at clientId, clientSecret, scope and tokenServiceUrl.'
  else if (others > 0 && !tryOthers)
    lines.push(
      `--try asks once in each of ${others} other common ${others === 1 ? 'way' : 'ways'}; wrong attempts may count at the service and lock the client.`,
    )
  if (call !== undefined && last?.title !== 'call')
    lines.push('The call was not made: there is nothing to make it with.')
  return lines
}
