import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import { oauth2, type OAuth2Options } from '../../src/credentials/oauth2.ts'
import { TestCaller, type Asked } from '../support/credentials.ts'
import { pkcs12Of } from '../support/certificates.ts'
import { certificateOf, otherRsa, p256, p384, p521, pemOf, rsa } from '../support/keys.ts'
import { failureOf, numbered, setUpOAuth2, tokenOf } from '../support/oauth2.ts'
import { elements, isSigned, isSignedByXmlsec, outline, parseXml } from '../support/saml.ts'

const SAML2_BEARER = 'urn:ietf:params:oauth:grant-type:saml2-bearer'
const CLASSES = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'
const NAME_ID = 'urn:oasis:names:tc:SAML:1.1:nameid-format:'
const key = new Secret(pemOf(rsa))
const noSecret = { clientSecret: undefined as never }
const formOf = ({ body }: Asked) => Object.fromEntries(new URLSearchParams(body))
const xmlOf = (asked: Asked) => Buffer.from(formOf(asked)['assertion']!, 'base64url').toString('utf8')

/** A credential of a SuccessFactors company: its API key, its company, and no secret. */
function successFactors(more: Partial<OAuth2Options['assertion'] & object> = {}): Partial<OAuth2Options> {
  return {
    ...noSecret,
    grantType: 'saml2-bearer',
    clientId: 'API_KEY',
    parameters: { body: { company_id: 'acme' } },
    assertion: {
      key,
      subject: 'sfadmin',
      audience: ['www.successfactors.com'],
      attributes: { api_key: ['API_KEY'] },
      ...more,
    },
  }
}

async function xmlSent(t: TestContext, options: Partial<OAuth2Options>): Promise<string> {
  const { get, service } = await setUpOAuth2(t, numbered(3600), options)
  await get()
  return xmlOf(service.asked[0]!)
}

