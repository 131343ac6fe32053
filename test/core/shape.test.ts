import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Type, type TSchema } from '@sinclair/typebox'
import { readDocument } from '../../src/core/document.ts'
import type { Step } from '../../src/core/flow.ts'
import {
  Choice,
  CredentialName,
  Duration,
  Expression,
  Flag,
  Keys,
  ListOf,
  MapOf,
  Moment,
  OneOrMore,
  Optional,
  SecretText,
  Size,
  Steps,
  Template,
  Templates,
  Text,
  Value,
  Whole,
} from '../../src/core/schema.ts'
import { parseSize } from '../../src/core/shape-values.ts'
import { checkShape, type ShapeOptions } from '../../src/core/shape.ts'

const about = { description: 'About it.' }

/** Checks `a: <yaml>` against a schema for `a`. */
function check(schema: TSchema, yaml: string, options: Partial<ShapeOptions> = {}) {
  const { document } = readDocument('f.yaml', `a: ${yaml}\n`)
  const { value, problems } = checkShape(Keys({ a: schema }), document!, { subject: 'test', ...options })
  return {
    value: (value as { a?: unknown }).a,
    problems: problems.map(({ code, line, column }) => `${code} ${line}:${column}`),
    messages: problems.map(({ message, hint }) => (hint === undefined ? message : `${message} / ${hint}`)),
  }
}

function accepts(schema: TSchema, yaml: string, expected: unknown): void {
  const { value, messages } = check(schema, yaml)
  assert.deepEqual(messages, [])
  assert.deepEqual(value, expected)
}

function refuses(schema: TSchema, yaml: string, problem: string, message: RegExp): void {
  const { value, problems, messages } = check(schema, yaml)
  assert.deepEqual(problems, [problem])
  assert.match(messages[0]!, message)
  assert.equal(value, undefined)
}

describe('durations', () => {
  it('are decoded to ms', () => accepts(Duration(about), '1m', 60_000))
  it('without a unit say which one may be missing', () =>
    refuses(Duration(about), '30', 'value/duration 1:4', /^"a" is 30; a unit is missing: 30s\?/))
  it('of another kind are refused', () =>
    refuses(Duration(about), 'soon', 'value/duration 1:4', /the text "soon"; a duration such as/))
  it('take no expression', () =>
    refuses(Duration(about), '${param.x}', 'value/duration 1:4', /Expressions are not possible here/))
  it('keep to their limits, printed as durations', () =>
    refuses(Duration({ ...about, maximum: 60_000 }), '90s', 'value/range 1:4', /0s to 1m is wanted/))
})

describe('sizes', () => {
  const cases: [string, number | undefined][] = [
    ['500', 500],
    ['64KB', 65_536],
    ['40MB', 41_943_040],
    ['1GB', 1_073_741_824],
    ['1 gb', 1_073_741_824],
    ['7B', 7],
    ['1.5MB', undefined],
    ['1TB', undefined],
    ['', undefined],
    ['99999999GB', undefined],
  ]
  for (const [text, bytes] of cases) it(`"${text}" is ${bytes}`, () => assert.equal(parseSize(text), bytes))
  it('are decoded to bytes, numbers too', () => {
    accepts(Size(about), '64KB', 65_536)
    accepts(Size(about), '64', 64)
    refuses(Size(about), 'large', 'value/size 1:4', /a size such as 64KB or 40MB is wanted/)
  })
})

