import { chmod, lstat, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Control, RunReport } from '../core/control.ts'
import type { Logger } from '../core/services.ts'
import { controlPath } from './control-path.ts'
import { followRequest, levelRequest, manualRun, readJson, Refusal, testRequest } from './control-requests.ts'
import { streamEvents } from './event-stream.ts'

export interface ControlSocketSetting {
  readonly control: Control
  /** The data folder; it exists. */
  readonly folder: string
  readonly log: Logger
  /** Takes live secrets out of a text. */
  readonly redact: (text: string) => string
}

/**
 * The engine's own door for the command line: JSON over a socket in the data folder, for this user only.
 * @throws Error with `code` `SLUICE_SOCKET` from `listen` when another engine answers there, or the path is not ours
 */
export function createControlSocket({ control, folder, log, redact }: ControlSocketSetting): {
  /** Resolves to the socket's path. */
  listen(): Promise<string>
  close(): Promise<void>
} {
  const path = controlPath(folder)
  const hide = (_key: string, value: unknown) => (typeof value === 'string' ? redact(value) : value)
  const server = createServer((request, response) => {
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    const answered = isFollow(request)
      ? follow(control, request, response)
      : answer(control, request, gone.signal)
    answered.then(
      (result) => {
        if (result === STREAMED) return
        if (result === undefined) reply(response, 404, { message: 'there is no such thing' })
        else reply(response, 200, result, isRun(request) ? undefined : hide)
      },
      (error: unknown) => {
        if (!(error instanceof Refusal))
          log.error({ err: error }, 'a fault in the engine while the command line asked')
        if (response.headersSent) return response.destroy()
        const status = error instanceof Refusal ? error.status : 500
        reply(response, status, { message: (error as Error).message }, hide)
      },
    )
  })
  return {
    async listen() {
      await makeWay(path)
      await listenPrivately(server, path)
      return path
    },
    close() {
      return new Promise((resolve) => {
        if (!server.listening) return resolve()
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** Removes the socket of an engine that is gone. */
async function makeWay(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (!found) return
  if (!found.isSocket() || found.uid !== process.getuid?.())
    throw refused(`"${path}" is in the way: it is no socket of this user; remove it and start again`)
  if (await answers(path))
    throw refused(`another engine answers at "${path}"; stop it, or use another data folder (setting "data")`)
  await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function listenPrivately(server: ReturnType<typeof createServer>, path: string): Promise<void> {
  const before = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(refused(`the socket "${path}" for the command line could not be made: ${error.code}`, error)),
      )
      server.listen(path, resolve)
      process.umask(before)
    })
  } finally {
    process.umask(before)
  }
  await chmod(path, 0o600)
}

function refused(message: string, cause?: Error): Error {
  return Object.assign(new Error(message, { cause }), { code: 'SLUICE_SOCKET' })
}

/** What is answered goes on for a while. */
const STREAMED = Symbol('streamed')

function isFollow({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && url === '/runs/follow'
}

async function follow(
  control: Control,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<unknown> {
  await streamEvents(control, followRequest(await readJson(request)), response)
  return STREAMED
}

async function answer(control: Control, request: IncomingMessage, gone: AbortSignal): Promise<unknown> {
  const [kind, name, action, ...more] = segmentsOf(request.url!)
  const asks = `${request.method} ${kind}${name === undefined ? '' : '/*'}${action === undefined ? '' : `/${action}`}`
  if (more.length > 0) return undefined
  switch (asks) {
    case 'GET status':
      return control.status()
    case 'GET health':
      return control.health()
    case 'GET flows':
      return control.flows()
    case 'GET flows/*':
      return control.flows().find((flow) => flow.name === name)
    case 'POST reload':
      return control.reload()
    case 'POST material':
      return control.readMaterial()
    case 'GET credentials':
      return control.credentials()
    case 'GET credentials/*':
      return control.credentials().find((credential) => credential.name === name)
    case 'POST flows/*/runs':
      return encoded(await control.run(name!, manualRun(await readJson(request)), gone))
    case 'POST flows/*/level':
      return control.setLevel(name!, levelRequest(await readJson(request)))
    case 'POST clients/*/announce':
      return control.announceClientChange(name!)
    case 'DELETE clients/*/announce':
      return control.withdrawClientChange(name!)
    case 'POST runs/*/cancel':
      return control.cancelRun(name!)
    case 'POST credentials/*/test':
      return control.testCredential(name!, testRequest(await readJson(request)), gone)
    case 'POST credentials/*/invalidate':
      return control.invalidateCredential(name!)
    case 'POST credentials/*/revoke':
      return control.revokeCredential(name!)
    default:
      return undefined
  }
}

function segmentsOf(path: string): string[] {
  try {
    return path.slice(1).split('/').map(decodeURIComponent)
  } catch {
    throw new Refusal(400, 'the path is not encoded correctly')
  }
}

/** As JSON can hold it: the reply's body as base64. */
function encoded(report: RunReport | undefined): unknown {
  if (!report?.reply) return report
  return { ...report, reply: { ...report.reply, body: Buffer.from(report.reply.body).toString('base64') } }
}

/** What a flow replies goes to its caller as it is; the failure of one is told without secrets. */
function isRun({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && /^\/flows\/[^/]+\/runs$/.test(url!)
}

type Replacer = (key: string, value: unknown) => unknown

function reply(response: ServerResponse, status: number, value: unknown, replacer?: Replacer): void {
  const body = Buffer.from(JSON.stringify(value, replacer))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}
