import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { ed25519, p256, pemOf, rsa } from '../support/keys.ts'
import { setUpMaterial } from '../support/material.ts'
import { TestCaller, TestLog } from '../support/credentials.ts'
import { projectWith } from '../support/files.ts'

const SHARED = 'a-secret-that-both-sides-know-0123'
const MINUTE = 60_000

/** The security material with the credential `signed`. */
function setUp(t: TestContext, lines: string) {
  const log = new TestLog()
  const projectFolder = projectWith(t, {
    'keys/rsa.pem': pemOf(rsa),
    'keys/p256.pem': pemOf(p256),
    'keys/ed25519.pem': pemOf(ed25519),
  })
  const made = setUpMaterial(t, { log, projectFolder, environment: { SHARED } })
  const load = (text: string) =>
    made.material.load([made.file(`type: jwt\nallowedHosts: [api.example.com]\n${text}`, 'signed')])
  const problems = load(lines)
  const settings = () => made.material.reports(() => [])[0]!.settings
  const current = () => made.material.reference('signed').current()
  const get = async () => current().authorizer.authorize(new TestCaller())
  const token = async () => (await get()).headers[1]!.replace(/^Bearer /, '')
  return { ...made, log, load, problems, settings, current, get, token }
}

test('the JWT says what was written and nothing else, and is signed with the key', async (t) => {
  const { token, problems, clock } = setUp(t, 'key: ${file:keys/rsa.pem}\nissuer: acme\n')
  assert.deepEqual(problems, [])
  const text = await token()
  await jwtVerify(text, rsa.publicKey, { currentDate: new Date(clock.now()) })
  assert.deepEqual(decodeProtectedHeader(text), { alg: 'RS256', typ: 'JWT' })
  const now = clock.now() / 1000
  assert.deepEqual(decodeJwt(text), { iss: 'acme', iat: now, exp: now + 300 })
})

test('everything that can be said: EC and Ed25519 keys, ids, claims, a time in the past', async (t) => {
  const { token, clock } = setUp(
    t,
    'key: ${file:keys/p256.pem}\nkeyId: key-1\ntyp: at+jwt\nissuer: acme\nsubject: me\naudience: [one, two]\nlifetime: 10m\nbackdate: 60s\nclaims: { bid: com.example }\n',
  )
  const text = await token()
  const now = clock.now() / 1000
  assert.deepEqual(decodeProtectedHeader(text), { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' })
  assert.deepEqual(decodeJwt(text), {
    bid: 'com.example',
    iss: 'acme',
    sub: 'me',
    aud: ['one', 'two'],
    iat: now - 60,
    exp: now + 540,
  })
  const edwards = setUp(t, 'key: ${file:keys/ed25519.pem}\n')
  assert.equal(decodeProtectedHeader(await edwards.token()).alg, 'EdDSA')
})

test('a shared secret signs in place of a key', async (t) => {
  const { token, clock, settings } = setUp(t, 'secret: ${env:SHARED}\nalgorithm: HS384\n')
  const { protectedHeader } = await jwtVerify(await token(), Buffer.from(SHARED), {
    currentDate: new Date(clock.now()),
  })
  assert.equal(protectedHeader.alg, 'HS384')
  assert.doesNotMatch(JSON.stringify(settings()), new RegExp(SHARED))
})

test('a thousand requests have one JWT; the next one is signed before its end, and none is handed out at its end', async (t) => {
  const { get, clock, log } = setUp(t, 'key: ${file:keys/rsa.pem}\nlifetime: 10m\n')
  const grants = await Promise.all(Array.from({ length: 1000 }, get))
  assert.equal(new Set(grants).size, 1)
  assert.equal(log.count('token signed'), 1)
  await clock.advance(8 * MINUTE)
  assert.equal(await get(), grants[0])
  await clock.advance(MINUTE + 1)
  assert.notEqual(await get(), grants[0])
  assert.equal(log.count('token signed'), 2)
})

test('one that a receiver refuses is signed anew', async (t) => {
  const { get, clock, current } = setUp(t, 'key: ${file:keys/rsa.pem}\ninvalidateOn: [401, 403]\n')
  const grant = await get()
  assert.deepEqual(grant.refusedBy, [401, 403])
  await clock.advance(1000)
  assert.equal(grant.reject(), true)
  assert.notEqual((await get()).headers[1], grant.headers[1])
  assert.equal(current().authorizer.state().status, 'ready')
})

test('it goes where it is wanted', async (t) => {
  const header = setUp(t, 'key: ${file:keys/rsa.pem}\ntokenIn: { name: X-Auth, prefix: "JWT " }\n')
  const { headers } = await header.get()
  assert.equal(headers[0], 'X-Auth')
  assert.match(headers[1]!, /^JWT eyJ/)
})

test('nothing of key and JWT is seen: state, settings, log, and redacted where somebody echoes it', async (t) => {
  const { token, current, settings, log, redactor } = setUp(t, 'key: ${file:keys/rsa.pem}\nissuer: acme\n')
  const text = await token()
  const told = JSON.stringify([current().authorizer.state(), settings(), log.lines])
  assert.ok(!told.includes(text))
  assert.doesNotMatch(told, /PRIVATE KEY|eyJ/)
  assert.deepEqual(settings(), { key: '[secret]', jwt: 'RS256, issuer acme', lifetime: '5 min' })
  assert.doesNotMatch(redactor.text(`echo: ${text}`), /eyJ/)
})

test('a test tells how it is signed; a changed file signs for itself', async (t) => {
  const { current, load, token } = setUp(t, 'key: ${file:keys/rsa.pem}\nissuer: acme\n')
  const first = await token()
  const steps = await current().authorizer.test!(new TestCaller(), { tryOthers: false })
  assert.deepEqual(steps, [
    {
      title: 'token',
      ok: true,
      asked: { method: '', url: '', headers: [], query: [], fields: [] },
      got: { signed: 'RS256, issuer acme', lifetime: '5 min' },
    },
  ])
  assert.deepEqual(load('key: ${file:keys/rsa.pem}\nissuer: other\n'), [])
  assert.notEqual(await token(), first)
  assert.equal(decodeJwt(await token()).iss, 'other')
})
