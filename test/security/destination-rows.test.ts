import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readDocument } from '../../src/core/document.ts'
import { readDestination } from '../../src/security/destination.ts'
import { certificateOf, pemOf, rsa } from '../support/keys.ts'
import { setUpMaterial } from '../support/material.ts'

const SECRETS = "override: { clientSecret: '${env:SECRET}' }\n"
const WITH_USER = "override: { clientSecret: '${env:SECRET}', tokenServicePassword: '${env:SECRET}' }\n"
const CC = `URL=https://api.example.com/v1
Name=x
Type=HTTP
ProxyType=Internet
Authentication=OAuth2ClientCredentials
tokenServiceURL=https://login.example.com/oauth/token
clientId=client
`

/** A project with a destination file and a credential of it. */
function project(t: TestContext, destination: string, more = '', name = 'x.properties') {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-destination-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'security-material'))
  writeFileSync(join(folder, 'security-material', name), destination)
  return { folder, text: `type: destination\nfile: ${name}\n${more}` }
}

/** The credential that it is. */
function translated(t: TestContext, destination: string, more = SECRETS, name?: string) {
  const { folder, text } = project(t, destination, more, name)
  const { document } = readDocument('security-material/x.yaml', text)
  const read = readDestination(document!, folder)
  return {
    fields: read.document?.value,
    problems: read.problems.map(
      ({ code, message, file, line, column, severity }) =>
        `${file.replace('security-material/', '')}:${line}:${column} ${severity} ${code} ${message}`,
    ),
  }
}

const NATIVE = {
  type: 'oauth2',
  baseUrl: 'https://api.example.com/v1',
  tokenServiceUrl: 'https://login.example.com/oauth/token',
  clientId: 'client',
  clientSecret: '${env:SECRET}',
  clientAuthentication: 'body',
}

