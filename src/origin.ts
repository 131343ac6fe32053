import { readFile, realpath } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { version } from './version.ts'

const isCheckout = import.meta.filename.endsWith('.ts')
/** Of the package, or the checkout. */
const home = join(import.meta.dirname, '..')

/**
 * What a project's package.json says so that npm gets this Sluice once more: its version, or `file:` where it is a checkout or came
 * from a file.
 * @param project absolute; it is there
 */
export async function packageSource(project: string): Promise<string> {
  const file = isCheckout ? home : await installedFrom(home)
  return file === undefined
    ? version
    : `file:${relative(await realpath(project), file)
        .split(sep)
        .join('/')}`
}

/**
 * The file that npm installed a package from; undefined where it came from a registry.
 * @param folder of the package, absolute
 */
export async function installedFrom(folder: string): Promise<string | undefined> {
  const modules = dirname(folder)
  try {
    const lock = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string }>
    }
    const { resolved } = lock.packages[`node_modules/${relative(modules, folder)}`] ?? {}
    return resolved?.startsWith('file:')
      ? resolve(dirname(modules), resolved.slice('file:'.length))
      : undefined
  } catch {
    return undefined
  }
}
