import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { call } from '../support/http.ts'
import { startProject } from '../support/project.ts'

describe('the door of an endpoint', () => {
  it('lets so many in at once; the next one gets 503 and is told when to come again', async (t) => {
    const arrived = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const receiver = createServer((_request, reply) => {
      arrived.resolve()
      void go.promise.then(() => reply.end('{}'))
    }).listen(0, '127.0.0.1')
    t.after(() => receiver.close())
    await once(receiver, 'listening')
    const { port } = receiver.address() as AddressInfo
    const { url } = await startProject(t, {
      'flows/slow.yaml': `concurrency: { running: 1, waiting: 0 }\nsteps:\n  - endpoint: { path: /slow, method: GET, access: public }\n  - http: { url: "http://127.0.0.1:${port}/" }\n`,
      'flows/other.yaml':
        'steps:\n  - endpoint: { path: /other, method: GET, access: public }\n  - log: fine\n',
    })
    const first = call(`${url}/http/slow`)
    await arrived.promise
    const second = await call(`${url}/http/slow`)
    assert.deepEqual(
      [second.status, second.json().code, second.headers['retry-after']],
      [503, 'flow.overload', '1'],
    )
    assert.equal((await call(`${url}/http/other`)).status, 204)
    go.resolve()
    assert.equal((await first).status, 200)
  })

  it('counts addresses behind a trusted proxy, and believes nobody else', async (t) => {
    const flow = {
      'flows/one.yaml':
        'steps:\n  - endpoint: { path: /one, access: public, rateLimit: { rate: 1, per: 1h } }\n  - log: fine\n',
    }
    const from = async (url: string, address: string) => {
      const headers = { 'x-forwarded-for': address }
      return (await call(`${url}/http/one`, { method: 'POST', headers })).status
    }
    const trusting = await startProject(t, flow, {
      environment: { SLUICE_ACCESS_TRUSTED_PROXIES: '127.0.0.0/8' },
    })
    assert.equal(await from(trusting.url, '198.51.100.1'), 204)
    assert.equal(await from(trusting.url, '198.51.100.2'), 204)
    assert.equal(await from(trusting.url, '198.51.100.1'), 429)
    assert.equal(await from(trusting.url, '6.6.6.6, 198.51.100.1'), 429)
    const alone = await startProject(t, flow)
    assert.equal(await from(alone.url, '198.51.100.1'), 204)
    assert.equal(await from(alone.url, '198.51.100.2'), 429)
  })

  it('writes the address of a refused caller into the log', async (t) => {
    const { url, log } = await startProject(
      t,
      { 'flows/one.yaml': 'steps:\n  - endpoint: { path: /one }\n  - log: fine\n' },
      { environment: { SLUICE_ACCESS_TRUSTED_PROXIES: '127.0.0.1' } },
    )
    await call(`${url}/http/one`, { method: 'POST', headers: { 'x-forwarded-for': '198.51.100.1' } })
    assert.match(
      log.find((line) => line.includes('was refused'))!,
      /"address":"198\.51\.100\.1"/,
    )
  })

  it('lets cookies of a flow out only where the endpoint says so', async (t) => {
    const script = 'message.headers["set-cookie"] = "session=1; HttpOnly"'
    const { url } = await startProject(t, {
      'flows/no.yaml': `steps:\n  - endpoint: { path: /no, access: public }\n  - script: '${script}'\n`,
      'flows/yes.yaml': `steps:\n  - endpoint: { path: /yes, access: public, setCookie: true }\n  - script: '${script}'\n`,
      'flows/said.yaml':
        'steps:\n  - endpoint: { path: /said, access: public, setCookie: true }\n  - respond: { headers: { set-cookie: "a=${1 + 1}" } }\n',
    })
    const cookies = async (path: string) => {
      const answer = await fetch(`${url}/http/${path}`, { method: 'POST', body: '{}' })
      return answer.headers.getSetCookie()
    }
    assert.deepEqual(await cookies('no'), [])
    assert.deepEqual(await cookies('yes'), ['session=1; HttpOnly'])
    assert.deepEqual(await cookies('said'), ['a=2'])
  })
})
