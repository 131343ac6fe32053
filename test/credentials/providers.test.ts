import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CLASSES } from '../support/provider-classes.ts'
import { providerKeys } from '../support/provider-proofs.ts'
import { checkProvider } from '../support/provider-run.ts'
import { readProviders } from '../support/providers.ts'

const providers = readProviders()

describe('a provider', () => {
  const keys = providerKeys()
  for (const fixture of providers) {
    const title = `${fixture.service?.name ?? fixture.name} (${fixture.class.join(' ')})`
    test(title, (t) => checkProvider(t, fixture, keys))
    for (const other of fixture.answers ?? [])
      test(`${title}: ${other.title} (${other.class.join(' ')})`, (t) =>
        checkProvider(t, { ...fixture, ...other }, keys))
  }
})

test('every class of requests, answers and calls has a fixture', () => {
  const shown = new Set(
    providers.flatMap((one) => [...one.class, ...(one.answers ?? []).flatMap((other) => other.class)]),
  )
  assert.deepEqual(
    [...shown].filter((name) => !Object.hasOwn(CLASSES, name)),
    [],
    'classes that there are not',
  )
  const missing = Object.keys(CLASSES).filter((name) => !shown.has(name))
  assert.deepEqual(missing, [])
})

test('at least 40 services are described', () => {
  const names = providers.flatMap(({ service }) => service?.name ?? [])
  assert.ok(names.length >= 40, `${names.length}`)
  assert.equal(new Set(names).size, names.length)
})
