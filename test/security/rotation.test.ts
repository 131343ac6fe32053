import assert from 'node:assert/strict'
import { Type } from '@sinclair/typebox'
import { test } from 'node:test'
import { defineCredential } from '../../src/core/kinds.ts'
import { Text } from '../../src/core/schema.ts'
import { TestLog } from '../support/credentials.ts'
import { OAUTH, setUpMaterial } from '../support/material.ts'

const HOUR = 60 * 60_000
const DAY = 24 * HOUR
const BEARER = 'type: bearer\ntoken: ${env:SECRET}\nbaseUrl: https://api.example.com/\n'

/** The clock of these tests shows 2026-11-21T12:00:00Z. */
const aged = (since: string, after = '90d', text = BEARER) =>
  `${text}rotateAfter: ${after}\nsecretSince: ${since}\n`

test('a secret that is older than it may become is a warning, with its age and what to do', (t) => {
  const { material, file } = setUpMaterial(t)
  const [problem, ...others] = material.load([file(aged('2026-08-01'))])
  assert.deepEqual(others, [])
  assert.deepEqual(problem, {
    code: 'credential/rotate',
    severity: 'warning',
    message: 'the secret is 112 days old: it has been in use since 2026-08-01, and "rotateAfter" is 90d',
    hint: 'Make a new secret at the service, change what "token" refers to, and set secretSince to the day on which it was made.',
    file: 'security-material/x.yaml',
    line: 5,
    column: 14,
    endLine: 5,
    endColumn: 24,
  })
  assert.equal(material.reference('x').current().type, 'bearer', 'it is used all the same')
})

test('where a secret may be a list, the hint says how to change it without downtime', (t) => {
  const { material, file } = setUpMaterial(t)
  const [problem] = material.load([file(aged('2026-08-01', '90d', OAUTH))])
  assert.match(problem!.hint!, /write clientSecret: \[new, old\], or change what "clientSecret" refers to/)
})

test('the age counts from the moment that is written, in UTC where it has no offset', (t) => {
  const { material, file } = setUpMaterial(t)
  const problems = (since: string, after: string) =>
    material.check([file(aged(since, after))]).map(({ code }) => code)
  assert.deepEqual(problems('2026-11-20T12:00', '1d'), [])
  assert.deepEqual(problems('2026-11-20T11:59:59', '1d'), ['credential/rotate'])
  assert.deepEqual(problems('2026-11-20T14:00+02:00', '1d'), [])
  assert.deepEqual(problems('2026-11-20T13:59+02:00', '1d'), ['credential/rotate'])
  assert.deepEqual(problems('2026-11-20', '1d12h'), [])
  assert.deepEqual(problems('2026-11-19', '1d12h'), ['credential/rotate'])
})

test('what is odd about the two fields is said; only what cannot be read is an error', (t) => {
  const { material, file } = setUpMaterial(t)
  const told = (text: string) =>
    material
      .check([file(BEARER + text)])
      .map(({ severity, code, line, column, message }) => `${severity} ${code} ${line}:${column} ${message}`)
  assert.deepEqual(told('rotateAfter: 90d\n'), [
    'warning credential/secret-since 4:1 "rotateAfter" is there, but not "secretSince": the age of the secret is not known',
  ])
  assert.deepEqual(told('secretSince: 2020-01-01\n'), [], 'a secret that may become as old as it likes')
  assert.deepEqual(told('secretSince: 2026-11-22\n'), [], 'it is tomorrow already in Kiritimati')
  assert.deepEqual(told('secretSince: 2026-11-23\n'), [
    'warning credential/secret-since 4:14 "secretSince" is in the future',
  ])
  assert.deepEqual(told('secretSince: 2026-11-21T12:01Z\n'), [
    'warning credential/secret-since 4:14 "secretSince" is in the future',
  ])
  assert.deepEqual(told('secretSince: 30.8.2026\n'), [
    'error value/date 4:14 "30.8.2026" is no date; a date such as 2026-12-01, or a date and time, is wanted',
  ])
  assert.deepEqual(told('rotateAfter: 1h\nsecretSince: 2026-11-20\n'), [
    'error value/range 4:14 "rotateAfter" is the text "1h"; 1d to 3650d is wanted',
  ])
})

