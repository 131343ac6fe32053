import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { App } from '../../src/app.ts'
import type { CommandIo } from '../../src/commands/command.ts'
import { startSummary } from '../../src/commands/start-summary.ts'

const flow = (name: string, more: object) => ({ name, state: 'running', ...more })
const FLOWS = [
  flow('orders', { route: { methods: ['POST'], path: '/orders', access: 'public' } }),
  flow('items', { route: { methods: ['GET'], path: '/items/{id}', access: 'public' } }),
  { name: 'broken', state: 'broken', reason: `has mistakes: ${'many words '.repeat(12)}` },
]

function summary(columns: number, flows: readonly object[] = FLOWS): string {
  const control = {
    status: () => ({ version: '0.1.0', dataFolder: '/srv/sluice/projects/of-acme/data' }),
    flows: () => flows,
  }
  const app = { url: 'http://127.0.0.1:8080', abandoned: 3, control }
  return startSummary(
    app as unknown as App,
    { color: false, columns } as CommandIo,
    'sluice log --data projects/of-acme/data',
  )
}

test('a line for each endpoint where there is room; else a command on two lines that a shell takes', () => {
  const wide = summary(200)
  assert.match(wide, /^ {2}orders {2}curl -s -X POST .* -d '\{\}' http:\/\/127\.0\.0\.1:8080\/http\/orders$/m)
  assert.match(wide, /^Abandoned {4}3 runs cut off by the last stop: {2}sluice log .* --status ABANDONED$/m)
  const narrow = summary(80)
  assert.match(narrow, /^ {2}orders\n {4}curl -s .* \\\n {6}http:\/\/127\.0\.0\.1:8080\/http\/orders$/m)
  assert.match(narrow, /^ {4}curl -s 'http:\/\/127\.0\.0\.1:8080\/http\/items\/<id>'$/m)
  for (const line of narrow.split('\n')) assert.ok(line.length <= 80, line)
})

test('without flows it says how to get some', () => {
  assert.match(summary(80, []), /no flows yet: `sluice new flow`/)
})

test('of many flows the first ones are shown, and how to see the others', () => {
  const many = Array.from({ length: 2021 }, (_, i) =>
    flow(`f${i}`, { route: { methods: ['GET'], path: `/f${i}`, access: 'public' } }),
  )
  const text = summary(80, many)
  assert.match(text, /\n {2}… and 2,001 more: sluice flow list\n\nMessage log/)
  assert.ok(text.split('\n').length < 60)
  assert.doesNotMatch(summary(80, many.slice(0, 20)), /more/)
})
