import type { TProperties } from '@sinclair/typebox'
import { clientKind } from './access/client-options.ts'
import { environmentName, settingNames, settingsSchema } from './config.ts'
import { credentials } from './credentials/index.ts'
import { functionReference } from './expression/functions.ts'
import { flowSchema, parameterSchema, stepKeys, TRIGGER_KEYS } from './flow/schema.ts'
import {
  credentialEditorSchema,
  flowEditorSchema,
  settingsEditorSchema,
  type FlowLanguage,
} from './reference/editor-schemas.ts'
import type { EditorSchema } from './reference/editor-schema.ts'
import { failurePages } from './reference/failure-pages.ts'
import { flowPage, GENERATED, kindPages } from './reference/kind-pages.ts'
import { taken } from './reference/options.ts'
import { problemPages } from './reference/problem-pages.ts'
import type { Page } from './reference/page.ts'
import {
  commandLinePage,
  expressionPage,
  indexPage,
  settingsPage,
  type DocumentedCommand,
} from './reference/pages.ts'
import { destination } from './security/destination.ts'
import { frameSchema } from './security/frame.ts'
import { steps } from './steps/index.ts'
import { triggers } from './triggers/index.ts'

const language: FlowLanguage = {
  flow: flowSchema,
  stepKeys,
  triggerKeys: TRIGGER_KEYS,
  parameter: parameterSchema,
  triggers,
  steps,
}
const credentialKinds = [...credentials, destination]
const types = credentialKinds.map(({ name }) => name)

/** Schemas for editors: of flows, credentials and sluice.yaml. */
export const editorSchemas: Readonly<Record<'flow' | 'credential' | 'settings', EditorSchema>> = {
  flow: flowEditorSchema(language),
  credential: credentialEditorSchema([
    ...credentialKinds.map(({ name, summary, options }) => ({
      name,
      summary,
      file: frameSchema(types, options),
    })),
    { name: clientKind.name, summary: clientKind.summary, file: clientKind.options },
  ]),
  settings: settingsEditorSchema(settingsSchema),
}

/** Every generated file of `docs/reference`. */
export function referenceFiles(commands: readonly DocumentedCommand[]): Page[] {
  const settings = settingNames().map(([name, schema]) => ({
    name,
    ...(name !== 'parameters' && { variable: environmentName(name) }),
    schema,
    takes: taken(schema),
  }))
  return [
    ...Object.entries(editorSchemas).map(([name, schema]) => ({
      path: `docs/reference/${name}.schema.json`,
      text: `${JSON.stringify(schema, undefined, 2)}\n`,
    })),
    index(),
    flowPage(language),
    ...kindPages({
      folder: 'triggers',
      word: 'Trigger',
      kinds: triggers,
      beside: 'Beside its kind a trigger may have `id` and `description`: [a flow file](../flow.md#steps).',
    }),
    ...kindPages({
      folder: 'steps',
      word: 'Step',
      kinds: steps,
      beside:
        'Beside its kind a step may have `id`, `description`, `if`, `timeout` and `retry`: [a flow file](../flow.md#steps).',
    }),
    ...kindPages({
      folder: 'credentials',
      word: 'Credential',
      kinds: credentialKinds,
      shared: ({ options }) => {
        const { properties, ...rest } = frameSchema(types, options)
        const own = Object.keys(options['properties'] as TProperties)
        const common = Object.entries(properties).filter(([name]) => !own.includes(name))
        return { ...rest, properties: Object.fromEntries(common) }
      },
      beside:
        'Any text may be or hold a reference: `${env:NAME}`, `${file:/path}`, `${secret:NAME}`, `${param:name}`. [The guide](../../guide/credentials.md) tells more.',
    }),
    ...kindPages({
      folder: 'clients',
      word: 'Client',
      kinds: [clientKind],
      beside: 'Its file is `security-material/NAME.yaml`; it holds no reference, because it holds no secret.',
    }),
    expressionPage(functionReference),
    settingsPage(settings),
    commandLinePage(commands),
    ...failurePages(),
    ...problemPages().map(({ path, text }) => ({ path, text: `${GENERATED}\n\n${text}` })),
  ]
}

function index(): Page {
  const links = (folder: string, kinds: readonly { readonly name: string; readonly summary: string }[]) =>
    kinds.map(({ name, summary }) => ({ text: name, path: `${folder}/${name}.md`, about: summary }))
  return indexPage([
    {
      title: 'Flows',
      links: [
        { text: 'A flow file', path: 'flow.md', about: 'its keys, those of steps, parameters.' },
        { text: 'Functions of expressions', path: 'expressions.md' },
      ],
    },
    { title: 'Triggers', links: links('triggers', triggers) },
    { title: 'Steps', links: links('steps', steps) },
    { title: 'Credentials', links: links('credentials', credentialKinds) },
    { title: 'Clients', links: links('clients', [clientKind]) },
    {
      title: 'Running',
      links: [
        { text: 'Settings', path: 'settings.md' },
        { text: 'The command line', path: 'cli.md' },
        { text: 'Problems', path: 'problems/index.md', about: 'what `sluice check` tells, by code.' },
        { text: 'Failures', path: 'failures/index.md', about: 'what can go wrong with a message, by code.' },
      ],
    },
    {
      title: 'Schemas for editors',
      links: [
        { text: 'flow.schema.json', path: 'flow.schema.json', about: 'files in `flows`.' },
        {
          text: 'credential.schema.json',
          path: 'credential.schema.json',
          about: 'files in `security-material`.',
        },
        { text: 'settings.schema.json', path: 'settings.schema.json', about: 'sluice.yaml.' },
      ],
    },
  ])
}
