import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { docsOf, Failure, FAILURES } from '../../src/core/failure.ts'

const SRC = join(import.meta.dirname, '..', '..', 'src')
/** They sort codes; none comes from there. */
const SORTING = ['core/failure.ts', 'core/retry.ts', 'server/problem-json.ts']

const codes = Object.keys(FAILURES) as (keyof typeof FAILURES)[]

function sources(): { file: string; text: string }[] {
  return globSync('**/*.ts', { cwd: SRC }).map((file) => ({
    file,
    text: readFileSync(join(SRC, file), 'utf8'),
  }))
}

test('every code of a failure in the engine is in the table', () => {
  const unknown = sources().flatMap(({ file, text }) =>
    Array.from(text.matchAll(/new Failure\(\s*'([^']+)'/g), ([, code]) => ({ file, code: code! })).filter(
      ({ code }) => !Object.hasOwn(FAILURES, code),
    ),
  )
  assert.deepEqual(unknown, [])
})

test('every code of the table comes from somewhere', () => {
  const texts = sources().flatMap(({ file, text }) => (SORTING.includes(file) ? [] : [text]))
  assert.deepEqual(
    codes.filter((code) => !texts.some((text) => text.includes(`'${code}'`))),
    [],
  )
})

test('codes of one group stand together and are written alike', () => {
  const groups = codes.map((code) => code.split('.')[0]!)
  const runs = groups.filter((group, i) => group !== groups[i - 1])
  assert.deepEqual(runs, [...new Set(runs)])
  for (const code of codes) assert.match(code, /^[a-z]+\.[a-z]+(-[a-z]+)*$/)
})

test('titles begin with a capital letter, end without a dot, and are told apart', () => {
  const titles = codes.map((code) => FAILURES[code].title)
  for (const title of titles) assert.match(title, /^[A-Z][^.!"\n]*[a-z]$/)
  assert.equal(new Set(titles).size, titles.length)
})

/** What a caller may get for each group, where no line of its own says so. */
const REPLIES: Record<string, readonly number[]> = {
  receiver: [502],
  egress: [502],
  credential: [502],
  request: [500],
  script: [500],
  expression: [500],
  body: [400],
  flow: [500, 503],
  engine: [500],
}
const OWN_REPLIES: Partial<Record<keyof typeof FAILURES, number>> = {
  'credential.tenant': 400,
  'request.rate': 429,
  'request.type': 415,
  'request.throttled': 503,
  'script.disabled': 503,
  'body.too-large': 413,
  'body.consumed': 500,
  'flow.cancelled': 499,
}

test('whoever is to blame decides the status of the reply; time-outs are 504', () => {
  for (const code of codes) {
    const { reply } = FAILURES[code]
    const own = code.endsWith('.timeout') ? 504 : OWN_REPLIES[code]
    const expected: readonly number[] = own === undefined ? REPLIES[code.split('.')[0]!]! : [own]
    assert.ok(expected.includes(reply), `${code} is ${reply}, not ${expected.join(' or ')}`)
  }
})

test('a failure has title and status of its code; an own code those of `fail`', () => {
  const known = new Failure('receiver.timeout', 'x')
  assert.deepEqual([known.title, known.reply], ['The receiver took too long', 504])
  const own = new Failure('order.no-id', 'x', { reply: 422 })
  assert.deepEqual([own.title, own.reply], ['The flow failed', 422])
  for (const odd of ['toString', '__proto__', 'constructor'])
    assert.deepEqual([new Failure(odd, 'x').title, new Failure(odd, 'x').reply], ['The flow failed', 500])
})

test('every code has an address in the documentation', () => {
  assert.equal(docsOf('receiver.status'), 'docs/reference/failures/receiver.status.md')
  assert.equal(new Set(codes.map(docsOf)).size, codes.length)
  assert.equal(docsOf('order.no-id'), 'docs/reference/failures/flow.failed.md')
  assert.equal(docsOf('constructor'), 'docs/reference/failures/flow.failed.md')
})
