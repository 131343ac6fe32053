import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAUTH, SECRET, setUpMaterial, URLS } from '../support/material.ts'

const NO_WORD = '6:12 error credential/grant-type "grantType" is not one word of at most 200 characters'

/** Each credential file, and what is said of it: `line:column severity code message`. */
const golden: [title: string, text: string, ...problems: string[]][] = [
  ['nothing is wrong', OAUTH],
  ['Leonardo-IoT: content type and scope left out', `${OAUTH}description: IoT Application Enablement\n`],
  [
    'scope as JSON text in a JSON request',
    `${OAUTH}contentType: application/json\nscope: '{ "userId": "svc" }'\n`,
  ],
  [
    'another client_id in the body',
    `${OAUTH}parameters: { body: { client_id: other }, headers: { X-Zid: a } }\n`,
  ],
  ['an empty file', '', '1:1 error yaml/empty the file is empty'],
  ['a list', '- a\n', '1:1 error credential/type a credential is a map of fields'],
  ['no type', 'description: x\n', '1:1 error credential/type "type" is missing'],
  [
    'a type misspelt',
    'type: oauth\nx: 1\n',
    '1:7 error credential/type there is no type "oauth" of credential; did you mean "oauth2"?',
  ],
  ['a client', 'type: client\n', '1:7 error credential/type the type "client" is not in this version'],
  [
    'an unknown field',
    `${OAUTH}clientAuthentification: header\n`,
    '6:1 error key/unknown "clientAuthentification" is not a key of a credential of the type oauth2; did you mean "clientAuthentication"?',
  ],
  [
    'an unknown value',
    `${OAUTH}clientAuthentication: heder\n`,
    '6:23 error value/choice "clientAuthentication" is the text "heder"; "header", "body", "query", "privateKeyJwt", "clientSecretJwt", "bearer", "certificate" or "none" is wanted',
  ],
  [
    'a GET with id and secret in a body, and a parameter for it',
    `${OAUTH}method: GET\nclientAuthentication: body\nparameters: { body: { a: 1 } }\n`,
    '7:23 error credential/token-request id and secret go into the body, but a GET has none',
    '8:21 error credential/token-request "parameters" has a "body", but a GET has none',
  ],
  [
    'two pairs for one header',
    `${OAUTH}clientAuthentication: header\nbasicAuth: { username: "a", password: "\${env:SECRET}" }\n`,
    '7:12 error credential/token-request "basicAuth" and the client both want the header',
  ],
  [
    'a pair for the header, the client in the body',
    `${OAUTH}basicAuth: { username: a, password: "\${env:SECRET}" }\n`,
  ],
  [
    'a user name that would end at its colon',
    `${OAUTH}basicEncoding: raw\nbasicAuth: { username: "a:b", password: "\${env:SECRET}" }\n`,
    '7:24 error credential/token-request a user name with a ":" cannot go raw into the header',
  ],
  [
    'a password in clear',
    `${OAUTH}basicAuth: { username: a, password: in-the-clear-0123 }\n`,
    '6:37 error credential/literal-secret "basicAuth.password" is written in clear',
  ],
  [
    'a scheme of a header that is not there',
    `${OAUTH}clientAuthentication: body\nauthScheme: ID\n`,
    '7:13 error credential/token-request "authScheme" says how the header begins, but clientAuthentication is body',
  ],
  [
    'resources that are none',
    `${OAUTH}resource: [https://a.example.com/#x, orders, urn:orders]\n`,
    '6:12 error credential/token-request "https://a.example.com/#x" is no absolute URI without fragment',
    '6:38 error credential/token-request "orders" is no absolute URI without fragment',
  ],
  [
    'two parameters of one name, and one without',
    `${OAUTH}parameterNames: { clientId: scope, clientSecret: "" }\n`,
    '6:29 error credential/token-request two parameters are called "scope"',
    '6:50 error credential/token-request "clientSecret" is empty',
  ],
  [
    'a place for the token without a name',
    `${OAUTH}tokenIn: { in: cookie }\n`,
    '6:10 error credential/token-in "tokenIn" does not say the name of the cookie',
  ],
  [
    'a proxy that is none',
    `${OAUTH}proxy: ftp://proxy.example.com\n`,
    '6:8 error credential/proxy "proxy" is no address of a proxy',
  ],
  ['no proxy', `${OAUTH}proxy: none\n`],
  ['a proxy without a scheme', `${OAUTH}proxy: proxy.example.com:3128\n`],
  [
    'a certificate that is none',
    `${OAUTH}tls: { ca: "\${env:SECRET}" }\n`,
    '6:12 error credential/certificate "tls.ca" holds no certificate; wanted is PEM: -----BEGIN CERTIFICATE-----',
  ],
  [
    'a secret in clear',
    `type: oauth2\n${URLS}clientId: a\nclientSecret: in-the-clear-0123\n`,
    '5:15 error credential/literal-secret "clientSecret" is written in clear',
  ],
  [
    'a secret that is a global parameter',
    `type: oauth2\n${URLS}clientId: a\nclientSecret: \${param:region}\n`,
    '5:15 error credential/literal-secret "clientSecret" is written in clear',
  ],
  [
    'a secret that is a number',
    OAUTH.replace('${env:SECRET}', '0123456'),
    '5:15 error credential/literal-secret "clientSecret" is written in clear',
  ],
  [
    'no host',
    'type: bearer\ntoken: ${env:SECRET}\n',
    '1:1 error credential/no-host neither "baseUrl" nor "allowedHosts" is there; a credential is bound to the hosts it may go to',
  ],
  [
    'an empty list of hosts',
    'type: bearer\ntoken: ${env:SECRET}\nallowedHosts: []\n',
    '3:15 error credential/no-host "allowedHosts" is empty, and "baseUrl" is not there; a credential is bound to the hosts it may go to',
  ],
  [
    'http to another machine',
    OAUTH.replace('https://idp', 'http://idp'),
    '2:18 error credential/url "tokenServiceUrl" uses http to another machine; a secret would go over the wire in clear',
  ],
  [
    'a user in a URL',
    OAUTH.replace('https://api', 'https://me:pw@api'),
    '3:18 error credential/url "baseUrl" holds a user name or password before the "@"',
  ],
  [
    'a fragment',
    OAUTH.replace('/token', '/token#x'),
    '2:47 error credential/url "tokenServiceUrl" holds a "#"; what follows it is never sent',
  ],
  [
    'no URL',
    OAUTH.replace('idp.example', 'idp example'),
    '2:29 error credential/url "tokenServiceUrl" is no URL: a space at its character 12 cannot stand in one',
  ],
  [
    'a place kept free in a URL',
    OAUTH.replace('idp.example.com', '{{YOUR-COMPANY-ID}}'),
    '2:26 error value/braces "{{YOUR-COMPANY-ID}}" is not replaced here',
  ],
  [
    'a place kept free in a secret',
    OAUTH.replace('${env:SECRET}', '"{{secret}}"'),
    '5:16 error value/braces "{{secret}}" is not replaced here',
  ],
  [
    'hosts and base disagree',
    `${OAUTH}allowedHosts: [other.example.com]\n`,
    '3:10 error credential/host "baseUrl" leads to api.example.com, where the credential may not go; "allowedHosts" says other.example.com',
  ],
  [
    'a host that is none',
    `${OAUTH}allowedHosts:\n  - api.example.com\n  - "*"\n`,
    '8:5 error credential/host "*" allows any host; name the hosts',
  ],
  [
    'a query in the base',
    OAUTH.replace('.com/\n', '.com/?a=b\n'),
    '3:34 error credential/url "baseUrl" holds a query, which relative addresses would replace',
  ],
  [
    'a scope map in a form',
    `${OAUTH}scope: { userId: svc }\n`,
    '6:8 error credential/scope "scope" is a map, which needs a JSON request; "contentType" is application/x-www-form-urlencoded',
  ],
  [
    'curly quotes in the scope',
    `${OAUTH}contentType: application/json\nscope: '{ “userId”: "svc" }'\n`,
    '7:11 error credential/scope "scope" holds the typographic quote “ (U+201C) at its character 3',
  ],
  [
    'curly quotes in a block scope',
    `${OAUTH}contentType: application/json\nscope: |\n  {\n    "userId": ”svc”\n  }\n`,
    '9:15 error credential/scope "scope" holds the typographic quote ” (U+201D) at its character 15',
  ],
  [
    'a scope that is no JSON',
    `${OAUTH}contentType: application/json\nscope: '{ "userId": svc }'\n`,
    '7:21 error credential/scope "scope" begins with "{" but is no JSON from its character 13 on',
  ],
  [
    'a scope that ends too early',
    `${OAUTH}contentType: application/json\nscope: '{ "userId": "svc"'\n`,
    '7:25 error credential/scope "scope" begins with "{" but is no JSON from its character 18 on',
  ],
  [
    'a scope list with phrases',
    `${OAUTH}scope: [im.read, "im write"]\n`,
    '6:18 error credential/scope "scope" is a list with something else than single words in it',
  ],
  [
    'a grant with a person',
    `${OAUTH}grantType: authorization_code\n`,
    '6:12 error credential/grant-type the grant "authorization_code" needs a person at a browser; flows run without one',
  ],
  [
    'a grant without its assertion',
    `${OAUTH}grantType: saml2-bearer\n`,
    '6:12 error credential/missing-field "assertion" is missing; the grant saml2-bearer needs it',
  ],
  [
    'a grant misspelt',
    `${OAUTH}grantType: client_credentails\n`,
    '6:12 warning credential/grant-type "client_credentails" is sent as it is; it looks like a slip of the pen; did you mean "client_credentials"?',
  ],
  ['a grant of the service itself', `${OAUTH}grantType: account_credentials\n`],
  ["WeChat's word", `${OAUTH}grantType: client_credential\n`],
  ['no grant', `${OAUTH}grantType: none\nusername: a\npassword: "\${env:SECRET}"\n`],
  ['a grant with a space', `${OAUTH}grantType: client credentials\n`, NO_WORD],
  [
    'a grant that needs a person, with what only such a grant would need',
    `${OAUTH}grantType: device_code\nusername: a\n`,
    '6:12 error credential/grant-type the grant "device_code" needs a person at a browser; flows run without one',
  ],
  ['a user and a password', `${OAUTH}grantType: password\nusername: a\npassword: "\${env:SECRET}"\n`],
  [
    'a password without a user',
    `${OAUTH}grantType: password\npassword: "\${env:SECRET}"\n`,
    '6:12 error credential/missing-field "username" is missing; the grant password needs it',
  ],
  [
    'a user where the grant takes none',
    `${OAUTH}username: a\npassword: "\${env:SECRET}"\n`,
    '6:1 error credential/unused-field "username" has no place in the grant client_credentials',
    '7:1 error credential/unused-field "password" has no place in the grant client_credentials',
  ],
  [
    'a refresh token that is missing, and one where the grant takes none',
    `${OAUTH}grantType: refresh_token\nusername: a\n`,
    '6:12 error credential/missing-field "refreshToken" is missing; the grant refresh_token needs it',
    '7:1 error credential/unused-field "username" has no place in the grant refresh_token',
  ],
  [
    'a password in the URL',
    `${OAUTH}grantType: password\nusername: a\npassword: "\${env:SECRET}"\ncontentType: none\n`,
    '8:1 error credential/secret-in-url "password" would go into the URL, because contentType none has no body; addresses are written into logs on the way',
  ],
  [
    'a password in the URL that may be there',
    `${OAUTH}grantType: password\nusername: a\npassword: "\${env:SECRET}"\nmethod: GET\nallowSecretInUrl: true\n`,
  ],
  [
    'leave for nothing',
    `${OAUTH}allowSecretInUrl: true\n`,
    '6:1 warning credential/unused-field "allowSecretInUrl" is true, but no secret goes into the URL',
  ],
  [
    'a parameter that is sent already',
    `${OAUTH}grantType: password\nusername: a\npassword: "\${env:SECRET}"\nparameters: { body: { username: b } }\n`,
    '9:23 error credential/parameter "username" is sent already',
  ],
  [
    'a connect time-out out of range',
    `${OAUTH}connectTimeout: 61s\n`,
    '6:17 error value/range "connectTimeout" is the text "61s"; 0s to 1m is wanted',
  ],
  [
    'a read time-out out of range',
    `${OAUTH}readTimeout: 11m\n`,
    '6:14 error value/range "readTimeout" is the text "11m"; 0s to 10m is wanted',
  ],
  ['time-outs at the edges', `${OAUTH}connectTimeout: 0s\nreadTimeout: 600s\n`],
  [
    'grant_type among the parameters',
    `${OAUTH}parameters: { body: { grant_type: x } }\n`,
    '6:23 error credential/parameter "grant_type" is sent already',
  ],
  [
    'client_id twice',
    `${OAUTH}clientAuthentication: body\nparameters: { body: { client_id: x } }\n`,
    '7:23 error credential/parameter "client_id" is sent already',
  ],
  [
    'too many parameters',
    `${OAUTH}parameters:\n  query: { ${Array.from({ length: 21 }, (_, i) => `p${i}: 1`).join(', ')} }\n`,
    '7:3 error credential/parameter "query" has 21 parameters; at most 20 are allowed',
  ],
  [
    'authorization among the headers',
    `${OAUTH}parameters: { headers: { Authorization: x } }\n`,
    '6:26 error credential/parameter the header "Authorization" is set by clientAuthentication',
  ],
  [
    'authorization among the API headers',
    `${OAUTH}apiHeaders: { authorization: x }\n`,
    '6:15 error credential/header the header "authorization" is not free',
  ],
  [
    'an API header with a line end',
    `${OAUTH}apiHeaders: { x-a: "b\\nc" }\n`,
    '6:15 error credential/header the value of the header "x-a" cannot be sent',
  ],
  [
    'content type none with a body',
    `${OAUTH}contentType: none\nclientAuthentication: body\n`,
    '7:23 error credential/content-type "clientAuthentication" is body, but contentType none sends no body',
  ],
  [
    'no client',
    `type: oauth2\n${URLS}`,
    '1:1 error credential/missing-field "clientId" is missing; clientAuthentication header needs it',
    '1:1 error credential/missing-field "clientSecret" is missing; clientAuthentication header needs it',
  ],
  ['a client without a secret', `type: oauth2\n${URLS}clientAuthentication: none\nclientId: public\n`],
  [
    'a secret that is never sent',
    `${OAUTH}clientAuthentication: none\n`,
    '5:1 warning credential/unused-field "clientSecret" is never sent, because clientAuthentication is none',
  ],
  [
    'an empty secret',
    `type: bearer\ntoken: ""\nallowedHosts: [a.example.com]\n`,
    '2:8 error value/empty "token" is empty',
  ],
  [
    'a colon in a user name',
    'type: basic\nusername: a:b\npassword: ${env:SECRET}\nallowedHosts: [a.example.com]\n',
    '2:12 error credential/username "username" holds a ":", where a Basic authorization ends the user name',
  ],
  [
    'an API key in a query without a name',
    'type: apiKey\nkey: ${env:SECRET}\ntokenIn: { in: query }\nallowedHosts: [a.example.com]\n',
    '3:10 error credential/token-in "tokenIn" does not say the name of the query parameter',
  ],
  [
    'an unset variable',
    OAUTH.replace('SECRET', 'NONE'),
    '5:15 warning credential/unset the environment variable "NONE" is not set; the credential "x" needs it',
  ],
  [
    'an unset variable in a URL, a duration and a choice',
    `${OAUTH.replace('https://api.example.com', '${env:NONE}')}readTimeout: \${env:NONE}\nclientAuthentication: \${env:NONE}\n`,
    '3:10 warning credential/unset the environment variable "NONE" is not set; the credential "x" needs it',
  ],
  [
    'an encrypted secret that is not there',
    OAUTH.replace('env:', 'secret:'),
    '5:15 warning credential/unset the secret "SECRET" is not decrypted yet; the credential "x" needs it',
  ],
]
for (const [title, text, ...expected] of golden) {
  test(`problems: ${title}`, (t) => {
    const { material, file } = setUpMaterial(t)
    const problems = material.check([file(text)])
    assert.deepEqual(
      problems.map(
        ({ line, column, severity, code, message }) => `${line}:${column} ${severity} ${code} ${message}`,
      ),
      expected,
    )
    for (const { code, hint } of problems)
      assert.ok(hint || !code.startsWith('credential/'), 'it says what to do')
    assert.doesNotMatch(JSON.stringify(problems), /in-the-clear|me:pw|material-secret/)
  })
}