describe('texts', () => {
  it('of templates may be numbers and booleans, as they are written', () => {
    accepts(Template(about), '0012', '0012')
    accepts(Template(about), '1.10', '1.10')
    accepts(Template(about), '12345678901234567890', '12345678901234567890')
    accepts(Template(about), 'true', 'true')
    accepts(Expression(about), 'true', 'true')
    accepts(SecretText(about), '0815', '0815')
  })
  it('may be empty where they are templates, and not where they are expressions', () => {
    accepts(Template(about), '""', '')
    refuses(Expression(about), '" "', 'value/empty 1:4', /^"a" is empty; an expression is wanted/)
  })
  it('are no maps and lists', () => {
    refuses(Template(about), '{ b: 1 }', 'value/type 1:4', /"a" is a map; a text is wanted/)
    refuses(Expression(about), '[1]', 'value/type 1:4', /"a" is a list; an expression is wanted/)
  })
  it('that are plain are no numbers', () =>
    refuses(Text(about), '5', 'value/type 1:4', /the number 5.*Put it in quotes: "5"/))
  it('keep to their pattern', () => {
    refuses(Text({ ...about, pattern: '^[a-z]+$' }), 'ABC', 'value/pattern 1:4', /matches \^\[a-z\]\+\$/)
    refuses(
      Text({ ...about, pattern: '^[a-z]+$', examples: ['abc'] }),
      'ABC',
      'value/pattern 1:4',
      /a text like "abc"/,
    )
  })
  it("with CPI's braces are refused where the braces stand", () => {
    refuses(Template(about), '"x {{host}} y"', 'value/braces 1:7', /"\{\{host\}\}".*\$\{param\.host\}/)
    assert.deepEqual(check(Template(about), '|\n  one {{a}}\n  {{b}}').problems, [
      'value/braces 2:7',
      'value/braces 3:3',
    ])
    accepts(Template(about), '\'${ {"a": {"b": 1}} }\'', '${ {"a": {"b": 1}} }')
  })
  it('of a secret are in no message', () => {
    assert.doesNotMatch(check(SecretText(about), '[hunter2]').messages.join(), /hunter2/)
  })
})