test('SuccessFactors: what is sent, and each element of the assertion', async (t) => {
  const { get, service, clock } = await setUpOAuth2(t, numbered(86_400), successFactors())
  assert.equal(tokenOf(await get()), 'Bearer token-number-1')
  const [asked] = service.asked
  const { assertion, ...form } = formOf(asked!)
  assert.deepEqual(form, { grant_type: SAML2_BEARER, client_id: 'API_KEY', company_id: 'acme' })
  assert.match(assertion!, /^[\w-]+$/)
  assert.equal(asked!.headers['authorization'], undefined)
  const root = parseXml(xmlOf(asked!))
  assert.equal(root.namespaceURI, 'urn:oasis:names:tc:SAML:2.0:assertion')
  const id = root.getAttribute('ID')!
  assert.match(id, /^_[\w-]+$/)
  const at = (seconds: number) => new Date(clock.now() + seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  const [name, attributes, issuer, signature, ...rest] = outline(root)
  assert.equal(name, 'Assertion')
  assert.deepEqual(attributes, { ID: id, IssueInstant: at(0), Version: '2.0' })
  assert.deepEqual(issuer, ['Issuer', 'API_KEY'])
  assert.deepEqual((signature as unknown[])[0], 'Signature')
  assert.deepEqual(rest, [
    [
      'Subject',
      ['NameID', { Format: `${NAME_ID}unspecified` }, 'sfadmin'],
      [
        'SubjectConfirmation',
        { Method: 'urn:oasis:names:tc:SAML:2.0:cm:bearer' },
        ['SubjectConfirmationData', { NotOnOrAfter: at(300), Recipient: service.url }],
      ],
    ],
    [
      'Conditions',
      { NotBefore: at(-60), NotOnOrAfter: at(300) },
      ['AudienceRestriction', ['Audience', 'www.successfactors.com']],
    ],
    [
      'AuthnStatement',
      { AuthnInstant: at(0), SessionIndex: id },
      ['AuthnContext', ['AuthnContextClassRef', `${CLASSES}unspecified`]],
    ],
    [
      'AttributeStatement',
      ['Attribute', { Name: 'api_key' }, ['AttributeValue', { 'xsi:type': 'xs:string' }, 'API_KEY']],
    ],
  ])
})

test('the signature: RSA-SHA256 over the whole assertion, exclusive canonicalization, no certificate', async (t) => {
  const xml = await xmlSent(t, successFactors())
  const root = parseXml(xml)
  const algorithms = ['CanonicalizationMethod', 'SignatureMethod', 'Transform', 'DigestMethod'].map((name) =>
    elements(root, name).map((one) => one.getAttribute('Algorithm')),
  )
  assert.deepEqual(algorithms, [
    ['http://www.w3.org/2001/10/xml-exc-c14n#'],
    ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'],
    ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'],
    ['http://www.w3.org/2001/04/xmlenc#sha256'],
  ])
  assert.deepEqual(
    elements(root, 'Reference').map((one) => one.getAttribute('URI')),
    [`#${root.getAttribute('ID')}`],
  )
  assert.deepEqual(elements(root, 'KeyInfo'), [])
  assert.equal(isSigned(xml, rsa.publicKey), true)
  assert.equal(isSigned(xml, otherRsa.publicKey), false)
  assert.equal(isSigned(xml.replace('sfadmin', 'sfother'), rsa.publicKey), false)
})

const AWKWARD = `Müller & Söhne <b a="1">'€' ]]> 𝄞\n\tnext\r\nlast\r`

/** Assertions of every shape, and what is to be found in them. */
const shapes: readonly [title: string, options: Partial<OAuth2Options['assertion'] & object>][] = [
  ['as they are mostly', {}],
  ['with the certificate', { certificate: certificateOf(rsa) }],
  ['with SHA-512', { algorithm: 'RS512' }],
  ['nothing of how the subject was authenticated', { authnContext: 'none' }],
  ['no attributes', { attributes: {} }],
  [
    'awkward characters everywhere',
    {
      issuer: AWKWARD,
      subject: AWKWARD,
      nameQualifier: AWKWARD,
      recipient: `https://a.example.com/?a=1&b="<ü>"`,
      audience: [AWKWARD, 'second & last'],
      attributes: { [AWKWARD]: [AWKWARD, '', ' '], mail: ['jörg@example.com'] },
    },
  ],
  ['the words of the issuer inside of others', { issuer: 'a', subject: '<saml2:Issuer>a</saml2:Issuer>' }],
]
for (const [title, options] of shapes)
  test(`a signature that holds: ${title}`, async (t) => {
    const xml = await xmlSent(t, successFactors(options))
    assert.equal(isSigned(xml, rsa.publicKey), true)
    const verdict = isSignedByXmlsec(xml, rsa.publicKey)
    if (verdict === undefined) t.diagnostic('xmlsec1 is not installed: not looked at by it')
    else assert.equal(verdict, true)
    const [issuer, signature] = Array.from(parseXml(xml).childNodes)
    assert.deepEqual([issuer?.localName, signature?.localName], ['Issuer', 'Signature'])
  })

for (const [algorithm, pair] of Object.entries({ ES256: p256, ES384: p384, ES512: p521 }))
  test(`a signature that holds: ${algorithm}, which fits its EC key`, async (t) => {
    const xml = await xmlSent(
      t,
      successFactors({ key: new Secret(pemOf(pair)), certificate: certificateOf(pair) }),
    )
    assert.match(xml, new RegExp(`xmldsig-more#ecdsa-sha${algorithm.slice(2)}"`))
    assert.equal(isSigned(xml, pair.publicKey), true)
    assert.equal(isSigned(xml.replace('sfadmin', 'sfother'), pair.publicKey), false)
    const verdict = isSignedByXmlsec(xml, pair.publicKey)
    if (verdict === undefined) t.diagnostic('xmlsec1 is not installed: not looked at by it')
    else assert.equal(verdict, true)
  })

test('key and certificate may come from one PKCS#12 file', async (t) => {
  const pair = { certificate: certificateOf(rsa), key: pemOf(rsa) }
  const store = pkcs12Of(pair, 'phrase').toString('base64')
  const xml = await xmlSent(
    t,
    successFactors({ key: new Secret(store), passphrase: new Secret('phrase'), certificate: store }),
  )
  assert.equal(isSigned(xml, rsa.publicKey), true)
  const [certificate] = elements(parseXml(xml), 'X509Certificate')
  assert.equal(certificate!.textContent, new X509Certificate(pair.certificate).raw.toString('base64'))
})

test('xmlsec1 refuses another key and another text, where it is installed', async (t) => {
  const xml = await xmlSent(t, successFactors())
  for (const verdict of [
    isSignedByXmlsec(xml, otherRsa.publicKey),
    isSignedByXmlsec(xml.replace('sfadmin', 'sfother'), rsa.publicKey),
  ])
    assert.notEqual(verdict, true)
})

test('each text arrives as it is written', async (t) => {
  const root = parseXml(
    await xmlSent(
      t,
      successFactors({
        issuer: AWKWARD,
        subject: AWKWARD,
        nameIdFormat: 'emailAddress',
        nameQualifier: AWKWARD,
        recipient: AWKWARD,
        audience: ['tokenUrl', AWKWARD],
        authnContext: 'urn:acme:<&">',
        attributes: { [AWKWARD]: [AWKWARD, ''], two: ['2'] },
      }),
    ),
  )
  const texts = (name: string) => elements(root, name).map((one) => one.textContent)
  const values = (name: string, attribute: string) =>
    elements(root, name).map((one) => one.getAttribute(attribute))
  assert.deepEqual(texts('Issuer'), [AWKWARD])
  assert.deepEqual(texts('NameID'), [AWKWARD])
  assert.deepEqual(values('NameID', 'Format'), [`${NAME_ID}emailAddress`])
  assert.deepEqual(values('NameID', 'NameQualifier'), [AWKWARD])
  assert.deepEqual(values('SubjectConfirmationData', 'Recipient'), [AWKWARD])
  assert.match(texts('Audience')[0]!, /^http:\/\/127\.0\.0\.1:\d+\//)
  assert.equal(texts('Audience')[1], AWKWARD)
  assert.deepEqual(texts('AuthnContextClassRef'), ['urn:acme:<&">'])
  assert.deepEqual(values('Attribute', 'Name'), [AWKWARD, 'two'])
  assert.deepEqual(texts('AttributeValue'), [AWKWARD, '', '2'])
})

test('a certificate goes along as it is, the first of several', async (t) => {
  const certificate = certificateOf(rsa)
  const xml = await xmlSent(t, successFactors({ certificate: certificate + certificateOf(otherRsa) }))
  assert.deepEqual(
    elements(parseXml(xml), 'X509Certificate').map((one) => one.textContent),
    [new X509Certificate(certificate).raw.toString('base64')],
  )
})

test('each attempt has an assertion of its own, with a new id and time', async (t) => {
  const { get, service, clock, log } = await setUpOAuth2(
    t,
    (_asked, count) => (count < 3 ? { status: 503 } : numbered(60)(_asked, count)),
    successFactors({ lifetime: 600_000 }),
  )
  const waiting = get()
  for (const count of [1, 2]) {
    await log.seen('it is tried again', count)
    await clock.advance(2000)
  }
  await waiting
  const roots = service.asked.map((asked) => parseXml(xmlOf(asked)))
  assert.equal(new Set(roots.map((root) => root.getAttribute('ID'))).size, 3)
  const made = roots.map((root) => Date.parse(root.getAttribute('IssueInstant')!))
  assert.ok(made[2]! > made[0]!)
  assert.deepEqual(
    roots.map((root) => Date.parse(elements(root, 'Conditions')[0]!.getAttribute('NotOnOrAfter')!)),
    made.map((time) => time + 600_000),
  )
})

test('with a client and its secret beside it, and base64 where the service reads that only', async (t) => {
  const { get, service } = await setUpOAuth2(t, numbered(60), {
    grantType: SAML2_BEARER,
    clientAuthentication: 'body',
    scope: 'API_0001',
    assertion: { key, issuer: 'IDP', subject: 'a', encoding: 'base64', attributes: { a: ['?>?>?>?>'] } },
  })
  await get()
  const { assertion, client_secret: secret, ...form } = formOf(service.asked[0]!)
  assert.deepEqual(form, { grant_type: SAML2_BEARER, client_id: 'client', scope: 'API_0001' })
  assert.ok(secret)
  assert.equal(assertion, Buffer.from(assertion!, 'base64').toString('base64'))
  assert.equal(isSigned(Buffer.from(assertion, 'base64').toString(), rsa.publicKey), true)
})

test('an assertion that somebody else made: XML is encoded, its base64 is sent as it stands', async (t) => {
  const xml = '<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion">ü???</saml2:Assertion>'
  const encoded = Buffer.from(xml).toString('base64url')
  for (const token of [`\n${xml}\n`, encoded]) {
    const { get, service, redacted } = await setUpOAuth2(t, numbered(60), {
      ...noSecret,
      grantType: 'saml2-bearer',
      assertion: { token: new Secret(token) },
    })
    await get()
    assert.equal(formOf(service.asked[0]!)['assertion'], encoded)
    assert.ok(redacted.has(encoded))
  }
})

test('neither the assertion nor its signature is ever told', async (t) => {
  const { get, redactedFor, service } = await setUpOAuth2(t, numbered(60), successFactors())
  await get()
  const [asked] = service.asked
  assert.equal(redactedFor.get(formOf(asked!)['assertion']!), 300_000)
  const signature = elements(parseXml(xmlOf(asked!)), 'SignatureValue')[0]!.textContent
  assert.equal(redactedFor.get(signature), 300_000)
})

test('a refused assertion: what to look at', async (t) => {
  for (const [status, body] of [
    [400, { error: 'invalid_grant' }],
    [401, { errorHttpCode: '401', errorMessage: 'Unable to authenticate the client (Login failed)' }],
  ] as const) {
    const { get, service } = await setUpOAuth2(t, () => ({ status, body }), successFactors())
    assert.match((await failureOf(get())).hint!, /certificate is registered.*company_id.*api_key.*clocks/)
    assert.equal(service.asked.length, 1)
  }
})

test('credential test --try: a service that reads base64 only', async (t) => {
  const { authorizer, service } = await setUpOAuth2(
    t,
    (asked) => {
      const { assertion } = formOf(asked)
      const isBase64 = assertion === Buffer.from(assertion!, 'base64').toString('base64')
      return isBase64
        ? { body: { access_token: 'good-token', expires_in: 60 } }
        : { status: 400, body: { error: 'invalid_grant' } }
    },
    // Its three characters make a + or / of base64 wherever they stand.
    successFactors({ attributes: { api_key: ['???>>>???>>>'] } }),
  )
  const steps = await authorizer.test!(new TestCaller(), { tryOthers: true })
  assert.deepEqual(
    steps.map(({ title, ok, change }) => [title, ok, change]),
    [
      ['token request', false, undefined],
      ['token request with encoding: base64', true, 'encoding: base64 # under "assertion"'],
    ],
  )
  assert.equal(service.asked.length, 2)
})

test('a client that proves with SAML who it is (RFC 7522, 2.2)', async (t) => {
  const { get, service } = await setUpOAuth2(t, numbered(60), {
    ...noSecret,
    clientAssertion: { key, format: 'saml2' },
  })
  await get()
  const { client_assertion: assertion, ...form } = formOf(service.asked[0]!)
  assert.deepEqual(form, {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
    client_id: 'client',
  })
  const xml = Buffer.from(assertion!, 'base64url').toString()
  assert.equal(isSigned(xml, rsa.publicKey), true)
  assert.deepEqual(
    ['Issuer', 'NameID', 'Audience'].map((name) => elements(parseXml(xml), name)[0]!.textContent),
    ['client', 'client', service.url],
  )
})

test('what credential show and explain say of it', () => {
  const given = {
    tokenServiceUrl: 'https://api4.example.com/oauth/token',
    ...successFactors({ certificate: certificateOf(rsa), recipient: 'https://other.example.com/' }),
  }
  const { assertion, grantType, clientAuthentication } = oauth2.describe!(given as never)
  assert.deepEqual([grantType, clientAuthentication], ['saml2-bearer', 'none'])
  assert.equal(
    assertion,
    'SAML, RS256, with a certificate, issuer API_KEY, subject sfadmin, audience www.successfactors.com, recipient https://other.example.com/, attributes api_key',
  )
  assert.equal(
    oauth2.explain!(given as never),
    'an access token of https://api4.example.com/oauth/token (saml2-bearer, client not authenticated, for sfadmin), in the header authorization',
  )
})
