import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../src/log.ts'
import { createRedactor } from '../src/security/redaction.ts'
import { leaksIn } from './app/canary/search.ts'

const SECRET = 'uF3+kq/Zr"=w%&x7\\Ly-secret'
/** As keys are: of several lines. */
const KEY = `-----BEGIN KEY-----\n${'MHcCAQEEIJx4kz9Q2w\n'.repeat(4)}-----END KEY-----`

/** What the log writes for one line. */
function written(format: 'json' | 'pretty', fields: object, text: string): string {
  const lines: string[] = []
  const redactor = createRedactor()
  redactor.add(SECRET)
  redactor.add(KEY)
  const write = (line: string) => void lines.push(line)
  createLog({ level: 'debug', format, color: true, redactor, write }).error(fields, text)
  return lines.join('')
}

for (const format of ['json', 'pretty'] as const) {
  test(`no line of the log in ${format} holds a secret, wherever it stands`, () => {
    const bytes = Buffer.from(SECRET)
    const cause = Object.assign(new Error(`inner ${SECRET} ${KEY}`), { bytes })
    const err = Object.assign(new TypeError(`outer ${SECRET}\n${KEY}`, { cause }), {
      bytes,
      view: new Uint8Array(bytes),
      deep: { list: [{ bytes, secret: SECRET }] },
      json: JSON.stringify({ SECRET, KEY }),
      form: new URLSearchParams({ SECRET, KEY }).toString(),
      errors: [cause],
      [SECRET]: KEY,
    })
    const line = written(
      format,
      { err, credential: SECRET, reason: `${KEY} ${encodeURIComponent(SECRET)}` },
      KEY,
    )
    assert.match(line, /outer \[secret\]/)
    assert.match(line, /TypeError/)
    assert.match(line, /log\.test\.ts/, 'the stack is there')
    assert.deepEqual(leaksIn(line, { SECRET, KEY }), [], line)
  })

  test(`what is thrown and is no error is in the log in ${format}, without its bytes`, () => {
    assert.match(written(format, { err: { bytes: Buffer.from('xy'), why: 'no' } }, 'text'), /2 bytes[^]*no/)
    assert.match(written(format, { err: `thrown ${SECRET}` }, 'text'), /thrown \[secret\]/)
  })
}

test('a line without a secret is as pino makes it', () => {
  const { time, ...line } = JSON.parse(
    written('json', { credential: 'a', attempt: 1 }, 'token obtained'),
  ) as { time: number }
  assert.ok(time > 0)
  assert.deepEqual(line, { level: 50, credential: 'a', attempt: 1, msg: 'token obtained' })
})
