/** Between words of prose, JSON and forms. */
const BETWEEN = /[\s"'`,;&<>()[\]{}]/

/**
 * The beginning of a text, up to the end of a word: half of a token, which nobody could take for a secret any more, is
 * left out. Nothing is left of a word that is longer.
 * @param length UTF-16 units
 */
export function cutAtWord(text: string, length: number): string {
  if (text.length <= length) return text
  let end = length
  while (end > 0 && !BETWEEN.test(text[end - 1]!)) end--
  return `${text.slice(0, end)}…`
}
