import assert from 'node:assert/strict'
import { it } from 'node:test'
import { VerifiedTokens } from '../../src/access/verified-tokens.ts'

it('verified tokens: short and long ones, told apart by every character, the oldest forgotten first', () => {
  const known = new VerifiedTokens<number>()
  const [short, long] = ['a.b.c', 'x'.repeat(5000)]
  known.set(short, 1)
  known.set(long, 2)
  assert.deepEqual([known.get(short), known.get(long)], [1, 2])
  assert.deepEqual(
    [known.get(`${short}x`), known.get(`${long}x`), known.get(long.slice(1))],
    Array(3).fill(undefined),
  )
  known.delete(long)
  assert.equal(known.get(long), undefined)
  for (let i = 0; i < 10_000; i++) known.set(`t${i}`, i)
  assert.deepEqual([known.get(short), known.get('t0'), known.get('t9999')], [undefined, 0, 9999])
})