/** Rows of the table, each with what differs from the plain one. */
const rows: readonly [title: string, lines: string, differs: object, ...problems: string[]][] = [
  ['nothing more: id and secret go into the body', '', {}],
  ['into the header', 'tokenService.addClientCredentialsInBody=false\n', { clientAuthentication: 'header' }],
  [
    'a user of the token service beside the client, which stays in the body',
    'tokenServiceUser=u\ntokenServicePassword=p\n',
    { clientAuthentication: undefined, basicAuth: { username: 'u', password: '${env:SECRET}' } },
  ],
  [
    'a user of the token service wins over the header',
    'tokenService.addClientCredentialsInBody=false\ntokenServiceUser=u\n',
    { clientAuthentication: 'header', clientId: 'u' },
  ],
  ['Neo: the user is the client', 'tokenServiceUser=client\n', { clientAuthentication: 'header' }],
  ['scope', 'scope=a b\n', { scope: 'a b' }],
  [
    'time-outs',
    'tokenServiceURL.ConnectionTimeoutInSeconds=0\ntokenServiceURL.SocketReadTimeoutInSeconds=600\n',
    { connectTimeout: '0s', readTimeout: '600s' },
  ],
  [
    'time-outs that are too large fall back',
    'tokenServiceURL.ConnectionTimeoutInSeconds=61\ntokenServiceURL.SocketReadTimeoutInSeconds=soon\n',
    {},
    'x.properties:8:44 warning destination/value "tokenServiceURL.ConnectionTimeoutInSeconds" is 61; 0 to 60 is possible, and 10 seconds hold',
    'x.properties:9:44 warning destination/value "tokenServiceURL.SocketReadTimeoutInSeconds" is soon; 0 to 600 is possible, and 10 seconds hold',
  ],
  [
    'headers, queries and body parameters of the token request; headers and queries of each call',
    'tokenServiceURL.headers.X-Zid=1\ntokenServiceURL.queries.q=2\ntokenService.body.resource.id=3\nURL.headers.x-api=4\nURL.queries.$format=json\n',
    {
      parameters: { headers: { 'X-Zid': '1' }, query: { q: '2' }, body: { 'resource.id': '3' } },
      apiHeaders: { 'x-api': '4' },
      apiQuery: { $format: 'json' },
    },
  ],
  [
    'body parameters that have a field of their own',
    'scope=one\ntokenService.body.scope=two\ntokenService.body.client_id=other\n',
    { scope: 'two', clientId: 'other' },
  ],
  [
    'the grant in the query, as Neo has it',
    'tokenServiceURL.queries.grant_type=client_credentials\ntokenServiceURL.queries.q=2\n',
    { grantTypeIn: 'query', grantType: 'client_credentials', parameters: { query: { q: '2' } } },
  ],
  ['common', 'tokenServiceURLType=Common\n', { tokenServiceUrlType: 'common' }],
  ['dedicated', 'tokenServiceURLType=Dedicated\n', {}],
  [
    'another type of URL',
    'tokenServiceURLType=Shared\n',
    {},
    'x.properties:8:21 error destination/value "tokenServiceURLType" is "Shared"; Dedicated or Common is wanted',
  ],
  [
    'a trust store in PEM',
    'TrustStoreLocation=acme.pem\nHostnameVerifier=Strict\nTrustAll=FALSE\n',
    { tls: { ca: '${file:security-material/keystores/acme.pem}' } },
  ],
  [
    'a trust store in PKCS#12',
    'TrustStoreLocation=acme.p12\nTrustStorePassword=${env:PASS}\n',
    { tls: { ca: '${file:security-material/keystores/acme.p12}', caPassphrase: '${env:PASS}' } },
  ],
  [
    'a client certificate in PKCS#12',
    'tokenService.KeyStoreLocation=acme.p12\ntokenService.KeyStorePassword=${env:PASS}\n',
    {
      clientSecret: undefined,
      clientAuthentication: 'certificate',
      tls: { pkcs12: '${file:security-material/keystores/acme.p12}', passphrase: '${env:PASS}' },
    },
  ],
  [
    'a client certificate in PEM, for the target as well',
    'tokenService.KeyStoreLocation=acme.pem\nKeyStoreLocation=acme.pem\n',
    {
      clientSecret: undefined,
      clientAuthentication: 'certificate',
      tls: {
        certificate: '${file:security-material/keystores/acme.pem}',
        key: '${file:security-material/keystores/acme.pem}',
        useForApi: true,
      },
    },
  ],
  [
    'a client certificate beside a user of the token service',
    'tokenService.KeyStoreLocation=acme.pem\ntokenServiceUser=u\ntokenServicePassword=p\n',
    {
      clientAuthentication: undefined,
      basicAuth: { username: 'u', password: '${env:SECRET}' },
      tls: {
        certificate: '${file:security-material/keystores/acme.pem}',
        key: '${file:security-material/keystores/acme.pem}',
      },
    },
  ],
  [
    'a key store of Java',
    'tokenService.KeyStoreLocation=acme.jks\n',
    { clientSecret: undefined, clientAuthentication: 'none' },
    'x.properties:8:31 error destination/keystore the key store "acme.jks" is neither PKCS#12 (.p12, .pfx) nor PEM (.pem)',
  ],
  [
    'another certificate for the target',
    'tokenService.KeyStoreLocation=a.p12\nKeyStoreLocation=b.p12\n',
    {
      clientSecret: undefined,
      clientAuthentication: 'certificate',
      tls: { pkcs12: '${file:security-material/keystores/a.p12}' },
    },
    'x.properties:9:1 warning destination/unused "KeyStoreLocation" is not used: a credential has one client certificate, the one for the token service',
  ],
  [
    'an assertion of another destination',
    'clientAssertion.type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\nclientAssertion.destinationName=ias_login\n',
    {
      clientSecret: undefined,
      clientAuthentication: 'privateKeyJwt',
      clientAssertion: { fromCredential: 'ias_login' },
    },
  ],
  [
    'an assertion in SAML',
    'clientAssertion.type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer\nclientAssertion.destinationName=ias_login\n',
    {
      clientSecret: undefined,
      clientAuthentication: 'privateKeyJwt',
      clientAssertion: {
        fromCredential: 'ias_login',
        type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
      },
    },
  ],
  [
    'an assertion beside a user of the token service, who wins',
    'clientAssertion.type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\nclientAssertion.destinationName=ias_login\ntokenServiceUser=u\ntokenServicePassword=p\n',
    {
      clientAuthentication: undefined,
      basicAuth: { username: 'u', password: '${env:SECRET}' },
    },
    'x.properties:9:1 warning destination/unused "clientAssertion.destinationName" is not used: "tokenServiceUser" is there, and wins',
  ],
  [
    'what is unsafe',
    'TrustAll=TRUE\nHostnameVerifier=BrowserCompatible\n',
    {},
    'x.properties:8:1 error destination/unsafe "TrustAll" would let anybody on the way read the token and the secret; certificates are always verified',
    'x.properties:9:1 error destination/unsafe "HostnameVerifier" is BrowserCompatible; host names are always compared strictly',
  ],
  [
    'a trust store of Java',
    'TrustStoreLocation=acme.jks\n',
    {},
    'x.properties:8:20 error destination/keystore the trust store "acme.jks" is neither PKCS#12 (.p12, .pfx) nor PEM (.pem)',
  ],
  ['properties of other programs', 'HTML5.DynamicDestination=true\nWebIDEEnabled=true\nsap-client=100\n', {}],
  [
    'a property that nobody knows',
    'clientSecrets=x\nColour=blue\nURL.foo.a-rather-long-end=1\n',
    {},
    'x.properties:8:1 warning destination/unused "clientSecrets" is not used; did you mean "clientSecret"?',
    'x.properties:9:1 warning destination/unused "Colour" is not used',
    'x.properties:10:1 warning destination/unused "URL.foo.a-rather-long-end" is not used',
  ],
  [
    'a slip before the free end of a property',
    'tokenService.Body.x=1\nurl.header.x-api=2\ntokenServiceUrl.queries.q=3\n',
    {},
    'x.properties:8:1 warning destination/unused "tokenService.Body.x" is not used; did you mean "tokenService.body.x"?',
    'x.properties:9:1 warning destination/unused "url.header.x-api" is not used; did you mean "URL.headers.x-api"?',
    'x.properties:10:1 warning destination/unused "tokenServiceUrl.queries.q" is not used; did you mean "tokenServiceURL.queries.q"?',
  ],
  ['a description', 'Description=The shop\n', { description: 'The shop' }],
]

