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
import { processorTime, startSluice } from './systems.ts'

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
  /** us of processor time that the engine took for a reply. */
  readonly processor: { readonly open: number; readonly guarded: number; readonly tokens: number }
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
    const spent = { open: new Spent(), guarded: new Spent(), tokens: new Spent() }
    const cost: Omit<DoorCost, 'processor'> & { failed: number } = {
      open: [],
      guarded: [],
      ratios: [],
      tokens: [],
      tokenP99: [],
      failed: 0,
    }
    const measure = async (one: Work, of: Spent) => {
      const before = processorTime(system.pid)
      const result = await load(system.port, one, connections, slice)
      of.add(processorTime(system.pid) - before, result.replies)
      cost.failed += result.failed
      return result
    }
    for (const one of [open, guarded, tokens]) await load(system.port, one, connections, slice)
    for (let round = 0; round < rounds; round++) {
      const first = round % 2 === 0
      const opening = () => measure(open, spent.open)
      const guarding = () => measure(guarded, spent.guarded)
      const a = (await (first ? opening() : guarding())).rate
      const b = (await (first ? guarding() : opening())).rate
      const [opened, closed] = first ? [a, b] : [b, a]
      cost.open.push(opened)
      cost.guarded.push(closed)
      cost.ratios.push(closed / opened)
      const { rate, p99 } = await measure(tokens, spent.tokens)
      cost.tokens.push(rate)
      cost.tokenP99.push(p99)
    }
    const processor = { open: spent.open.each, guarded: spent.guarded.each, tokens: spent.tokens.each }
    return { ...cost, processor }
  } finally {
    await system.stop()
    rmSync(project, { recursive: true })
  }
}

class Spent {
  #seconds = 0
  #replies = 0

  add(seconds: number, replies: number): void {
    this.#seconds += seconds
    this.#replies += replies
  }

  /** us */
  get each(): number {
    return (this.#seconds * 1e6) / this.#replies
  }
}

/** ms to read, check and take so many clients: the first time in this process, and further ones; and of processor time. */
export async function measureClients(
  count: number,
  rounds: number,
): Promise<{ readonly first: number; readonly further: number[]; readonly processor: number[] }> {
  const project = mkdtempSync(join(tmpdir(), 'sluice-bench-clients-'))
  const folder = join(project, 'security-material')
  mkdirSync(folder)
  const text = await clientText('shop')
  for (let i = 0; i < count; i++)
    writeFileSync(join(folder, `shop-${i}.yaml`), text.replace(/^clientId: .*$/m, `clientId: shop-${i}`))
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const times: number[] = []
  const processor: number[] = []
  try {
    for (let round = 0; round <= rounds; round++) {
      const world = realWorld(() => {
        throw new Error('nothing is asked of the network')
      })
      const access = new AuthorizationServer({ world, log: silent, signing: { dev: false, hide() {} } })
      const material = materialIn(project, world, access.files)
      const at = performance.now()
      const before = process.cpuUsage()
      const { files, problems } = await material.read(folder)
      const found = [...problems, ...material.load(files)]
      times.push(performance.now() - at)
      const { user, system } = process.cpuUsage(before)
      processor.push((user + system) / 1000)
      const { length } = access.clients.all()
      if (found.length > 0 || length !== count)
        throw new Error(`${found.length} problems, ${length} of ${count} clients`)
      material.stop()
    }
  } finally {
    rmSync(project, { recursive: true })
  }
  return { first: times[0]!, further: times.slice(1), processor }
}

async function clientText(clientId: string): Promise<string> {
  const hash = await makeSecretHash(SECRET)
  return newClientText({ clientId, description: undefined, hash, roles: [ROLE], tokenLifetime: undefined })
}
