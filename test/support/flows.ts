import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Body } from '../../src/core/body.ts'
import type { RunResult } from '../../src/core/kinds.ts'
import { Message } from '../../src/core/message.ts'
import { hasErrors } from '../../src/core/problem.ts'
import type { Services } from '../../src/core/services.ts'
import { prepareFlow, type Kinds } from '../../src/engine/deployment.ts'
import { Engine } from '../../src/engine/engine.ts'
import { loadFlow } from '../../src/flow/load.ts'
import { Egress } from '../../src/net/egress.ts'
import { createSend } from '../../src/net/send.ts'
import { steps } from '../../src/steps/index.ts'
import { triggers } from '../../src/triggers/index.ts'
import { testWorld } from '../net/fixture.ts'
import { startServer } from '../server/start-server.ts'
import { ManualClock } from './clock.ts'
import { listLog } from './http.ts'
import { MemoryLog } from './message-log.ts'

const kinds: Kinds = {
  steps: new Map(steps.map((kind) => [kind.name, kind])),
  triggers: new Map(triggers.map((kind) => [kind.name, kind])),
}

export interface RunningFlows {
  readonly clock: ManualClock
  readonly log: MemoryLog
  readonly engine: Engine
  /** `http://127.0.0.1:4711/http` */
  readonly url: string
  running(flow: string): number
  /** Runs a flow by hand, without its trigger. */
  run(flow: string, body?: unknown): Promise<RunResult>
}

/** Flows by name, on a clock of their own and real sockets. There are no credentials and no scripts. */
export async function startFlows(
  t: TestContext,
  flows: Readonly<Record<string, string>>,
): Promise<RunningFlows> {
  const clock = new ManualClock()
  const world = testWorld(t, { clock })
  const messageLog = new MemoryLog()
  const { routes, url } = await startServer(t)
  const log = listLog()
  const engine = new Engine({ world, messageLog, log, bodyLimit: 1_000_000 })
  const services = {
    send: createSend(world, { userAgent: 'sluice/test' }),
    credentials: { names: () => [], info: () => undefined, reference: () => assert.fail() },
    egress: new Egress(),
    routes,
    flows: { run: (flow, request) => engine.process(flow, request) },
    log,
    limits: { body: 1_000_000, bodyTime: 300_000 },
    projectFolder: '/nowhere',
  } as Partial<Services> as Services
  for (const [name, text] of Object.entries(flows)) {
    const { flow, problems } = loadFlow(`flows/${name}.yaml`, text, kinds)
    const made = flow && (await prepareFlow(flow, {}, kinds, world, services))
    const all = [...problems, ...(made?.problems ?? [])]
    if (!made?.prepared || hasErrors(all))
      throw new Error(all.map(({ line, message }) => `${name}:${line}: ${message}`).join('\n'))
    engine.deploy(made.prepared)
  }
  return {
    clock,
    log: messageLog,
    engine,
    url: `${url}/http`,
    running: (flow) => engine.state(flow)!.running,
    run: async (flow, body = null) => {
      const message = new Message(Body.ofJson(body))
      return (await engine.process(flow, { message, trigger: { kind: 'manual', data: {} } }))!
    },
  }
}
