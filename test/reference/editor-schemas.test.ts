import assert from 'node:assert/strict'
import { glob, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, test } from 'node:test'
import { Ajv, type ValidateFunction } from 'ajv'
import { parse, parseDocument } from 'yaml'
import { credentials } from '../../src/credentials/index.ts'
import { editorSchemas } from '../../src/reference-files.ts'
import { steps } from '../../src/steps/index.ts'
import { triggers } from '../../src/triggers/index.ts'

const root = join(import.meta.dirname, '..', '..')
const ajv = new Ajv({ strict: true, strictRequired: false, strictTuples: false, allowUnionTypes: true })
const validators: Readonly<Record<string, ValidateFunction>> = {
  flow: ajv.compile(editorSchemas.flow),
  credential: ajv.compile(editorSchemas.credential),
  settings: ajv.compile(editorSchemas.settings),
}

function kindOf(file: string): string {
  if (file.endsWith('sluice.yaml')) return 'settings'
  return file.includes('security-material/') ? 'credential' : 'flow'
}

function complaints(file: string, text: string): string[] {
  const validate = validators[kindOf(file)]!
  return validate(parse(text))
    ? []
    : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`)
}

/** Codes of problems that are about the shape of a file: an editor shows them, too. */
const SHAPE = new Set([
  'key/unknown',
  'key/missing',
  'key/not-yet',
  'value/type',
  'value/empty',
  'value/range',
  'value/pattern',
  'value/choice',
  'value/duration',
  'value/size',
  'flow/no-kind',
  'flow/two-kinds',
  'flow/unknown-kind',
  'flow/no-steps',
  'flow/no-dash',
  'flow/trigger-position',
  'flow/indentation',
])

/** Problems of that shape that a schema cannot see, with why. */
const UNSEEN: readonly (readonly [code: string, message: RegExp, why: string])[] = [
  ['value/type', /a number of JSON/, 'numbers of YAML that JSON does not have'],
  ['value/range', /too large to be an exact number/, 'a number is exact or not only in its text'],
  ['value/range', /\d(ms|s|m|h|d) is wanted$/, 'how long a duration is'],
  ['key/missing', /in the part "/, 'a body is any value; what is a part depends on the content type'],
  ['key/unknown', /of the part "/, 'a body is any value; what is a part depends on the content type'],
]

describe('the editor schema says what `sluice check` says about shape', async () => {
  const folder = join(import.meta.dirname, '..', 'flow', 'problems')
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const name = entry.name.replace(/\.yaml$/, '')
    if (!entry.isDirectory() && !entry.name.endsWith('.yaml')) continue
    it(name, async () => {
      const golden = await readFile(join(folder, `${name}.out`), 'utf8')
      const files = entry.isDirectory()
        ? await Array.fromAsync(glob('**/*.yaml', { cwd: join(folder, name) }))
        : [entry.name]
      for (const file of files) {
        const shown = entry.isDirectory() ? file : `flows/${file}`
        const text = await readFile(
          join(folder, entry.isDirectory() ? join(name, file) : file),
          'utf8',
        ).catch(() => undefined)
        if (text === undefined) continue
        const document = parseDocument(text)
        const isOther = file.endsWith('.test.yaml') || file.endsWith('/secrets.yaml')
        if (isOther || document.errors.length > 0 || /unresolved|alias/i.test(golden)) continue
        const found = problemsIn(golden, shown)
        const ofShape = found.filter(({ code, message }) => SHAPE.has(code) && !isUnseen(code, message))
        const said = complaints(shown, text)
        if (ofShape.length > 0) assert.notDeepEqual(said, [], `${shown}: ${ofShape[0]!.message}`)
        if (found.every(({ severity }) => severity === 'warning')) assert.deepEqual(said, [], shown)
      }
    })
  }
})

interface Told {
  readonly severity: string
  readonly message: string
  readonly code: string
}

/** What a golden file tells of one of the files. */
function problemsIn(golden: string, file: string): Told[] {
  return [...golden.matchAll(/^(\S+?):\d+:\d+: (?:(warning): )?(.*) \[([\w/-]+)\]$/gm)]
    .filter(([, where]) => where === file)
    .map(([, , severity = 'error', message, code]) => ({ severity, message: message!, code: code! }))
}

function isUnseen(code: string, message: string): boolean {
  return UNSEEN.some(([of, words]) => of === code && words.test(message))
}

describe('what is right is taken', () => {
  for (const folder of ['flows', 'security-material', 'starter']) {
    it(`files of ${folder}`, async () => {
      const files = await Array.fromAsync(glob(`${folder}/**/*.yaml`, { cwd: root }))
      assert.ok(folder === 'starter' || files.length > 3)
      for (const file of files)
        assert.deepEqual(complaints(file, await readFile(join(root, file), 'utf8')), [], file)
    })
  }

  for (const kind of [...triggers, ...steps, ...credentials])
    it(`examples of ${kind.name}`, () => {
      const file = credentials.includes(kind as never) ? 'security-material/a.yaml' : 'flows/a.yaml'
      for (const { title, yaml } of kind.examples) assert.deepEqual(complaints(file, yaml), [], title)
    })

  it('shorthands, steps with nothing to say, references in place of other texts', () => {
    const flow = 'steps:\n  - endpoint: { path: /a, access: public }\n  - log: hello\n  - respond:\n'
    assert.deepEqual(complaints('flows/a.yaml', flow), [])
    const credential =
      'type: oauth2\ntokenServiceUrl: ${env:A}\nclientId: a\nclientSecret: ${env:B}\nclientAuthentication: ${env:C}\nbaseUrl: https://a.example.com/\nreadTimeout: ${env:D}\n'
    assert.deepEqual(complaints('security-material/a.yaml', credential), [])
    assert.deepEqual(complaints('sluice.yaml', 'log: { level: debug }\nlimits: { body: 1000 }\n'), [])
  })
})

test('what a step of its kind cannot have is refused: retry of steps, if of a trigger', () => {
  const said = (step: string) => complaints('flows/a.yaml', `steps:\n  - ${step}\n  - log: a\n`)
  assert.deepEqual(said('timer: { every: 1m }'), [])
  assert.notDeepEqual(said('{ timer: { every: 1m }, if: "true" }'), [])
  assert.deepEqual(said('{ http: { url: "https://a.example.com" }, retry: { attempts: 2 } }'), [])
  assert.notDeepEqual(said('{ try: { steps: [{ log: a }], catch: [] }, retry: { attempts: 2 } }'), [])
})

test('every option is described, and nothing of our own vocabulary is in an editor schema', () => {
  const maps = new Set(['properties', 'definitions', 'dependencies'])
  const walk = (schema: unknown, path: string): void => {
    if (Array.isArray(schema)) return schema.forEach((member, i) => walk(member, `${path}[${i}]`))
    if (typeof schema !== 'object' || schema === null) return
    for (const [keyword, value] of Object.entries(schema)) {
      assert.doesNotMatch(keyword, /^x-/, path)
      if (['default', 'examples', 'enum', 'if', 'not'].includes(keyword)) continue
      if (!maps.has(keyword)) walk(value, `${path} ${keyword}`)
      else
        for (const [name, property] of Object.entries(value as Record<string, object>)) {
          const isTold = keyword !== 'properties' || 'const' in property || 'description' in property
          assert.ok(isTold, `${path}: ${name} has no description`)
          walk(property, `${path} ${name}`)
        }
    }
  }
  for (const [name, schema] of Object.entries(editorSchemas)) walk(schema, name)
})
