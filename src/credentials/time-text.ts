import { sayDuration } from '../core/duration.ts'

/** How long ago something was, as people say it. @param ms since then */
export function ago(ms: number): string {
  return ms < 1000 ? 'just now' : `${sayDuration(ms)} ago`
}
