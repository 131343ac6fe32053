import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { sluice } from '../support/command-line.ts'

const JAM = `URL=https\\://demo.example.com/odata
Name=jam
Type=HTTP
Authentication=OAuth2ClientCredentials
tokenServiceURL=https\\://login.example.com/oauth/token
clientId=acme
clientSecret=a-literal-secret-9f2c
scope=read
`

test('a destination becomes a credential; its literal secret becomes a reference', async (t) => {
  const { code, stdout, stderr, folder } = await sluice(t, ['import', 'destination', 'jam.properties'], {
    'jam.properties': JAM,
  })
  assert.deepEqual([code, stderr], [0, ''])
  const text = readFileSync(join(folder, 'security-material/jam.yaml'), 'utf8')
  assert.deepEqual(parse(text), {
    type: 'oauth2',
    tokenServiceUrl: 'https://login.example.com/oauth/token',
    clientId: 'acme',
    clientSecret: '${env:JAM_CLIENT_SECRET}',
    clientAuthentication: 'body',
    baseUrl: 'https://demo.example.com/odata',
    scope: 'read',
  })
  assert.match(stdout, /^wrote security-material\/jam\.yaml\n/)
  assert.match(stdout, /add JAM_CLIENT_SECRET=\.\.\. to \.env/)
  assert.doesNotMatch(stdout + stderr + text, /9f2c/)
  const again = await sluice(t, ['import', 'destination', 'jam.properties'], {}, { folder })
  assert.equal(again.code, 1)
  assert.match(again.stderr, /is there already/)
  assert.equal((await sluice(t, ['check'], {}, { folder })).code, 0)
})

test('JSON, another name, shown only', async (t) => {
  const files = {
    'in/erp.json': JSON.stringify({
      Name: 'my erp',
      URL: 'https://erp.example.com',
      Authentication: 'BasicAuthentication',
      User: 'u',
    }),
  }
  const args = ['import', 'destination', 'in/erp.json', '--name', 'erp', '--stdout']
  const { code, stdout, folder } = await sluice(t, args, files)
  assert.equal(code, 0)
  assert.equal(
    stdout,
    'type: basic\nbaseUrl: https://erp.example.com\nusername: u\npassword: ${env:ERP_PASSWORD}\n',
  )
  assert.ok(!existsSync(join(folder, 'security-material')))
})

test('a destination with a SAML assertion: its password of the key is a reference, too', async (t) => {
  const destination = {
    Name: 'sf',
    URL: 'https://api4.example.com/odata/v2',
    Authentication: 'OAuth2SAMLBearerAssertion',
    tokenServiceURL: 'https://api4.example.com/oauth/token',
    clientKey: 'API_KEY',
    audience: 'www.successfactors.com',
    SystemUser: 'sfadmin',
    companyId: 'acme',
    KeyStoreLocation: 'sf.pem',
  }
  for (const more of [{}, { KeyStorePassword: 'a-literal-secret-9f2c' }]) {
    const args = ['import', 'destination', 'security-material/sf.json', '--stdout']
    const { code, stdout, stderr } = await sluice(t, args, {
      'security-material/sf.json': JSON.stringify({ ...more, ...destination }),
    })
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(parse(stdout), {
      type: 'oauth2',
      tokenServiceUrl: 'https://api4.example.com/oauth/token',
      clientId: 'API_KEY',
      clientAuthentication: 'none',
      baseUrl: 'https://api4.example.com/odata/v2',
      grantType: 'saml2-bearer',
      assertion: {
        subject: 'sfadmin',
        key: '${file:security-material/keystores/sf.pem}',
        ...('KeyStorePassword' in more && { passphrase: '${env:SF_KEY_STORE_PASSWORD}' }),
        audience: 'www.successfactors.com',
        attributes: { api_key: 'API_KEY' },
      },
      parameters: { body: { company_id: 'acme' } },
    })
  }
})

test('a trust store in PKCS#12: its password is a reference', async (t) => {
  const { code, stdout } = await sluice(t, ['import', 'destination', 'jam.properties', '--stdout'], {
    'jam.properties': `${JAM}TrustStoreLocation=acme.p12\n`,
  })
  assert.equal(code, 0)
  const { tls } = parse(stdout) as { tls: object }
  assert.deepEqual(tls, {
    caPassphrase: '${env:JAM_TRUST_STORE_PASSWORD}',
    ca: '${file:keystores/acme.p12}',
  })
})

test('what cannot be imported is told, and nothing is written', async (t) => {
  const unsafe = await sluice(t, ['import', 'destination', 'jam.properties'], {
    'jam.properties': `${JAM}TrustAll=TRUE\n`,
  })
  assert.equal(unsafe.code, 1)
  assert.match(unsafe.stderr, /^jam\.properties:9:1: "TrustAll" would let/m)
  assert.doesNotMatch(unsafe.stderr, /9f2c/)
  assert.ok(!existsSync(join(unsafe.folder, 'security-material')))
  const missing = await sluice(t, ['import', 'destination', 'none.properties'])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /there is no file "none\.properties"/)
  const name = await sluice(t, ['import', 'destination', 'jam.properties', '--name', 'a b'], {
    'jam.properties': JAM,
  })
  assert.equal(name.code, 2)
})
