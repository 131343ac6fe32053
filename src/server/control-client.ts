import { lstat } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import type {
  CredentialInvalidation,
  CredentialReport,
  CredentialTestReport,
  CredentialTestRequest,
  EngineHealth,
  EngineStatus,
  FlowLevel,
  FlowState,
  FollowRequest,
  LevelRequest,
  ManualRun,
  ReloadReport,
  RunCancellation,
  RunReport,
} from '../core/control.ts'
import { controlPath } from './control-path.ts'

/** `Control` from another process. */
export interface ControlClient {
  status(): Promise<EngineStatus>
  /** Undefined: the engine is of a version that does not tell. */
  health(): Promise<EngineHealth | undefined>
  flows(): Promise<readonly FlowState[]>
  credentials(): Promise<readonly CredentialReport[]>
  /** Undefined: there is no such flow. */
  setLevel(flow: string, request: LevelRequest): Promise<FlowLevel | undefined>
  /**
   * What happens to runs, as the engine sees it, until the signal; it ends early when the engine does. Undefined: the
   * engine is of a version that does not tell.
   */
  follow(request: FollowRequest, signal: AbortSignal): Promise<AsyncIterable<FollowedEvent> | undefined>
  reload(): Promise<ReloadReport>
  /** Undefined: the engine is of a version that reads it when it sees the change. */
  readMaterial(): Promise<{ readonly read: boolean } | undefined>
  /** @param signal ends the wait, and the engine cancels the run */
  run(flow: string, request: ManualRun, signal?: AbortSignal): Promise<RunReport | undefined>
  /** @param signal ends the wait, and the engine calls the test off */
  testCredential(
    name: string,
    request: CredentialTestRequest,
    signal?: AbortSignal,
  ): Promise<CredentialTestReport | undefined>
  invalidateCredential(name: string): Promise<CredentialInvalidation | undefined>
  revokeCredential(name: string): Promise<CredentialInvalidation | undefined>
  /** The file of a client is about to be changed. Undefined: the engine is of a version that keeps no record of it. */
  announceClientChange(client: string): Promise<object | undefined>
  /** It was not changed after all. */
  withdrawClientChange(client: string): Promise<object | undefined>
  /** Undefined: there is no such run, or the engine is of a version that cannot do it. */
  cancelRun(id: string): Promise<RunCancellation | undefined>
}

/** An event of the message log; or so many were left out; or the run that is followed has ended. */
export type FollowedEvent =
  | { readonly kind: 'omitted'; readonly count: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'run' | 'progress' | 'line' }

/**
 * Finds the running engine of a data folder; undefined when there is none.
 * @throws Error when the socket there belongs to somebody else
 */
