import { readFile } from 'node:fs/promises'
import { settingsSchema } from './config.ts'
import { prose, skeleton } from './reference/skeleton.ts'

/** Files of a new project, as the package calls them: npm leaves out what begins with a dot. */
const FILES: Readonly<Record<string, string>> = {
  'flows/hello.yaml': 'flows/hello.yaml',
  'flows/order.yaml': 'flows/order.yaml',
  'flows/price.yaml': 'flows/price.yaml',
  'flows/heartbeat.yaml': 'flows/heartbeat.yaml',
  'security-material/README.md': 'security-material/README.md',
  '.env.example': 'env.example',
  '.gitignore': 'gitignore',
  'README.md': 'README.md',
}

export interface StarterSetting {
  /** Of the project. */
  readonly name: string
  /** What package.json says of where Sluice comes from: a version, or `file:...`. */
  readonly sluice: string
}

/** The files of a new project with their texts, in the order in which they are told. */
export async function starterFiles({ name, sluice }: StarterSetting): Promise<Map<string, string>> {
  const files = new Map([
    ['package.json', packageJson(name, sluice)],
    ['sluice.yaml', settingsText()],
  ])
  for (const [path, file] of Object.entries(FILES)) {
    const text = await readFile(new URL(`../starter/${file}`, import.meta.url), 'utf8')
    files.set(path, text.replaceAll('{name}', name))
  }
  return files
}

function packageJson(name: string, sluice: string): string {
  const content = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    scripts: { start: 'sluice start --watch', dev: 'sluice dev', check: 'sluice check' },
    dependencies: { sluice },
    // npm runs no install script that is not named here; this one brings the Node that Sluice runs on.
    allowScripts: { node: true },
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

/** Every setting, switched off: what is written holds until somebody takes the `#` away. */
function settingsText(): string {
  const about =
    'Settings. Each stands here with its default, or an example; take away the # in front to change it. SLUICE_* variables and flags win over this file.'
  const schema = '# yaml-language-server: $schema=node_modules/sluice/docs/reference/settings.schema.json'
  return `${[schema, ...prose(about), '', ...skeleton(settingsSchema, {})].join('\n')}\n`
}
