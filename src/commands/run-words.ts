import type { FailedItem, RunFailure } from '../core/failure.ts'
import type { RunProgress } from '../core/stores.ts'
import { oneLine, shorten } from './plain-text.ts'

/** Characters of an item's key that people see; JSON has the whole. */
const KEY_SHOWN = 60

/** `4,120` */
export function sayCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** `1 item`, `4,120 items` */
export function some(count: number, what: string): string {
  return `${sayCount(count)} ${what}${count === 1 ? '' : 's'}`
}

/** `4,120 items, 3 failed`; the failed ones are among the items. */
export function sayProgress({ done, failed }: RunProgress): string {
  return `${some(done + failed, 'item')}${failed === 0 ? '' : `, ${sayCount(failed)} failed`}`
}

/** `item 17 ("C-0017")` */
export function sayItem({ index, key }: FailedItem): string {
  return key === undefined ? `item ${index}` : `item ${index} ("${shorten(oneLine(key), KEY_SHOWN)}")`
}

/** A failure on one line. */
export function sayFailure({ code, item, message }: RunFailure): string {
  return oneLine(`${code}: ${item === undefined ? '' : `${sayItem(item)}: `}${message}`)
}
