import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { credentialTrouble } from '../../src/core/control.ts'
import { createAuthority, lockedKey, pkcs12Of } from '../support/certificates.ts'
import { ManualClock } from '../support/clock.ts'
import { TestLog, testWorld } from '../support/credentials.ts'
import { projectWith } from '../support/files.ts'
import { setUpMaterial } from '../support/material.ts'

const PASSPHRASE = 'passphrase-0123456789'
const DAY = 24 * 60 * 60_000
const authority = createAuthority()
const acme = authority.issue({ subject: '/O=Acme/CN=acme', days: 100 })
const globex = authority.issue({ subject: '/CN=globex' })
const server = authority.issue({ subject: '/CN=server', usage: 'serverAuth' })
const p12 = pkcs12Of(acme, PASSPHRASE)
const FILES = {
  'acme.crt': acme.certificate,
  'acme.key': acme.key,
  'both.pem': acme.certificate + acme.key,
  'locked.key': lockedKey(acme, PASSPHRASE),
  'globex.crt': globex.certificate,
  'chain.crt': authority.certificate + acme.certificate,
  'server.crt': server.certificate,
  'server.key': server.key,
  'acme.p12': p12,
  'cut.p12': p12.subarray(0, 400),
  'old.jks': Buffer.from('feedfeed00000002000000010000', 'hex'),
  'text.p12': 'hello',
}

function setUp(t: TestContext, { days = 0 } = {}) {
  const project = projectWith(t, FILES)
  const clock = new ManualClock(Date.now() + days * DAY)
  const log = new TestLog()
  const world = testWorld(t, clock)
  const environment = { PASSPHRASE, WRONG: 'another-passphrase', BASE64: p12.toString('base64') }
  const setup = setUpMaterial(t, { world, log, projectFolder: project, environment })
  const credential = (tls: string, type = 'certificate') =>
    setup.file(`type: ${type}\nbaseUrl: https://api.example.com/\ntls:\n${tls.replaceAll(/^/gm, '  ')}\n`)
  return { ...setup, clock, log, project, credential }
}

const PEM = 'certificate: "${file:acme.crt}"\nkey: "${file:acme.key}"'

/** What stands under `tls`, and what is wrong with it: line of the file and message. */
const cases: readonly [title: string, tls: string, ...problems: string[]][] = [
  ['certificate and key', PEM],
  ['one file for both', 'certificate: "${file:both.pem}"\nkey: "${file:both.pem}"'],
  ['PKCS#12', 'pkcs12: "${file:acme.p12}"\npassphrase: "${env:PASSPHRASE}"'],
  ['PKCS#12 in base64', 'pkcs12: "${env:BASE64}"\npassphrase: "${env:PASSPHRASE}"'],
  ['no key', 'certificate: "${file:acme.crt}"', '4 error "tls.certificate" is there, but not "tls.key"'],
  ['no certificate', 'key: "${file:acme.key}"', '4 error "tls.key" is there, but not "tls.certificate"'],
  [
    'PEM beside PKCS#12',
    `${PEM}\npkcs12: "\${file:acme.p12}"`,
    '6 error "tls.pkcs12" is there beside a certificate or key in PEM',
  ],
  [
    'another key',
    'certificate: "${file:globex.crt}"\nkey: "${file:acme.key}"',
    '4 error "tls.certificate" is of another key than "tls.key": it is the one of CN=globex',
  ],
  [
    'a chain the wrong way round',
    'certificate: "${file:chain.crt}"\nkey: "${file:acme.key}"',
    '4 error "tls.certificate" does not begin with the certificate of "tls.key"',
  ],
  [
    'a key where the certificate should be',
    'certificate: "${file:acme.key}"\nkey: "${file:acme.key}"',
    '4 error "tls.certificate" holds no certificate; wanted is PEM: -----BEGIN CERTIFICATE-----',
  ],
  [
    'a certificate where the key should be',
    'certificate: "${file:acme.crt}"\nkey: "${file:acme.crt}"',
    '5 error "tls.key" holds a certificate, and no private key',
  ],
  [
    'a locked key without passphrase',
    'certificate: "${file:acme.crt}"\nkey: "${file:locked.key}"',
    '5 error "tls.key" is encrypted',
  ],
  [
    'a locked key, wrong passphrase',
    'certificate: "${file:acme.crt}"\nkey: "${file:locked.key}"\npassphrase: "${env:WRONG}"',
    '6 error "tls.passphrase" does not open the key',
  ],
  [
    'PKCS#12, wrong passphrase',
    'pkcs12: "${file:acme.p12}"\npassphrase: "${env:WRONG}"',
    '5 error "tls.passphrase" does not open "tls.pkcs12"',
  ],
  [
    'PKCS#12 without passphrase',
    'pkcs12: "${file:acme.p12}"',
    '4 error "tls.pkcs12" does not open without a passphrase',
  ],
  [
    'PKCS#12 that was cut',
    'pkcs12: "${file:cut.p12}"\npassphrase: "${env:PASSPHRASE}"',
    '4 error "tls.pkcs12" cannot be read as PKCS#12',
  ],
  [
    'a Java key store',
    'pkcs12: "${file:old.jks}"',
    '4 error "tls.pkcs12" is a key store of Java (JKS), not PKCS#12',
  ],
  ['no PKCS#12 at all', 'pkcs12: "${file:text.p12}"', '4 error "tls.pkcs12" is no PKCS#12'],
  [
    'a passphrase for nothing',
    'passphrase: "${env:PASSPHRASE}"',
    '1 error "tls" has no client certificate, which this type is about',
    '4 error "tls.passphrase" has no use: there is no key',
  ],
  [
    'a certificate of a server',
    'certificate: "${file:server.crt}"\nkey: "${file:server.key}"',
    '4 warning "tls.certificate" is not for clients: its extended key usage does not say so',
  ],
  [
    'useForApi: false',
    `${PEM}\nuseForApi: false`,
    '6 error "tls.useForApi" is false, but there is no token service that the certificate could be for',
  ],
  [
    'a server name with a port',
    `${PEM}\nserverName: a.example.com:443`,
    '6 error "tls.serverName" is "a.example.com:443", which is no name of a host',
  ],
]

