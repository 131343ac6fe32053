import { sayDuration } from '../core/duration.ts'
import type { CredentialExplanation } from '../core/explanation.ts'
import type { ExplainedStep, FlowExplanation } from '../core/flow-explanation.ts'
import { codeInWords, counted, inWords } from '../core/plain-words.ts'
import type { CommandIo } from './command.ts'
import { paint, type Paint } from './paint.ts'
import { printable } from './plain-text.ts'
import { wrap } from './wrap.ts'

const WIDEST = 80

/** The story of a flow for a terminal. */
export function explanationLines(
  flow: FlowExplanation,
  { color, columns }: Pick<CommandIo, 'color' | 'columns'>,
): string {
  const page = new Page(paint(color), Math.max(40, Math.min(columns, WIDEST)))
  head(flow, page)
  start(flow, page)
  page.title('What it does')
  for (const step of flow.steps) tellStep(step, '  ', page)
  if (flow.steps.length === 0) page.text('  nothing that could be told')
  for (const { kind, line } of flow.leftOut)
    page.text(`  The step "${kind}" of line ${line} has mistakes and is left out here.`)
  page.title('When a step fails')
  failing(flow, page)
  page.title('In short')
  summary(flow, page)
  return page.end()
}

/** Lines of a page that is not wider than it may be. */
class Page {
  readonly colors: Paint
  readonly #width: number
  readonly #lines: string[] = []

  constructor(colors: Paint, width: number) {
    this.colors = colors
    this.#width = width
  }

  title(text: string): void {
    this.#lines.push('', this.colors.bold(text))
  }

