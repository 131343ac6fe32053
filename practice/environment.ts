import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseEnv } from 'node:util'
import type { PartnerSecrets } from './partner.ts'

/** The secrets of the partner's clients, and the one of the client that calls the engine itself. */
export interface PracticeSecrets extends PartnerSecrets {
  readonly productClient: string
}

/** What the shipped credentials call the secrets. */
const VARIABLES = {
  learning: 'LMS_CLIENT_SECRET',
  incentiveRead: 'IM_READ_SECRET',
  incentiveWrite: 'IM_WRITE_SECRET',
  iot: 'IOT_CLIENT_SECRET',
  jam: 'JAM_CLIENT_SECRET',
  jamUser: 'JAM_USER_PASSWORD',
  neo: 'NEO_CLIENT_SECRET',
  productClient: 'PRODUCT_CLIENT_SECRET',
} as const satisfies Partial<Record<keyof PracticeSecrets, string>>

export interface PracticeEnvironment {
  readonly secrets: PracticeSecrets
  /** Writes the file: what a shell needs to find the partner and the engine, and to use them. */
  save(partnerUrl: string, engineUrl: string): Promise<void>
}

/** The secrets of the shipped credentials: those in the file (mode 0600), random ones where there are none. */
export async function practiceEnvironment(file: string): Promise<PracticeEnvironment> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const known = parseEnv(text)
  const names = Object.keys(VARIABLES) as (keyof typeof VARIABLES)[]
  const secrets = Object.fromEntries(
    names.map((name) => [name, known[VARIABLES[name]] || randomBytes(24).toString('base64url')]),
  ) as unknown as PracticeSecrets
  return {
    secrets,
    async save(partnerUrl, engineUrl) {
      const lines = Object.entries(variablesOf(secrets, partnerUrl, engineUrl)).map(
        ([name, value]) => `${name}=${value}\n`,
      )
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const next = `${file}.${process.pid}`
      await writeFile(next, `# Written by npm start; for practice only.\n${lines.join('')}`, { mode: 0o600 })
      await chmod(next, 0o600)
      await rename(next, file)
    },
  }
}

/** What the shipped credentials refer to. @param engineUrl undefined: nobody calls the engine */
export function variablesOf(
  secrets: PracticeSecrets,
  partnerUrl: string,
  engineUrl?: string,
): Record<string, string> {
  const names = Object.keys(VARIABLES) as (keyof typeof VARIABLES)[]
  return {
    PRACTICE_URL: partnerUrl,
    ...(engineUrl !== undefined && { ENGINE_URL: engineUrl }),
    ...Object.fromEntries(names.map((name) => [VARIABLES[name], secrets[name]])),
  }
}
