// What credentials cost: a cached token per request, and loading many of them. In this process, without sockets.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dispatcher } from 'undici'
import type { Cancellation, Context } from '../src/core/context.ts'
import type { CredentialReference } from '../src/core/services.ts'
import type { World } from '../src/core/world.ts'
import { credentials } from '../src/credentials/index.ts'
import { createSend } from '../src/net/send.ts'
import { readMaterial } from '../src/security/material-files.ts'
import { createSecurityMaterial, type OtherFiles } from '../src/security/material.ts'
import { createRedactor } from '../src/security/redaction.ts'
import { createTokensInMemory } from '../src/store/tokens-in-memory.ts'
import { Egress } from '../src/net/egress.ts'
import { realWorld } from '../src/world.ts'

const REQUESTS = 20_000
const TOKEN = JSON.stringify({ access_token: 't'.repeat(800), token_type: 'Bearer', expires_in: 1800 })
const ITEM = Buffer.from(JSON.stringify({ id: 'i', text: 'x'.repeat(1000) }))

/** Token service and receiver at once: answers at once, so that only the sender's own work is measured. */
class Instant extends Dispatcher {
  tokens = 0
  calls = 0

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const isToken = options.path === '/token'
    if (isToken) this.tokens++
    else this.calls++
    const body = isToken ? Buffer.from(TOKEN) : ITEM
    const controller = { pause() {}, resume() {}, abort() {} } as unknown as Dispatcher.DispatchController
    handler.onRequestStart?.(controller, {})
    handler.onResponseStart?.(
      controller,
      200,
      { 'content-type': 'application/json', 'content-length': String(body.length) },
      'OK',
    )
    handler.onResponseData?.(controller, body)
    handler.onResponseEnd?.(controller, {})
    return true
  }
}

/** Security material that is in no engine. */
export function materialIn(projectFolder: string, world: World, others?: OtherFiles) {
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  return createSecurityMaterial({
    kinds: new Map(credentials.map((kind) => [kind.name, kind])),
    projectFolder,
    world,
    egress: new Egress(),
    log: silent,
    redactor: createRedactor(),
    storedTokens: createTokensInMemory(),
    environment: { BENCH_SECRET: 'bench-secret-0123456789' },
    parameters: {},
    secrets: { file: join(projectFolder, 'secrets.yaml'), keyFile: join(projectFolder, 'age.key') },
    backends: [],
    dev: false,
    ...(others && { others }),
  })
}

function credentialOf(name: string): string {
  return `type: oauth2
description: Credential ${name}.
tokenServiceUrl: https://idp.example.com/token
clientId: ${name}
clientSecret: \${env:BENCH_SECRET}
scope: [orders.read, orders.write]
baseUrl: https://api.example.com/${name}/
`
}

export interface TokenCost {
  /** us of a request without a credential, and with one. */
  readonly plain: number
  readonly authorized: number
  /** us that the credential adds: median over the rounds. */
  readonly added: number
  readonly tokens: number
}

/** What a cached token adds to a request: host check, grant, header, and the look at the answer's status. */
export async function measureTokenCost(rounds: number): Promise<TokenCost> {
  const instant = new Instant()
  const world = realWorld(() => instant)
  const material = materialIn('/nowhere', world)
  material.load([{ file: 'security-material/api.yaml', text: credentialOf('api') }])
  const send = createSend(world, { userAgent: 'sluice/bench' })
  const context: Pick<Context, 'used'> & Cancellation = {
    deadline: Infinity,
    cancelled: undefined,
    onCancel: () => () => {},
    used() {},
  }
  const request = {
    method: 'GET',
    url: 'https://api.example.com/api/items',
    headers: ['accept', '*/*'],
    body: null,
    followRedirects: 0,
    maxResponse: Infinity,
  }
  /** us a request */
  const slice = async (reference: CredentialReference | undefined) => {
    const at = performance.now()
    for (let i = 0; i < REQUESTS; i++) await send(request, reference, context as Context)
    return ((performance.now() - at) * 1000) / REQUESTS
  }
  const reference = material.reference('api')
  const plain: number[] = []
  const authorized: number[] = []
  const added: number[] = []
  await slice(undefined)
  await slice(reference)
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0
    const a = await slice(first ? undefined : reference)
    const b = await slice(first ? reference : undefined)
    const [without, along] = first ? [a, b] : [b, a]
    plain.push(without)
    authorized.push(along)
    added.push(along - without)
  }
  material.stop()
  const expected = 2 * REQUESTS * (rounds + 1)
  if (instant.calls !== expected) throw new Error(`${instant.calls} of ${expected} requests were sent`)
  return {
    plain: middle(plain),
    authorized: middle(authorized),
    added: middle(added),
    tokens: instant.tokens,
  }
}

/** ms to read, check and prepare so many credentials: the first time in this process, and the median of further ones. */
export async function measureLoading(
  count: number,
  rounds: number,
): Promise<{ first: number; median: number }> {
  const project = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const folder = join(project, 'security-material')
  mkdirSync(folder)
  for (let i = 0; i < count; i++) writeFileSync(join(folder, `client-${i}.yaml`), credentialOf(`client-${i}`))
  const times: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const material = materialIn(
      project,
      realWorld(() => new Instant()),
    )
    const at = performance.now()
    const { files, problems } = await readMaterial(folder, project)
    const found = [...problems, ...material.load(files)]
    times.push(performance.now() - at)
    if (found.length > 0 || material.names().length !== count)
      throw new Error(`${found.length} problems, ${material.names().length} of ${count} credentials`)
    material.stop()
  }
  rmSync(project, { recursive: true })
  return { first: times[0]!, median: middle(times.slice(1)) }
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
