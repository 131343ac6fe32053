import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { partsOf, fitsSignature, readSignature, type Signing } from '../../src/access/signatures/signature.ts'
import { readSigningKey } from '../../src/access/signatures/signing-key-file.ts'
import { Secret } from '../../src/core/secret.ts'
import { NO_SOURCES } from './fixture.ts'
import { projectFolder, startProject } from '../support/project.ts'

const SECRET = 'It is a secret to everybody'
const NOW = Date.UTC(2026, 10, 21, 12)
const time = String(NOW / 1000)

function hmac(text: string | Buffer, secret = SECRET, algorithm = 'sha256'): Buffer {
  return createHmac(algorithm, secret).update(text).digest()
}

/** Reads a key of this text; its reference has the secret. */
function keyOf(text: string, environment: Record<string, string> = { HOOK: SECRET }) {
  const hidden: string[] = []
  const read = readSigningKey(
    { file: 'security-material/hook.yaml', text: `type: signingKey\n${text}` },
    { ...NO_SOURCES, environment },
    {
      dev: false,
      hide: (secret) => void hidden.push(secret),
    },
  )
  return { ...read, hidden, codes: read.problems.map(({ code }) => code) }
}

function judge(key: ReturnType<typeof keyOf>, headers: Record<string, string>, body: string, now = NOW) {
  const { signing, secrets } = key.value!
  const signed = readSignature(headers, signing, now)
  if ('why' in signed) return signed.why
  return fitsSignature(signed, signing, secrets, headers, Buffer.from(body))
}

describe('signatures of senders', () => {
  it('GitHub: the example of its documentation', () => {
    const key = keyOf('scheme: github\nsecret: ${env:HOOK}\n', { HOOK: "It's a Secret to Everybody" })
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
    assert.equal(judge(key, { 'x-hub-signature-256': signature }, 'Hello, World!'), true)
    assert.equal(judge(key, { 'x-hub-signature-256': signature }, 'Hello, World'), false)
    assert.equal(judge(key, {}, ''), 'it has no signature (x-hub-signature-256)')
    for (const bad of ['', 'sha256=', 'sha256=zz', signature.slice(0, -2), signature.replace('256', '1')])
      assert.match(String(judge(key, { 'x-hub-signature-256': bad }, '')), /cannot be read/, bad)
  })

  it('Stripe: the time is signed, and neither old nor far ahead; one of several signatures is enough', () => {
    const key = keyOf('scheme: stripe\nsecret: ${env:HOOK}\n')
    const header = (at: string, body = '{}', secret = SECRET) => ({
      'stripe-signature': `t=${at},v1=${'0'.repeat(64)},v1=${hmac(`${at}.${body}`, secret).toString('hex')},v0=x`,
    })
    assert.equal(judge(key, header(time), '{}'), true)
    assert.equal(judge(key, header(time), '{} '), false)
    assert.equal(judge(key, header(time, '{}', 'other'), '{}'), false)
    assert.equal(judge(key, header(time), '{}', NOW + 300_000), true)
    assert.match(String(judge(key, header(time), '{}', NOW + 301_000)), /^it was signed .* ago$/)
    assert.match(String(judge(key, header(time), '{}', NOW - 301_000)), /ahead of now/)
    const moved = header(time)['stripe-signature'].replace(`t=${time}`, `t=${Number(time) + 600}`)
    assert.equal(
      judge(key, { 'stripe-signature': moved }, '{}', NOW + 600_000),
      false,
      'a time put in afterwards',
    )
    assert.match(
      String(judge(key, { 'stripe-signature': header(time)['stripe-signature'].slice(13) }, '{}')),
      /time of its signature is missing/,
    )
    const short = keyOf('scheme: stripe\nsecret: ${env:HOOK}\ntolerance: 1m\n')
    assert.match(String(judge(short, header(time), '{}', NOW + 61_000)), /ago/)
  })

  it('Slack: the time in a header of its own', () => {
    const key = keyOf('scheme: slack\nsecret: ${env:HOOK}\n')
    const headers = {
      'x-slack-request-timestamp': time,
      'x-slack-signature': `v0=${hmac(`v0:${time}:a=1`).toString('hex')}`,
    }
    assert.equal(judge(key, headers, 'a=1'), true)
    assert.match(String(judge(key, { ...headers, 'x-slack-request-timestamp': '' }, 'a=1')), /time/)
  })

  it('other senders: base64, sha512, headers that are signed, two secrets', () => {
    const key = keyOf(
      'secret: ["${env:NEW}", "${env:HOOK}"]\nheader: X-Sig\nalgorithm: sha512\nencoding: base64\ntimestamp: X-Time\nsigns: "{X-Id}.{timestamp}.{body}"\n',
      { HOOK: SECRET, NEW: 'the-new-one' },
    )
    for (const secret of [SECRET, 'the-new-one', 'another']) {
      const signature = hmac(`7.${time}.x`, secret, 'sha512').toString('base64')
      const headers = { 'x-sig': signature, 'x-time': time, 'x-id': '7' }
      assert.equal(judge(key, headers, 'x'), secret !== 'another')
      assert.equal(judge(key, { ...headers, 'x-id': '8' }, 'x'), false)
    }
    const plain = keyOf('secret: ${env:HOOK}\nheader: X-Sig\n')
    assert.equal(judge(plain, { 'x-sig': hmac('').toString('hex') }, ''), true)
  })

  it('parts of what is signed are texts and names', () => {
    assert.deepEqual(partsOf('v0:{timestamp}:{body}'), ['v0:', '{timestamp}', ':', '{body}'])
    const signing = { signs: partsOf('{}{body}'), algorithm: 'sha256' } as unknown as Signing
    const signed = { signatures: [hmac('{}x')], timestamp: '' }
    assert.equal(fitsSignature(signed, signing, [new Secret(SECRET)], {}, Buffer.from('x')), true)
  })

  it('a file with a secret in clear, or one that does not say how it is signed, is not taken', () => {
    assert.deepEqual(keyOf('scheme: github\nsecret: in-clear\n').codes, ['credential/literal-secret'])
    assert.deepEqual(keyOf('secret: ${env:HOOK}\n').codes, ['signature/scheme'])
    assert.deepEqual(keyOf('scheme: github\nheader: X\nsecret: ${env:HOOK}\n').codes, ['signature/scheme'])
    assert.deepEqual(keyOf('header: X\nsigns: x\nsecret: ${env:HOOK}\n').codes, ['signature/scheme'])
    const unset = keyOf('scheme: github\nsecret: ${env:NOT_THERE}\n')
    assert.deepEqual([unset.codes, unset.value!.secrets], [['credential/unset'], []])
    const good = keyOf('scheme: github\nsecret: ${env:HOOK}\n')
    assert.ok(good.hidden.includes(SECRET))
    assert.doesNotMatch(JSON.stringify(good.value), /everybody/)
  })
})