for (const [title, lines, differs, ...problems] of rows)
  test(`OAuth2ClientCredentials: ${title}`, (t) => {
    const read = translated(t, CC + lines, lines.includes('tokenServiceUser') ? WITH_USER : SECRETS)
    const wanted = Object.fromEntries(
      Object.entries({ ...NATIVE, ...differs }).filter(([, value]) => value !== undefined),
    )
    assert.deepEqual(read.fields, wanted)
    assert.deepEqual(read.problems, problems)
  })

const SAML = `URL=https://api4.example.com/odata/v2
Authentication=OAuth2SAMLBearerAssertion
tokenServiceURL=https://api4.example.com/oauth/token
clientKey=API_KEY
audience=www.successfactors.com
SystemUser=sfadmin
KeyStoreLocation=sf.pem
`
const SAML_NATIVE = {
  type: 'oauth2',
  baseUrl: 'https://api4.example.com/odata/v2',
  tokenServiceUrl: 'https://api4.example.com/oauth/token',
  clientAuthentication: 'none',
  clientId: 'API_KEY',
  grantType: 'saml2-bearer',
}
const SAML_ASSERTION = {
  subject: 'sfadmin',
  key: '${file:security-material/keystores/sf.pem}',
  audience: 'www.successfactors.com',
}

/** Rows of the table for a technical user, each with what differs from the plain one. */
const samlRows: readonly [title: string, destination: string, differs: object, assertion: object][] = [
  ['for a technical user', SAML, {}, {}],
  [
    'everything of the assertion',
    `${SAML}assertionIssuer=idp.example.com
assertionRecipient=https://other.example.com/token?sap-client=400
nameIdFormat=urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress
nameQualifier=www.successfactors.com
authnContextClassRef=urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession
apiKey=OTHER_KEY
includeSigningCertificateInSAMLAssertion=true
KeyStorePassword=p
userIdSource=email
skipUserUuidInSAMLAttributes=true
`,
    {},
    {
      issuer: 'idp.example.com',
      recipient: 'https://other.example.com/token?sap-client=400',
      nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
      nameQualifier: 'www.successfactors.com',
      authnContext: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession',
      attributes: { api_key: 'OTHER_KEY' },
      certificate: '${file:security-material/keystores/sf.pem}',
      passphrase: 'p',
    },
  ],
  [
    'a key store in PKCS#12, with its certificate',
    `${SAML.replace('sf.pem', 'sf.p12')}KeyStorePassword=p\nincludeSigningCertificateInSAMLAssertion=true\n`,
    {},
    {
      key: '${file:security-material/keystores/sf.p12}',
      certificate: '${file:security-material/keystores/sf.p12}',
      passphrase: 'p',
    },
  ],
  [
    'a company of SuccessFactors: its API key is an attribute',
    `${SAML}companyId=acme\ntokenServiceURL.headers.x=1\nscope=a\n`,
    { parameters: { body: { company_id: 'acme' }, headers: { x: '1' } }, scope: 'a' },
    { attributes: { api_key: 'API_KEY' } },
  ],
  [
    'a user of the token service: client and user both go along',
    `${SAML}tokenServiceUser=u\ntokenServicePassword=p\n`,
    { basicAuth: { username: 'u', password: 'p' } },
    {},
  ],
]
for (const [title, destination, differs, assertion] of samlRows)
  test(`OAuth2SAMLBearerAssertion: ${title}`, (t) => {
    const read = translated(t, destination, '')
    assert.deepEqual(read.problems, [])
    assert.deepEqual(read.fields, {
      ...SAML_NATIVE,
      ...differs,
      assertion: { ...SAML_ASSERTION, ...assertion },
    })
  })

