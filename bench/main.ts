// npm run bench: our engine beside a hand-written Fastify + undici server, in one run, interleaved; medians of ratios.
//   npm run bench -- --rounds 3 --only W3,W5 --json results.json
// W5 and W8 to W10 are checks, too: it ends with 1 when a call is lost or doubled, when tokens are asked for too often,
// or when a credential costs more than it may.
// W6, W11 and W12 end with an error when a record is lost or doubled, or a byte is missing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureClients, measureDoor } from './access.ts'
import { measureBulk, measureManyRecords } from './bulk.ts'
import { measureCheck } from './check.ts'
import { measureLoading, measureTokenCost } from './credentials.ts'
import { herd, load, type Work } from './load.ts'
import { measureStreaming } from './streaming.ts'
import { countsOf, residentMemory, startByHand, startReceiver, startSluice, type System } from './systems.ts'
import { measureTokenLife, range } from './token-life.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    slice: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string', default: 'W1,W2,W3,W4,W5,W6,W7,W8,W9,W10,W11,W12,W13,W14,W15,W16' },
    json: { type: 'string' },
  },
})
const rounds = Number(options.rounds)
const slice = Number(options.slice)
const connections = Number(options.connections)
const chosen = new Set(options.only.split(','))

/** By so much memory may grow while the second half of many records is written; before that the heap takes its size. */
const FLAT = 1.1

const order = JSON.stringify({ id: 'o-1', status: 'new', amount: 41, note: 'x'.repeat(1024 - 50) })
const works: { name: string; title: string; goal: number; work: Work }[] = [
  { name: 'W1', title: 'echo', goal: 0.85, work: { path: '/http/echo', body: order, expect: '{"ok":true}' } },
  {
    name: 'W2',
    title: 'script',
    goal: 0.65,
    work: { path: '/http/script', body: order, expect: '"amount":42' },
  },
  {
    name: 'W3',
    title: 'oauth call',
    goal: 1.15,
    work: { path: '/http/call', body: order, expect: '"id":"i"' },
  },
  { name: 'W4', title: 'chain', goal: 0.8, work: { path: '/http/chain', body: order, expect: '"item":"i"' } },
]
const results: Record<string, unknown> = {
  at: new Date().toISOString(),
  node: process.version,
  rounds,
  slice,
  connections,
}

