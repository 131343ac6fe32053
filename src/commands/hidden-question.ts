import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { Stop, type CommandIo } from './command.ts'

type Input = Readable & { setRawMode?(raw: boolean): unknown }

/** Asks for one line that the terminal does not show. Ctrl-C and the end of the input end the command. */
export async function askHidden({ stdin, stderr, signal }: CommandIo, question: string): Promise<string> {
  const input: Input = stdin
  const answer = Promise.withResolvers<string>()
  const decoder = new StringDecoder('utf8')
  let typed: string[] = []
  const take = (data: Buffer) => {
    const characters = Array.from(decoder.write(data).replace(/\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])/g, ''))
    for (const [index, character] of characters.entries()) {
      if (character === '\r' || character === '\n') {
        const more =
          characters
            .slice(index + 1)
            .join('')
            .trim() !== ''
        if (more) answer.reject(new Stop(1, SEVERAL))
        else answer.resolve(typed.join(''))
        return
      }
      if (character === '\x03') answer.reject(interrupted())
      else if (character === '\x04' && typed.length === 0) answer.reject(ended())
      else if (character === '\x7f' || character === '\b') typed = typed.slice(0, -1)
      else if (character === '\x15') typed = []
      else if (character >= ' ' || character === '\t') typed.push(character)
    }
  }
  const end = () => answer.reject(ended())
  const abort = () => answer.reject(interrupted())
  stderr(`${question}: `)
  input.setRawMode?.(true)
  input.on('data', take).on('end', end)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await answer.promise
  } finally {
    signal.removeEventListener('abort', abort)
    input.off('data', take).off('end', end).pause()
    input.setRawMode?.(false)
    stderr('\n')
  }
}

const SEVERAL =
  'several lines were pasted; nothing was written\n  For a secret of several lines: sluice secret set NAME < FILE'

function interrupted(): Stop {
  return new Stop(130, 'interrupted; nothing was written')
}

function ended(): Stop {
  return new Stop(1, 'the input ended; nothing was written')
}
