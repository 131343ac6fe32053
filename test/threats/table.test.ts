import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

/** Rows of the table in docs/guide/security.md. */
const ROWS = Array.from({ length: 26 }, (_, i) => i + 1)

/** Beside the tests of this folder: those that go further. A file, and the beginning of a test's name in it. */
const ELSEWHERE: readonly [row: number, file: string, name: string][] = [
  [1, 'test/net/bound-to-hosts.test.ts', 'a link from the message with ${name}'],
  [1, 'test/net/bound-to-hosts.test.ts', 'a credential for 127.0.0.1'],
  [2, 'test/net/redirect-targets.test.ts', '${status} away, to further hosts, and home again'],
  [
    2,
    'test/net/redirect-query.test.ts',
    'a redirect to another origin that carries what the credential added',
  ],
  [
    3,
    'test/credentials/redirects.test.ts',
    'a token service that answers ${status} with ${name} is asked once',
  ],
  [5, 'test/credentials/tenants.test.ts', 'a tenant that is not listed gets no token'],
  [6, 'test/net/egress.test.ts', 'a connection goes to the address that was checked'],
  [6, 'test/net/egress.test.ts', 'behind a proxy names and literals are checked'],
  [6, 'test/app/egress.test.ts', 'a URL of the message, a redirect and a token service are refused'],
  [8, 'test/app/canary/failures.test.ts', 'no failure of a token request shows a secret or a token'],
  [8, 'test/app/canary/faults.test.ts', 'a fault that nobody catches'],
  [8, 'test/app/canary/check.test.ts', 'no problem shows a secret that stands in the wrong field'],
  [10, 'test/app/canary/outputs.test.ts', 'at the finest level no secret and no token is in any output'],
  [11, 'test/store/redacting.test.ts', ''],
  [12, 'test/scripts/isolation.test.ts', 'holds nothing to do harm with'],
  [12, 'test/scripts/isolation.test.ts', 'has no environment, no files, no network and no rights'],
  [16, 'test/scripts/isolation.test.ts', 'plant keys that reach prototypes'],
  [17, 'test/net/hostile-receivers.test.ts', 'on the wire: ${one.name}'],
  [17, 'test/steps/http-encodings.test.ts', 'a bomb ends the stream'],
  [20, 'test/credentials/token-fetch.test.ts', ''],
  [21, 'test/commands/secret.test.ts', ''],
  [24, 'test/commands/safe-process.test.ts', 'sluice ${name}: not where certificates would not be verified'],
  [25, 'test/core/document.test.ts', 'reads no text that aliases would make endless'],
  [26, 'test/server/management.test.ts', 'a name that is not its own is refused'],
]

/** Rows that nothing in this version could break; `holds` fails as soon as that changes: then they need tests. */
const NOT_YET: readonly { row: number; why: string; holds: () => boolean }[] = [
  {
    row: 18,
    why: 'secrets of clients are compared as hashes of one length, in constant time; how long that takes is measured by no test',
    holds: () => readFileSync(join(root, 'src/access/secret-hash.ts'), 'utf8').includes('timingSafeEqual'),
  },
]

const own = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.test.ts') && file !== 'table.test.ts')
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
  .join('\n')
const named = [...own.matchAll(/test\(\s*['`]rows? ([\d, and]+):/g)].flatMap(([, rows]) =>
  rows!.match(/\d+/g)!.map(Number),
)

test('every row of the table has a test here, or cannot be broken yet', () => {
  const covered = new Set([...named, ...NOT_YET.map(({ row }) => row)])
  assert.deepEqual(
    ROWS.filter((row) => !covered.has(row)),
    [],
  )
  assert.deepEqual(
    [...covered].filter((row) => !ROWS.includes(row)),
    [],
  )
})

for (const { row, why, holds } of NOT_YET)
  test(`the table, row ${row}: ${why}`, () => assert.ok(holds(), `it can be broken now: write its tests`))

for (const [row, file, name] of ELSEWHERE)
  test(`the table, row ${row}: ${file} tells more`, () => {
    const text = readFileSync(join(root, file), 'utf8')
    assert.ok(/\b(?:test|it)\(/.test(text))
    assert.ok(text.includes(name), `there is no test "${name}" any more`)
  })

test('the table of the security guide has the same rows', () => {
  const guide = readFileSync(join(root, 'docs/guide/security.md'), 'utf8')
  const rows = [...guide.matchAll(/^\| (\d+) \|/gm)].map(([, row]) => Number(row))
  assert.deepEqual(rows, ROWS)
})