const samlMistakes: readonly [title: string, destination: string, ...problems: string[]][] = [
  [
    'for who is logged in',
    SAML.replace('SystemUser=sfadmin', 'userIdSource=mail'),
    'x.properties:2:16 error destination/user "Authentication" is OAuth2SAMLBearerAssertion without a "SystemUser": it passes on who is logged in, and a flow has nobody there',
  ],
  [
    'the key of the subaccount',
    SAML.replace('KeyStoreLocation=sf.pem', ''),
    'x.yaml:2:7 error destination/missing "KeyStoreLocation" is missing; the assertion is signed with its key, and the key of the BTP subaccount cannot be had',
  ],
  [
    'a key store of Java',
    SAML.replace('sf.pem', 'sf.jks'),
    'x.properties:7:18 error destination/keystore the key store "sf.jks" is neither PKCS#12 (.p12, .pfx) nor PEM (.pem)',
  ],
  [
    'neither client nor audience',
    SAML.replace(/clientKey.*\naudience.*\n/, 'clientKez=a\n'),
    'x.yaml:2:7 error destination/missing "clientKey" is missing; the token service knows the client by it',
    'x.yaml:2:7 error destination/missing "audience" is missing; the token service looks whether it is meant',
    'x.properties:4:1 warning destination/unused "clientKez" is not used; did you mean "clientKey"?',
  ],
]
for (const [title, destination, ...problems] of samlMistakes)
  test(`OAuth2SAMLBearerAssertion, what is wrong: ${title}`, (t) => {
    assert.deepEqual(translated(t, destination, '').problems, problems)
  })

