import type { ReloadReport } from './core/control.ts'
import type { Problem } from './core/problem.ts'
import type { RunEvent } from './run-events.ts'

/** Who is told what happens in an engine as it happens, in this process; nothing of it costs anything where there is none. */
export interface Observer {
  /** Of every run, redacted. Must be quick: the engine waits for it. */
  run(event: RunEvent): void
  /** Flows, scripts and settings were read again. The log leaves it out. */
  reloaded(report: ReloadReport): void
  /** The credentials were read again, and this is all that is wrong with them. The log leaves it out. */
  credentialProblems(problems: readonly Problem[]): void
}
