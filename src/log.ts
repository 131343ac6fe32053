import { pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { Logger } from './core/services.ts'
import type { Redactor } from './security/redaction.ts'

export interface LogSetting {
  readonly level: string
  readonly format: 'pretty' | 'json'
  readonly color: boolean
  readonly redactor: Redactor
  /** Where the lines go. */
  readonly write: (text: string) => void
}

/** The engine's own log. Every line is redacted by value as the last thing before it is written. */
export function createLog(setting: LogSetting): Logger {
  const { redactor, write } = setting
  const sink = { write: (line: string) => write(redactor.text(line)) }
  if (setting.format === 'json') return pino({ level: setting.level, base: null }, sink)
  const pretty = PinoPretty.prettyFactory({
    colorize: setting.color,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  })
  return pino(
    { level: setting.level, base: null },
    { write: (line: string) => sink.write(pretty(line) ?? line) },
  )
}
