import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TProperties, TSchema } from '@sinclair/typebox'
import { settingsSchema } from '../../src/config.ts'
import { readDocument } from '../../src/core/document.ts'
import { Choice, Duration, Flag, Keys, Optional, Text } from '../../src/core/schema.ts'
import { checkShape } from '../../src/core/shape.ts'
import { credentials } from '../../src/credentials/index.ts'
import { flowSchema, stepKeys } from '../../src/flow/schema.ts'
import { skeleton } from '../../src/reference/skeleton.ts'
import { frameSchema } from '../../src/security/frame.ts'
import { steps } from '../../src/steps/index.ts'
import { triggers } from '../../src/triggers/index.ts'

const types = credentials.map(({ name }) => name)
const schemas = new Map<string, TSchema>([
  ...[...triggers, ...steps].map((kind): [string, TSchema] => [kind.name, kind.options]),
  ...credentials.map((kind): [string, TSchema] => [
    `credential ${kind.name}`,
    frameSchema(types, kind.options),
  ]),
  ['settings', settingsSchema],
  ['flow', flowSchema],
  ['keys of a step', Keys(stepKeys)],
])

/** The options that are off, each with what belongs to it, as they are when the `#` is taken away. */
function optionsOff(lines: readonly string[]): string[] {
  const found: string[] = []
  for (const line of lines.filter((line) => /^#(?! )/.test(line) || line.startsWith('#  '))) {
    if (/^#\S/.test(line)) found.push(line.slice(1))
    else found[found.length - 1] += `\n${line.slice(1)}`
  }
  return found
}

for (const [name, schema] of schemas) {
  test(`${name}: every option stands there, explained, and can be switched on`, () => {
    const lines = skeleton(schema, {})
    const options = optionsOff(lines)
    const properties = schema['properties'] as TProperties
    assert.deepEqual(
      options.map((text) => /^[\w-]+/.exec(text)![0]),
      Object.keys(properties),
    )
    for (const text of options) {
      const key = /^[\w-]+/.exec(text)![0]
      const { document, problems } = readDocument('a.yaml', text.replaceAll(/^\n/gm, ''))
      assert.deepEqual(problems, [], text)
      const shaped = checkShape(Keys({ [key]: properties[key]! }), document!, {
        subject: name,
        steps: () => [],
      })
      assert.deepEqual(shaped.problems, [], text)
    }
  })
}

test('what is given comes first and is on; defaults are told once', () => {
  const schema = Keys({
    wait: Optional(Duration({ description: 'How long, 30s as a rule.', default: '30s' })),
    loud: Flag({ description: 'Whether it is loud.', default: false }),
    how: Optional(Choice(['a', 'b'], { description: 'In which way.' })),
    name: Text({ description: `What it is called, ${'in many words, '.repeat(8)}if at all.` }),
  })
  assert.deepEqual(skeleton(schema, { name: 'x: y' }), [
    `# What it is called, ${'in many words, '.repeat(5).trimEnd()}`,
    '# in many words, in many words, in many words, if at all.',
    'name: "x: y"',
    '# How long, 30s as a rule.',
    '#wait: 30s',
    '# Whether it is loud. Default: false.',
    '#loud: true',
    '# In which way.',
    '#how: a',
  ])
})

test('where a section needs a key, its other keys are off inside it', () => {
  const schema = Keys({
    page: Optional(
      Keys({ param: Text({ description: 'Which.' }), size: Optional(Text({ description: 'How many.' })) }),
    ),
  })
  assert.deepEqual(skeleton(schema, {}), [
    '#page:',
    '#  # Which.',
    '#  param: text',
    '#  # How many.',
    '#  #size: text',
  ])
})