/** Destinations of other kinds: the credential, or why there is none. */
const others: readonly [
  title: string,
  destination: string,
  fields: object | undefined,
  ...problems: string[],
][] = [
  [
    'BasicAuthentication',
    'URL=https://a.example.com\nAuthentication=BasicAuthentication\nUser=u\nPassword=p\n',
    { type: 'basic', baseUrl: 'https://a.example.com', username: 'u', password: 'p' },
  ],
  [
    'NoAuthentication',
    'URL=https://a.example.com\nAuthentication=NoAuthentication\nURL.headers.x=1\n',
    { type: 'none', baseUrl: 'https://a.example.com', apiHeaders: { x: '1' } },
  ],
  [
    'a user at a browser',
    'URL=https://a.example.com\nAuthentication=PrincipalPropagation\n',
    undefined,
    'x.properties:2:16 error destination/user "Authentication" is PrincipalPropagation: it passes on who is logged in, and a flow has nobody there',
  ],
  [
    'ClientCertificateAuthentication',
    'URL=https://a.example.com\nAuthentication=ClientCertificateAuthentication\nKeyStoreLocation=a.p12\nKeyStorePassword=${env:P}\n',
    {
      type: 'certificate',
      baseUrl: 'https://a.example.com',
      tls: { pkcs12: '${file:security-material/keystores/a.p12}', passphrase: '${env:P}' },
    },
  ],
  [
    'ClientCertificateAuthentication without a key store',
    'URL=https://a.example.com\nAuthentication=ClientCertificateAuthentication\n',
    { type: 'none', baseUrl: 'https://a.example.com' },
    'x.yaml:2:7 error destination/missing "KeyStoreLocation" is missing; ClientCertificateAuthentication shows the certificate in it',
  ],
  [
    'OAuth2TokenExchange with nothing to exchange',
    'URL=https://a.example.com\nAuthentication=OAuth2TokenExchange\ntokenServiceURL=https://login.example.com/t\nclientId=c\n',
    undefined,
    'x.properties:2:16 error destination/user "Authentication" is OAuth2TokenExchange: it exchanges the token of who is logged in, and a flow has nobody there',
  ],
  [
    'OAuth2TokenExchange with the token of another credential',
    'URL=https://a.example.com\nAuthentication=OAuth2TokenExchange\ntokenServiceURL=https://login.example.com/t\nclientId=c\nsubjectToken.destinationName=login\ntokenService.body.subject_token_type=access_token\ntokenService.body.resource=r\n',
    {
      type: 'oauth2',
      baseUrl: 'https://a.example.com',
      tokenServiceUrl: 'https://login.example.com/t',
      clientId: 'c',
      clientAuthentication: 'body',
      grantType: 'token-exchange',
      subjectToken: { fromCredential: 'login', type: 'access_token' },
      parameters: { body: { resource: 'r' } },
    },
  ],
  [
    'OAuth2JWTBearer without an assertion',
    'URL=https://a.example.com\nAuthentication=OAuth2JWTBearer\ntokenServiceURL=https://login.example.com/t\nclientId=c\n',
    undefined,
    'x.properties:2:16 error destination/user "Authentication" is OAuth2JWTBearer: it passes on who is logged in, and a flow has nobody there',
  ],
  ...(
    [
      ['assertion.destinationName=login', { fromCredential: 'login' }],
      ['tokenService.body.assertion=${env:JWT}', { token: '${env:JWT}' }],
    ] as const
  ).map(([line, assertion]): [string, string, object] => [
    `OAuth2JWTBearer with ${line}`,
    `URL=https://a.example.com\nAuthentication=OAuth2JWTBearer\ntokenServiceURL=https://login.example.com/t\nclientId=c\n${line}\n`,
    {
      type: 'oauth2',
      baseUrl: 'https://a.example.com',
      tokenServiceUrl: 'https://login.example.com/t',
      clientId: 'c',
      clientAuthentication: 'body',
      grantType: 'jwt-bearer',
      assertion,
    },
  ]),
  [
    'OAuth2RefreshToken with a refresh token',
    'URL=https://a.example.com\nAuthentication=OAuth2RefreshToken\ntokenServiceURL=https://login.example.com/t\nclientId=c\ntokenService.body.refresh_token=${env:R}\n',
    {
      type: 'oauth2',
      baseUrl: 'https://a.example.com',
      tokenServiceUrl: 'https://login.example.com/t',
      clientId: 'c',
      clientAuthentication: 'body',
      grantType: 'refresh_token',
      refreshToken: '${env:R}',
    },
  ],
  [
    'OAuth2RefreshToken without one',
    'URL=https://a.example.com\nAuthentication=OAuth2RefreshToken\ntokenServiceURL=https://login.example.com/t\nclientId=c\n',
    undefined,
    'x.properties:2:16 error destination/user "Authentication" is OAuth2RefreshToken: whoever calls brings a refresh token, and a flow has none',
  ],
  [
    'a mail server',
    'Type=MAIL\nURL=https://a.example.com\nAuthentication=NoAuthentication\n',
    { type: 'none', baseUrl: 'https://a.example.com' },
    'x.properties:1:6 error destination/type "Type" is MAIL; an http step calls destinations of the type HTTP',
  ],
  [
    'OnPremise',
    'ProxyType=OnPremise\nURL=http://a-virtual:8000\nAuthentication=NoAuthentication\nCloudConnectorLocationId=x\n',
    {
      type: 'none',
      baseUrl: 'http://a-virtual:8000',
      cloudConnector: { carries: 'calls', locationId: 'x' },
    },
  ],
  [
    'OnPremise, with its token service',
    'ProxyType=OnPremise\nURL=http://a-virtual\nAuthentication=OAuth2ClientCredentials\ntokenServiceURL=http://b-virtual/token\nclientId=a\n',
    {
      type: 'oauth2',
      baseUrl: 'http://a-virtual',
      cloudConnector: {},
      tokenServiceUrl: 'http://b-virtual/token',
      clientId: 'a',
      clientAuthentication: 'body',
    },
  ],
  [
    'OnPremise, with a token service outside',
    'ProxyType=OnPremise\nURL=http://a-virtual\nAuthentication=OAuth2ClientCredentials\ntokenServiceURL=https://b.example.com/token\nclientId=a\ntokenServiceURL.ProxyType=Internet\n',
    {
      type: 'oauth2',
      baseUrl: 'http://a-virtual',
      cloudConnector: { carries: 'calls' },
      tokenServiceUrl: 'https://b.example.com/token',
      clientId: 'a',
      clientAuthentication: 'body',
    },
  ],
  [
    'a token service that is OnPremise alone',
    'URL=https://a.example.com\nAuthentication=OAuth2ClientCredentials\ntokenServiceURL=http://b-virtual/token\nclientId=a\ntokenServiceURL.ProxyType=OnPremise\n',
    {
      type: 'oauth2',
      baseUrl: 'https://a.example.com',
      cloudConnector: { carries: 'tokenRequests' },
      tokenServiceUrl: 'http://b-virtual/token',
      clientId: 'a',
      clientAuthentication: 'body',
    },
  ],
  [
    'a technical user for the Cloud Connector, whose token service is outside',
    'ProxyType=OnPremise\nURL=http://a-virtual\nAuthentication=OAuth2TechnicalUserPropagation\ntokenServiceURL=https://b.example.com/token\nclientId=a\nscope=x\n',
    {
      type: 'oauth2',
      baseUrl: 'http://a-virtual',
      cloudConnector: { carries: 'calls' },
      tokenServiceUrl: 'https://b.example.com/token',
      clientId: 'a',
      clientAuthentication: 'body',
      scope: 'x',
      tokenIn: { in: 'header', name: 'SAP-Connectivity-Technical-Authentication', prefix: 'Bearer ' },
    },
  ],
  [
    'a technical user whose token service is OnPremise',
    'ProxyType=OnPremise\nURL=http://a-virtual\nAuthentication=OAuth2TechnicalUserPropagation\ntokenServiceURL=https://b.example.com/token\nclientId=a\ntokenServiceURL.ProxyType=OnPremise\n',
    {
      type: 'oauth2',
      baseUrl: 'http://a-virtual',
      cloudConnector: { carries: 'calls' },
      tokenServiceUrl: 'https://b.example.com/token',
      clientId: 'a',
      clientAuthentication: 'body',
      tokenIn: { in: 'header', name: 'SAP-Connectivity-Technical-Authentication', prefix: 'Bearer ' },
    },
    'x.properties:6:27 error destination/value "tokenServiceURL.ProxyType" is OnPremise; with OAuth2TechnicalUserPropagation the token service is called from the Internet',
  ],
  [
    'Extranet',
    'ProxyType=Extranet\nURL=https://a.example.com\nAuthentication=NoAuthentication\n',
    { type: 'none', baseUrl: 'https://a.example.com' },
    'x.properties:1:11 error destination/value "ProxyType" is "Extranet"; Internet, OnPremise or PrivateLink is wanted',
  ],
  [
    'nothing in it',
    '# empty\n',
    undefined,
    'x.yaml:2:7 error destination/missing "URL" is missing; it is where requests go',
    'x.yaml:2:7 error destination/missing "Authentication" is missing; it says how requests are authenticated',
  ],
]