test('problems never show what came from the environment', (t) => {
  const { material, file } = setUpMaterial(t)
  const problems = material.check([
    file(`${OAUTH}clientAuthentication: \${env:SECRET}\nreadTimeout: \${env:SECRET}\n`),
  ])
  assert.equal(problems.length, 2)
  assert.doesNotMatch(JSON.stringify(problems), new RegExp(SECRET))
  assert.match(problems[0]!.message, /"\$\{env:SECRET\}"/)
})

test('a bearer token with something around it is told without showing it', (t) => {
  const { material, file } = setUpMaterial(t, { environment: { SECRET: ` ${SECRET}` } })
  const problems = material.check([
    file('type: bearer\ntoken: ${env:SECRET}\nallowedHosts: [a.example.com]\n'),
  ])
  assert.match(problems[0]!.message, /"token" holds a space or line end \(character 1 of 27\)/)
  assert.doesNotMatch(JSON.stringify(problems), new RegExp(SECRET))
})

test('with --dev a secret in clear is a warning, and the credential loads', (t) => {
  const { material, file, redactor } = setUpMaterial(t, { dev: true })
  const problems = material.load([
    file('type: bearer\ntoken: in-the-clear-0123\nallowedHosts: [a.example.com]\n'),
  ])
  assert.deepEqual(
    problems.map(({ severity, code }) => `${severity} ${code}`),
    ['warning credential/literal-secret'],
  )
  assert.equal(material.reference('x').current().type, 'bearer')
  assert.equal(redactor.text('in-the-clear-0123'), '[secret]')
})

