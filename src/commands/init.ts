import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { makeFolder, sayUnwritable } from '../make-folder.ts'
import { packageSource } from '../origin.ts'
import { starterFiles } from '../starter.ts'
import { Stop, UsageError, type CommandDefinition } from './command.ts'
import { shellWord } from './plain-text.ts'

/** What every folder may have, also one in which npm has just installed Sluice. */
const HARMLESS = ['.git', '.DS_Store', 'package.json', 'package-lock.json', 'node_modules']
const SHOWN = 5

export const initCommand: CommandDefinition = {
  name: 'init',
  summary: 'Makes a project: flows to try, settings, and what npm needs.',
  arguments: [
    {
      name: 'folder',
      optional: true,
      description: 'where it goes; it is made where there is none (default: here)',
    },
  ],
  options: [
    { flags: '--add', description: 'into a folder with files: adds what is missing, overwrites nothing' },
    { flags: '--json', description: 'what was written, as JSON' },
  ],
  examples: ['sluice init flows-of-acme', 'sluice init --add'],
  details: 'Exit code: 0 done, 1 the folder has files (see --add), 2 wrong usage, 3 a fault.',
  async run(io, [given = '.'], options) {
    const folder = resolve(io.projectFolder, given)
    const there = await entriesOf(folder, given)
    if (there.length > 0 && options['add'] !== true) throw new Stop(1, inTheWay(given, there))
    await writable(folder, () => makeFolder(folder))
    const files = await starterFiles({ name: nameOf(folder), sluice: await packageSource(folder) })
    const written: string[] = []
    const kept: string[] = []
    for (const [path, text] of files) ((await writeNew(join(folder, path), text)) ? written : kept).push(path)
    if (options['json']) io.stdout(`${JSON.stringify({ folder, written, kept }, undefined, 2)}\n`)
    else {
      const lines = [...files.keys()].map((path) =>
        kept.includes(path) ? `${path}  (was there, is as it was)` : path,
      )
      io.stdout(
        `A project in ${shown(folder, io.workingFolder)}:\n\n${lines.map((line) => `  ${line}\n`).join('')}\n`,
      )
      if (kept.includes('package.json'))
        io.stdout(await missing(folder, JSON.parse(files.get('package.json')!) as Manifest))
      io.stdout(`Next:\n${nextSteps(folder, io.workingFolder)}`)
    }
    return 0
  },
}

async function entriesOf(folder: string, given: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !HARMLESS.includes(name)).toSorted()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') throw new UsageError(`"${given}" is no folder; choose another name`)
    throw new Stop(1, `"${given}" cannot be read (${code}); choose another folder`)
  }
}

function inTheWay(given: string, there: readonly string[]): string {
  const names = there.slice(0, SHOWN).map((name) => `"${name}"`)
  const more = there.length > SHOWN ? ` and ${there.length - SHOWN} more` : ''
  return `"${given}" has files in it: ${names.join(', ')}${more}
  Choose another folder, or add to this one what is missing: sluice init ${shellWord(given)} --add
  It overwrites nothing.`
}

/** False: there is one already. */
async function writeNew(file: string, text: string): Promise<boolean> {
  await writable(file, () => makeFolder(dirname(file)))
  return writable(file, async () => {
    try {
      await writeFile(file, text, { flag: 'wx' })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  })
}

async function writable<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    throw new Stop(1, `"${path}" cannot be written: ${sayUnwritable(error)}`)
  }
}

/** For npm: small letters, digits, "-" and "_"; not the name of its own dependency. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[-_]+|-+$/g, '')
    .slice(0, 100)
  return name === '' || name === 'sluice' || name === 'node_modules' ? 'sluice-flows' : name
}

type Manifest = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>

/** What a package.json that was there lacks. */
async function missing(folder: string, wanted: Manifest): Promise<string> {
  let there: Manifest | null
  try {
    there = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest | null
  } catch {
    return 'package.json cannot be read; it needs what `sluice init` writes into an empty folder.\n\n'
  }
  const lines = ['scripts', 'dependencies', 'allowScripts'].flatMap((section) =>
    Object.entries(wanted[section] ?? {})
      .filter(([name]) => there?.[section]?.[name] === undefined)
      .map(([name, value]) => `  in ${section}: ${JSON.stringify(name)}: ${JSON.stringify(value)}\n`),
  )
  return lines.length === 0 ? '' : `Add to package.json, which was there:\n${lines.join('')}\n`
}

function shown(folder: string, from: string): string {
  const path = relative(from, folder)
  return path === '' ? 'this folder' : path.startsWith('..') ? folder : `${path}/`
}

function nextSteps(folder: string, from: string): string {
  const path = relative(from, folder)
  const target = path.startsWith('..') ? folder : path
  return [...(path === '' ? [] : [`cd ${shellWord(target)}`]), 'npm install', 'npm start']
    .map((line) => `  ${line}\n`)
    .join('')
}