describe('other values', () => {
  it('booleans are true and false only', () => {
    accepts(Flag(about), 'false', false)
    refuses(Flag(about), 'yes', 'value/type 1:4', /the text "yes"; true or false is wanted/)
    refuses(Flag(about), '"true"', 'value/type 1:4', /Leave the quotes out/)
  })
  it('numbers keep to type and range', () => {
    const port = Whole({ ...about, minimum: 1, maximum: 65_535 })
    accepts(port, '80', 80)
    refuses(port, '0', 'value/range 1:4', /1 to 65535 is wanted/)
    refuses(port, '1.5', 'value/type 1:4', /a whole number is wanted/)
    refuses(port, '"80"', 'value/type 1:4', /Leave the quotes out/)
    accepts(Type.Number(), '1.5', 1.5)
    refuses(Type.Number(), '.nan', 'value/type 1:4', /a number is wanted/)
  })
  it('choices know the nearest word', () => {
    const choice = Choice(['header', 'body'], about)
    accepts(choice, 'body', 'body')
    refuses(choice, 'Header', 'value/choice 1:4', /"header" or "body" is wanted \/ Did you mean "header"\?/)
    refuses(choice, 'true', 'value/choice 1:4', /"a" is true/)
  })
  it('moments exist', () => {
    accepts(Moment(about), '2026-12-01T02:00', '2026-12-01T02:00')
    accepts(Moment(about), '2026-12-01T02:00:59.5+01:00', '2026-12-01T02:00:59.5+01:00')
    refuses(Moment(about), '2026-02-30T02:00', 'value/date 1:4', /a day that does not exist/)
    refuses(Moment(about), '2026-02-03T24:00', 'value/date 1:4', /a time that does not exist/)
    refuses(Moment(about), '2026-02-03T02:00+24:00', 'value/date 1:4', /an offset that does not exist/)
    refuses(Moment(about), '2026-02-03', 'value/date 1:4', /has no time/)
    refuses(Moment(about), 'tomorrow', 'value/date 1:4', /is no date and time/)
    const day = Moment({ ...about, dayAlone: true })
    accepts(day, '2026-12-01', '2026-12-01')
    accepts(day, '2026-12-01T02:00Z', '2026-12-01T02:00Z')
    refuses(day, '2026-02-30', 'value/date 1:4', /a day that does not exist/)
    refuses(day, '1.12.2026', 'value/date 1:4', /is no date; a date such as 2026-12-01, or/)
  })
  it('credentials are a name, or a name and a type', () => {
    accepts(CredentialName(about), 'shop', { name: 'shop' })
    accepts(CredentialName(about), '{ name: shop, type: oauth2 }', { name: 'shop', type: 'oauth2' })
    refuses(CredentialName(about), '5', 'value/type 1:4', /the name of a credential/)
    assert.deepEqual(check(CredentialName(about), '{ nam: shop }').problems, ['key/unknown 1:6'])
  })
  it('one or more become a list', () => {
    const statuses = OneOrMore(Whole(about), about)
    accepts(statuses, '404', [404])
    accepts(statuses, '[404, 409]', [404, 409])
    refuses(statuses, '[]', 'value/empty 1:4', /is empty/)
    assert.deepEqual(check(statuses, '[404, x, 5.5]').problems, ['value/type 1:10', 'value/type 1:13'])
  })
  it('any value is taken as it is, with its texts and numbers looked at', () => {
    accepts(Value(about), '{ a: [1, null, true, "${x}"] }', { a: [1, null, true, '${x}'] })
    accepts(Value(about), '~', null)
    assert.deepEqual(check(Value(about), '{ b: [1, "{{x}}"], c: .inf, d: 99999999999999999 }').problems, [
      'value/braces 1:14',
      'value/type 1:26',
      'value/range 1:35',
    ])
  })
  it('templates are a map; null entries stay', () => {
    accepts(Templates(about), '{ accept: a, old: ~ }', { accept: 'a', old: null })
    refuses(Templates(about), 'accept', 'value/type 1:4', /a map of names to values/)
  })
  it('unions of literals are choices, others say what they take', () => {
    const words = Type.Union([Type.Literal('a'), Type.Literal('b')])
    accepts(words, 'b', 'b')
    refuses(words, 'c', 'value/choice 1:4', /"a" or "b" is wanted/)
    const mixed = Type.Union([Whole(about), Text({ ...about, pattern: '^[345]xx$' })])
    accepts(mixed, '5xx', '5xx')
    accepts(mixed, '404', 404)
    refuses(mixed, 'many', 'value/pattern 1:4', /\^\[345\]xx\$/)
    refuses(mixed, '[1]', 'value/type 1:4', /a whole number or a text is wanted/)
  })
  it('are not empty', () => {
    for (const schema of [
      Template(about),
      Text(about),
      Flag(about),
      Whole(about),
      Duration(about),
      Templates(about),
      ListOf(Text(about), about),
      Keys({}),
    ])
      assert.deepEqual(check(schema, '').problems, ['value/empty 1:1'])
  })
  it('nested steps come from who reads them', () => {
    const steps = [{ id: 'x' }] as unknown as Step[]
    const paths: unknown[] = []
    const { value } = check(Steps(about), '[]', {
      steps: (path) => {
        paths.push(path)
        return steps
      },
    })
    assert.equal(value, steps)
    assert.deepEqual(paths, [['a']])
  })
})

