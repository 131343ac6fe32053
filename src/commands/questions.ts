import { createInterface, type Interface } from 'node:readline'
import { Stop, type CommandIo } from './command.ts'
import { wrap } from './wrap.ts'

/** Whether there is a person to ask. */
export function canAsk({ terminal, stdin }: CommandIo): boolean {
  return terminal && (stdin as { isTTY?: boolean }).isTTY === true
}

/** Asks for what the command line does not say. Ctrl-C and the end of the input end the command. */
export class Questions {
  /** Somebody was asked before. */
  asked = false
  private readonly io: CommandIo
  private lines: AsyncIterator<string> | undefined
  private reader: Interface | undefined

  constructor(io: CommandIo) {
    this.io = io
  }

  /**
   * Asks until there is an answer that fits; an empty one is the preset.
   * @param complain says what is wrong with an answer
   */
  async ask(
    question: string,
    preset?: string,
    complain: (answer: string) => string | undefined = () => undefined,
  ): Promise<string> {
    this.asked = true
    for (;;) {
      const text = `${question}${preset ? ` [${preset}]` : ''}: `
      this.io.stderr(wrap(text, Math.min(this.io.columns, 80)).join('\n'))
      const answer = (await this.line()).trim() || (preset ?? '')
      const complaint = answer === '' && preset === undefined ? 'an answer is needed' : complain(answer)
      if (complaint === undefined) return answer
      this.io.stderr(`  ${complaint}\n`)
    }
  }

  close(): void {
    this.reader?.close()
  }

  /** On a line of its own: the question has not ended its line. */
  private end(exitCode: number, why: string): Stop {
    this.io.stderr('\n')
    return new Stop(exitCode, `${why}; nothing was written`)
  }

  private async line(): Promise<string> {
    this.reader ??= createInterface({ input: this.io.stdin, terminal: false })
    this.lines ??= this.reader[Symbol.asyncIterator]()
    const { signal } = this.io
    const interrupted = Promise.withResolvers<never>()
    const interrupt = () => interrupted.reject(this.end(130, 'interrupted'))
    if (signal.aborted) interrupt()
    signal.addEventListener('abort', interrupt, { once: true })
    try {
      const { value, done } = await Promise.race([this.lines.next(), interrupted.promise])
      if (done) throw this.end(1, 'the input ended')
      return value
    } finally {
      signal.removeEventListener('abort', interrupt)
    }
  }
}