  /** @param hanging columns by which the second line and those after it are indented further */
  text(text: string, hanging = 0, tone: (text: string) => string = String): void {
    const [indent] = /^ */.exec(text)!
    const wrapped = wrap(
      `${indent}${printable(text.slice(indent.length)).replaceAll('\n', ' ')}`,
      this.#width - hanging,
    )
    wrapped.forEach((line, i) => this.#lines.push(tone(i === 0 ? line : ' '.repeat(hanging) + line)))
  }

  /** A name, and what belongs to it, in two columns. */
  fact(name: string, texts: readonly string[]): void {
    texts
      .flatMap((text) => {
        const [first, ...more] = wrap(printable(text), this.#width - LABEL - 4)
        return [first!, ...more.map((line) => `  ${line}`)]
      })
      .forEach((line, i) =>
        this.#lines.push(`  ${this.colors.dim((i === 0 ? name : '').padEnd(LABEL))}${line}`.trimEnd()),
      )
  }

  end(): string {
    return `${this.#lines.join('\n')}\n`
  }
}

const LABEL = 14

function head({ name, file, description, enabled, problems, parameters }: FlowExplanation, page: Page): void {
  const { colors } = page
  page.text(`${name}  ${file}`, 2, (line) => line.replace(name, () => colors.bold(name)))
  if (description !== undefined) page.text(`  ${description.trim()}`)
  if (problems.some(({ severity }) => severity === 'error'))
    page.text('  It has problems and does not start; what follows tells what is sound.', 0, colors.red)
  else if (!enabled) page.text('  It is disabled (enabled: false) and does not start.', 0, colors.yellow)
  if (parameters.length === 0) return
  page.title('What can be set')
  for (const { name: parameter, value, description: what } of parameters)
    page.text(
      `  ${parameter} = ${value === undefined ? '(must be given)' : String(value)}${what === undefined ? '' : `: ${what.trim()}`}`,
      2,
    )
}

function start(
  { start: { kind, description, text, details, zone, next } }: FlowExplanation,
  page: Page,
): void {
  page.title('What starts it')
  page.text(`  ${kind === undefined ? '' : `${kind}: `}${text}`, 2)
  if (description !== undefined) page.text(`    ${description.trim()}`)
  if (next.length > 0) page.text(`    Next: ${next.map(moment).join(', ')} (${zone}).`)
  for (const detail of details) page.text(`    ${detail}`)
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** `Mon 2026-11-30 02:00` */
function moment(text: string): string {
  const [, day, time] = /^([\d-]+)T([\d:.]+)/.exec(text)!
  return `${DAYS[Temporal.PlainDate.from(day!).dayOfWeek - 1]} ${day} ${time}`
}

function tellStep(step: ExplainedStep, indent: string, page: Page): void {
  const number = `${step.number}.`
  const under = indent + ' '.repeat(number.length + 1)
  const name = step.id === step.kind ? step.kind : `${step.kind} (${step.id})`
  const bold = (line: string) => line.replace(name, () => page.colors.bold(name))
  page.text(`${indent}${number} ${name}: ${step.text}`, number.length + 1, bold)
  if (step.description !== undefined) page.text(`${under}${step.description.trim()}`)
  if (step.condition !== undefined) page.text(`${under}Only if ${codeInWords(step.condition)}.`)
  for (const detail of step.details) page.text(`${under}${detail}`)
  for (const { title, steps } of step.parts) {
    if (title !== undefined) page.text(`${under}${title}:`, 2, page.colors.cyan)
    for (const inner of steps) tellStep(inner, title === undefined ? under : `${under}  `, page)
  }
}

function failing({ onError }: FlowExplanation, page: Page): void {
  page.text(
    onError.length === 0
      ? '  The steps after it do not run, unless a "try" around it catches the failure. The run is FAILED in the message log.'
      : '  The steps after it do not run, unless a "try" around it catches the failure. These run (onError), and the run is FAILED in the message log:',
  )
  for (const step of onError) tellStep(step, '  ', page)
}

const LOGGED: Readonly<Record<string, string>> = {
  none: 'the record of each run; no lines, no attachments',
  info: 'the record of each run, lines from info on, attachments',
  debug: 'the record of each run, all lines, attachments, headers and properties',
  trace: 'the record of each run, all lines, attachments, headers, properties and payloads',
}

function summary({ summary: short, onError }: FlowExplanation, page: Page): void {
  const { running, waiting } = short.concurrency
  page.fact('hosts called', short.hosts.length === 0 ? ['none'] : short.hosts)
  page.fact('credentials', short.credentials.length === 0 ? ['none'] : short.credentials.flatMap(credential))
  page.fact('time', [`${sayDuration(short.timeout)} for a run`])
  page.fact('at once', [
    `${counted(running, 'run')}, ${waiting === 0 ? 'none may wait' : `${counted(waiting, 'message')} may wait`}`,
  ])
  page.fact('logged', [
    `${LOGGED[short.logLevel] ?? short.logLevel} (logLevel: ${short.logLevel})`,
    ...(short.searchable.length === 0 ? [] : [`searchable by the headers ${inWords(short.searchable)}`]),
  ])
  page.fact('calls', short.calls.length === 0 ? ['no other flow'] : [short.calls.join(', ')])
  page.fact('called by', short.calledBy.length === 0 ? ['no other flow'] : [short.calledBy.join(', ')])
  if (short.success !== undefined) page.fact('on success', [short.success])
  page.fact('on failure', [
    `${short.failure}${onError.length === 0 ? '' : '; or what a `respond` or `fail` of onError says'}`,
  ])
}

function credential({ name, type, hosts, baseUrl, unset, broken }: CredentialExplanation): string[] {
  if (type === 'missing') return [`${name}: there is none of this name`]
  if (broken) return [`${name} (${type}): its file has mistakes; sluice check tells them`]
  const where =
    hosts.length > 0 ? inWords(hosts) : baseUrl === undefined ? 'nowhere' : `the host of ${baseUrl}`
  return [
    `${name} (${type}): may go to ${where}`,
    ...(unset.length === 0 ? [] : [`  not set: ${unset.join(', ')}`]),
  ]
}
