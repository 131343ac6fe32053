/**
 * Looks for secrets in what people may see, without a word of the engine's own redaction: any 15 characters (of
 * ASCII) of a secret in a row, in clear or in whatever can be decoded from the text. What is cut or altered somewhere is found, too.
 */
export function leaksIn(text: string, secrets: Readonly<Record<string, string>>): string[] {
  const readings = [...readingsOf(text)]
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const pieces = piecesOf(secret)
    const found = readings.some((reading) => pieces.some((piece) => reading.includes(piece)))
    return found ? [name] : []
  })
}

const PIECE = 8
/** Escapes in escapes that are undone. */
const DEPTH = 4

/** Of its runs of ASCII characters: 15 of those hold a whole piece. */
function piecesOf(secret: string): string[] {
  return (secret.match(/[!-~]+/g) ?? []).flatMap((run) =>
    Array.from({ length: Math.floor(run.length / PIECE) }, (_, at) =>
      run.slice(at * PIECE, (at + 1) * PIECE),
    ),
  )
}

function* readingsOf(text: string): Generator<string> {
  let reading = text
  for (let depth = 0; depth <= DEPTH; depth++) {
    yield reading
    const decoded = decodedRuns(reading)
    yield decoded
    yield unescaped(decoded)
    const plain = unescaped(reading)
    if (plain === reading) return
    reading = plain
  }
}

/** One layer of JSON's, a URL's and HTML's escapes. */
function unescaped(text: string): string {
  return text
    .replace(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|\\(["'`\\/nrt])/gi, (_, unicode, hex, mark: string) =>
      mark === undefined
        ? String.fromCharCode(parseInt(unicode ?? hex, 16))
        : ({ n: '\n', r: '\r', t: '\t' }[mark] ?? mark),
    )
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(
      /&(amp|lt|gt|quot|apos|#39);/g,
      (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? "'",
    )
}

/** What base64, hexadecimal digits and lists of numbers in a text stand for. */
function decodedRuns(text: string): string {
  const runs: string[] = []
  for (const [run] of text.matchAll(/[\w+/-]{16,}/g))
    for (let shift = 0; shift < 4; shift++)
      runs.push(Buffer.from(run.slice(shift), 'base64').toString('latin1'))
  for (const [run] of text.matchAll(/(?:[0-9a-f]{2}[ :]?){12,}/gi))
    for (const from of [0, 1])
      runs.push(Buffer.from(run.replace(/[ :]/g, '').slice(from), 'hex').toString('latin1'))
  for (const [run] of text.matchAll(/(?:\b\d{1,3}\b\s*[,\n]\s*){12,}\d{0,3}/g))
    runs.push(
      String.fromCharCode(
        ...run
          .split(/[,\s]+/)
          .filter(Boolean)
          .map(Number),
      ),
    )
  return runs.join('\n')
}
