import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { Failure } from '../core/failure.ts'
import { defineStep, type Deployment, type PreparedStep } from '../core/kinds.ts'
import { counted } from '../core/plain-words.ts'
import { didYouMean, type Place } from '../core/problem.ts'
import { Keys, Optional, Text } from '../core/schema.ts'
import type { ScriptMistake, ScriptSource } from '../core/services.ts'

/** ms that a script may take where the step has no `timeout`, and at most. */
const TIMEOUT = 5000
const CEILING = 60_000

export const script = defineStep({
  name: 'script',
  summary: 'Changes the message with JavaScript or TypeScript.',
  description:
    'The script runs in a process of its own, without network, files, timers and environment. It sees `message` ' +
    '(`body`, `headers`, `properties`) and changes it; `log.info(text, fields)` writes to the message log, ' +
    '`attach(name, content, contentType)` keeps a payload there, `fail(message, { status, code })` ends the step with a failure; ' +
    '`trigger`, `response`, `param` and `run` hold what they hold in expressions. ' +
    'A file exports a function that gets `message` and `context`. The message changes only when the script succeeds.',
  shorthand: 'text',
  timeout: TIMEOUT,
  options: Keys({
    text: Optional(
      Text({
        description: 'The script itself.',
        examples: ['message.body.total = message.body.qty * message.body.price'],
      }),
    ),
    file: Optional(
      Text({
        description: 'File of the script, relative to the project folder: `.js` or `.ts`.',
        examples: ['scripts/map-items.ts'],
      }),
    ),
    function: Optional(
      Text({
        description: 'Name of the exported function of the file; its default export when left out.',
        examples: ['mapOrders'],
        pattern: '^[A-Za-z_$][\\w$]*$',
      }),
    ),
  }),
  examples: [
    {
      title: 'A line of JavaScript',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - script: message.body.total = message.body.qty * message.body.price\n',
    },
    {
      title: 'Several lines',
      yaml: "steps:\n  - endpoint: { path: /orders, access: public }\n  - script: |\n      const { items = [] } = message.body;\n      if (items.length === 0) fail('the order has no items', { status: 422, code: 'order.empty' });\n      message.body = items.map(({ sku, qty }) => ({ sku, qty }));\n      log.info('mapped', { items: items.length });\n",
    },
  ],
  explain({ text, file, function: name }) {
    const lines = text?.trimEnd().split('\n') ?? []
    return {
      text:
        file === undefined
          ? lines.length === 1
            ? `changes the message with JavaScript: \`${lines[0]!.trim().slice(0, 200)}\``
            : `changes the message with ${counted(lines.length, 'line')} of JavaScript, which stand in the flow`
          : `changes the message with ${name === undefined ? 'the default function' : `the function "${name}"`} of ${file}`,
      details: ['It has no network, no files and no secrets.'],
    }
  },
  async prepare(options, deployment): Promise<PreparedStep> {
    const { timeout = TIMEOUT } = deployment.step
    if (timeout > CEILING)
      deployment.problem({
        code: 'script/timeout',
        message: 'a script may take 60s at most',
        hint: 'Split the work: a `forEach` runs a script for each item.',
        place: deployment.flow.document.place([...deployment.step.path, 'timeout']),
      })
    const source = await findSource(options, deployment)
    const compiled = source && (await compile(source, deployment))
    if (!compiled) return { run: () => {} }
    const limits = { timeout: Math.min(timeout, CEILING) }
    return {
      readsBody: compiled.readsBody,
      run: (message, context) => compiled.run(message, context, limits),
      stop: () => compiled.dispose(),
    }
  },
})

interface Options {
  readonly text?: string
  readonly file?: string
  readonly function?: string
}

