import type { TSchema } from '@sinclair/typebox'
import { page } from './kind-pages.ts'
import type { Page } from './page.ts'

const FOLDER = 'docs/reference'

/** A function, method or macro of the expression language. */
export interface DocumentedFunction {
  readonly name: string
  readonly signature: string
  readonly summary: string
  readonly example: { readonly expression: string; readonly result: string }
}

/** Every function of the expression language. */
export function expressionPage(functions: readonly DocumentedFunction[]): Page {
  const rows = functions.map(
    ({ signature, summary, example }) =>
      `| \`${bar(signature)}\` | ${bar(summary)} | \`${bar(example.expression)}\` | \`${bar(example.result)}\` |`,
  )
  return {
    path: `${FOLDER}/expressions.md`,
    text: page([
      '# Functions of expressions',
      '[The guide](../guide/expressions.md) tells where expressions stand and what they see. These are their functions; those with a dot in front of their name, as `text.contains(part)`, are written behind a value.',
      ['| function | gives | for example | is |', '|---|---|---|---|', ...rows].join('\n'),
    ]),
  }
}

function bar(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** One setting of sluice.yaml. */
export interface DocumentedSetting {
  /** `http.connections` */
  readonly name: string
  /** `SLUICE_HTTP_CONNECTIONS`; none: it has none. */
  readonly variable?: string
  readonly schema: TSchema
  readonly takes: string
}

/** Every setting, with its variable. */
export function settingsPage(settings: readonly DocumentedSetting[]): Page {
  const rows = settings.map(({ name, variable, schema, takes }) => {
    const preset: unknown = schema['default']
    return `| \`${name}\` | ${takes} | ${preset === undefined ? '' : `\`${String(preset)}\``} | ${variable === undefined ? '' : `\`${variable}\``} | ${bar(schema.description ?? '')} |`
  })
  return {
    path: `${FOLDER}/settings.md`,
    text: page([
      '# Settings',
      'Settings stand in `sluice.yaml` in the project folder; a dot means a map inside a map (`log: { level: debug }`). An environment variable wins over the file, and a flag of the command line over both. The file is not needed: every setting has a default or may be left out.',
      ['| setting | takes | default | variable | |', '|---|---|---|---|---|', ...rows].join('\n'),
    ]),
  }
}

/** A command as its own `--help` tells it. */
export interface DocumentedCommand {
  /** `check`, or `flow list` for one of a group. */
  readonly name: string
  /** One sentence. */
  readonly summary: string
  readonly arguments?: readonly DocumentedArgument[]
  readonly options: readonly {
    /** `--flow <name>` */
    readonly flags: string
    readonly description: string
    /** Several times; the command gets a list. */
    readonly repeatable?: boolean
  }[]
  readonly examples: readonly string[]
  /** Shown below the options. */
  readonly details?: string
}

interface DocumentedArgument {
  readonly name: string
  readonly optional?: boolean
  /** Any number of them. */
  readonly several?: boolean
  readonly description: string
}

/** Every command. */
export function commandLinePage(commands: readonly DocumentedCommand[]): Page {
  const list = commands.map(
    ({ name, summary }) => `| [\`${name}\`](#sluice-${anchor(name)}) | ${bar(summary)} |`,
  )
  return {
    path: `${FOLDER}/cli.md`,
    text: page([
      '# The command line',
      '`npx sluice COMMAND --help` tells the same. `-C FOLDER` (or `--project FOLDER`) before the command names another project folder than the current one. Exit codes: 0 fine, 1 problems or a failure, 2 wrong usage, 3 a fault; what differs is told with the command.',
      ['| command | |', '|---|---|', ...list].join('\n'),
      ...commands.flatMap(commandParts),
    ]),
  }
}

function anchor(name: string): string {
  return name.replaceAll(' ', '-')
}

function commandParts(command: DocumentedCommand): string[] {
  const { name, summary, options, examples, details } = command
  const given = command.arguments ?? []
  const usage = ['sluice', name, ...(options.length > 0 ? ['[options]'] : []), ...given.map(argument)].join(
    ' ',
  )
  const rows = [
    ...given.map((one) => `| \`${one.name}\` | ${bar(one.description)} |`),
    ...options.map(
      ({ flags, description, repeatable }) =>
        `| \`${bar(flags)}\` | ${bar(description)}${repeatable ? ' (several times)' : ''} |`,
    ),
  ]
  return [
    `## sluice ${name}`,
    summary,
    `\`\`\`text\n${usage}\n\`\`\``,
    ...(rows.length === 0 ? [] : [['| | |', '|---|---|', ...rows].join('\n')]),
    ...(details === undefined ? [] : [details]),
    ...(examples.length === 0 ? [] : [`\`\`\`text\n${examples.join('\n')}\n\`\`\``]),
  ]
}

function argument({ name, optional, several }: DocumentedArgument): string {
  const shown = several ? `${name}...` : name
  return optional ? `[${shown}]` : `<${shown}>`
}

/** What leads to every page. @param others title and path of pages that are made elsewhere */
export function indexPage(
  groups: readonly {
    readonly title: string
    readonly links: readonly { readonly text: string; readonly path: string; readonly about?: string }[]
  }[],
): Page {
  return {
    path: `${FOLDER}/index.md`,
    text: page([
      '# Reference',
      'Made from the schemas that the engine itself checks by, so that it cannot say anything else. The guides are in [docs/guide](../guide/getting-started.md).',
      ...groups.flatMap(({ title, links }) => [
        `## ${title}`,
        links
          .map(({ text, path, about }) => `- [${text}](${path})${about === undefined ? '' : `: ${about}`}`)
          .join('\n'),
      ]),
    ]),
  }
}
