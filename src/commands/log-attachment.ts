import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { MessageLogReader } from '../store/reading.ts'
import { Stop, type CommandIo } from './command.ts'
import { bytes } from './plain-text.ts'
import { attachmentNames } from './run-steps.ts'

export interface AttachmentOptions {
  readonly output?: string
  readonly json?: boolean
}

/** Prints an attachment of a run, or writes it into a file. */
export async function showAttachment(
  reader: MessageLogReader,
  run: string,
  name: string,
  io: CommandIo,
  { output, json }: AttachmentOptions,
): Promise<number> {
  const found = reader.attachment(run, name)
  if (!found) {
    const names = attachmentNames(reader.run(run)!.attachments)
    const there =
      names.length === 0 ? 'it has none' : `it has: ${names.map((entry) => `"${entry}"`).join(', ')}`
    throw new Stop(1, `the run has no attachment "${name}"; ${there}`)
  }
  if (output !== undefined) {
    const file = resolve(io.projectFolder, output)
    await writeFile(file, found.content, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      throw new Stop(
        1,
        error.code === 'EEXIST'
          ? `"${output}" is there already; remove it, or choose another name`
          : `"${output}" cannot be written (${error.code})`,
      )
    })
    io.stderr(`wrote ${bytes(found.size)} to "${output}"\n`)
    return 0
  }
  const text = textOf(found.content)
  if (text === undefined)
    throw new Stop(
      1,
      `the attachment "${name}" is no text (${found.contentType}, ${bytes(found.size)}); write it into a file with --output FILE`,
    )
  if (json) io.stdout(`${JSON.stringify({ ...found, content: text })}\n`)
  else io.stdout(text.endsWith('\n') || !io.color ? text : `${text}\n`)
  return 0
}

/** The content where it is text that a terminal can show. */
function textOf(content: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
    return /[\0-\x08\x0e-\x1f\x7f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
