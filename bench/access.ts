// What the door costs: a protected endpoint beside the same one opened, tokens handed out, and loading many clients.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AuthorizationServer } from '../src/access/authorization-server.ts'
import { newClientText } from '../src/access/client-text.ts'
import { makeSecretHash } from '../src/access/secret-hash.ts'
import { realWorld } from '../src/world.ts'
import { materialIn } from './credentials.ts'
import { load, type Work } from './load.ts'
import { startSluice } from './systems.ts'

const SECRET = 'the-secret-of-the-bench-client'
const ROLE = 'orders.write'
const STEPS =
  '  - log: order ${body.id}\n  - set: { properties: { a: "${body.id}" } }\n  - respond: { body: { ok: true } }\n'
const ORDER = JSON.stringify({ id: 'o-1', status: 'new', amount: 41, note: 'x'.repeat(1024 - 50) })

export interface DoorCost {
  /** Replies a second. */
  readonly open: number[]
  readonly guarded: number[]
  readonly ratios: number[]
  /** Tokens a second, by client secret. */
  readonly tokens: number[]
  readonly tokenP99: number[]
  readonly failed: number
}

/** The same flow opened and protected, with one token for all calls; then the token endpoint. */
export async function measureDoor(rounds: number, slice: number, connections: number): Promise<DoorCost> {
  const project = mkdtempSync(join(tmpdir(), 'sluice-bench-door-'))
  const flows = join(project, 'flows')
  const material = join(project, 'security-material')
  mkdirSync(flows)
  mkdirSync(material)
  for (const [name, access] of [
    ['open', 'public'],
    ['guarded', `{ role: ${ROLE} }`],
  ] as const)
    writeFileSync(
      join(flows, `${name}.yaml`),
      `steps:\n  - endpoint: { path: /${name}, access: ${access} }\n${STEPS}`,
    )
  writeFileSync(join(material, 'shop.yaml'), await clientText('shop'))
  const system = await startSluice({ url: '' }, flows, { SLUICE_SECURITY_MATERIAL: material })
  try {
    const form = 'grant_type=client_credentials&token_format=jwt'
    const basic = `Basic ${Buffer.from(`shop:${SECRET}`).toString('base64')}`
    const type = 'application/x-www-form-urlencoded'
    const asked = await fetch(`${system.url}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: basic, 'content-type': type },
      body: form,
    })
    const { access_token: token } = (await asked.json()) as { access_token: string }
    const work = (name: string, headers: Work['headers'] = {}): Work => ({
      path: `/http/${name}`,
      body: ORDER,
      expect: '{"ok":true}',
      headers,
    })
    const open = work('open')
    const guarded = work('guarded', { authorization: `Bearer ${token}` })
    const tokens: Work = {
      path: '/oauth2/token',
      body: form,
      expect: '"token_type":"Bearer"',
      headers: { authorization: basic, 'content-type': type },
    }
    const cost: DoorCost & { failed: number } = {
      open: [],
      guarded: [],
      ratios: [],
      tokens: [],
      tokenP99: [],
      failed: 0,
    }
    const measure = async (one: Work) => {
      const result = await load(system.port, one, connections, slice)
      cost.failed += result.failed
      return result
    }
    for (const one of [open, guarded, tokens]) await load(system.port, one, connections, slice)
    for (let round = 0; round < rounds; round++) {
      const first = round % 2 === 0
      const a = (await measure(first ? open : guarded)).rate
      const b = (await measure(first ? guarded : open)).rate
      const [opened, closed] = first ? [a, b] : [b, a]
      cost.open.push(opened)
      cost.guarded.push(closed)
      cost.ratios.push(closed / opened)
      const { rate, p99 } = await measure(tokens)
      cost.tokens.push(rate)
      cost.tokenP99.push(p99)
    }
    return cost
  } finally {
    await system.stop()
    rmSync(project, { recursive: true })
  }
}

/** ms to read, check and take so many clients: the first time in this process, and further ones. */
export async function measureClients(
  count: number,
  rounds: number,
): Promise<{ readonly first: number; readonly further: number[] }> {
  const project = mkdtempSync(join(tmpdir(), 'sluice-bench-clients-'))
  const folder = join(project, 'security-material')
  mkdirSync(folder)
  const text = await clientText('shop')
  for (let i = 0; i < count; i++)
    writeFileSync(join(folder, `shop-${i}.yaml`), text.replace(/^clientId: .*$/m, `clientId: shop-${i}`))
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const times: number[] = []
  try {
    for (let round = 0; round <= rounds; round++) {
      const world = realWorld(() => {
        throw new Error('nothing is asked of the network')
      })
      const access = new AuthorizationServer({ world, log: silent, signing: { dev: false, hide() {} } })
      const material = materialIn(project, world, access.files)
      const at = performance.now()
      const { files, problems } = await material.read(folder)
      const found = [...problems, ...material.load(files)]
      times.push(performance.now() - at)
      const { length } = access.clients.all()
      if (found.length > 0 || length !== count)
        throw new Error(`${found.length} problems, ${length} of ${count} clients`)
      material.stop()
    }
  } finally {
    rmSync(project, { recursive: true })
  }
  return { first: times[0]!, further: times.slice(1) }
}

async function clientText(clientId: string): Promise<string> {
  const hash = await makeSecretHash(SECRET)
  return newClientText({ clientId, description: undefined, hash, roles: [ROLE], tokenLifetime: undefined })
}
