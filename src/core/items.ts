import { Readable } from 'node:stream'

/** Items as they come, page by page. `return` lets go of the rest, also while a page is waited for. */
export type Items = AsyncIterator<readonly unknown[], void, void>

/** Whoever reads it later gets the error then. */
function ignore(): void {}

/** Items as the text of a JSON list, a piece a page, fetched as it is read. Destroying it lets go of the rest. */
export class ListText extends Readable {
  private readonly items: Items
  private opened = false
  private fetching = false

  constructor(items: Items) {
    super()
    this.items = items
    this.on('error', ignore)
  }

  override _read(): void {
    if (this.fetching) return
    this.fetching = true
    this.piece().then(
      ({ text, last }) => {
        this.fetching = false
        this.push(text)
        if (last) this.push(null)
      },
      (error: Error) => this.destroy(error),
    )
  }

  /** The next page that is not empty, or the end of the list. */
  private async piece(): Promise<{ text: string; last: boolean }> {
    for (let page = await this.items.next(); page.done !== true; page = await this.items.next()) {
      if (page.value.length === 0) continue
      const before = this.opened ? ',' : '['
      this.opened = true
      return { text: before + page.value.map((item) => JSON.stringify(item)).join(','), last: false }
    }
    return { text: this.opened ? ']' : '[]', last: true }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.items.return?.()
    callback(error)
  }
}