await measureRates()
if (chosen.has('W5')) await measureHerd()
if (chosen.has('W6')) await measureRecords()
if (chosen.has('W7')) await measureStart()
if (chosen.has('W8')) await measureLife()
if (chosen.has('W9')) await measureCachedToken()
if (chosen.has('W10')) await measureCredentials()
if (chosen.has('W11')) await measureMany()
if (chosen.has('W12')) await measureLarge()
if (chosen.has('W13')) await measureChecking()
if (chosen.has('W14') || chosen.has('W15')) await measureAccess()
if (chosen.has('W16')) await measureManyClients()
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`)

async function measureRates(): Promise<void> {
  const asked = works.filter(({ name }) => chosen.has(name))
  if (asked.length === 0) return
  const receiver = await startReceiver()
  const ours = await startSluice(receiver)
  const theirs = await startByHand(receiver)
  print(['', 'sluice/s', 'by hand/s', 'ratio', 'goal', 'median ms', 'p99 ms', 'failed'])
  for (const { name, title, goal, work } of asked) {
    const mine: number[] = []
    const other: number[] = []
    const ratios: number[] = []
    const medians: number[] = []
    const tails: number[] = []
    let failed = 0
    await load(ours.port, work, connections, slice)
    await load(theirs.port, work, connections, slice)
    for (let round = 0; round < rounds; round++) {
      const first = round % 2 === 0
      const a = await load(first ? ours.port : theirs.port, work, connections, slice)
      const b = await load(first ? theirs.port : ours.port, work, connections, slice)
      const [own, hand] = first ? [a, b] : [b, a]
      mine.push(own.rate)
      other.push(hand.rate)
      ratios.push(own.rate / hand.rate)
      medians.push(own.median)
      tails.push(own.p99)
      failed += own.failed + hand.failed
    }
    const row = {
      rate: median(mine),
      byHand: median(other),
      ratio: median(ratios),
      goal,
      medianMs: median(medians),
      p99Ms: median(tails),
      failed,
    }
    results[name] = row
    print([
      `${name} ${title}`,
      row.rate.toFixed(0),
      row.byHand.toFixed(0),
      row.ratio.toFixed(2),
      `>= ${goal}`,
      row.medianMs.toFixed(2),
      row.p99Ms.toFixed(2),
      String(failed),
    ])
  }
  results['memoryAfterLoad'] = residentMemory(ours.pid)
  await Promise.all([ours.stop(), theirs.stop()])
  await receiver.stop()
}

/** 1,000 callers at once and no token yet; then all tokens revoked. */
async function measureHerd(): Promise<void> {
  const receiver = await startReceiver({ BENCH_TOKEN_DELAY: '50' })
  const ours = await startSluice(receiver)
  const work = works[2]!.work
  const cold = await herd(ours.port, work, 1000)
  const tokensCold = (await countsOf(receiver)).tokens
  await fetch(`${receiver.url}/revoke`)
  const revoked = await herd(ours.port, work, 1000)
  const tokensRevoked = (await countsOf(receiver)).tokens - tokensCold
  results['W5'] = {
    cold: { tokens: tokensCold, failed: cold.failed },
    revoked: { tokens: tokensRevoked, failed: revoked.failed },
  }
  if (tokensCold !== 1 || tokensRevoked !== 1 || cold.failed + revoked.failed > 0) process.exitCode = 1
  process.stdout.write(
    `\nW5 cold herd of 1,000: ${tokensCold} token request(s), ${cold.failed} failed (goal 1, 0); revoked: ${tokensRevoked}, ${revoked.failed} failed\n`,
  )
  await ours.stop()
  await receiver.stop()
}

/** 10,000 records over 100 pages, each written on its own. */
async function measureRecords(): Promise<void> {
  const { passes, peak, peakByHand } = await measureBulk(Math.min(rounds, 5))
  const seconds = median(passes.map(({ ours }) => ours.seconds))
  const byHand = median(passes.map((pass) => pass.byHand.seconds))
  const ratio = median(passes.map((pass) => pass.ours.seconds / pass.byHand.seconds))
  const processor = median(passes.map(({ ours }) => ours.processor))
  const processorByHand = median(passes.map((pass) => pass.byHand.processor))
  results['W6'] = { seconds, byHand, ratio, processor, processorByHand, peak, peakByHand }
  process.stdout.write(
    `W6 10,000 records, 32 at once: ${seconds.toFixed(2)} s, by hand ${byHand.toFixed(2)} s, ratio ${ratio.toFixed(2)} (goal <= 1.10); ` +
      `processor ${processor.toFixed(2)} s, by hand ${processorByHand.toFixed(2)} s; ` +
      `peak memory ${peak.toFixed(0)} MB (goal < 150), by hand ${peakByHand.toFixed(0)} MB\n`,
  )
}

/** 100,000 records of 1 KB: does memory grow with their number? */
async function measureMany(): Promise<void> {
  const many = await measureManyRecords()
  const { records, seconds, peakAtTenth, peakAtHalf, peak } = many
  results['W11'] = many
  process.stdout.write(
    `W11 ${records.toLocaleString('en')} records: ${seconds.toFixed(1)} s, ${(records / seconds).toFixed(0)}/s; ` +
      `peak memory ${peakAtTenth.toFixed(0)} MB at a tenth of them, ${peakAtHalf.toFixed(0)} MB at half, ` +
      `${peak.toFixed(0)} MB at the end (goal <= ${(peakAtHalf * FLAT).toFixed(0)})\n`,
  )
}

/** 1 GB from a receiver to a caller. */
async function measureLarge(): Promise<void> {
  const { passes, peak, peakByHand } = await measureStreaming(Math.min(rounds, 5))
  const rate = median(passes.map(({ ours }) => ours.rate))
  const byHand = median(passes.map((pass) => pass.byHand.rate))
  const ratio = median(passes.map((pass) => pass.ours.rate / pass.byHand.rate))
  const processor = median(passes.map(({ ours }) => ours.processor))
  const processorByHand = median(passes.map((pass) => pass.byHand.processor))
  results['W12'] = { rate, byHand, ratio, processor, processorByHand, peak, peakByHand }
  process.stdout.write(
    `W12 1 GB through: ${rate.toFixed(0)} MB/s, by hand ${byHand.toFixed(0)} MB/s, ratio ${ratio.toFixed(2)} (goal >= 0.8); ` +
      `processor ${processor.toFixed(2)} s, by hand ${processorByHand.toFixed(2)} s; ` +
      `peak memory ${peak.toFixed(0)} MB, by hand ${peakByHand.toFixed(0)} MB\n`,
  )
}

/** From the start of the process to the first right reply, with 1 flow and with 500; memory when idle. */
async function measureStart(): Promise<void> {
  const receiver = await startReceiver()
  for (const count of [1, 500]) {
    const flows = mkdtempSync(join(tmpdir(), 'sluice-flows-'))
    for (let i = 0; i < count; i++)
      writeFileSync(
        join(flows, `flow-${i}.yaml`),
        `steps:\n  - endpoint: { path: /echo${i === 0 ? '' : i}, access: public }\n  - log: order \${body.id}\n  - set: { properties: { a: "\${body.id}" } }\n  - respond: { body: { ok: true } }\n`,
      )
    const times: number[] = []
    let memory = 0
    for (let round = 0; round < Math.min(rounds, 5); round++) {
      const at = performance.now()
      const system: System = await startSluice(receiver, flows)
      const first = await herd(system.port, works[0]!.work, 1)
      if (first.failed > 0) throw new Error('the first reply was wrong')
      times.push(performance.now() - at)
      memory = residentMemory(system.pid)
      await system.stop()
    }
    rmSync(flows, { recursive: true })
    results[`W7 ${count}`] = { ms: median(times), memory }
    process.stdout.write(
      `W7 start to first reply, ${count} flow(s): ${median(times).toFixed(0)} ms (goal < ${count === 1 ? 1000 : 2000}); memory ${memory.toFixed(0)} MB (goal < 120)\n`,
    )
  }
  await receiver.stop()
}

/** 10,000 calls while tokens end. */
async function measureLife(): Promise<void> {
  const lives = await measureTokenLife()
  results['W8'] = lives
  process.stdout.write(`\nW8 life of a token: ${lives[0]!.calls} calls, goal for lost, doubled, failed: 0\n`)
  print(['', 'tokens', 'goal', 'refused', 'goal', 'lost', 'doubled', 'failed', 's', 'sluice/s'])
  for (const { name, tokens, refused, lost, doubled, failed, ms, rate, missed } of lives) {
    print([
      `W8 ${name}`,
      String(tokens.count),
      range(tokens),
      String(refused.count),
      range(refused),
      String(lost),
      String(doubled),
      String(failed),
      (ms / 1000).toFixed(2),
      rate.toFixed(0),
    ])
    for (const goal of missed) process.stderr.write(`W8 ${name}: ${goal}\n`)
    if (missed.length > 0) process.exitCode = 1
  }
}

/** What a cached token adds to a request. */
async function measureCachedToken(): Promise<void> {
  const cost = await measureTokenCost(rounds)
  const { plain, authorized, added, tokens } = cost
  results['W9'] = cost
  process.stdout.write(
    `\nW9 a cached token adds ${added.toFixed(2)} us to a request (goal < 5): ${authorized.toFixed(2)} us instead of ${plain.toFixed(2)}; ${tokens} token request(s)\n`,
  )
  if (added >= 5 || tokens !== 1) process.exitCode = 1
}

/** Reading, checking and preparing 1,000 credential files. */
async function measureCredentials(): Promise<void> {
  const loading = await measureLoading(1000, Math.min(rounds, 5))
  results['W10'] = loading
  process.stdout.write(
    `W10 1,000 credentials loaded in ${loading.first.toFixed(0)} ms the first time (goal < 300), ${loading.median.toFixed(0)} ms again\n`,
  )
  if (loading.first >= 300) process.exitCode = 1
}

/** `sluice check` over 1,000 flows. */
async function measureChecking(): Promise<void> {
  const { flows, seconds, said } = await measureCheck(1000, Math.min(rounds, 5))
  results['W13'] = { flows, seconds: median(seconds), fastest: Math.min(...seconds) }
  process.stdout.write(
    `W13 sluice check: ${said} in ${median(seconds).toFixed(2)} s, the fastest ${Math.min(...seconds).toFixed(2)} s (goal < 2)\n`,
  )
}

/** A protected endpoint beside the same one opened; tokens handed out. */
async function measureAccess(): Promise<void> {
  const { open, guarded, ratios, tokens, tokenP99, failed, processor } = await measureDoor(
    rounds,
    slice,
    connections,
  )
  results['W14'] = { open: median(open), guarded: median(guarded), ratio: median(ratios), failed, processor }
  results['W15'] = { tokens: median(tokens), p99: median(tokenP99), failed }
  process.stdout.write(
    `\nW14 a protected endpoint: ${median(guarded).toFixed(0)}/s, the same one opened ${median(open).toFixed(0)}/s, ` +
      `ratio ${median(ratios).toFixed(2)} (goal >= 0.85); processor ${processor.guarded.toFixed(0)} us a reply instead of ${processor.open.toFixed(0)}\n` +
      `W15 token endpoint: ${median(tokens).toFixed(0)} tokens/s (goal >= 800), p99 ${median(tokenP99).toFixed(1)} ms; processor ${processor.tokens.toFixed(0)} us a token; ${failed} failed\n`,
  )
  if (failed > 0) process.exitCode = 1
}

/** Reading, checking and taking 10,000 files of clients. */
async function measureManyClients(): Promise<void> {
  const { first, further, processor } = await measureClients(10_000, Math.min(rounds, 5))
  results['W16'] = { first, median: median(further), processor }
  process.stdout.write(
    `W16 10,000 clients loaded in ${first.toFixed(0)} ms the first time (goal < 1000), ${median(further).toFixed(0)} ms again; ` +
      `processor ${processor[0]!.toFixed(0)} ms, then ${median(processor.slice(1)).toFixed(0)} ms\n`,
  )
  if (first >= 1000) process.exitCode = 1
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function print(cells: string[]): void {
  process.stdout.write(
    `${cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(11))).join('')}\n`,
  )
}