test('what goes by the name of a secret may not be written in clear in the maps of free names either', (t) => {
  const text =
    'type: oauth2\ntokenServiceUrl: https://idp.example.com/t\nbaseUrl: https://api.example.com/\nclientAuthentication: none\n' +
    'apiHeaders: { X-API-Key: key-in-clear-1, x-tenant: acme, X-Token-Type: KEYPAIR }\n' +
    'apiQuery: { code: code-in-clear-2, country_code: DE }\n' +
    'parameters:\n' +
    '  body: { login: { password: pass-in-clear-3 }, private: true }\n' +
    '  query: { api_key: 12345678, ok: "${env:SECRET}" }\n' +
    '  headers: { x-auth-token: [tok-in-clear-4, "${env:SECRET}"] }\n'
  const strict = setUpMaterial(t)
  assert.deepEqual(
    strict.material
      .check([strict.file(text)])
      .map(({ line, column, severity, code, message }) => `${line}:${column} ${severity} ${code} ${message}`),
    [
      '5:26 error credential/literal-secret "apiHeaders.X-API-Key" is written in clear',
      '6:19 error credential/literal-secret "apiQuery.code" is written in clear',
      '8:30 error credential/literal-secret "parameters.body.login.password" is written in clear',
      '9:21 error credential/literal-secret "parameters.query.api_key" is written in clear',
      '10:29 error credential/literal-secret entry 1 of "parameters.headers.x-auth-token" is written in clear',
    ],
  )
  const { material, file, redactor } = setUpMaterial(t, { dev: true })
  assert.deepEqual(new Set(material.load([file(text)]).map(({ severity }) => severity)), new Set(['warning']))
  const written = 'key-in-clear-1 code-in-clear-2 pass-in-clear-3 12345678 tok-in-clear-4 KEYPAIR acme'
  assert.equal(redactor.text(written), '[secret] [secret] [secret] [secret] [secret] KEYPAIR acme')
})

for (const name of ['1abc', 'a b', 'ä', 'x'.repeat(151)]) {
  test(`"${name.slice(0, 20)}" cannot be the name of a credential`, (t) => {
    const { material, file } = setUpMaterial(t)
    assert.deepEqual(
      material.check([file(OAUTH, name)]).map(({ code }) => code),
      ['credential/name'],
    )
  })
}

test('two files for one name are a problem', (t) => {
  const { material, file } = setUpMaterial(t)
  const problems = material.check([file(OAUTH), { file: 'security-material/x.yml', text: OAUTH }])
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['there are two credentials "x": security-material/x.yaml and security-material/x.yml'],
  )
})
