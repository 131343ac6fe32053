import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { compileCondition } from '../../src/expression/compile.ts'
import { parseTemplate } from '../../src/expression/scan.ts'
import { compileParts, compileTemplate, compileText } from '../../src/expression/template.ts'
import { contextFor, messageFor, settingFor, type Given } from './fixture.ts'

function valueOf(text: string, given: Given = {}): unknown {
  const compiled = compileTemplate(text, settingFor(given))
  assert.deepEqual(compiled.mistakes, [])
  return compiled.evaluate(messageFor(given), contextFor(given))
}

function mistakesOf(text: string): { code: string; column: number; message: string }[] {
  return compileTemplate(text, settingFor()).mistakes.map(({ code, offset, message }) => ({
    code,
    column: offset + 1,
    message,
  }))
}

function onlyMistake(text: string): string {
  const [mistake, ...more] = mistakesOf(text)
  assert.deepEqual(more, [])
  return `${mistake?.code} at ${mistake?.column}`
}

test('exactly one ${} keeps its type, with or without the line end of a block scalar', () => {
  assert.equal(valueOf('${body.id}'), 7)
  assert.equal(valueOf('${body.id}\n'), 7)
  assert.equal(valueOf('${ body.id }\r\n'), 7)
  assert.deepEqual(valueOf('${body.tags}'), ['a', 'b'])
  assert.equal(valueOf('${body.none}'), null)
  assert.deepEqual(valueOf('${body}', { bytes: Buffer.from([255]) }), Buffer.from([255]))
  assert.equal(valueOf('${now()}'), '2026-11-21T12:00:00.250Z')
})

test('anything beside the ${} makes it text', () => {
  assert.equal(valueOf('${body.id} '), '7 ')
  assert.equal(valueOf('${body.id}\n\n'), '7\n\n')
  assert.equal(valueOf('\n${body.id}'), '\n7')
  assert.equal(valueOf('${body.id}${body.id}'), '77')
})

test('parts are joined as text: null as empty, lists and maps as JSON, big integers exactly', () => {
  assert.equal(
    valueOf('a ${body.none}|${body.tags}|${body.prices}|${body.paid}|${body.total}'),
    ['a ', '["a","b"]', '{"apple":3,"pear":5}', 'true', '12.5'].join('|').replace('a |', 'a |'),
  )
  assert.equal(valueOf('n=${body.n}', { json: '{"n": 12345678901234567890}' }), 'n=12345678901234567890')
  assert.equal(valueOf('at ${now()}'), 'at 2026-11-21T12:00:00.250Z')
})

test('a text without ${} is itself, and known beforehand', () => {
  for (const text of ['', 'plain', '$', '{', '$ {x}', 'a}b', '{"a":{"b":{}}}', '{{ 1 }}', '$name', '🙂']) {
    const compiled = compileTemplate(text, settingFor())
    assert.deepEqual(compiled.constant, { value: text })
    assert.equal(compiled.readsBody, false)
  }
})

test('$${ writes a literal ${', () => {
  assert.equal(valueOf('$${x}'), '${x}')
  assert.equal(valueOf('$$${x}'), '$${x}')
  assert.equal(valueOf('a $${b} ${body.id}'), 'a ${b} 7')
  assert.equal(valueOf('$${${body.id}}'), '${7}')
})

test('quotes, braces and comments inside ${} hide a closing brace', () => {
  assert.equal(valueOf('${"}"}'), '}')
  assert.equal(valueOf("<${'}' + \"'\"}>"), "<}'>")
  assert.deepEqual(valueOf('${{"a": {"b": 1}}}'), { a: { b: 1 } })
  assert.equal(valueOf('${"\\"}"}'), '"}')
  assert.equal(valueOf('${"""a"}\n"""}'), 'a"}\n')
  assert.equal(valueOf('${body.id // a } and a "\n + 1}'), 8)
  assert.equal(valueOf('https://x.test/${body.id}'), 'https://x.test/7')
  assert.equal(valueOf('${\n  body.id\n    + 1\n}\n'), 8)
})

test('mistakes are told at their offset in the whole text', () => {
  assert.equal(onlyMistake('ab ${boddy.id} c'), 'expression/unknown-variable at 6')
  assert.equal(onlyMistake('${body.id} ${1 +}'), 'expression/syntax at 17')
  assert.equal(onlyMistake('a ${} b'), 'expression/empty at 5')
  assert.equal(onlyMistake('a ${ } b'), 'expression/empty at 5')
  assert.equal(onlyMistake('a ${body.id'), 'expression/unterminated at 3')
  assert.equal(onlyMistake('a ${{"b": 1}'), 'expression/unterminated at 3')
  assert.equal(onlyMistake('a ${body.id // x}'), 'expression/unterminated at 3')
  assert.equal(onlyMistake("a ${body.id + 'x}"), 'expression/syntax at 15')
  assert.equal(onlyMistake('a {{companyId}} b'), 'value/braces at 3')
  assert.equal(onlyMistake('${ {{x}} }'), 'expression/syntax at 7')
  assert.deepEqual(
    mistakesOf('${a} {{b}} ${c}').map(({ code, column }) => `${code} at ${column}`),
    ['expression/unknown-variable at 3', 'value/braces at 6', 'expression/unknown-variable at 14'],
  )
})

