import type { CommandIo } from './command.ts'

/** ms after which a person at a terminal learns that it goes on. */
const SILENCE = 1000

/** Says after a second what goes on, where a person looks: `waiting for the answer …`. */
export async function waiting<T>(
  { terminal, stderr }: Pick<CommandIo, 'terminal' | 'stderr'>,
  what: string,
  work: Promise<T>,
): Promise<T> {
  if (!terminal) return work
  const timer = setTimeout(() => stderr(`${what} …\n`), SILENCE)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}