export async function connectControl(folder: string): Promise<ControlClient | undefined> {
  const path = controlPath(folder)
  const found = await lstat(path).catch(() => undefined)
  if (!found?.isSocket()) return undefined
  if (process.getuid && found.uid !== process.getuid() && process.getuid() !== 0)
    throw new Error(`the engine at "${path}" belongs to another user; ask as that user`)
  const client = clientOf(path)
  try {
    await client.status()
  } catch (error) {
    if (GONE.has((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  return client
}

/** ms that a running engine may take to tell something. */
const PATIENCE = 10_000
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET'])

function clientOf(path: string): ControlClient {
  return {
    status: async () => (await ask(path, 'GET', '/status')) as EngineStatus,
    health: async () => (await ask(path, 'GET', '/health')) as EngineHealth | undefined,
    flows: async () => (await ask(path, 'GET', '/flows')) as FlowState[],
    setLevel: async (flow, request) =>
      (await ask(path, 'POST', `/flows/${encodeURIComponent(flow)}/level`, request)) as FlowLevel | undefined,
    follow: (request, signal) => follow(path, request, signal),
    reload: async () => (await ask(path, 'POST', '/reload')) as ReloadReport,
    readMaterial: async () => (await ask(path, 'POST', '/material')) as { read: boolean } | undefined,
    credentials: async () => (await ask(path, 'GET', '/credentials')) as CredentialReport[],
    async run(flow, { body, headers, parameters }, signal) {
      const sent = {
        headers,
        parameters,
        ...(body === undefined ? {} : { body: Buffer.from(body).toString('base64') }),
      }
      const report = await ask(path, 'POST', `/flows/${encodeURIComponent(flow)}/runs`, sent, signal)
      return report === undefined ? undefined : decoded(report as EncodedReport)
    },
    testCredential: async (name, request, signal) =>
      (await ask(path, 'POST', `/credentials/${encodeURIComponent(name)}/test`, request, signal)) as
        | CredentialTestReport
        | undefined,
    announceClientChange: async (client) =>
      (await ask(path, 'POST', `/clients/${encodeURIComponent(client)}/announce`)) as object | undefined,
    withdrawClientChange: async (client) =>
      (await ask(path, 'DELETE', `/clients/${encodeURIComponent(client)}/announce`)) as object | undefined,
    cancelRun: async (id) =>
      (await ask(path, 'POST', `/runs/${encodeURIComponent(id)}/cancel`)) as RunCancellation | undefined,
    invalidateCredential: async (name) =>
      (await ask(path, 'POST', `/credentials/${encodeURIComponent(name)}/invalidate`)) as
        | CredentialInvalidation
        | undefined,
    revokeCredential: async (name) =>
      (await ask(path, 'POST', `/credentials/${encodeURIComponent(name)}/revoke`)) as
        | CredentialInvalidation
        | undefined,
  }
}

type EncodedReport = Omit<RunReport, 'reply'> & {
  reply?: { status: number; headers: Record<string, string>; body: string }
}

function decoded({ reply, ...report }: EncodedReport): RunReport {
  return { ...report, reply: reply && { ...reply, body: Buffer.from(reply.body, 'base64') } }
}

/** Undefined: there is no such thing. */
function ask(
  socketPath: string,
  method: string,
  path: string,
  sent?: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, agent: false, ...(signal && { signal }) }, (answer) => {
      call.setTimeout(0)
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode === 404) return resolve(undefined)
        try {
          const value = JSON.parse(Buffer.concat(chunks).toString()) as { message?: string }
          if (answer.statusCode === 200) resolve(value)
          else reject(new Error(value.message ?? `the engine answered ${answer.statusCode}`))
        } catch (error) {
          reject(error)
        }
      })
    })
    call.on('error', reject)
    if (method === 'GET')
      call.setTimeout(PATIENCE, () =>
        call.destroy(new Error(`the engine at "${socketPath}" did not answer within ${PATIENCE / 1000} s`)),
      )
    if (sent !== undefined) call.setHeader('content-type', 'application/json')
    call.end(sent === undefined ? undefined : JSON.stringify(sent))
  })
}

function follow(
  socketPath: string,
  asked: FollowRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<FollowedEvent> | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, method: 'POST', path: '/runs/follow', agent: false, signal },
      (answer) => {
        if (answer.statusCode === 200) return resolve(eventsOf(answer))
        answer.resume()
        resolve(undefined)
      },
    )
    call.on('error', reject)
    call.setHeader('content-type', 'application/json')
    call.end(JSON.stringify(asked))
  })
}

/** What an engine that is gone has begun to say is dropped. */
async function* eventsOf(answer: IncomingMessage): AsyncGenerator<FollowedEvent> {
  let rest = ''
  answer.setEncoding('utf8')
  try {
    for await (const chunk of answer) {
      const lines = (rest + (chunk as string)).split('\n')
      rest = lines.pop()!
      for (const line of lines) yield JSON.parse(line) as FollowedEvent
    }
  } catch (error) {
    if (!BROKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

const BROKEN: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ABORT_ERR',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
])
