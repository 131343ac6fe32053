import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { isBigInteger } from '../../src/core/json.ts'
import { compileExpression } from '../../src/expression/compile.ts'
import { functionReference } from '../../src/expression/functions.ts'
import { contextFor, messageFor, settingFor } from './fixture.ts'
import { dates } from './table/dates.ts'
import { general, methods, numbers, texts } from './table/functions.ts'
import { macros } from './table/macros.ts'
import { mistakes } from './table/mistakes.ts'
import { operators } from './table/operators.ts'
import type { Row } from './table/row.ts'
import { literals, members, variables } from './table/values.ts'

const TABLES = {
  literals,
  members,
  variables,
  operators,
  texts,
  methods,
  numbers,
  general,
  dates,
  macros,
  mistakes,
}

for (const [name, rows] of Object.entries(TABLES)) {
  describe(`expressions: ${name}`, () => {
    for (const row of rows) test(titleOf(row), () => check(row))
  })
}

function titleOf(row: Row): string {
  const shown = row.expression.length > 70 ? `${row.expression.slice(0, 70)}…` : row.expression
  const outcome = 'value' in row ? 'gives' : 'failure' in row ? 'fails' : 'is a mistake'
  return `${shown.replace(/\s+/g, ' ')} ${outcome}`
}

function check(row: Row): void {
  const setting = settingFor(row.given)
  const compiled = compileExpression(row.expression, setting)
  if ('mistake' in row) {
    assert.equal(compiled.mistakes.length, 1, JSON.stringify(compiled.mistakes))
    const { code, message, offset } = compiled.mistakes[0]!
    assert.ok(message.includes(row.mistake), message)
    assert.deepEqual({ code, column: offset + 1 }, { code: row.code, column: row.column })
    return
  }
  assert.deepEqual(compiled.mistakes, [])
  const evaluate = () => compiled.evaluate(messageFor(row.given), contextFor(row.given))
  if ('value' in row) {
    assert.deepEqual(plain(evaluate()), row.value)
    if (compiled.constant) assert.deepEqual(plain(compiled.constant.value), row.value)
    return
  }
  assert.throws(evaluate, (thrown) => {
    assert.ok(thrown instanceof Failure)
    assert.match(thrown.code, /^(expression\.failed|body\.invalid)$/)
    assert.ok(thrown.message.includes(row.failure), thrown.message)
    assert.equal(thrown.place?.column, row.column)
    return true
  })
}

/** Big integers have no prototype, which a deep comparison would count. */
function plain(value: unknown): unknown {
  return isBigInteger(value) ? { rawJSON: value.rawJSON } : value
}

describe('the reference of functions', () => {
  for (const { name, example, signature, summary } of functionReference) {
    test(`the example of ${name} is right`, () => {
      const compiled = compileExpression(example.expression, settingFor())
      assert.deepEqual(compiled.mistakes, [])
      const value = compiled.evaluate(messageFor(), contextFor())
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      if (name === 'now' || name === 'uuid') assert.ok(text.length > 0)
      else assert.equal(text, example.result)
      assert.ok(signature.includes(name.split('.').at(-1)!))
      assert.match(summary, /^[A-Z][^\n]+\.$/)
    })
  }
})
