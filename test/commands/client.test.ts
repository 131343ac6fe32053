import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { SignJWT } from 'jose'
import { createAuthority } from '../support/certificates.ts'
import { sluice, type CommandSetting } from '../support/command-line.ts'
import { ed25519, p256, pemOf } from '../support/keys.ts'
import { projectFolder, startProject } from '../support/project.ts'

const SECRET = 'a-secret-that-was-chosen-1234'
const flow =
  'steps:\n  - endpoint: { path: /orders, access: { role: orders.write } }\n  - set: { body: "${trigger.caller}" }\n'

/** A project in which client commands are typed. */
function typing(t: TestContext, files: Record<string, string> = {}, folder = projectFolder(t, files)) {
  const client = (args: string, setting: CommandSetting = {}) =>
    sluice(t, ['client', ...args.split(' ')], {}, { folder, columns: 80, ...setting })
  const good = async (args: string, setting?: CommandSetting) => {
    const { code, stdout, stderr } = await client(args, setting)
    assert.deepEqual([code, stderr], [0, ''], args)
    return stdout
  }
  const bad = async (args: string, setting?: CommandSetting) => {
    const { code, stdout, stderr } = await client(args, setting)
    assert.equal(stdout, '')
    return `${code}: ${stderr.trim()}`
  }
  const path = (name: string) => join(folder, 'security-material', name)
  const text = (name = 'shop.yaml') => readFileSync(path(name), 'utf8')
  return { folder, client, good, bad, path, text }
}

/** What differs from one time to the next. */
const steady = (text: string) =>
  text.replace(/(secret|API key)( +)(sluice_)?[\w-]{43}/g, '$1$2<$1>').replace(/ +$/gm, '')

