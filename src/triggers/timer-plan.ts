import type { Schedule } from './schedule.ts'

/** What a timer does, as prepared. Times are epoch ms. */
export interface TimerPlan {
  /** Name in the state store. */
  readonly key: string
  /** `schedule`: as it says. `every`: a period in ms from the start on. `once`: a single time. */
  readonly times: { readonly schedule: Schedule } | { readonly every: number } | { readonly once: true }
  readonly from: number | undefined
  readonly to: number | undefined
  /** ms */
  readonly jitter: number
  readonly overlap: 'skip' | 'queue' | 'allow'
  readonly misfire: 'skip' | 'last' | 'all'
}
