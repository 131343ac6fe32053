import { isScalar, type Scalar } from 'yaml'

/** A scalar as it shall stand in a file, apart from the indentation of its lines. */
export interface Written {
  /** The first line; of a block scalar its header. */
  readonly first: string
  /** The lines below. */
  readonly more: readonly string[]
  /** `block`: what else stands on the line follows the header. */
  readonly form: 'line' | 'block'
  /** Its last line ends at the end of the file, blank lines are part of it. */
  readonly keepsEnd: boolean
}

/** What other readers of YAML take for something else than a text. */
const OTHER_WORDS = /^(?:y|n|yes|no|on|off|true|false|null)$/i
/** Letters, `_`, `$` and `/` begin no other thing than a text. */
const PLAIN = /^[\p{L}_$/]\P{C}*$/u
const UNSEEN = /[\u00a0\u2028\u2029\ufeff]/
const NOT_IN_FLOW = /[,[\]{}:#?&*!|>%@'"]/

/**
 * How a scalar is written in the canonical form: as it is, with quotes only where they are needed.
 * @param unquotes false: quotes stay
 */
export function writtenOf(node: Scalar, inFlow: boolean, unquotes: boolean): Written {
  const token = node.srcToken
  if (token?.type === 'block-scalar') return blockOf(node, token)
  const source = token && 'source' in token ? token.source : ''
  const quoted = token?.type === 'single-quoted-scalar' || token?.type === 'double-quoted-scalar'
  const [first, ...more] = source.split('\n')
  if (quoted && unquotes && more.length === 0 && isPlainText(node.value, source, inFlow))
    return { first: String(node.value), more: [], form: 'line', keepsEnd: false }
  return {
    first: more.length === 0 ? first! : first!.trimEnd(),
    more: more.map((line, i) =>
      i < more.length - 1 && !line.endsWith('\\') ? line.trim() : line.trimStart(),
    ),
    form: 'line',
    keepsEnd: false,
  }
}

function isPlainText(value: unknown, source: string, inFlow: boolean): boolean {
  return (
    typeof value === 'string' &&
    PLAIN.test(value) &&
    !/\\[^"\\/]/.test(source) &&
    !UNSEEN.test(value) &&
    !OTHER_WORDS.test(value) &&
    !/:(?:\s|$)|\s#|\s$/.test(value) &&
    !(inFlow && NOT_IN_FLOW.test(value))
  )
}

type BlockToken = Extract<NonNullable<Scalar['srcToken']>, { type: 'block-scalar' }>

function blockOf(node: Scalar, { props, source }: BlockToken): Written {
  const header = props.find(({ type }) => type === 'block-scalar-header')
  const written = header && 'source' in header ? header.source.trim() : '|'
  const lines = source.replace(/\n$/, '').split('\n')
  const begin = lines.find((line) => line.trim() !== '') ?? ''
  const inside = /^[\n ]*/.exec(String(node.value))![0].split('\n').at(-1)!.length
  const indent = leadingSpaces(begin) - (/\d/.test(written) ? inside : 0)
  const keeps = written.includes('+')
  const content = lines.map((line) => line.slice(Math.min(indent, leadingSpaces(line))))
  const end = content.findLastIndex((line) => line !== '') + 1
  const blank = content.length > end && source !== '' ? [''] : []
  return {
    first: written.replace(/\d/, '2'),
    more: keeps ? content : [...content.slice(0, end), ...blank],
    form: 'block',
    keepsEnd: keeps,
  }
}

function leadingSpaces(line: string): number {
  return /^ */.exec(line)![0].length
}

/** What a node says, its order and the way that numbers are written included; for comparing. */
export function meaningOf(node: unknown): unknown {
  if (!isScalar(node)) return undefined
  if (typeof node.value === 'string') return ['text', node.value]
  const token = node.srcToken
  return ['other', token && 'source' in token ? token.source : '']
}