/** The script's text, wherever it is. Mistakes are reported; nothing then. */
async function findSource(
  { text, file, function: name }: Options,
  deployment: Deployment,
): Promise<ScriptSource | undefined> {
  if ((text === undefined) === (file === undefined)) {
    deployment.problem({
      code: 'script/source',
      message:
        text === undefined ? 'there is no script' : 'the script is given twice: as "text" and as "file"',
      hint: 'Write the script under `script: |`, or name its file: `script: { file: scripts/map.ts }`.',
      ...(text === undefined ? {} : { at: ['file'], on: 'key' }),
    })
    return undefined
  }
  if (file !== undefined) return readSource(file, name, deployment)
  if (name !== undefined)
    deployment.problem({
      code: 'script/source',
      message: '"function" names a function of a file; a script in the flow has none',
      hint: 'Leave it out, or put the script into a file.',
      at: ['function'],
      on: 'key',
    })
  return {
    file: deployment.flow.file,
    text: text!,
    form: 'body',
    place: (offset) => deployment.flow.document.place(textPath(deployment), { offset }),
  }
}

/** Where the text stands: under its key, or, as a shorthand, where the options would. */
function textPath({ flow, step }: Deployment): (string | number)[] {
  let value = flow.document.value
  for (const key of step.optionsPath) value = (value as Record<string | number, unknown>)[key]
  return typeof value === 'string' ? [...step.optionsPath] : [...step.optionsPath, 'text']
}

async function readSource(
  file: string,
  name: string | undefined,
  deployment: Deployment,
): Promise<ScriptSource | undefined> {
  const { projectFolder } = deployment.services
  const path = join(projectFolder, file)
  const outside = () =>
    deployment.problem({
      code: 'script/outside',
      message: `"${file}" is outside of the project folder`,
      hint: 'Scripts are files of the project, named relative to its folder: `scripts/map-items.ts`.',
      at: ['file'],
    })
  if (isAbsolute(file) || !isInside(projectFolder, path)) return void outside()
  try {
    if (!isInside(await realpath(projectFolder), await realpath(path))) return void outside()
    const text = await readFile(path, 'utf8')
    deployment.madeFrom(path, text)
    const shown = relative(projectFolder, path).replaceAll(sep, '/')
    return {
      file: shown,
      text: withoutMark(text),
      form: 'module',
      ...(name === undefined ? {} : { function: name }),
    }
  } catch (error) {
    deployment.madeFrom(path, '')
    deployment.problem({
      code: 'script/file',
      message: await whyNot(file, path, error as NodeJS.ErrnoException),
      hint: 'The path is relative to the project folder.',
      at: ['file'],
    })
    return undefined
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

async function whyNot(file: string, path: string, error: NodeJS.ErrnoException): Promise<string> {
  if (error.code === 'EISDIR') return `"${file}" is a folder; the file of a script was expected`
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')
    return `"${file}" cannot be read (${error.code ?? error.message})`
  const beside = await readdir(dirname(path)).catch(() => [])
  return `there is no file "${file}"${didYouMean(basename(file), beside)}`
}

async function compile(source: ScriptSource, deployment: Deployment) {
  try {
    const result = await deployment.services.scripts.compile(source)
    if ('run' in result) {
      for (const warning of result.warnings) report(warning, 'warning', source, deployment)
      return result
    }
    for (const mistake of result) report(mistake, 'error', source, deployment)
  } catch (thrown) {
    const { message, hint } = Failure.from(thrown)
    deployment.problem({ code: 'script/unavailable', message, ...(hint === undefined ? {} : { hint }) })
  }
  return undefined
}

function report(
  { code, message, hint, offset, length }: ScriptMistake,
  severity: 'error' | 'warning',
  source: ScriptSource,
  deployment: Deployment,
): void {
  deployment.problem({ code, severity, message, ...(hint === undefined ? {} : { hint }), ...where() })

  function where() {
    if (code === 'script/function') return { at: [source.function === undefined ? 'file' : 'function'] }
    return source.form === 'body'
      ? { at: ['text'], offset, length }
      : { place: placeIn(source, offset, length) }
  }
}

function placeIn({ file, text }: ScriptSource, offset: number, length: number): Place {
  const start = lineAndColumn(text, offset)
  const end = lineAndColumn(text, offset + length)
  return { file, ...start, endLine: end.line, endColumn: end.column }
}

function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset)
  const lines = before.split(/\r\n|[\n\r\u2028\u2029]/)
  return { line: lines.length, column: lines.at(-1)!.length + 1 }
}
