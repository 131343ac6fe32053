import { credentialTrouble, type EngineHealth, type EngineStatus } from '../core/control.ts'
import { sayDuration } from '../core/duration.ts'
import { connectControl } from '../server/control-client.ts'
import { MessageLogReader } from '../store/reading.ts'
import type { RunSummary } from '../store/rows.ts'
import { StoreError } from '../store/store-error.ts'
import { realClock } from '../world.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { paint, table } from './paint.ts'
import { localTime, oneLine } from './plain-text.ts'
import { dataOption, logCommandFor, settingsFor } from './project-setting.ts'
import { shortId } from './run-list.ts'
import { sayCount, sayFailure, some } from './run-words.ts'
import { wrap } from './wrap.ts'

/** Failed runs that are shown, of the last day. */
const FAILURES = 5
const DAY = 24 * 60 * 60 * 1000
/** Columns beyond which lines are hard to read. */
const WIDEST = 100