/** An engine with a flow that answers with its caller and its body. */
async function engine(
  t: TestContext,
  endpoint: string,
  key = 'scheme: github\nsecret: ${env:HOOK}\n',
  environment: Record<string, string> = { HOOK: SECRET },
) {
  const { app, log, logged } = await startProject(
    t,
    {
      'flows/hook.yaml': `steps:\n  - endpoint: ${endpoint}\n  - set: { body: { caller: "\${trigger.caller.id}", got: "\${body}" } }\n`,
      'security-material/hook.yaml': `type: signingKey\n${key}`,
    },
    { environment },
  )
  const lines = () => log.join('\n')
  const call = async (body: string | ReadableStream, headers: Record<string, string> = {}) => {
    const init = {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
      duplex: 'half',
    }
    const answer = await fetch(`${app.url}/http/hook`, init as RequestInit)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const sign = (body: string) => ({ 'x-hub-signature-256': `sha256=${hmac(body).toString('hex')}` })
  return { call, sign, lines, app, logged }
}

describe('an endpoint for signed requests', () => {
  it('begins a run only when the signature is right', async (t) => {
    const { call, sign, lines } = await engine(t, '{ path: /hook, access: { signature: hook } }')
    const body = '{"n":1}'
    assert.deepEqual(await call(body, sign(body)), {
      status: 200,
      body: { caller: 'signing_key_hook', got: { n: 1 } },
    })
    for (const headers of [{}, sign('{"n":2}'), { authorization: 'Bearer x' }]) {
      const refused = await call(body, headers)
      assert.deepEqual([refused.status, refused.body['code']], [401, 'access.signature'])
    }
    assert.match(lines(), /its signature is not that of signing key/)
    assert.doesNotMatch(lines(), new RegExp(SECRET))
    const stream = (text: string) => new Blob([text]).stream()
    assert.equal((await call(stream(body), sign(body))).status, 200, 'chunked')
    assert.equal((await call(stream(body), sign('x'))).status, 401)
  })

  it('reads no more than its limit before the signature is judged', async (t) => {
    const { call, sign } = await engine(
      t,
      '{ path: /hook, access: { signature: hook }, body: { limit: 1KB, contentTypes: application/json } }',
    )
    const large = JSON.stringify('x'.repeat(2000))
    assert.equal((await call(large, sign(large))).status, 413)
    assert.equal((await call(new Blob([large]).stream(), sign(large))).status, 413)
    assert.equal((await call('{}', { ...sign('{}'), 'content-type': 'text/plain' })).status, 415)
    assert.equal((await call('{}', sign('{}'))).status, 200)
  })

  it('takes another secret as soon as its file has it', async (t) => {
    const folder = projectFolder(t, { secret: SECRET })
    const { call, logged } = await engine(
      t,
      '{ path: /hook, access: { signature: hook } }',
      `scheme: github\nsecret: "\${file:${folder}/secret}"\n`,
    )
    const sign = (secret: string) => ({
      'x-hub-signature-256': `sha256=${hmac('{}', secret).toString('hex')}`,
    })
    assert.equal((await call('{}', sign(SECRET))).status, 200)
    writeFileSync(`${folder}/secret`, 'another-secret-of-the-hook')
    await logged(/signingKey .{1,3}hook.{1,3} was changed/)
    assert.equal((await call('{}', sign(SECRET))).status, 401)
    assert.equal((await call('{}', sign('another-secret-of-the-hook'))).status, 200)
  })

  it('takes nothing while the secret is not there', async (t) => {
    const { call, sign } = await engine(t, '{ path: /hook, access: { signature: hook } }', undefined, {})
    const { status, body } = await call('{}', sign('{}'))
    assert.deepEqual([status, body['code']], [503, 'access.unavailable'])
  })
})
