import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadFlow } from '../../src/flow/load.ts'
import { resolveParameters, type ParameterSources } from '../../src/flow/parameters.ts'
import { kinds } from './kinds.ts'

const TEXT = `parameters:
  companyId: acme
  top: 100
  active: true
  code: { default: 0012, type: text, description: Of the company. }
  must: { type: number }
steps:
  - log: x
`
const { flow, problems } = loadFlow('flows/shop/new-orders.yaml', TEXT, kinds)
assert.deepEqual(problems, [])

function resolve(sources: Partial<ParameterSources>) {
  const resolved = resolveParameters(flow!, { environment: {}, flags: {}, ...sources })
  return {
    values: resolved.values,
    problems: resolved.problems.map(({ code, line, column }) => `${code} ${line}:${column}`),
    resolved,
  }
}

const must = { must: '1' }

describe('parameters', () => {
  it('have the type of their default, or the one that is written', () => {
    assert.deepEqual(flow!.parameters, {
      companyId: { type: 'text', default: 'acme' },
      top: { type: 'number', default: 100 },
      active: { type: 'boolean', default: true },
      code: { type: 'text', default: '0012', description: 'Of the company.' },
      must: { type: 'number' },
    })
  })
  it('without value and default are a problem at their key that says how to give one', () => {
    const { problems, resolved } = resolve({})
    assert.deepEqual(problems, ['parameter/missing 6:3'])
    assert.match(resolved.problems[0]!.hint!, /SLUICE_PARAM_MUST/)
  })
  it('have their defaults', () => {
    assert.deepEqual(resolve({ flags: must }).values, {
      companyId: 'acme',
      top: 100,
      active: true,
      code: '0012',
      must: 1,
    })
  })
  it('come from sluice.yaml, for all flows or for one', () => {
    const settings = {
      companyId: 'all',
      top: 5,
      'shop/new-orders': { top: 7, must: 2 },
      other: { companyId: 'not here' },
    }
    assert.deepEqual(resolve({ settings }).values, {
      companyId: 'all',
      top: 7,
      active: true,
      code: '0012',
      must: 2,
    })
  })
  it('come from the environment before sluice.yaml, for one flow before all', () => {
    const { values } = resolve({
      settings: { 'shop/new-orders': { companyId: 'file', top: 1, must: 1 } },
      environment: {
        SLUICE_PARAM_COMPANYID: 'environment',
        SLUICE_PARAM_TOP: '2',
        SLUICE_PARAM_SHOP_NEW_ORDERS__TOP: '3',
        SLUICE_PARAM_ACTIVE: 'false',
      },
    })
    assert.deepEqual(values, { companyId: 'environment', top: 3, active: false, code: '0012', must: 1 })
  })
  it('come from flags before all else', () => {
    const { values } = resolve({
      environment: { SLUICE_PARAM_SHOP_NEW_ORDERS__TOP: '3' },
      flags: { top: '-1.5e2', must: '4', code: '007' },
    })
    assert.deepEqual(values, { companyId: 'acme', top: -150, active: true, code: '007', must: 4 })
  })
  it('may be empty texts', () => {
    assert.equal(
      resolve({ environment: { SLUICE_PARAM_COMPANYID: '' }, flags: must }).values['companyId'],
      '',
    )
  })
  it('of sluice.yaml are numbers as texts where a text is wanted', () => {
    assert.equal(resolve({ settings: { companyId: 5 }, flags: must }).values['companyId'], '5')
  })
  for (const [name, given] of Object.entries({ top: 'many', active: 'yes', must: '0x10' }))
    it(`that are no ${name === 'active' ? 'boolean' : 'number'} are a problem ("${given}")`, () => {
      const { resolved } = resolve({ flags: { ...must, [name]: given } })
      assert.deepEqual(
        resolved.problems.map(({ code }) => code),
        ['parameter/flag'],
      )
      assert.match(resolved.problems[0]!.message, new RegExp(`"${name}".*"${given}".*--param ${name}`))
      assert.ok(!Object.hasOwn(resolved.values, name))
    })
  it('of sluice.yaml that are lists or of another type are a problem', () => {
    assert.deepEqual(
      resolve({ settings: { 'shop/new-orders': { top: [1], active: 1, must: 1 } } }).problems,
      ['parameter/type 3:3', 'parameter/type 4:3'],
    )
  })
  it('that sluice.yaml gives to a flow that has none of that name are a warning', () => {
    const { resolved } = resolve({ settings: { 'shop/new-orders': { compnyId: 'x', must: 1 } } })
    assert.deepEqual(
      resolved.problems.map(({ code, severity }) => [code, severity]),
      [['parameter/unknown', 'warning']],
    )
    assert.match(resolved.problems[0]!.message, /did you mean "companyId"/)
  })
})
