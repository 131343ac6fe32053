/** Other spellings of the types of a name. */
const SPELLINGS: Readonly<Record<string, string>> = {
  E: 'EMAILADDRESS',
  EMAIL: 'EMAILADDRESS',
  S: 'ST',
  SP: 'ST',
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '1.2.840.113549.1.9.1': 'EMAILADDRESS',
}

/**
 * A name as it is compared: `CN=shop, O=Acme`, `/O=Acme/CN=shop` is not taken. Spaces around and the order of the parts do not
 * count, for tools write them from either end; all else does. Undefined: it is none.
 * @see https://www.rfc-editor.org/rfc/rfc4514
 */
export function readName(text: string): string | undefined {
  return comparable(split(text, /[,+]/))
}

/** The same of a certificate, as Node writes it: a line a part. */
export function nameOfCertificate(text: string | undefined): string | undefined {
  return text === undefined
    ? undefined
    : comparable(text.split('\n').flatMap((line) => split(line.replaceAll(' + ', '+'), /\+/)))
}

function comparable(parts: readonly string[]): string | undefined {
  const read = parts.map((part) => /^([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=\s*(.+)$/s.exec(part.trim()))
  if (read.length === 0 || read.some((part) => part === null)) return undefined
  const pairs = read.map((part) => {
    const type = part![1]!.toUpperCase()
    return [SPELLINGS[type] ?? type, unescaped(part![2]!.trim())]
  })
  return JSON.stringify(pairs.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)))
}

/** At separators that are neither escaped nor quoted. */
function split(text: string, separator: RegExp): string[] {
  const parts: string[] = ['']
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '\\') parts[parts.length - 1] += character + (text[++i] ?? '')
    else if (!isQuoted && separator.test(character)) parts.push('')
    else {
      if (character === '"') isQuoted = !isQuoted
      parts[parts.length - 1] += character
    }
  }
  return parts
}

function unescaped(value: string): string {
  const plain = /^"(.*)"$/s.exec(value)?.[1] ?? value
  const bytes = plain.replaceAll(/(?:\\[0-9A-Fa-f]{2})+/g, (codes) =>
    Buffer.from(codes.replaceAll('\\', ''), 'hex').toString(),
  )
  return bytes.replaceAll(/\\(.)/g, '$1')
}
