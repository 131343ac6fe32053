import { pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { Logger } from './core/services.ts'
import type { Redactor } from './security/redaction.ts'
import { showable } from './security/showable.ts'
import { withSourcePlaces } from './source-places.ts'

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
  const { redactor, write, level } = setting
  const redact = (text: string) => redactor.text(text)
  const options = {
    level,
    base: null,
    serializers: {
      err: (thrown: unknown) =>
        pino.stdSerializers.err(showable(thrown, (text) => redact(withSourcePlaces(text))) as Error),
    },
  }
  const sink = { write: (line: string) => write(redact(line)) }
  if (setting.format === 'json') return pino(options, sink)
  const pretty = PinoPretty.prettyFactory({
    colorize: setting.color,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  })
  return pino(options, { write: (line: string) => sink.write(pretty(line) ?? line) })
}
