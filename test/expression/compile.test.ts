import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import { compileExpression } from '../../src/expression/compile.ts'
import { contextFor, messageFor, settingFor } from './fixture.ts'

function compiled(text: string) {
  const expression = compileExpression(text, settingFor())
  assert.deepEqual(expression.mistakes, [])
  return expression
}

function failureOf(text: string, given = {}): Failure {
  const expression = compileExpression(text, settingFor(given))
  assert.deepEqual(expression.mistakes, [])
  try {
    expression.evaluate(messageFor(given), contextFor(given))
  } catch (thrown) {
    assert.ok(thrown instanceof Failure)
    return thrown
  }
  return assert.fail('it did not fail')
}

test('100,000 iterations are done, one more fails', () => {
  const expression = compiled('body.all(x, x == 1)')
  const of = (count: number) => messageFor({ body: new Array(count).fill(1) })
  assert.equal(expression.evaluate(of(100_000), contextFor()), true)
  assert.throws(() => expression.evaluate(of(100_001), contextFor()), {
    code: 'expression.failed',
    message: /goes round more than 100,000 times/,
  })
  assert.equal(expression.evaluate(of(100_000), contextFor()), true, 'each evaluation counts anew')
})

test('it tells which variables it uses, and whether it reads the body', () => {
  const usesOf = (text: string) => [...compiled(text).uses].toSorted()
  assert.deepEqual(usesOf('body.tags.map(x, x + headers.a)'), ['body', 'headers'])
  assert.deepEqual(usesOf('response.status == 200 ? run.id : param.limit'), ['param', 'response', 'run'])
  assert.deepEqual(usesOf('properties.a + trigger.path'), ['properties', 'trigger'])
  assert.deepEqual(usesOf('now()'), [])
  assert.equal(compiled('has(body.x)').readsBody, true)
  assert.equal(compiled('"a" in headers').readsBody, false)
  assert.equal(compiled('[1].map(x, x)').readsBody, false)
})

test('what does not look at the message is evaluated once, lists and maps are frozen', () => {
  assert.deepEqual(compiled('[1, 2].map(x, x * 10)').constant, { value: [10, 20] })
  assert.deepEqual(compiled('coalesce(null, upper("a"))').constant, { value: 'A' })
  assert.equal(compiled('now()').constant, undefined)
  assert.equal(compiled('{"a": [uuid()]}').constant, undefined)
  assert.equal(compiled('param.limit').constant, undefined)
  const { value } = compiled('{"a": [1]}').constant as { value: { a: number[] } }
  assert.throws(() => value.a.push(2), TypeError)
  assert.notEqual(compiled('[body.id]').evaluate(messageFor(), contextFor()), undefined)
})

test('every unknown name of an expression is a mistake, in the order of the text', () => {
  const { mistakes } = compileExpression('bod.x + uper(heders.y) + param.lmit', settingFor())
  assert.deepEqual(
    mistakes.map(({ code, offset, length }) => ({ code, offset, length })),
    [
      { code: 'expression/unknown-variable', offset: 0, length: 3 },
      { code: 'expression/unknown-function', offset: 8, length: 4 },
      { code: 'expression/unknown-variable', offset: 13, length: 6 },
      { code: 'expression/unknown-parameter', offset: 31, length: 4 },
    ],
  )
})

test('a warning does not keep an expression from running', () => {
  const expression = compileExpression('body.tags.length', settingFor())
  assert.deepEqual(
    expression.mistakes.map(({ severity, hint }) => ({ severity, hint })),
    [
      {
        severity: 'warning',
        hint: 'Write size(body.tags), or body.tags["length"] for a member of that name.',
      },
    ],
  )
  assert.equal(expression.evaluate(messageFor(), contextFor()), null)
})

test('a failure names the types and the expression, shortened, but no value of the message', () => {
  const given = { body: { token: 'hunter2', n: 4711 } }
  for (const text of [
    'body.token + body.n',
    'number(body.token)',
    'fromJson(body.token)',
    'date(body.token)',
    'base64.decode(body.token + "!")',
    'formatDate(now(), body.token)',
    'addDuration(now(), body.token)',
    'date("2026-01-01T00:00:00", body.token)',
    '"x".matches(body.token + "(")',
    'round(1, body.n)',
  ]) {
    const { message, hint } = failureOf(text, given)
    assert.doesNotMatch(`${message} ${hint}`, /hunter2|4711/, text)
    assert.ok(message.endsWith(`, in "${text}"`), message)
  }
  const long = failureOf(`body.none + ${'1 + '.repeat(40)}1`)
  assert.match(long.message, /, in "body\.none.{50}…"$/)
})

test('a failure of the body itself gets the place of the expression', () => {
  const given = { json: '{"id": hunter2' }
  const failure = failureOf('1 + body.id', given)
  assert.equal(failure.code, 'body.invalid')
  assert.equal(failure.place?.column, 1)
  assert.doesNotMatch(failure.message, /hunter2/)
})

test('the file is asked for a place only when an evaluation fails', () => {
  let asked = 0
  const setting = { ...settingFor(), place: () => ({ file: 'a.yaml', line: 1, column: ++asked }) }
  const expression = compileExpression('1 + body.n', setting)
  compileExpression('1 / 0', setting)
  const message = messageFor({ body: { n: 1 } })
  assert.equal(expression.evaluate(message, contextFor()), 2)
  assert.equal(asked, 0)
  message.body = Body.ofJson({ n: null })
  assert.throws(() => expression.evaluate(message, contextFor()), Failure)
  assert.equal(asked, 1)
})

test('an expression with a mistake is not evaluated', () => {
  const { evaluate, constant } = compileExpression('nope', settingFor())
  assert.equal(constant, undefined)
  assert.throws(() => evaluate(messageFor(), contextFor()), { code: 'expression.failed' })
})

test('values far too large or deep fail instead of bringing the engine down', () => {
  let nested: unknown = 1
  for (let i = 0; i < 200_000; i++) nested = [nested]
  assert.equal(failureOf('string(body)', { body: nested }).code, 'expression.failed')
  assert.equal(failureOf('body == [body]', { body: nested }).code, 'expression.failed')
  assert.equal(
    compileExpression('1' + ' + 1'.repeat(5000), settingFor()).mistakes[0]?.code,
    'expression/syntax',
  )
  assert.equal(compileExpression('body.x' + ' + body.x'.repeat(400), settingFor()).mistakes.length, 0)
})

test('the result of one evaluation does not leak into the next', () => {
  const expression = compiled('{"list": [body.id], "map": body.tags.map(x, {"t": x})}')
  const first = expression.evaluate(messageFor(), contextFor()) as { list: number[] }
  first.list.push(99)
  assert.deepEqual(expression.evaluate(messageFor(), contextFor()), {
    list: [7],
    map: [{ t: 'a' }, { t: 'b' }],
  })
})
