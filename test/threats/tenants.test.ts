import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startService, TestCaller } from '../support/credentials.ts'
import { OAUTH, setUpMaterial } from '../support/material.ts'
import { failureOf, numbered, setUpOAuth2 } from '../support/oauth2.ts'
import { HIJACKS } from '../support/tenant-hijacks.ts'

test('row 5: a tenant of a message that would lead elsewhere gets no token, and nothing is sent', async (t) => {
  const service = await startService(t, numbered(3600))
  const { authorizer } = await setUpOAuth2(t, undefined, {
    tokenServiceUrl: `http://127.0.0.1:${service.port}/{tenant}/token`,
    tokenServiceUrlType: 'common',
    tenants: ['acme', 'globex'],
  })
  for (const tenant of HIJACKS) {
    const failure = await failureOf((async () => authorizer.authorize(new TestCaller(), tenant))())
    assert.equal(failure.code, 'credential.tenant')
  }
  assert.equal(service.asked.length, 0)
})

test('row 5: nor can the list of a credential hold one', (t) => {
  const { material, file } = setUpMaterial(t)
  for (const tenant of HIJACKS) {
    const text = `${OAUTH}tokenServiceUrlType: common\ntenants: [${JSON.stringify(tenant)}]\n`
    assert.deepEqual(
      material.check([file(text)]).map(({ code }) => code),
      ['credential/tenant'],
    )
  }
})
