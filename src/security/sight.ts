import { lstat, readlink, stat } from 'node:fs/promises'
import { basename, dirname, join, parse, resolve, sep } from 'node:path'
import { findMaterial } from './material-files.ts'

/** What can be seen of the security material without reading a secret. */
export interface Sight {
  /** The same while nothing is different. */
  readonly state: string
  /** By folder: what is looked for in it. */
  readonly places: ReadonlyMap<string, Place>
}

export interface Place {
  /** What comes and goes in it matters, too: it is of the security material. */
  readonly open: boolean
  /** Files, links and folders that were seen, or are missing. */
  readonly names: ReadonlySet<string>
}

/** Links on the way to one file, as the operating system counts them. */
const MOST_LINKS = 40

const NO_FOLDER: Awaited<ReturnType<typeof findMaterial>> = {
  files: [],
  folders: [],
  links: [],
  unreadable: [],
}

/** Looks at the folder, if there is one, and at further files. They may not be there. All paths are absolute. */
export async function see(folder: string | undefined, files: readonly string[]): Promise<Sight> {
  const found = folder === undefined ? NO_FOLDER : await findMaterial(folder)
  const own = folder === undefined ? [] : [folder]
  const ways = await Promise.all([...own, ...found.links, ...files].map(wayTo))
  const looks = await Promise.all([...found.files, ...files].map(look))
  const places = new Map(found.folders.map((at) => [at, { open: true, names: new Set<string>() }]))
  const seen = found.files.map((path): [string, string] => [dirname(path), basename(path)])
  for (const [at, name] of [...seen, ...ways.flat()]) {
    const place = places.get(at) ?? { open: false, names: new Set<string>() }
    place.names.add(name)
    places.set(at, place)
  }
  return { state: JSON.stringify([found.folders, found.unreadable, ways, looks]), places }
}

/** Where a change may change what a path leads to: its own place, each link on the way, and the first piece that is missing. */
async function wayTo(path: string): Promise<[folder: string, name: string][]> {
  const places: [string, string][] = []
  let at = parse(path).root
  let rest = piecesOf(path)
  for (let links = 0; rest.length > 0 && links <= MOST_LINKS;) {
    const name = rest.shift()!
    const here = join(at, name)
    const about = await lstat(here).catch(() => undefined)
    const target = about?.isSymbolicLink() ? await readlink(here).catch(() => undefined) : undefined
    if (about === undefined || target !== undefined || rest.length === 0) places.push([at, name])
    if (about === undefined) break
    if (target === undefined) at = here
    else {
      links++
      const whole = resolve(at, target)
      at = parse(whole).root
      rest = [...piecesOf(whole), ...rest]
    }
  }
  return places
}

function piecesOf(path: string): string[] {
  return path.slice(parse(path).root.length).split(sep).filter(Boolean)
}

async function look(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return `${path} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
  } catch (error) {
    return `${path} ${(error as NodeJS.ErrnoException).code}`
  }
}