for (const [title, destination, fields, ...problems] of others)
  test(`other destinations: ${title}`, (t) => {
    const read = translated(t, destination, '')
    assert.deepEqual(read.fields, fields)
    assert.deepEqual(read.problems, problems)
  })

test('JSON: as it is exported, and as "find destination" answers', (t) => {
  const properties = { URL: 'https://a.example.com', Authentication: 'NoAuthentication', 'URL.queries.n': 5 }
  const wanted = { type: 'none', baseUrl: 'https://a.example.com', apiQuery: { n: '5' } }
  for (const text of [properties, { owner: { SubaccountId: 'x' }, destinationConfiguration: properties }])
    assert.deepEqual(translated(t, JSON.stringify(text, undefined, '\t'), '', 'x.json'), {
      fields: wanted,
      problems: [],
    })
  assert.deepEqual(translated(t, JSON.stringify([properties]), '', 'x.json').problems, [
    'x.yaml:2:7 error destination/file "security-material/x.json" holds a list',
  ])
})

test('override: wins, adds, takes out; fields of the credential stand beside the destination', (t) => {
  const read = translated(
    t,
    `${CC}TrustAll=true\nURL.headers.a=1\n`,
    "override: { clientId: other, clientSecret: '${env:SECRET}', TrustAll: null, scope: s }\nallowedHosts: [api.example.com]\napiHeaders: { b: '2' }\nrotateAfter: 90d\n",
  )
  assert.deepEqual(read.problems, [])
  assert.deepEqual(read.fields, {
    ...NATIVE,
    clientId: 'other',
    scope: 's',
    allowedHosts: ['api.example.com'],
    apiHeaders: { a: '1', b: '2' },
    rotateAfter: '90d',
  })
})

