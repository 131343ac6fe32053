import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printCredential, printCredentialList } from '../../src/commands/credential.ts'
import { localTime } from '../../src/commands/plain-text.ts'
import type { CredentialReport } from '../../src/core/control.ts'

const ready: CredentialReport = {
  name: 'im_write',
  type: 'oauth2',
  file: 'security-material/im_write.yaml',
  description: 'Writes credits.',
  baseUrl: 'https://api.sap.com/successfactors/im/',
  hosts: ['api.sap.com'],
  settings: { clientId: 'client_abc', clientSecret: '[secret]' },
  state: { status: 'ready', details: { uses: 3, expires: 'in 29 min', 'last error': '401 invalid_client' } },
  flows: ['push-credits', 'repair-credits'],
  unset: [],
}
const incomplete: CredentialReport = {
  ...ready,
  name: 'lms_admin_OAuth2',
  description: undefined,
  baseUrl: undefined,
  hosts: [],
  settings: {},
  state: { status: 'incomplete', details: {} },
  flows: [],
  unset: ['env:LMS_CLIENT_SECRET'],
}
const terminal = { color: false, columns: 100 }

test('the list has a line a credential', () => {
  assert.deepEqual(printCredentialList([ready, incomplete], terminal).split('\n').slice(0, 3), [
    'CREDENTIAL        TYPE    STATE       HOSTS        FLOWS',
    'im_write          oauth2  ready       api.sap.com  push-credits, repair-credits',
    'lms_admin_OAuth2  oauth2  incomplete  -            -',
  ])
  assert.doesNotMatch(printCredentialList([ready], terminal), /What to do/)
})

test('no credential is said, not shown as an empty table', () => {
  assert.equal(
    printCredentialList([], terminal),
    'there are no credentials yet: `sluice new credential` writes one\n',
  )
})

test('many flows are cut where the terminal ends', () => {
  const flows = Array.from({ length: 50 }, (_, i) => `flow-${i}`)
  const line = printCredentialList([{ ...ready, flows }], { color: false, columns: 80 }).split('\n')[1]!
  assert.ok(line.length <= 80, line)
  assert.match(line, /…$/)
})

test('below the list stands what is wrong with which, and where to look', () => {
  const broken = { ...ready, name: 'broken', state: { status: 'broken', details: {} } }
  const refused = { ...ready, name: 'refused', state: { ...ready.state, status: 'refused' } }
  const lines = printCredentialList([ready, incomplete, broken, refused], terminal).split('\n')
  assert.deepEqual(lines.slice(5), [
    '',
    'lms_admin_OAuth2  not set: env:LMS_CLIENT_SECRET',
    'broken            security-material/im_write.yaml has mistakes',
    'refused           401 invalid_client',
    'What to do: sluice credential show NAME',
    '',
  ])
  assert.match(
    printCredentialList([ready, refused], terminal),
    /What to do: sluice credential show refused\n/,
  )
})

test('a renewal that fails is told while the token before is still good', () => {
  const failing = { ...ready, state: { ...ready.state, status: 'renewal fails' } }
  assert.match(printCredentialList([failing], terminal), /im_write +401 invalid_client\n/)
  assert.match(printCredential(failing, terminal), /try it +sluice credential test im_write\n/)
})

test('a credential is shown with state and users first, then what its file says', () => {
  assert.equal(
    printCredential(ready, terminal),
    [
      'im_write  Writes credits.',
      '  state         ready',
      '  uses          3',
      '  expires       in 29 min',
      '  last error    401 invalid_client',
      '  used by       push-credits, repair-credits',
      '',
      '  file          security-material/im_write.yaml',
      '  type          oauth2',
      '  baseUrl       https://api.sap.com/successfactors/im/',
      '  hosts         api.sap.com',
      '  clientId      client_abc',
      '  clientSecret  [secret]',
      '',
    ].join('\n'),
  )
})

test('a long hint is broken where the terminal ends, and moments are told in local time', () => {
  const at = '2026-11-21T12:00:00.500Z'
  const hint = 'Verify clientId and clientSecret, look whether the variable they come from is set correctly.'
  const state = { status: 'refused', details: { 'last error at': at, 'what to do': hint } }
  const lines = printCredential({ ...ready, state }, { color: false, columns: 60 }).split('\n')
  assert.ok(
    lines.every((line) => line.length <= 60),
    lines.join('\n'),
  )
  assert.equal(
    lines.find((line) => line.includes('last error at')),
    `  last error at  ${localTime(Date.parse(at))}`,
  )
  const first = lines.findIndex((line) => line.includes('what to do'))
  assert.match(lines[first + 1]!, /^ {17}\S/)
  assert.ok(lines.includes('  try it         sluice credential test im_write'))
})

test('what is not set is shown, in red on a terminal', () => {
  assert.match(printCredential(incomplete, terminal), /^ {2}not set +env:LMS_CLIENT_SECRET$/m)
  assert.match(printCredential(incomplete, { color: true, columns: 100 }), /\x1b\[31menv:LMS_CLIENT_SECRET/)
  assert.match(printCredential(incomplete, terminal), /^ {2}used by +no flow$/m)
})

test('what a file or a service says cannot write on the terminal', () => {
  const text = printCredential({ ...ready, description: 'a\x1b[2Jb\nc' }, terminal)
  assert.doesNotMatch(text, /\x1b/)
  assert.match(text, /^im_write {2}a\\x1b\[2Jb ⏎ c$/m)
})