describe('sluice client', () => {
  it('create: names an address that can be called where the engine listens at all of them', async (t) => {
    const { good, folder } = typing(t, { 'sluice.yaml': 'listen: 0.0.0.0:8080\n' })
    assert.match(await good('create shop'), /token URL {2}http:\/\/127\.0\.0\.1:8080\/oauth2\/token/)
    writeFileSync(join(folder, 'sluice.yaml'), 'listen: "[::]:8080"\n')
    assert.match(await good('create other'), /token URL {2}http:\/\/\[::1\]:8080\/oauth2\/token/)
    const { url, folder: data } = await startProject(t, {}, { environment: { SLUICE_LISTEN: '0.0.0.0:0' } })
    assert.match(url, /0\.0\.0\.0/)
    const told = url.replace('0.0.0.0', '127.0.0.1')
    assert.ok((await typing(t, {}, data).good('create third')).includes(`${told}/oauth2/token`))
    const metadata = await fetch(`${told}/.well-known/oauth-authorization-server`)
    assert.equal(((await metadata.json()) as { issuer: string }).issuer, told)
  })

  it('create: tells what was made, the secret this once, and how to call', async (t) => {
    const { good, text } = typing(t)
    assert.equal(
      steady(await good('create shop --role orders.write --role orders.read --token-lifetime 10m')),
      `wrote security-material/shop.yaml

  client id  shop
  secret     <secret>
  roles      orders.write, orders.read
  token URL  http://127.0.0.1:8080/oauth2/token

The secret is shown this once; only its hash is kept.

Get a token, then call (curl asks for the secret):
  curl -s -u shop -d grant_type=client_credentials \\
    http://127.0.0.1:8080/oauth2/token
  curl -s -H "authorization: Bearer $TOKEN" -d '{}' \\
    'http://127.0.0.1:8080/http/<path>'
`,
    )
    assert.match(
      text(),
      /^type: client\nclientId: shop\nsecretHash: \$scrypt\$\S+\nroles: \[orders\.write, orders\.read\]\ntokenLifetime: 10m\n$/,
    )
  })

  it('create: an API key, a chosen secret, public keys; as JSON', async (t) => {
    const pem = p256.publicKey.export({ type: 'spki', format: 'pem' })
    const jwks = JSON.stringify({ keys: [ed25519.publicKey.export({ format: 'jwk' })] })
    const { good, text } = typing(t, { 'partner.pem': pem, 'partner.json': jwks })
    assert.match(
      steady(await good('create sensor --api-key')),
      /^ {2}API key {4}<API key>\n {2}roles {6}ESBMessaging\.send\n\nThe API key is shown this once;[^]*x-api-key: \$API_KEY/m,
    )
    const chosen = await good('create anna --secret-stdin --client-id anna@example.com', {
      input: `${SECRET}\n`,
    })
    assert.doesNotMatch(chosen + text('anna.yaml'), new RegExp(SECRET))
    assert.match(chosen, /curl -s -u anna@example\.com /)
    const partner = await good('create partner --public-key partner.pem --public-key partner.json')
    assert.match(partner, /^ {2}curl -s -d grant_type=client_credentials \\$/m)
    assert.doesNotMatch(partner, /shown this once/)
    assert.match(text('partner.yaml'), /^jwks:\n {2}keys:\n {4}- kty: EC\n[^]* {4}- crv: Ed25519|kty: OKP/m)
    const made = JSON.parse(await good('create shop --json --description Shop')) as Record<string, unknown>
    assert.match(String(made['secret']), /^[\w-]{43}$/)
    assert.deepEqual(
      { ...made, secret: '' },
      {
        name: 'shop',
        file: 'security-material/shop.yaml',
        clientId: 'shop',
        callerId: 'oauth_client_shop',
        description: 'Shop',
        roles: ['ESBMessaging.send'],
        tokenLifetime: '1h',
        enabled: true,
        secrets: 1,
        apiKeys: 0,
        publicKeys: 0,
        certificates: [],
        tokenUrl: 'http://127.0.0.1:8080/oauth2/token',
        secret: '',
      },
    )
    assert.match(String(JSON.parse(await good('create key --api-key --json')).apiKey), /^sluice_/)
  })

  it('create: refuses with a way out', async (t) => {
    const { bad, good, folder } = typing(t, { 'private.pem': pemOf(p256), 'sluice.yaml': '{}\n' })
    await good('create shop')
    const wrong: [args: string, says: RegExp, setting?: CommandSetting][] = [
      ['create', /^2: .*missing required argument 'client'/],
      ['create 1shop', /^2: .*"1shop" cannot be the name of a client: a letter, then/],
      ['create shop', /^1: .*"security-material\/shop\.yaml" is there already/],
      ['create a --role two=words', /^2: .*"two=words" is no role\. A role is a word/],
      ['create a --token-lifetime 10s', /^1: [^]*1m to 1d[^]*was not written/],
      ['create a --client-id shop', /^1: [^]*taken by security-material\/[^]*was not written/],
      ['create a --client-id -', /^1: [^]*cannot be the id of a client[^]*was not written/],
      ['create a --secret-stdin', /^2: .*a secret of 16 to 1000 characters/, { input: 'short\n' }],
      ['create a --secret-stdin', /^2: .*on one line/, { input: `${SECRET}\n${SECRET}\n` }],
      ['create a --api-key --secret-stdin', /^2: .*exclude each other/],
      ['create a --api-key --token-lifetime 5m', /^2: .*gets no tokens/],
      ['create a --public-key nothing.pem', /^1: .*"nothing\.pem" cannot be read \(ENOENT\)/],
      ['create a --public-key private.pem', /^1: .*holds a private key\. .*openssl pkey/],
      ['create a --public-key sluice.yaml', /^1: .*cannot be used|no public key|no key/],
      ['create a --security-material sluice.yaml/x', /^1: .*cannot be written/],
    ]
    for (const [args, says, setting] of wrong) assert.match(await bad(args, setting), says, args)
    assert.equal(existsSync(join(folder, 'security-material/a.yaml')), false)
  })

  it('list and show: what there is, as wide as the terminal, and never a hash', async (t) => {
    const { good, client, path, text } = typing(t)
    assert.match(await good('list'), /^there are no clients yet: `sluice client create` makes one\n$/)
    const roles = Array.from({ length: 12 }, (_, i) => `--role orders.of.country.${i}`).join(' ')
    await good(`create shop ${roles} --description Web`)
    await good('create partner --client-id partner@example.com --token-lifetime untilNext')
    await good('disable partner')
    const list = await good('list')
    assert.match(list, /^CLIENT +CLIENT ID +STATE +TOKENS +ROLES\n/)
    assert.match(list, /^partner +partner@example\.com +disabled +until the next one +ESBMessaging\.send\n/m)
    assert.match(list, /^shop +shop +enabled +1h +(orders\.of\.country\.\d, )*\+?\d+( roles)?\n/m)
    for (const line of list.split('\n')) assert.ok(line.length <= 80, line)
    assert.match(await good('list', { columns: 400 }), /orders\.of\.country\.0, .*orders\.of\.country\.11\n/)
    const show = await good('show partner')
    assert.match(show, /^partner\n {2}file +security-material\/partner\.yaml\n {2}state +disabled\n/)
    assert.match(show, /^ {2}caller +oauth_client_partner@example\.com$/m)
    assert.match(show, /^ {2}secrets +1\n {2}API keys +none\n {2}public keys +none\n/m)
    const json = (await good('list --json')) + (await good('show shop --json')) + show + list
    assert.doesNotMatch(json, /\$scrypt/)
    assert.equal((JSON.parse(await good('list --json')) as object[]).length, 2)

    writeFileSync(path('broken.yaml'), 'type: client\nsecretHash: in-clear-in-clear\n')
    const { code, stdout, stderr } = await client('list')
    assert.equal(code, 1)
    assert.match(stdout, /^shop /m)
    assert.match(stderr, /broken\.yaml:2:13: "secretHash" holds no hash[^]*\*{17}/)
    assert.match((await client('show broken')).stderr, /holds no hash[^]*there is no client "broken"/)
    assert.doesNotMatch(text(), /in-clear/)
  })

  it('says which client was meant', async (t) => {
    const { good, bad } = typing(t)
    await good('create web-shop')
    for (const args of [
      'show web-shp',
      'grant web-shp a',
      'revoke web-shp a',
      'rotate web-shp',
      'api-key web-shp',
      'public-key web-shp --finish',
      'disable web-shp',
      'enable web-shp',
      'remove web-shp',
    ])
      assert.match(await bad(args), /^1: .*there is no client "web-shp".*did you mean "web-shop"\?/i, args)
    assert.match(await bad('show other'), /there is no client "other"; `sluice client list` lists them/)
  })

  it('grant and revoke: change the roles and leave the rest of the file', async (t) => {
    const { good, bad, text, path } = typing(t)
    await good('create shop')
    const hash = /secretHash: (\S+)/.exec(text())![1]!
    writeFileSync(
      path('shop.yaml'),
      `# The web shop.\ntype: client\n\nsecretHash: ${hash} # since 2026\nroles:\n  # may write\n  - orders.write # for the shop\n  - orders.read\nenabled: true # always\n`,
    )
    assert.equal(await good('grant shop stock.read'), '"shop" has the role "stock.read" now\n')
    assert.equal(await good('grant shop stock.read'), '"shop" has the role "stock.read" already\n')
    assert.equal(await good('revoke shop orders.read'), '"shop" has roles orders.write, stock.read now\n')
    assert.equal(
      text(),
      `# The web shop.\ntype: client\n\nsecretHash: ${hash} # since 2026\nroles:\n  # may write\n  - orders.write # for the shop\n  - stock.read\nenabled: true # always\n`,
    )
    assert.match(
      await bad('revoke shop orders.read'),
      /^1: .*"shop" does not have the role "orders\.read"; it has roles orders\.write, stock\.read$/,
    )
    assert.match(await bad('grant shop two=words'), /^2: .*is no role/)
    await good('revoke shop orders.write')
    assert.equal(await good('revoke shop stock.read'), '"shop" has no role now\n')
    assert.match(JSON.stringify(JSON.parse(await good('grant shop a --json'))), /"roles":\["a"\]/)
    await good('disable shop')
    assert.match(text(), /^enabled: false # always$/m)
    await good('enable shop')
    assert.doesNotMatch(text(), /enabled/)
  })

  it('rotate: a second secret, then the first one ends; two at once at most', async (t) => {
    const { good, bad, text } = typing(t)
    await good('create shop')
    assert.equal(
      steady(await good('rotate shop')),
      'secret  <secret>\n\nIt is shown this once. The one before goes on until: sluice client rotate shop --finish\n',
    )
    assert.match(await good('show shop'), /^ {2}secrets +2 \(rotate --finish takes the old one away\)$/m)
    const [first, second] = text().match(/\$scrypt\S+/g)!
    assert.match(
      await bad('rotate shop'),
      /^1: .*"shop" has two secrets; `sluice client rotate shop --finish` takes the older one away$/,
    )
    assert.equal(await good('rotate shop --finish'), '"shop" has its newest secret only.\n')
    assert.deepEqual([text().includes(first), text().includes(second!)], [false, true])
    assert.equal(await good('rotate shop --finish'), '"shop" has one secret only\n')
    assert.match(await good('rotate shop --now'), /The secret before and all tokens of "shop" have ended\.$/m)
    assert.doesNotMatch(
      await good('rotate shop --secret-stdin', { input: SECRET }),
      new RegExp(`${SECRET}|shown this once`),
    )
    assert.match(await bad('rotate shop --finish --now'), /^2: .*exclude each other/)
    await good('rotate shop --finish')
    assert.match(String(JSON.parse(await good('rotate shop --now --json')).secret), /^[\w-]{43}$/)
  })

  it('public-key: further keys, the newest only, all others', async (t) => {
    const spki = { type: 'spki', format: 'pem' } as const
    const five = JSON.stringify({ keys: Array(5).fill(p256.publicKey.export({ format: 'jwk' })) })
    const { good, bad, text } = typing(t, {
      'one.pem': p256.publicKey.export(spki),
      'two.pem': ed25519.publicKey.export(spki),
      'five.json': five,
    })
    await good('create shop')
    assert.equal(await good('public-key shop one.pem'), '"shop" has one public key now.\n')
    assert.equal(
      await good('public-key shop two.pem'),
      '"shop" has 2 public keys now. The one before goes on until: sluice client public-key shop --finish\n',
    )
    assert.match(
      await good('show shop'),
      /^ {2}public keys +2 \(public-key --finish takes the old one away\)$/m,
    )
    assert.match(
      await bad('public-key shop five.json'),
      /^1: .*these are 7 public keys; a client has 5 at most/,
    )
    assert.equal(await good('public-key shop --finish'), '"shop" has its newest public key only.\n')
    assert.match(text(), /crv: Ed25519/)
    assert.doesNotMatch(text(), /P-256/)
    assert.equal(await good('public-key shop --finish'), '"shop" has one public key only\n')
    assert.match(
      await good('public-key shop one.pem --now'),
      /has one public key now\. The one before has ended\./,
    )
    assert.match(await bad('public-key shop'), /^2: .*the file of the public key is missing/)
    assert.match(
      await bad('public-key shop one.pem --finish'),
      /^2: .*--finish and a file exclude each other/,
    )
  })

  it('certificate: five at most, the newest only, all others', async (t) => {
    const authority = createAuthority('Acme Clients CA')
    const files = Array.from({ length: 7 }, (_, at) => [
      `${at}.crt`,
      authority.issue({ subject: `/CN=shop${at}` }).certificate,
    ])
    const { good, bad, text, client, path } = typing(t, Object.fromEntries(files) as Record<string, string>)
    await good('create shop --certificate 0.crt')
    for (let at = 1; at < 5; at++) await good(`certificate shop ${at}.crt`)
    assert.match(
      await bad('certificate shop 5.crt'),
      /^1: .*has 5 certificates, and 5 are possible; `sluice client certificate shop --finish`/,
    )
    assert.match(await good('certificate shop 5.crt --now'), /Those before have ended/)
    assert.equal(text().match(/fingerprint/g)!.length, 1)
    const one = text().slice(text().indexOf('  - '), text().indexOf('roles:'))
    writeFileSync(path('shop.yaml'), text().replace(one, one.repeat(6)))
    assert.match((await client('list')).stderr, /the client has 6 certificates; 5 are possible at once/)
  })

  it('tells of no tokens where a client gets none', async (t) => {
    const { good } = typing(t)
    await good('create sensor --api-key')
    assert.match(await good('list'), /^sensor +sensor +enabled +- +ESB/m)
    const show = await good('show sensor')
    assert.match(show, /^ {2}tokens +none$/m)
    assert.doesNotMatch(show, /token URL/)
    assert.doesNotMatch(await good('show sensor --json'), /tokenLifetime/)
    await good('rotate sensor')
    assert.match(await good('list'), /^sensor +sensor +enabled +1h +ESB/m)
  })

  it('does not write what is not to be written', async (t) => {
    const { good, bad, path, text } = typing(t)
    await good('create shop')
    const before = text()
    chmodSync(path('shop.yaml'), 0o444)
    assert.match(
      await bad('grant shop a'),
      /^1: .*shop\.yaml: it is read-only and was not written\. Make it writable: chmod u\+w\.$/,
    )
    symlinkSync(path('shop.yaml'), path('linked.yaml'))
    chmodSync(path('shop.yaml'), 0o644)
    assert.match(await bad('disable linked'), /^1: .*it is a symbolic link and was not written/)
    assert.equal(text(), before)
    writeFileSync(path('shop.yaml'), `${before}tokenLifetime: &roles [a]\n`)
    assert.match(await bad('grant shop a'), /there is no client "shop"|by hand/)
  })
})

describe('sluice client beside a running engine', () => {
  it('counts with the very next request', async (t) => {
    const pem = p256.publicKey.export({ type: 'spki', format: 'pem' })
    const { url, folder, log } = await startProject(t, { 'flows/orders.yaml': flow, 'shop.pem': pem })
    const { good, text } = typing(t, {}, folder)
    const token = async (secret: string, id = 'shop') => {
      const answer = await fetch(`${url}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
      return answer.status === 200
        ? String(((await answer.json()) as Record<string, unknown>)['access_token'])
        : String(answer.status)
    }
    const call = async (token: string) =>
      (
        await fetch(`${url}/http/orders`, {
          method: 'POST',
          body: '{}',
          headers: token.startsWith('sluice_')
            ? { 'x-api-key': token }
            : { authorization: `Bearer ${token}` },
        })
      ).status
    const made = await good('create shop --role orders.write')
    assert.match(made, new RegExp(`token URL  ${url}/oauth2/token\n`))
    const first = /secret +(\S+)/.exec(made)![1]!
    const given = await token(first)
    assert.equal(await call(given), 200)
    await good('revoke shop orders.write')
    assert.equal(await call(given), 403)
    await good('grant shop orders.write')
    assert.equal(await call(given), 200)
    const second = /secret +(\S+)/.exec(await good('rotate shop'))![1]!
    assert.deepEqual([await call(await token(first)), await call(await token(second))], [200, 200])
    await good('rotate shop --finish')
    assert.deepEqual(
      [await token(first), await call(given), await call(await token(second))],
      ['401', 200, 200],
    )
    await good('disable shop')
    assert.deepEqual([await call(given), await token(second)], [401, '401'])
    await good('enable shop')
    assert.deepEqual([await call(given), await call(await token(second))], [401, 200])
    await good('rotate shop --now')
    assert.deepEqual([await call(given), await token(second)], [401, '401'])
    const key = /API key +(\S+)/.exec(await good('api-key shop'))![1]!
    assert.equal(await call(key), 200)
    await good('api-key shop --now')
    assert.equal(await call(key), 401)

    await good('public-key shop shop.pem')
    const assertion = await new SignJWT({ jti: 'one' })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('shop')
      .setSubject('shop')
      .setAudience(`${url}/oauth2/token`)
      .setExpirationTime('1m')
      .sign(p256.privateKey)
    const answer = await fetch(`${url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    })
    const signed = String(((await answer.json()) as Record<string, unknown>)['access_token'])
    assert.equal(await call(signed), 200)
    await good('remove shop')
    assert.equal(await call(signed), 401)
    assert.equal(existsSync(join(folder, 'security-material/shop.yaml')), false)
    for (const secret of [first, second, given, key, assertion, signed])
      assert.equal(log.join('').includes(secret), false)
    await good('create shop --role orders.write')
    assert.equal(await call(signed), 401, 'tokens of one before with the same id')
    assert.match(text(), /^type: client$/m)
  })
})
