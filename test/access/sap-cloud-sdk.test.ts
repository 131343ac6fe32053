import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startService } from '../support/credentials.ts'
import { SECRET } from './fixture.ts'
import { CLIENT_SECRET, findingEngine, tokens } from './find-fixture.ts'

const PROGRAM = join(import.meta.dirname, 'sap-cloud-sdk.ts')

test('a program with the SAP Cloud SDK finds destinations with their tokens, and calls with them', async (t) => {
  const api = await startService(t, ({ headers }) => ({
    body: `seen ${headers.authorization}, ${String(headers['x-extra'])}`,
  }))
  const root = api.url.replace('/token', '/odata')
  const { url, service, log } = await findingEngine(t, tokens, ({ url: tokenServiceUrl }) => ({
    exported: `type: destination\nfindable: true\nproperties: { URL: ${root}, Authentication: OAuth2ClientCredentials, tokenServiceURL: ${tokenServiceUrl}, clientId: c, URL.headers.x-extra: more }\noverride: { clientSecret: '\${env:JAM_SECRET}' }\n`,
    native: `type: oauth2\ngrantType: password\ntokenServiceUrl: ${tokenServiceUrl}\nclientId: c\nclientSecret: \${env:JAM_SECRET}\nusername: anna\npassword: \${env:JAM_PASSWORD}\nbaseUrl: ${root}\nfindable: true\n`,
    refreshing: `type: destination\nfindable: true\nproperties: { URL: ${root}, Authentication: OAuth2RefreshToken, tokenServiceURL: ${tokenServiceUrl}, clientId: c }\noverride: { clientSecret: '\${env:JAM_SECRET}', tokenService.body.refresh_token: '\${env:JAM_PASSWORD}' }\n`,
    fixed: `type: bearer\ntoken: \${env:JAM_SECRET}\nbaseUrl: ${root}\nfindable: true\n`,
    open: `type: none\nbaseUrl: ${root}\nfindable: true\n`,
    failing: `type: oauth2\ntokenServiceUrl: http://127.0.0.1:1/token\nclientId: c\nclientSecret: \${env:JAM_SECRET}\nretry: { attempts: 1 }\nbaseUrl: ${root}\nfindable: true\n`,
    basic: `type: basic\nusername: anna\npassword: \${env:JAM_PASSWORD}\nbaseUrl: ${root}\nfindable: true\n`,
    hidden: `type: none\nbaseUrl: ${root}\n`,
  }))
  const credentials = { clientid: 'reader', clientsecret: SECRET, url, uri: url }
  const names = ['exported', 'native', 'refreshing', 'fixed', 'open', 'failing', 'basic', 'hidden']
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...names], {
    env: {
      ...process.env,
      VCAP_SERVICES: JSON.stringify({
        destination: [{ label: 'destination', name: 'destination', tags: [], credentials }],
      }),
    },
  })
  const told = JSON.parse(/^told: (.*)$/m.exec(stdout)![1]!) as Record<string, Record<string, any>>
  const call = (authorization: string | undefined, extra?: string) => ({
    status: 200,
    text: `seen ${authorization}, ${extra}`,
  })
  const { exported, native, refreshing, fixed, open } = told
  assert.deepEqual(exported, {
    url: root,
    authentication: 'OAuth2ClientCredentials',
    headers: { 'x-extra': 'more' },
    answer: call('Bearer token-for-others-1', 'more'),
  })
  assert.deepEqual(native!['answer'], call('Bearer token-for-others-2'))
  assert.deepEqual(refreshing!['answer'], call('Bearer token-for-others-3'))
  assert.deepEqual(fixed!['answer'], call(`Bearer ${CLIENT_SECRET}`))
  assert.deepEqual(open!['answer'], call(undefined))
  assert.match(String(told['failing']), /failed in all cases[^]*credential "failing"/)
  assert.match(String(told['basic']), /"password" are missing/)
  assert.equal(told['hidden'], null)
  assert.deepEqual(told['all'], [
    'basic',
    'exported',
    'failing',
    'fixed',
    'native',
    'open',
    'refreshing',
    'sap_jam_odata',
  ])
  assert.equal(service.asked.length, 3)
  assert.match(
    log.join(''),
    /oauth_client_reader asked for the destination \W*"exported\W*: found, its token was given/,
  )
  assert.doesNotMatch(log.join(''), /token-for-others/)
})