for (const [title, tls, ...problems] of cases)
  test(`client certificate: ${title}`, (t) => {
    const { material, credential } = setUp(t)
    const found = material
      .load([credential(tls)])
      .map(({ line, severity, message }) => `${line} ${severity} ${message}`)
    assert.deepEqual(
      found.map((text) => text.replace(/^3 error "tls" has/, '1 error "tls" has')),
      problems,
    )
    assert.doesNotMatch(JSON.stringify(found), /another-passphrase|passphrase-0123/)
  })

test('a key written in clear is a literal secret', (t) => {
  const { material, credential } = setUp(t)
  const found = material.load([
    credential('certificate: "${file:acme.crt}"\nkey: "in the clear"\npassphrase: hello'),
  ])
  const literals = found.filter(({ code }) => code === 'credential/literal-secret')
  assert.deepEqual(
    literals.map(({ message }) => message),
    ['"tls.key" is written in clear', '"tls.passphrase" is written in clear'],
  )
})

test('an oauth2 credential without the certificate that it speaks of, and one without a client id', (t) => {
  const { material, file } = setUp(t)
  const text =
    'type: oauth2\ntokenServiceUrl: https://idp.example.com/token\nbaseUrl: https://api.example.com/\nclientAuthentication: certificate\n'
  const found = (more: string) => material.load([file(text + more)]).map(({ message }) => message)
  assert.deepEqual(found('clientId: acme\n'), [
    '"tls.certificate" is missing; clientAuthentication certificate needs it',
  ])
  assert.deepEqual(found('tls: { certificate: "${file:acme.crt}", key: "${file:acme.key}" }\n'), [
    '"clientId" is missing; clientAuthentication certificate needs it',
  ])
})

test('a certificate that has expired is a problem; one that ends within 30 days a warning', (t) => {
  const late = setUp(t, { days: 101 })
  const [expired] = late.material.load([late.credential(PEM)])
  assert.match(expired!.message, /^"tls\.certificate" has expired: it was good until \d{4}-\d\d-\d\d$/)
  assert.equal(expired!.severity, 'error')
  const soon = setUp(t, { days: 75 })
  const [warning] = soon.material.load([soon.credential(PEM)])
  assert.match(warning!.message, /^"tls\.certificate" is good until \d{4}-\d\d-\d\d only$/)
  assert.equal(warning!.severity, 'warning')
  const early = setUp(t, { days: -1 })
  assert.match(early.material.load([early.credential(PEM)])[0]!.message, /is not valid yet/)
})

test('the log reminds of a certificate once a day, and health tells', async (t) => {
  const { material, credential, clock, log, project } = setUp(t, { days: 69 })
  material.load([credential(PEM)])
  material.remind()
  const said = () => log.lines.map(({ text }) => text)
  assert.deepEqual(said(), [])
  assert.equal(credentialTrouble(material.reports(() => [])[0]!), undefined)
  await clock.advance(2 * DAY)
  assert.match(
    said().join('\n'),
    /^the client certificate of credential "x" \(CN=acme, O=Acme\) expires in 2\d days?, on \d{4}-\d\d-\d\d/,
  )
  const before = said().length
  material.load([credential(PEM)])
  assert.equal(said().length, before)
  await clock.advance(DAY)
  assert.equal(said().length, before + 1)
  assert.match(
    credentialTrouble(material.reports(() => [])[0]!)!,
    /^its client certificate: it expires in 2\d/,
  )
  writeFileSync(join(project, 'acme.crt'), globex.certificate)
  writeFileSync(join(project, 'acme.key'), globex.key)
  material.load([credential(PEM)])
  await clock.advance(DAY)
  assert.equal(said().length, before + 1)
  assert.equal(credentialTrouble(material.reports(() => [])[0]!), undefined)
})
