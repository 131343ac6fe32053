import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateOf, otherRsa, p256, pemOf, rsa } from '../support/keys.ts'
import { setUpMaterial, URLS } from '../support/material.ts'

const PASSPHRASE = 'open-sesame-0123'
const environment = {
  SECRET: 'assertion-secret-0123456789',
  PASSPHRASE,
  RSA: pemOf(rsa),
  EC: pemOf(p256),
  ENCRYPTED: rsa.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: PASSPHRASE,
  }),
  CERTIFICATE: certificateOf(rsa),
  OTHER: certificateOf(otherRsa),
}
const CLIENT = `type: oauth2\n${URLS}clientId: acme\n`
const jwt = (fields: string) => `${CLIENT}clientAssertion:\n  key: \${env:RSA}\n${fields}`

const SAML = `${CLIENT}grantType: saml2-bearer\nassertion:\n  key: \${env:RSA}\n  subject: svc\n`
const saml = (fields: string) => SAML + fields

/** Each credential, and what is said of it: `line:column severity code message`. */
const golden: [title: string, text: string, ...problems: string[]][] = [
  ['a key', jwt('')],
  [
    'a key and everything that belongs to it',
    jwt('  algorithm: PS256\n  keyId: k\n  certificate: ${env:CERTIFICATE}\n  x5t: both\n'),
  ],
  [
    'an encrypted key',
    `${CLIENT}clientAssertion: { key: "\${env:ENCRYPTED}", passphrase: "\${env:PASSPHRASE}" }\n`,
  ],
  [
    'an encrypted key without its passphrase',
    `${CLIENT}clientAssertion: { key: "\${env:ENCRYPTED}" }\n`,
    '5:25 error credential/key "clientAssertion.key" is encrypted',
  ],
  [
    'an encrypted key with another passphrase',
    `${CLIENT}clientAssertion: { key: "\${env:ENCRYPTED}", passphrase: "\${env:SECRET}" }\n`,
    '5:57 error credential/key "clientAssertion.passphrase" does not open the key',
  ],
  [
    'a secret that is no key',
    `${CLIENT}clientAssertion: { key: "\${env:SECRET}" }\n`,
    '5:25 error credential/key "clientAssertion.key" holds no private key; wanted is PEM: -----BEGIN PRIVATE KEY-----',
  ],
  [
    'a key in clear',
    `${CLIENT}clientAssertion: { key: in-the-clear-0123 }\n`,
    '5:25 error credential/literal-secret "clientAssertion.key" is written in clear',
    '5:25 error credential/key "clientAssertion.key" holds no private key; wanted is PEM: -----BEGIN PRIVATE KEY-----',
  ],
  [
    'an algorithm of another kind of key',
    jwt('  algorithm: ES256\n'),
    '7:14 error credential/key "algorithm" is ES256, which needs an EC key of the curve P-256; "key" is an RSA key of 2048 bits',
  ],
  [
    'an RSA algorithm and an EC key',
    `${CLIENT}clientAssertion: { key: "\${env:EC}", algorithm: RS256 }\n`,
    '5:49 error credential/key "algorithm" is RS256, which needs an RSA key; "key" is an EC key of the curve P-256',
  ],
  [
    'an algorithm of secrets',
    jwt('  algorithm: HS256\n'),
    '7:14 error credential/key "algorithm" is HS256, which needs a secret that both sides know; "key" is an RSA key of 2048 bits',
  ],
  [
    "another key's certificate",
    jwt('  certificate: ${env:OTHER}\n'),
    '7:16 error credential/certificate "clientAssertion.certificate" is of another key',
  ],
  [
    'no certificate',
    jwt('  certificate: ${env:SECRET}\n'),
    '7:16 error credential/certificate "clientAssertion.certificate" holds no certificate; wanted is PEM: -----BEGIN CERTIFICATE-----',
  ],
  [
    'a thumbprint of nothing',
    jwt('  x5t: sha1\n'),
    '7:3 error credential/unused-field "clientAssertion.x5t" has no use: there is no certificate',
  ],
  [
    'nothing to sign with',
    `${CLIENT}clientAuthentication: privateKeyJwt\nclientAssertion: { keyId: a }\n`,
    '6:1 error credential/missing-field "clientAssertion" does not say what it is signed with',
    '6:20 error credential/unused-field "clientAssertion.keyId" has no use: nothing is signed here',
  ],
  [
    'no assertion',
    `${CLIENT}clientAuthentication: privateKeyJwt\n`,
    '1:1 error credential/missing-field "clientAssertion" is missing; clientAuthentication privateKeyJwt needs it',
  ],
  [
    'no client',
    `type: oauth2\n${URLS}clientAssertion: { key: "\${env:RSA}" }\n`,
    '1:1 error credential/missing-field "clientId" is missing; clientAuthentication privateKeyJwt needs it',
  ],
  [
    'an assertion that is not sent',
    `${CLIENT}clientSecret: \${env:SECRET}\nclientAuthentication: body\nclientAssertion: { key: "\${env:RSA}" }\n`,
    '7:1 error credential/unused-field "clientAssertion" has no use: clientAuthentication is body',
  ],
  [
    'a secret beside a key',
    `${jwt('')}clientSecret: \${env:SECRET}\n`,
    '7:1 warning credential/unused-field "clientSecret" is never sent, because clientAuthentication is privateKeyJwt',
  ],
  [
    'a secret that signs',
    `${CLIENT}clientSecret: \${env:SECRET}\nclientAssertion: { algorithm: HS512, audience: "https://x.example.com" }\n`,
  ],
  [
    'a secret and a key that sign',
    `${CLIENT}clientSecret: \${env:SECRET}\nclientAuthentication: clientSecretJwt\nclientAssertion: { key: "\${env:RSA}", algorithm: RS256 }\n`,
    '7:20 error credential/unused-field "clientAssertion.key" has no use: the secret signs it',
    '7:50 error credential/assertion "algorithm" is RS256, which needs a private key; the secret signs it',
  ],
  [
    'claims that the engine makes, and an issuer that it does not know',
    jwt('  audience: issuer\n  claims: { jti: a, iss: b, scope: c }\n'),
    '7:13 error credential/assertion "audience" is issuer, but the address of the issuer is not known here',
    '8:13 error credential/assertion the claim "jti" is set by the engine',
    '8:21 error credential/assertion the claim "iss" is set by issuer',
  ],
  [
    'a lifetime that no service takes',
    jwt('  lifetime: 1d\n'),
    '7:13 error value/range "lifetime" is the text "1d"; 10s to 1h is wanted',
  ],
  [
    'id and secret in the URL',
    `${CLIENT}clientSecret: \${env:SECRET}\nclientAuthentication: query\n`,
    '6:23 error credential/secret-in-url "clientAuthentication" puts the secret into the URL; addresses are written into logs on the way',
  ],
  [
    'id and secret in the URL, as it is wanted',
    `${CLIENT}clientSecret: \${env:SECRET}\nclientAuthentication: query\nallowSecretInUrl: true\n`,
  ],
  [
    'an assertion in the URL',
    `${jwt('')}contentType: none\n`,
    '5:1 error credential/secret-in-url "clientAssertion" would go into the URL, because contentType none has no body; addresses are written into logs on the way',
  ],
  [
    'SAML, and everything that belongs to it',
    saml(
      '  format: saml2\n  algorithm: RS512\n  certificate: ${env:CERTIFICATE}\n  issuer: i\n  audience: [a, b]\n  recipient: https://r.example.com/\n  nameIdFormat: emailAddress\n  nameQualifier: q\n  authnContext: PreviousSession\n  attributes: { a: y, b: [x, z] }\n  encoding: base64\n  lifetime: 10m\n',
    ),
  ],
  [
    'SAML of an encrypted key, by its URN',
    `${CLIENT}grantType: urn:ietf:params:oauth:grant-type:saml2-bearer\nassertion: { key: "\${env:ENCRYPTED}", passphrase: "\${env:PASSPHRASE}", subject: a }\n`,
  ],
  [
    'SAML of another credential, or in a file',
    `${CLIENT}grantType: saml2-bearer\nassertion: { token: "\${env:SECRET}" }\n`,
  ],
  [
    'SAML for nobody, by nobody',
    `type: oauth2\n${URLS}grantType: saml2-bearer\nassertion: { key: "\${env:RSA}" }\n`,
    '5:1 error credential/missing-field "assertion" has no "subject"; a SAML assertion is for somebody',
    '5:1 error credential/missing-field "assertion" has no "issuer", and there is no "clientId" that could stand for it',
  ],
  [
    'SAML with nothing to sign with',
    `${CLIENT}grantType: saml2-bearer\nassertion: { subject: a, recipient: b }\n`,
    '6:1 error credential/missing-field "assertion" does not say what it is signed with',
    '6:14 error credential/unused-field "assertion.subject" has no use: nothing is signed here',
    '6:26 error credential/unused-field "assertion.recipient" has no use: nothing is signed here',
  ],
  [
    'SAML with an EC key, signed as with an RSA key',
    `${CLIENT}grantType: saml2-bearer\nassertion: { key: "\${env:EC}", subject: a, algorithm: RS256 }\n`,
    '6:55 error credential/key "algorithm" is RS256, which needs an RSA key; "key" is an EC key of the curve P-256',
  ],
  [
    'SAML with an algorithm of JWTs',
    saml('  algorithm: PS256\n'),
    '9:14 error credential/key "algorithm" is PS256; SAML assertions are signed with RS256, RS512, ES256, ES384 or ES512',
  ],
  [
    "SAML with another key's certificate",
    saml('  certificate: ${env:OTHER}\n'),
    '9:16 error credential/certificate "assertion.certificate" is of another key',
  ],
  [
    'SAML with what belongs to JWTs',
    saml('  keyId: k\n  x5t: sha1\n  claims: { scope: a }\n'),
    '9:3 error credential/unused-field "assertion.keyId" has no use: it belongs to JWTs, and this is a SAML assertion',
    '10:3 error credential/unused-field "assertion.x5t" has no use: it belongs to JWTs, and this is a SAML assertion',
    '11:3 error credential/unused-field "assertion.claims" has no use: it belongs to JWTs, and this is a SAML assertion',
  ],
  [
    'a JWT with what belongs to SAML',
    jwt('  recipient: a\n  attributes: { a: b }\n'),
    '7:3 error credential/unused-field "clientAssertion.recipient" has no use: it belongs to SAML assertions, and this is a JWT',
    '8:3 error credential/unused-field "clientAssertion.attributes" has no use: it belongs to SAML assertions, and this is a JWT',
  ],
  [
    'SAML with words that are none',
    saml('  nameIdFormat: emailadress\n  authnContext: not a class\n  attributes: { "": a }\n'),
    '9:17 error credential/assertion "emailadress" is no format of a NameID; did you mean "emailAddress"?',
    '10:17 error credential/assertion "not a class" is no class of authentication',
    '11:17 error credential/assertion an attribute has no name',
  ],
  [
    'SAML with characters that XML cannot have',
    saml('  issuer: "a\\u0001"\n  audience: [a, "\\u001b"]\n  attributes: { a: [b, "\\uffff"] }\n'),
    '9:11 error credential/assertion "assertion.issuer" holds the character U+0001, which XML cannot have',
    '10:17 error credential/assertion "assertion.audience.1" holds the character U+001B, which XML cannot have',
    '11:24 error credential/assertion "assertion.attributes.a.1" holds the character U+FFFF, which XML cannot have',
  ],
  [
    'a format that is not the one of the grant',
    saml('  format: jwt\n  claims: { scope: a }\n'),
    '9:11 error credential/assertion "assertion.format" is jwt, and the grant is saml2-bearer',
  ],
  [
    'SAML for a grant of the service itself',
    `${saml('  format: saml2\n').replace('saml2-bearer', 'acme_saml')}clientAuthentication: none\n`,
  ],
  ['SAML of a client', jwt('  format: saml2\n')],
  [
    'SAML signed with the secret of a client',
    `${CLIENT}clientSecret: \${env:SECRET}\nclientAuthentication: clientSecretJwt\nclientAssertion: { format: saml2, recipient: a }\n`,
    '7:20 error credential/unused-field "clientAssertion.format" has no use: the secret signs it',
    '7:35 error credential/unused-field "clientAssertion.recipient" has no use: the secret signs it',
  ],
  [
    'SAML in the place of a grant that wants none',
    `${CLIENT}clientSecret: \${env:SECRET}\nassertion: { key: "\${env:RSA}", format: saml2, subject: a }\n`,
    '6:1 error credential/unused-field "assertion" has no place in the grant client_credentials',
  ],
]
for (const [title, text, ...expected] of golden) {
  test(`problems: ${title}`, (t) => {
    const { material, file } = setUpMaterial(t, { environment })
    const problems = material.check([file(text)])
    assert.deepEqual(
      problems.map(
        ({ line, column, severity, code, message }) => `${line}:${column} ${severity} ${code} ${message}`,
      ),
      expected,
    )
    for (const { hint } of problems) assert.ok(hint || expected[0]!.includes('value/'), 'it says what to do')
    assert.doesNotMatch(JSON.stringify(problems), /in-the-clear|sesame|assertion-secret|MII/)
  })
}

test('a credential with a key loads, tells how it signs, and nothing of the key is told', (t) => {
  const { material, file, redactor } = setUpMaterial(t, { environment })
  material.load([file(jwt('  keyId: key-1\n'))])
  const [report] = material.reports(() => [])
  assert.equal(report!.settings['clientAuthentication'], 'privateKeyJwt')
  assert.equal(
    report!.settings['clientAssertion'],
    'RS256, keyId key-1, issuer acme, audience https://idp.example.com/token',
  )
  assert.equal(redactor.text(`<${environment.RSA.trim()}>`).includes('MII'), false)
})
