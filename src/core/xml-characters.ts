const IMPOSSIBLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

/** The first character that XML cannot have, escaped or not: `U+0000`. @see https://www.w3.org/TR/xml/#charsets */
export function findNoXml(text: string): string | undefined {
  const found = IMPOSSIBLE.exec(text)?.[0]
  return found && `U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}