test('a credential that holds no secret has no such fields', (t) => {
  const plain = defineCredential({
    name: 'plain',
    summary: 'A name.',
    examples: [],
    options: Type.Object({ user: Text({ description: 'A name.' }) }),
    prepare: () => ({ authorize: () => assert.fail(), state: () => ({ status: 'unused', details: {} }) }),
  })
  const { material, file } = setUpMaterial(t, { kinds: new Map([['plain', plain]]) })
  const text = 'type: plain\nuser: me\nbaseUrl: https://api.example.com/\n'
  assert.deepEqual(material.check([file(text)]), [])
  assert.deepEqual(
    material.check([file(`${text}secretSince: 2026-08-01\n`)]).map(({ code }) => code),
    ['key/unknown'],
  )
})

test('a running engine warns at the start and once a day, until the secret is new', async (t) => {
  const log = new TestLog()
  const { material, file, clock } = setUpMaterial(t, { log })
  const warned = (name: string) => log.count(`the secret of credential "${name}"`)
  material.load([file(aged('2026-08-01'))])
  await clock.advance(DAY)
  assert.equal(log.lines.length, 0, 'no engine has started')
  material.remind()
  assert.deepEqual(log.lines, [
    {
      level: 'warn',
      text: 'the secret of credential "x" is 113 days old: it has been in use since 2026-08-01, and "rotateAfter" is 90d',
      fields: { credential: 'x' },
    },
  ])
  material.load([file(`# as it was\n${aged('2026-08-01')}`), file(aged('2026-07-01'), 'y')])
  assert.deepEqual(
    [warned('x'), warned('y')],
    [1, 1],
    'what is loaded later is told at once, and nothing twice',
  )
  await clock.advance(DAY - 1)
  assert.deepEqual([warned('x'), warned('y')], [1, 1])
  await clock.advance(1)
  assert.deepEqual([warned('x'), warned('y')], [2, 2])
  material.load([file(aged('2026-11-20')), file(aged('2026-07-01'), 'y')])
  await clock.advance(3 * DAY)
  assert.deepEqual([warned('x'), warned('y')], [2, 5])
  await clock.advance(90 * DAY)
  assert.ok(warned('x') > 2, 'the new one has become old')
})

test('no reminder comes after the material has stopped', async (t) => {
  const log = new TestLog()
  const { material, file, clock } = setUpMaterial(t, { log })
  material.load([file(aged('2026-08-01'))])
  material.remind()
  material.stop()
  await clock.advance(10 * DAY)
  assert.equal(log.lines.length, 1)
  assert.equal(clock.pending, 0)
})

test('people see since when, how old and when due', (t) => {
  const { material, file } = setUpMaterial(t)
  const report = (text: string) => {
    material.load([file(text)])
    const [{ settings, state }] = material.reports(() => []) as [ReturnType<typeof material.reports>[0]]
    return { settings, details: state.details }
  }
  assert.deepEqual(report(aged('2026-08-01')), {
    settings: { token: '[secret]', rotateAfter: '90d' },
    details: {
      uses: 0,
      'secret since': '2026-08-01, 112 days ago',
      'rotation due': '2026-10-30, 22 days ago',
    },
  })
  assert.deepEqual(report(aged('2026-11-01T10:00+02:00')).details, {
    uses: 0,
    'secret since': '2026-11-01T10:00+02:00, 20 days ago',
    'rotation due': '2027-01-30, in 69 days',
  })
  assert.deepEqual(report(`${BEARER}secretSince: 2026-11-20T12:00\n`).details, {
    uses: 0,
    'secret since': '2026-11-20T12:00, 24 h ago',
  })
  assert.deepEqual(report(BEARER).details, { uses: 0 })
})
