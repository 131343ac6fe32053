import { SCRIPT_FILE } from '../../protocol.ts'

interface Frame {
  getFileName(): string | null
  getFunctionName(): string | null
  getLineNumber(): number | null
  getColumnNumber(): number | null
}

/** Stack traces with the frames of the script alone: the default of vm2 gives no places at all. */
export function showPlaces(): void {
  const errors = Error as unknown as { prepareStackTrace: (error: unknown, frames: Frame[]) => string }
  errors.prepareStackTrace = (error, frames) => {
    let text = headline(error)
    for (const frame of frames)
      if (frame.getFileName() === SCRIPT_FILE)
        text += `\n    at ${frame.getFunctionName() ?? 'script'} (${SCRIPT_FILE}:${frame.getLineNumber()}:${frame.getColumnNumber()})`
    return text
  }
}

function headline(error: unknown): string {
  try {
    const { name, message } = error as Error
    return `${name}: ${message}`
  } catch {
    return 'Error'
  }
}

const PLACE = new RegExp(`\\(${SCRIPT_FILE}:(\\d+):(\\d+)\\)`)

/** Where in the script an error was made, 1-based. */
export function placeOf(error: unknown): { line?: number; column?: number } {
  if (typeof error !== 'object' || error === null) return {}
  const { stack } = error as { stack?: unknown }
  const found = typeof stack === 'string' ? PLACE.exec(stack) : null
  return found === null ? {} : { line: Number(found[1]), column: Number(found[2]) }
}
