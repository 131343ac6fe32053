const ERROR = 50
const WARN = 40
/** Lines that are kept of what should not be there. */
const KEPT = 20

interface Line {
  readonly level: number
  readonly msg: string
}

/** What an engine writes: how often each kind of warning and error came, and what no engine should ever say. */
export class EngineLog {
  /** Errors and warnings by their text. */
  readonly told = new Map<string, number>()
  /** Lines about faults of the engine, and those that no logger wrote. */
  readonly faults: string[] = []
  private rest = ''

  take(text: string): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop()!
    for (const line of lines) if (line !== '') this.look(line)
  }

  private look(text: string): void {
    const line = parsed(text)
    if (line === undefined) {
      if (!/^stopping: /.test(text)) this.fault(text)
      return
    }
    if (line.level >= WARN) {
      const kind = `${line.level >= ERROR ? 'error' : 'warn'}: ${line.msg.replaceAll(/\d+/g, 'N')}`
      this.told.set(kind, (this.told.get(kind) ?? 0) + 1)
    }
    if (/a fault (in the engine|that nobody caught)/.test(line.msg)) this.fault(text)
  }

  private fault(text: string): void {
    if (this.faults.length < KEPT) this.faults.push(text)
  }
}

function parsed(text: string): Line | undefined {
  try {
    const { level, msg } = JSON.parse(text) as Partial<Line>
    return typeof level === 'number' ? { level, msg: msg ?? '' } : undefined
  } catch {
    return undefined
  }
}
