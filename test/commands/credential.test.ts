import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printCredential, printCredentialList } from '../../src/commands/credential.ts'
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
  assert.equal(
    printCredentialList([ready, incomplete], terminal),
    [
      'CREDENTIAL        TYPE    STATE       HOSTS        FLOWS',
      'im_write          oauth2  ready       api.sap.com  push-credits, repair-credits',
      'lms_admin_OAuth2  oauth2  incomplete  -            -',
      '',
    ].join('\n'),
  )
})

test('no credential is said, not shown as an empty table', () => {
  assert.equal(printCredentialList([], terminal), 'there are no credentials\n')
})

test('many flows are cut where the terminal ends', () => {
  const flows = Array.from({ length: 50 }, (_, i) => `flow-${i}`)
  const line = printCredentialList([{ ...ready, flows }], { color: false, columns: 80 }).split('\n')[1]!
  assert.ok(line.length <= 80, line)
  assert.match(line, /…$/)
})

test('a credential is shown with settings, state and users', () => {
  assert.equal(
    printCredential(ready, terminal),
    [
      'im_write  Writes credits.',
      '  file          security-material/im_write.yaml',
      '  type          oauth2',
      '  state         ready',
      '  uses          3',
      '  expires       in 29 min',
      '  last error    401 invalid_client',
      '  baseUrl       https://api.sap.com/successfactors/im/',
      '  hosts         api.sap.com',
      '  clientId      client_abc',
      '  clientSecret  [secret]',
      '  used by       push-credits, repair-credits',
      '',
    ].join('\n'),
  )
})

test('what is not set is shown, in red on a terminal', () => {
  assert.match(printCredential(incomplete, terminal), /^ {2}not set +env:LMS_CLIENT_SECRET$/m)
  assert.match(printCredential(incomplete, { color: true }), /\x1b\[31menv:LMS_CLIENT_SECRET/)
  assert.match(printCredential(incomplete, terminal), /^ {2}used by +no flow$/m)
})

test('what a file or a service says cannot write on the terminal', () => {
  const text = printCredential({ ...ready, description: 'a\x1b[2Jb\nc' }, terminal)
  assert.doesNotMatch(text, /\x1b/)
  assert.match(text, /^im_write {2}a\\x1b\[2Jb ⏎ c$/m)
})
