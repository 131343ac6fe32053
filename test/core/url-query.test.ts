import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queryOf, withoutQuery } from '../../src/core/url-query.ts'

test('a query begins at the first "?" and goes to the end, further ones included', () => {
  for (const [url, path, query] of [
    ['/a', '/a', ''],
    ['/a?', '/a', ''],
    ['/a?b=1', '/a', 'b=1'],
    ['/a?b=1?&access_token=t', '/a', 'b=1?&access_token=t'],
    ['https://a.example.com/b?c=d', 'https://a.example.com/b', 'c=d'],
  ] as const)
    assert.deepEqual([withoutQuery(url), queryOf(url)], [path, query])
})