test('the grant in the query: that of the Authentication holds', (t) => {
  const destination = CC.replace('OAuth2ClientCredentials', 'OAuth2Password')
  const more = 'User=u\nPassword=${env:SECRET}\ntokenServiceURL.queries.grant_type=password\n'
  assert.deepEqual(translated(t, destination + more).fields, {
    ...NATIVE,
    grantTypeIn: 'query',
    grantType: 'password',
    username: 'u',
    password: '${env:SECRET}',
  })
})

/** What the security material says of the credential as a whole: places lead into the destination, or into the override. */
const checked: readonly [title: string, destination: string, more: string, ...problems: string[]][] = [
  ['all is well', CC, SECRETS],
  ['the grant in the query', `${CC}tokenServiceURL.queries.grant_type=client_credentials\n`, SECRETS],
  [
    'a secret in clear, in the destination',
    `${CC}clientSecret=hush-hush\n`,
    '',
    'x.properties:8:14 credential/literal-secret "clientSecret" is written in clear',
  ],
  [
    'secrets in clear among what goes along',
    `${CC}URL.headers.apikey=hush-hush\nURL.queries.token=hush\ntokenService.body.password=hush\ntokenServiceURL.headers.x-secret=hush\ntokenServiceURL.queries.code=hush\nURL.headers.sap-client=100\n`,
    SECRETS,
    'x.properties:8:20 credential/literal-secret "apiHeaders.apikey" is written in clear',
    'x.properties:9:19 credential/literal-secret "apiQuery.token" is written in clear',
    'x.properties:10:28 credential/literal-secret "parameters.body.password" is written in clear',
    'x.properties:11:34 credential/literal-secret "parameters.headers.x-secret" is written in clear',
    'x.properties:12:30 credential/literal-secret "parameters.query.code" is written in clear',
  ],
  [
    'a secret in clear, in the override',
    CC,
    'override: { clientSecret: hush-hush }\n',
    'x.yaml:3:27 credential/literal-secret "clientSecret" is written in clear',
  ],
  [
    'no secret at all',
    CC,
    '',
    'x.yaml:2:7 credential/missing-field "clientSecret" is missing; clientAuthentication body needs it',
  ],
  [
    'an address that is none: the "(" of an example on a page',
    CC.replace('tokenServiceURL=', 'tokenServiceURL=('),
    SECRETS,
    'x.properties:6:17 credential/url "tokenServiceUrl" begins with "(" before https://',
  ],
  [
    'a token service without TLS on another machine',
    CC.replace('https://login', 'http://login'),
    SECRETS,
    'x.properties:6:17 credential/url "tokenServiceUrl" uses http to another machine; a secret would go over the wire in clear',
  ],
  [
    'key stores of Java: nothing more is said of what they were for',
    `${CC}tokenService.KeyStoreLocation=a.jks\nKeyStoreLocation=a.jks\n`,
    SECRETS,
    'x.properties:8:31 destination/keystore the key store "a.jks" is neither PKCS#12 (.p12, .pfx) nor PEM (.pem)',
  ],
  [
    'a key store of Java for the target alone',
    'URL=https://a.example.com\nAuthentication=ClientCertificateAuthentication\nKeyStoreLocation=a.jks\n',
    '',
    'x.properties:3:18 destination/keystore the key store "a.jks" is neither PKCS#12 (.p12, .pfx) nor PEM (.pem)',
  ],
  [
    'the token of another credential as the assertion',
    CC.replace('OAuth2ClientCredentials', 'OAuth2JWTBearer'),
    "override: { clientSecret: '${env:SECRET}', assertion.destinationName: login }\n",
    'x.yaml:3:71 credential/link there is no credential "login"',
  ],
  [
    'an assertion of another type',
    `${CC}clientAssertion.type=jwt\nclientAssertion.destinationName=y\n`,
    SECRETS,
    'x.properties:8:22 destination/value "clientAssertion.type" is "jwt"; urn:ietf:params:oauth:client-assertion-type:jwt-bearer or urn:ietf:params:oauth:client-assertion-type:saml2-bearer is wanted',
  ],
  [
    'neither a file nor properties',
    '',
    'x',
    'x.yaml:1:1 destination/missing neither "file" nor "properties" is there: the destination itself is missing',
  ],
  [
    'a key that is none',
    CC,
    `${SECRETS}overide: {}\n`,
    'x.yaml:4:1 key/unknown "overide" is not a key of a credential of the type destination',
  ],
  [
    'a reference without a value',
    CC,
    'override: { clientSecret: "${env:NONE}" }\n',
    'x.yaml:3:28 credential/unset the environment variable "NONE" is not set; the credential "x" needs it',
  ],
]

