import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call } from '../support/http.ts'
import { startManaged } from '../support/management.ts'

test('row 26: a page in the browser of somebody who may gets nothing, by no name and with no cookie or password', async (t) => {
  const files = { 'flows/a.yaml': 'steps:\n  - log: x\n' }
  const { ask, management, app } = await startManaged(t, files, { settings: { dev: 'true' } })
  const cookie = (await call(app.loginLink!)).headers['set-cookie']![0]!.split(';')[0]!
  const { port } = new URL(management)
  const foreign: [status: number, headers: Record<string, string>][] = [
    [
      421,
      {
        host: `evil.example:${port}`,
        origin: `http://evil.example:${port}`,
        'sec-fetch-site': 'same-origin',
      },
    ],
    [421, { host: `127.0.0.1.evil.example:${port}` }],
    [403, { origin: 'https://evil.example' }],
    [403, { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    [403, { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }],
  ]
  for (const [status, headers] of foreign)
    for (const [method, path] of [
      ['GET', '/api/flows'],
      ['GET', '/openapi'],
      ['GET', '/health'],
      ['POST', '/api/reload'],
    ] as const) {
      const answers = [
        await ask('admin', method, path, undefined, headers),
        await ask(undefined, method, path, undefined, { cookie, ...headers }),
      ]
      for (const answer of answers) {
        assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(headers)}`)
        assert.equal(answer.headers['access-control-allow-origin'], undefined)
      }
    }
  assert.equal((await ask(undefined, 'POST', '/api/reload', undefined, { cookie })).status, 200)
  await app.flush()
  const { items } = (await ask('viewer', 'GET', '/api/audit?what=reload')).json() as { items: object[] }
  assert.equal(items.length, 1)
})
