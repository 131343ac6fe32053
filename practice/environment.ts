import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseEnv } from 'node:util'
import type { PartnerSecrets } from './partner.ts'

/** What the shipped credentials call the secrets. */
const VARIABLES = {
  learning: 'LMS_CLIENT_SECRET',
  incentiveRead: 'IM_READ_SECRET',
  incentiveWrite: 'IM_WRITE_SECRET',
  iot: 'IOT_CLIENT_SECRET',
  jam: 'JAM_CLIENT_SECRET',
  jamUser: 'JAM_USER_PASSWORD',
  neo: 'NEO_CLIENT_SECRET',
} as const satisfies Partial<Record<keyof PartnerSecrets, string>>

export interface PracticeEnvironment {
  readonly secrets: PartnerSecrets
  /** Writes the file: what a shell needs to find the partner and to use it. */
  save(url: string): Promise<void>
}

/** The secrets of the practice partner: those in the file (mode 0600), random ones where there are none. */
export async function practiceEnvironment(file: string): Promise<PracticeEnvironment> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const known = parseEnv(text)
  const names = Object.keys(VARIABLES) as (keyof typeof VARIABLES)[]
  const secrets = Object.fromEntries(
    names.map((name) => [name, known[VARIABLES[name]] || randomBytes(24).toString('base64url')]),
  ) as unknown as PartnerSecrets
  return {
    secrets,
    async save(url) {
      const lines = Object.entries(variablesOf(secrets, url)).map(([name, value]) => `${name}=${value}\n`)
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const next = `${file}.${process.pid}`
      await writeFile(next, `# Written by npm start; for practice only.\n${lines.join('')}`, { mode: 0o600 })
      await chmod(next, 0o600)
      await rename(next, file)
    },
  }
}

/** What the shipped credentials refer to. */
export function variablesOf(secrets: PartnerSecrets, url: string): Record<string, string> {
  const names = Object.keys(VARIABLES) as (keyof typeof VARIABLES)[]
  return { PRACTICE_URL: url, ...Object.fromEntries(names.map((name) => [VARIABLES[name], secrets[name]])) }
}
