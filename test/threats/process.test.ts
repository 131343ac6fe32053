import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { exposures } from '../../src/exposure.ts'
import { certificate, dispatchers, failureOf, fetchFrom, receiver } from '../net/fixture.ts'
import { sluice } from '../support/command-line.ts'
import { problemsOf } from '../support/project.ts'
import { oauth, tokenService, withCredential } from './fixture.ts'

const root = join(import.meta.dirname, '../..')
const flow = 'steps:\n  - timer: { every: 1h }\n  - log: it ran\n'

test('row 23: what opens the memory of the process is warned of, and the debugger cannot be opened from outside', () => {
  for (const flag of ['--heapsnapshot-signal=SIGUSR2', '--report-on-signal', '--abort-on-uncaught-exception'])
    assert.equal(exposures({ flags: [flag], environment: {}, debuggerUrl: undefined }).length, 1, flag)
  assert.equal(
    exposures({ flags: [], environment: {}, debuggerUrl: 'ws://0.0.0.0:9229/id' }).length,
    1,
    'an open debugger',
  )
  for (const file of ['bin/sluice.js', 'packaging/sluice.service', 'Dockerfile'])
    assert.match(readFileSync(join(root, file), 'utf8'), /--disable-sigusr1/, file)
  assert.match(readFileSync(join(root, 'packaging/sluice.service'), 'utf8'), /^LimitCORE=0$/m)
})

test('row 24: with NODE_TLS_REJECT_UNAUTHORIZED=0 nothing starts, and certificates are verified all the same', async (t) => {
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  for (const command of [['start'], ['dev'], ['run', 'a'], ['credential', 'test', 'x']]) {
    const signal = AbortSignal.abort()
    const { code, stderr } = await sluice(t, command, { 'flows/a.yaml': flow }, { environment, signal })
    assert.equal(code, 1)
    assert.match(stderr, /not started: NODE_TLS_REJECT_UNAUTHORIZED=0/)
  }
  const untrusted = await receiver(t, (_, reply) => reply.end(), certificate(t, { name: 'IP:127.0.0.1' }))
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  t.after(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
  })
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  const other = certificate(t, { name: 'IP:127.0.0.1' })
  const shared = dispatchers(t)
  for (const dispatcher of [shared.dispatcherFor(), shared.dispatcherFor({ ca: other.cert })]) {
    const failure = await failureOf(
      fetchFrom(t, untrusted.origin, {}, { dispatchers: { ...shared, dispatcherFor: () => dispatcher } }),
    )
    assert.match(failure.message, /^the certificate of .+ is self-signed/)
  }
  assert.deepEqual(untrusted.requests, [])
})

test('row 24: no setting and no field of a credential turns verification off', (t) => {
  for (const line of ['tls: { rejectUnauthorized: false }', 'tls: { insecure: true }', 'trustAll: true'])
    assert.ok(
      withCredential(t, `type: bearer\ntoken: \${env:TOKEN}\nbaseUrl: https://a.example/\n${line}\n`).problems
        .length > 0,
      line,
    )
})

test('row 25: a secret that looks like a number goes out as it is written; what is no text is a problem', async (t) => {
  const service = await tokenService(t)
  const yaml = (secret: string) => oauth(service.origin).replace('${env:SECRET}', secret)
  for (const secret of ['0123', '1e3', '0x1f', 'true', "'0123'"]) {
    const { send, credential } = withCredential(t, yaml(secret), undefined, {}, { dev: true })
    await send({ url: 'x' }, credential)
    const asked = service.requests.findLast(({ line }) => line === 'POST /token')!
    const pair = Buffer.from(asked.headers.authorization!.slice(6), 'base64').toString()
    assert.equal(pair, `acme:${secret.replaceAll("'", '')}`)
  }
  for (const secret of ['null', '{ a: b }', '[[1]]', '~', '']) {
    const { problems } = withCredential(t, yaml(secret), undefined, {}, { dev: true })
    assert.equal(problems.filter(({ severity }) => severity === 'error').length, 1, secret)
  }
})

test('row 25: aliases without end, merge keys and __proto__ reach nothing', async (t) => {
  const names = 'abcdefghij'.split('')
  const bomb = names
    .map(
      (name, i) =>
        `${name}: &${name} [${
          i === 0
            ? 'x'
            : Array(10)
                .fill(`*${names[i - 1]}`)
                .join()
        }]`,
    )
    .join('\n')
  for (const text of [
    bomb,
    'base: &base { type: bearer }\n<<: *base\nbaseUrl: https://a.example/\n',
    '__proto__: { type: bearer }\n',
    'type: bearer\ntoken: ${env:TOKEN}\nbaseUrl: https://a.example/\n__proto__: { allowedHosts: ["*.example"] }\n',
  ]) {
    const problems = await problemsOf(
      t,
      { 'flows/a.yaml': flow, 'security-material/x.yaml': text },
      { environment: { TOKEN: 'token-of-row-25-0123' } },
    )
    assert.ok(
      problems.some(({ severity }) => severity === 'error'),
      text,
    )
  }
  assert.equal(({} as { type?: string }).type, undefined)
})
