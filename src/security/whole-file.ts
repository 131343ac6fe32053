import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * Writes a file so that it is there whole, or as it was before, whenever the machine stops. A link to it stays one.
 * @param mode of a new file; of one that was there before, too, where it does not keep its own
 */
export async function writeWhole(path: string, text: string, mode: number, keepsMode = true): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const before = await stat(target).catch(() => undefined)
  await throughTemporary(target, text, 0o600, async (temporary) => {
    await chmod(temporary, before && keepsMode ? before.mode & 0o777 : mode)
    await rename(temporary, target)
  })
}

/** Writes a file that is not there yet, whole or not at all. @throws Error with `code` `EEXIST` when it is there */
export async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await throughTemporary(path, text, mode, (temporary) => link(temporary, path))
}

/** Writes a file beside the one that is meant, on disk before `place` puts it there. */
async function throughTemporary(
  target: string,
  text: string,
  mode: number,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(target)
  const temporary = join(folder, `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await place(temporary)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(folder)
}

/** So that the new name lasts, too; not every system knows it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

/** ms between two tries to get the lock. */
const PAUSE = 20
/** ms after which it is given up. */
const PATIENCE = 15_000

/**
 * Does something while no other process does it for the same file.
 * @throws Error with `code` `SLUICE_LOCKED` when another one does not come to its end
 */
export async function whileLocked<T>(path: string, action: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  const target = await realpath(path).catch(() => path)
  const lock = join(dirname(target), `.${basename(target)}.lock`)
  const mine = `${hostname()} ${process.pid} ${randomBytes(6).toString('hex')}\n`
  const until = performance.now() + PATIENCE
  while (!(await take(lock, mine))) {
    if (await isLeft(lock)) continue
    if (performance.now() > until)
      throw Object.assign(new Error(`another process is writing "${path}"`), {
        code: 'SLUICE_LOCKED',
        hint: `Wait until it is done. If none is, remove ${lock}.`,
      })
    await wait(PAUSE)
  }
  try {
    return await action()
  } finally {
    await rm(lock, { force: true })
  }
}

async function take(lock: string, mine: string): Promise<boolean> {
  try {
    await writeFile(lock, mine, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Takes a lock away whose process of this machine is gone. */
async function isLeft(lock: string): Promise<boolean> {
  const owner = await readFile(lock, 'utf8').catch(() => '')
  const [host, pid] = owner.split(' ')
  if (host !== hostname() || isAlive(Number(pid))) return false
  const aside = `${lock}.${randomBytes(6).toString('hex')}`
  // Only one gets it; what it got by mistake, a new lock, is put back.
  const taken = await rename(lock, aside).then(
    () => readFile(aside, 'utf8'),
    () => undefined,
  )
  if (taken === undefined) return true
  if (taken === owner) await rm(aside, { force: true })
  else await rename(aside, lock)
  return true
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
