import { styleText } from 'node:util'

const STYLES = ['red', 'green', 'yellow', 'cyan', 'dim', 'bold'] as const
export type Paint = Record<(typeof STYLES)[number], (text: string) => string>

/** Colours for a terminal; texts as they are elsewhere. */
export function paint(color: boolean): Paint {
  return Object.fromEntries(
    STYLES.map((style) => [
      style,
      (text: string) => (color ? styleText(style, text, { validateStream: false }) : text),
    ]),
  ) as Paint
}

/** Columns of equal width, two spaces apart; lengths are counted without colours. */
export function table(rows: readonly (readonly string[])[]): string {
  const plain = (text: string) => text.replace(/\x1b\[\d+m/g, '')
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, plain(cell).length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - plain(cell).length)))
        .join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}
