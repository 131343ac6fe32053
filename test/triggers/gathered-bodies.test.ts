import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import type { Access } from '../../src/core/services.ts'
import { Failure } from '../../src/core/failure.ts'
import { GatheredBodies, gatheredBodiesOf, type BodyPlace } from '../../src/triggers/gathered-bodies.ts'
import { call } from '../support/http.ts'
import { echo, serve } from './serve-endpoint.ts'

const MB = 1024 * 1024
/** What all bodies that are not judged may be in memory. */
const ROOM = 128 * MB

/** Everybody's signature is right. */
const access = {
  signingKeys: () => ['hook'],
  admitSigned: () => () => ({ id: 'signing_key_hook', roles: [] }),
} as unknown as Access

function placeOf(gathered: GatheredBodies, length = -1): BodyPlace {
  const place = gathered.place(length)
  assert.ok(!(place instanceof Failure), 'there is room')
  return place
}

describe('bodies that are not judged yet', () => {
  it('share their room: what would be too much is refused until others have left', () => {
    const gathered = new GatheredBodies(100)
    const first = placeOf(gathered)
    const second = placeOf(gathered, 90)
    assert.equal(first.take(60), undefined)
    assert.equal(second.take(41)?.code, 'flow.overload')
    assert.equal(second.take(40), undefined)
    assert.ok(gathered.place(1) instanceof Failure)
    first.leave()
    first.leave()
    assert.equal(second.take(60), undefined)
  })

  it('take what they like while they are alone, because their endpoint does', () => {
    const gathered = new GatheredBodies(100)
    const place = placeOf(gathered, 500)
    assert.equal(place.take(300), undefined)
    assert.equal(place.take(200), undefined)
    assert.ok(gathered.place(0) instanceof Failure)
  })
})

for (const [name, options] of Object.entries({
  'is signed': { access: { signature: 'hook' } },
  'has to fit a schema': { body: { schema: { type: 'object' } } },
}))
  describe(`the body of a request that ${name}`, () => {
    const body = JSON.stringify({ text: 'x'.repeat(100_000) })
    const send = (url: string) =>
      call(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })

    it('is not read where there is no room', async (t) => {
      const { orders, routes } = await serve(t, echo(), options, { access })
      const others = placeOf(gatheredBodiesOf(routes))
      others.take(ROOM - 50_000)
      const refused = await send(orders)
      assert.equal(refused.status, 503)
      assert.equal(refused.headers['retry-after'], '1')
      assert.equal(refused.json().code, 'flow.overload')
      others.leave()
      assert.equal((await send(orders)).status, 200)
    })

    it('is given up when the room ends while it comes, and leaves', async (t) => {
      const flow = echo()
      const { url, routes } = await serve(t, flow, options, { access })
      const gathered = gatheredBodiesOf(routes)
      const others = placeOf(gathered)
      others.take(ROOM - 50_000)
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.write(
        'POST /http/orders HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      )
      socket.write(`${body.length.toString(16)}\r\n${body}\r\n`)
      const [answer] = (await once(socket.setEncoding('latin1'), 'data')) as [string]
      socket.destroy()
      assert.match(answer, /^HTTP\/1\.1 503 /)
      assert.equal(flow.requests.length, 0)
      others.leave()
      const all = placeOf(gathered)
      all.take(1)
      assert.equal(placeOf(gathered).take(ROOM - 1), undefined, 'what was given up holds nothing')
      all.leave()
    })
  })
