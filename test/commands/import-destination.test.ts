import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { certificateOf, rsa } from '../support/keys.ts'
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
    ca: '${file:security-material/keystores/acme.p12}',
  })
})

test('secrets are never copied, wherever they stand', async (t) => {
  const destination = {
    Name: 'shop',
    URL: 'https://api.example.com/v1',
    Authentication: 'OAuth2ClientCredentials',
    tokenServiceURL: 'https://login.example.com/token?app_secret=hush%2D1&grant_type=x&zone=z',
    clientId: 'acme',
    clientSecret: '${env:MINE}',
    'URL.headers.APIKey': 'hush-2',
    'URL.headers.x-plain': 'plain',
    'URL.queries.code': 'hush-3',
    'tokenServiceURL.headers.X-API-Key': 'hush-4',
    'tokenServiceURL.queries.api.key': 'hush-5',
    'tokenServiceURL.queries.api-key': 'hush-6',
    'tokenService.body.password': 'hush-7',
    'tokenService.body.assertion': 'hush-8',
    'tokenService.body.subject_token': 'hush-9',
    'tokenService.body.subject_token_type': 'jwt',
  }
  const files = { 'shop.json': JSON.stringify(destination) }
  const { code, stdout, stderr, folder } = await sluice(t, ['import', 'destination', 'shop.json'], files)
  assert.deepEqual([code, stderr], [0, ''])
  const text = readFileSync(join(folder, 'security-material/shop.yaml'), 'utf8')
  assert.doesNotMatch(stdout + text, /hush/)
  const { apiHeaders, apiQuery, parameters, tokenServiceUrl, clientSecret } = parse(text)
  assert.deepEqual(
    { apiHeaders, apiQuery, parameters, tokenServiceUrl, clientSecret },
    {
      apiHeaders: { APIKey: '${env:SHOP_URL_HEADERS_APIKEY}', 'x-plain': 'plain' },
      apiQuery: { code: '${env:SHOP_URL_QUERIES_CODE}' },
      parameters: {
        body: {
          password: '${env:SHOP_TOKEN_SERVICE_BODY_PASSWORD}',
          assertion: '${env:SHOP_TOKEN_SERVICE_BODY_ASSERTION}',
          subject_token: '${env:SHOP_TOKEN_SERVICE_BODY_SUBJECT_TOKEN}',
          subject_token_type: 'jwt',
        },
        headers: { 'X-API-Key': '${env:SHOP_TOKEN_SERVICE_URL_HEADERS_X_API_KEY}' },
        query: {
          'api.key': '${env:SHOP_TOKEN_SERVICE_URL_QUERIES_API_KEY}',
          'api-key': '${env:SHOP_TOKEN_SERVICE_URL_QUERIES_API_KEY_2}',
          app_secret: '${env:SHOP_TOKEN_SERVICE_URL_QUERIES_APP_SECRET}',
        },
      },
      tokenServiceUrl: 'https://login.example.com/token?grant_type=x&zone=z',
      clientSecret: '${env:MINE}',
    },
  )
  const variables = new Set(text.match(/(?<=\$\{env:)\w+/g))
  assert.equal(variables.size, 10)
  assert.deepEqual(new Set(stdout.match(/(?<=add )\w+/g)), variables)
})

test('problems show no secret of a line', async (t) => {
  const destination = {
    clientSecret: 'hush "hush"',
    TrustAll: 'true',
    Authentication: 'OAuth2ClientCredentials',
  }
  const { code, stderr } = await sluice(t, ['import', 'destination', 'a.json'], {
    'a.json': JSON.stringify(destination),
  })
  assert.equal(code, 1)
  assert.match(stderr, /"TrustAll":/)
  assert.match(stderr, /^a\.json:1:1: "URL" is missing/m)
  assert.doesNotMatch(stderr, /hush/)
  const broken = await sluice(t, ['import', 'destination', 'a b.json'], {
    'a b.json': '{"clientSecret":"hush","Name":"x',
  })
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /^a b\.json:1:/)
  assert.doesNotMatch(broken.stderr, /hush/)
})

const COMMON = `${JAM}tokenServiceURLType=Common\n`

test('key stores have their place beside the credentials, wherever the destination was exported to', async (t) => {
  const destination = `${JAM}tokenService.KeyStoreLocation=a.pem\nTrustStoreLocation=b.pem\n`
  const args = ['import', 'destination', 'imp/jam.properties']
  const { code, stdout, stderr, folder } = await sluice(t, args, {
    'imp/jam.properties': destination,
    'material/keystores/b.pem': certificateOf(rsa),
    'sluice.yaml': 'securityMaterial: ./material\n',
  })
  assert.deepEqual([code, stderr], [0, ''])
  const { tls } = parse(readFileSync(join(folder, 'material/jam.yaml'), 'utf8')) as { tls: object }
  assert.deepEqual(tls, {
    ca: '${file:material/keystores/b.pem}',
    certificate: '${file:material/keystores/a.pem}',
    key: '${file:material/keystores/a.pem}',
  })
  assert.match(stdout, /copy a\.pem to material\/keystores\/ +# the key store/)
  assert.doesNotMatch(stdout, /copy b\.pem/)
})

test('a token service of several tenants: they are named, or their place is shown', async (t) => {
  const args = ['import', 'destination', 'jam.properties', '--tenant', 'acme', '--tenant', 'globex']
  const named = await sluice(t, args, { 'jam.properties': COMMON })
  assert.deepEqual([named.code, named.stderr], [0, ''])
  const read = (folder: string) => readFileSync(join(folder, 'security-material/jam.yaml'), 'utf8')
  assert.deepEqual(parse(read(named.folder)).tenants, ['acme', 'globex'])
  assert.doesNotMatch(named.stdout, /name tenants/)

  const unnamed = await sluice(t, args.slice(0, 3), { 'jam.properties': COMMON })
  assert.deepEqual([unnamed.code, unnamed.stderr], [0, ''])
  assert.match(read(unnamed.folder), /^tokenServiceUrlType: common\n# tenants: \[acme\]/m)
  assert.match(unnamed.stdout, /name tenants in security-material\/jam\.yaml +# it loads once they are there/)
  const check = await sluice(t, ['check'], {}, { folder: unnamed.folder })
  assert.match(check.stdout, /"tenants" is missing/)

  const single = await sluice(t, args, { 'jam.properties': JAM })
  assert.equal(single.code, 2)
  assert.match(single.stderr, /--tenant is for a destination whose tokenServiceURLType is Common/)
})

test('the name is that of the destination, as it stands in its file; where it does not fit, another one is given', async (t) => {
  const destination = { Name: 'shop.eu', URL: 'https://a.example.com', Authentication: 'NoAuthentication' }
  const imported = (text: string) => sluice(t, ['import', 'destination', 'x.json'], { 'x.json': text })
  for (const text of [
    JSON.stringify(destination),
    JSON.stringify({ owner: { Name: 'no' }, destinationConfiguration: destination }),
  ])
    assert.match((await imported(text)).stdout, /^wrote security-material\/shop\.eu\.yaml\n/)
  const { Name: _, ...unnamed } = destination
  assert.match((await imported(JSON.stringify(unnamed))).stdout, /^wrote security-material\/x\.yaml\n/)
  const spaced = await imported(JSON.stringify({ ...destination, Name: '1 my dest' }))
  assert.equal(spaced.code, 2)
  assert.match(spaced.stderr, /"1 my dest" cannot be the name of a credential: .* --name my_dest\b/)
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