test('{{x}} is answered with how a parameter is written', () => {
  const [mistake] = compileTemplate('https://{{ host.name }}/', settingFor()).mistakes
  assert.match(mistake!.hint!, /\$\{param\.hostName\}/)
  const [other] = compileTemplate('{{body.id}}', settingFor()).mistakes
  assert.match(other!.hint!, /\$\{body\.id\}/)
  assert.equal(valueOf('${"{{x}}"}'), '{{x}}')
})

test('a failing part tells its place in the whole text', () => {
  const compiled = compileTemplate('id ${body.id} is ${1 + body.none}', settingFor())
  assert.throws(
    () => compiled.evaluate(messageFor(), contextFor()),
    (thrown) => thrown instanceof Failure && thrown.place?.column === 20,
  )
})

test('bytes do not go into a text', () => {
  const given = { bytes: Buffer.from([255]) }
  const compiled = compileTemplate('got ${body}', settingFor(given))
  assert.throws(() => compiled.evaluate(messageFor(given), contextFor(given)), {
    code: 'expression.failed',
    message: 'bytes cannot be written into a text, in "body"',
  })
})

test('a text longer than a body may be is not made', () => {
  const given = { text: 'é'.repeat(6), bodyLimit: 20 }
  assert.equal(valueOf('${body}12345678', given), `${'é'.repeat(6)}12345678`)
  const compiled = compileTemplate('${body}123456789', settingFor(given))
  assert.throws(() => compiled.evaluate(messageFor(given), contextFor(given)), {
    code: 'expression.failed',
    message: /longer than 20 bytes/,
  })
})

test('compileText gives text for exactly one ${}, too', () => {
  const evaluate = (text: string) => compileText(text, settingFor()).evaluate(messageFor(), contextFor())
  assert.equal(evaluate('${body.id}'), '7')
  assert.equal(evaluate('${body.none}\n'), '')
  assert.equal(evaluate('${body.tags}'), '["a","b"]')
  assert.deepEqual(compileText('${1 + 1}', settingFor()).constant, { value: '2' })
})

test('parts come apart, with the values of expressions as they are', () => {
  const { parts, mistakes } = compileParts('https://${param.companyId}.test/${body.id}?a=1', settingFor())
  assert.deepEqual(mistakes, [])
  assert.deepEqual(
    parts.map((part) => (typeof part === 'string' ? part : part.evaluate(messageFor(), contextFor()))),
    ['https://', 'acme', '.test/', 7, '?a=1'],
  )
  assert.equal(compileParts('${nope}/${1 +}', settingFor()).mistakes.length, 2)
})

test('parseTemplate gives texts and expressions with their offsets', () => {
  assert.deepEqual(parseTemplate('a${ b }$${c'), {
    parts: [{ text: 'a' }, { expression: ' b ', offset: 3, length: 3 }, { text: '${c' }],
    mistakes: [],
  })
})

test('what a template uses is what its parts use', () => {
  const compiled = compileTemplate('${headers.a} ${param.limit} ${run.id}', settingFor())
  assert.deepEqual([...compiled.uses].toSorted(), ['headers', 'param', 'run'])
  assert.equal(compiled.readsBody, false)
  assert.equal(compileTemplate('x ${size(body.tags)}', settingFor()).readsBody, true)
})

test('constant parts make a constant text', () => {
  assert.deepEqual(compileTemplate('${1 + 1} and ${"x"}', settingFor()).constant, { value: '2 and x' })
  assert.equal(compileTemplate('${uuid()}', settingFor()).constant, undefined)
})

function holds(text: string, given: Given = {}): unknown {
  const compiled = compileCondition(text, settingFor(given))
  assert.deepEqual(compiled.mistakes, [])
  return compiled.evaluate(messageFor(given), contextFor(given))
}

test('a condition stands bare or in one ${}; null counts as false', () => {
  assert.equal(holds('body.id > 5'), true)
  assert.equal(holds('${body.id > 5}'), true)
  assert.equal(holds('  ${ body.id > 50 }\n'), false)
  assert.equal(holds('body.missing'), false)
  assert.deepEqual(compileCondition('true', settingFor()).constant, { value: true })
})

test('a condition that is neither true nor false fails and names the type', () => {
  const compiled = compileCondition('${body.name}', settingFor())
  assert.throws(
    () => compiled.evaluate(messageFor(), contextFor()),
    (thrown) =>
      thrown instanceof Failure &&
      thrown.message === 'the condition takes true or false, not text, in "body.name"' &&
      thrown.place?.column === 3,
  )
})

test('a condition that can never be true or false is a mistake', () => {
  const [mistake] = compileCondition('"yes"', settingFor()).mistakes
  assert.equal(mistake?.code, 'expression/fails')
})

test('several ${} in a bare expression are one mistake that shows what was meant', () => {
  const { mistakes } = compileCondition('${body.a} && ${ body.b }', settingFor())
  assert.equal(mistakes.length, 1)
  assert.equal(mistakes[0]!.code, 'expression/not-alone')
  assert.equal(mistakes[0]!.hint, 'Write body.a && body.b')
  assert.equal(compileCondition('${body.a', settingFor()).mistakes[0]!.code, 'expression/unterminated')
})