describe('keys', () => {
  const schema = Keys({
    url: Template({ description: 'Where to.' }),
    method: Optional(Choice(['GET', 'POST'], { ...about, default: 'GET' })),
    retries: Whole({ ...about, default: 3 }),
    wait: Duration({ ...about, default: '1s' }),
    inner: Keys({
      size: Size({ ...about, default: '1KB' }),
      list: OneOrMore(Text(about), { ...about, default: 'x' }),
    }),
    tags: Optional(MapOf(Text(about), about)),
  })
  it('get their defaults where they are not optional, nested ones too', () =>
    accepts(schema, '{ url: x }', { url: 'x', retries: 3, wait: 1000, inner: { size: 1024, list: ['x'] } }))
  it('that are missing are reported at the key of their parent', () => {
    const { problems, messages } = check(schema, '{ method: GET }')
    assert.deepEqual(problems, ['key/missing 1:1'])
    assert.equal(messages[0], '"url" is missing in "a" / url: Where to.')
  })
  it('that are unknown are reported at themselves, with the known ones', () => {
    const { problems, messages } = check(schema, '{ url: x, metod: GET }')
    assert.deepEqual(problems, ['key/unknown 1:14'])
    assert.equal(
      messages[0],
      '"metod" is not a key of "a"; did you mean "method"? / Known keys: url, method, retries, wait, inner, tags',
    )
  })
  it('that are nearly a required one give one problem', () => {
    assert.deepEqual(check(schema, '{ ulr: x }').problems, ['key/unknown 1:6'])
    assert.deepEqual(check(schema, '{ uri: x }').problems, ['key/unknown 1:6'])
  })
  it('of a later version, and those that stand elsewhere, have their own words', () => {
    const options = { later: ['paginate'], elsewhere: { timeout: 'It stands beside.' } }
    assert.deepEqual(check(schema, '{ url: x, paginate: 1, timeout: 1s, toString: 1 }', options).messages, [
      '"paginate" is not in this version',
      '"timeout" is not a key of "a" / It stands beside.',
      '"toString" is not a key of "a" / Known keys: url, method, retries, wait, inner, tags',
    ])
  })
  it('all mistakes are found in one go', () => {
    const { problems } = check(
      schema,
      '{ url: [], method: PUT, retries: x, wait: 1, inner: { size: x, more: 1 }, tags: { b: 5 } }',
    )
    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[0]),
      [
        'value/type',
        'value/choice',
        'value/type',
        'value/duration',
        'value/size',
        'key/unknown',
        'value/type',
      ],
    )
  })
  it('are no way to the prototype', () => {
    const { value } = check(
      Keys({ tags: MapOf(Text(about), about) }),
      '{ tags: { __proto__: x, constructor: y } }',
    )
    const { tags } = value as { tags: object }
    assert.deepEqual(Object.keys(tags), ['__proto__', 'constructor'])
    assert.equal(Object.getPrototypeOf(tags), Object.prototype)
    assert.deepEqual(check(schema, '{ url: x, __proto__: { method: GET } }').problems, ['key/unknown 1:14'])
  })
  it('whose value the document reported already give no second problem', () => {
    const { document, problems } = readDocument('f.yaml', 'a: !done\n')
    assert.equal(problems.length, 1)
    assert.deepEqual(checkShape(Keys({ a: Text(about) }), document!, { subject: 'test' }), {
      value: {},
      problems: [],
      sound: false,
    })
  })
  it('may be checked for other data than stands there', () => {
    const { document } = readDocument('f.yaml', 'a:\n')
    const { value, problems } = checkShape(Keys({ b: Text(about) }), document!, {
      path: ['a'],
      subject: 'test',
      value: {},
    })
    assert.deepEqual(value, {})
    assert.deepEqual([problems[0]!.message, problems[0]!.column], ['"b" is missing in test', 1])
  })
})

describe('lists', () => {
  it('are checked entry by entry, and name the entry', () => {
    const { problems, messages } = check(
      ListOf(Keys({ if: Text(about) }), about),
      '[{ if: x }, { fi: x }, {}, 5]',
    )
    assert.deepEqual(problems, ['key/unknown 1:18', 'key/missing 1:27', 'value/type 1:31'])
    assert.match(messages[1]!, /"if" is missing in entry 3 of "a"/)
  })
  it('keep to their limits', () => {
    assert.match(
      check(Type.Array(Text(about), { minItems: 2 }), '[x]').messages[0]!,
      /"a" has 1 entries; at least 2 are wanted/,
    )
  })
})