for (const [title, destination, more, ...problems] of checked)
  test(`as a credential: ${title}`, (t) => {
    const { folder, text } = project(t, destination, more)
    const { material } = setUpMaterial(t, { projectFolder: folder })
    const found = material.check([
      { file: 'security-material/x.yaml', text: more === 'x' ? 'type: destination\n' : text },
    ])
    assert.deepEqual(
      found.map(
        ({ file, line, column, code, message }) =>
          `${file.replace('security-material/', '')}:${line}:${column} ${code} ${message}`,
      ),
      problems,
    )
  })

test('as a credential: an assertion that is signed with a key beside it', (t) => {
  const { folder, text } = project(t, `${SAML}companyId=acme\n`)
  mkdirSync(join(folder, 'security-material/keystores'))
  const keyStore = join(folder, 'security-material/keystores/sf.pem')
  writeFileSync(keyStore, `${pemOf(rsa)}${certificateOf(rsa)}`)
  const { material } = setUpMaterial(t, { projectFolder: folder })
  const check = () => material.check([{ file: 'security-material/x.yaml', text }])
  assert.deepEqual(check(), [])
  writeFileSync(keyStore, certificateOf(rsa))
  assert.deepEqual(
    check().map(({ file, line, code, message }) => `${file}:${line} ${code} ${message}`),
    [
      'security-material/x.properties:7 credential/key "assertion.key" holds a certificate, and no private key',
    ],
  )
})

test('properties may stand in the file itself', (t) => {
  const { material, file } = setUpMaterial(t)
  const text = `type: destination\nproperties:\n  URL: https://a.example.com\n  Authentication: BasicAuthentication\n  User: u\n  Password: \${env:SECRET}\n`
  assert.deepEqual(material.load([file(text)]), [])
  assert.equal(material.info('x')!.type, 'basic')
  assert.equal(material.info('x')!.baseUrl, 'https://a.example.com/')
})

test('the file of the destination is watched, and a change of it is a change of the credential', (t) => {
  const { folder, text } = project(t, CC, SECRETS)
  const { material, file } = setUpMaterial(t, { projectFolder: folder })
  assert.deepEqual(material.load([file(text)]), [])
  assert.deepEqual(material.files(), [join(folder, 'security-material/x.properties')])
  writeFileSync(join(folder, 'security-material/x.properties'), CC.replace('api.example', 'api2.example'))
  const changes: string[] = []
  assert.deepEqual(
    material.load([file(text)], ({ name }) => changes.push(name)),
    [],
  )
  assert.deepEqual(changes, ['x'])
  assert.deepEqual(material.info('x')!.hosts, ['api2.example.com'])
})

test('parameters of a destination have no limit of their number, as those of a credential have', (t) => {
  const many = Array.from({ length: 30 }, (_, i) => `tokenService.body.p${i}=${i}\n`).join('')
  const { folder, text } = project(t, CC + many, SECRETS)
  const { material } = setUpMaterial(t, { projectFolder: folder })
  assert.deepEqual(material.check([{ file: 'security-material/x.yaml', text }]), [])
})
