import type { TestContext } from 'node:test'
import type { World } from '../../src/core/world.ts'
import { credentials } from '../../src/credentials/index.ts'
import { Egress } from '../../src/net/egress.ts'
import { createSecurityMaterial, type MaterialSetting } from '../../src/security/material.ts'
import { createRedactor } from '../../src/security/redaction.ts'
import { createTokensInMemory } from '../../src/store/tokens-in-memory.ts'
import { ManualClock } from './clock.ts'
import { TestCaller, TestLog, testWorld } from './credentials.ts'

export const SECRET = 'material-secret-0123456789'

/** The security material over every kind of credential, with a manual clock. */
export function setUpMaterial(
  t: TestContext,
  changes: Partial<MaterialSetting> = {},
  dispatcherFor?: World['dispatcherFor'],
) {
  const clock = new ManualClock()
  const world = { ...testWorld(t, clock), ...(dispatcherFor && { dispatcherFor }) }
  const redactor = createRedactor()
  const material = createSecurityMaterial({
    kinds: new Map(credentials.map((kind) => [kind.name, kind])),
    projectFolder: '/nowhere',
    world,
    egress: new Egress(),
    log: new TestLog(),
    redactor,
    storedTokens: createTokensInMemory(),
    environment: { SECRET, TENANT: 'tenant-of-the-header' },
    parameters: { region: 'eu10' },
    secrets: { file: '/nowhere/security-material/secrets.yaml', keyFile: '/nowhere/data/age.key' },
    backends: [],
    dev: false,
    ...changes,
  })
  t.after(() => material.stop())
  const file = (text: string, name = 'x') => ({ file: `security-material/${name}.yaml`, text })
  const caller = () => new TestCaller()
  return { material, redactor, clock, world, file, caller }
}

export const URLS = 'tokenServiceUrl: https://idp.example.com/token\nbaseUrl: https://api.example.com/\n'
/** A good oauth2 credential. */
export const OAUTH = `type: oauth2\n${URLS}clientId: acme\nclientSecret: \${env:SECRET}\n`
