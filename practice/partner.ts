import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createControl, createControlService, type PartnerControl } from './control.ts'
import { apiError, type Reply, type Service } from './http.ts'
import { createIncentive } from './incentive.ts'
import { createIot } from './iot.ts'
import { createJam } from './jam.ts'
import { createLearning } from './learning.ts'
import { TokenBook, type Client, type Counts } from './tokens.ts'

/** The secrets of the partner's clients. */
export interface PartnerSecrets {
  /** Of `acme`. */
  readonly learning: string
  /** Of `client_im_read`, which is granted im.read. */
  readonly incentiveRead: string
  /** Of `client_im_write`, which is granted im.write. */
  readonly incentiveWrite: string
  /** Of `client_im_both`; left out, there is no such client. */
  readonly incentiveBoth?: string
  /** Of `iot-tenant`. */
  readonly iot: string
  /** Of `jam-client`. */
  readonly jam: string
  /** Password of the user of Jam's token service. */
  readonly jamUser: string
  /** Of `neo-client`. */
  readonly neo: string
}

export interface PartnerSetting {
  readonly secrets: PartnerSecrets
  /** A free one when left out. */
  readonly port?: number
  readonly clock?: { now(): number }
  /** Of the Incentive Management service, a client; 10 when left out. */
  readonly tokensPerMinute?: number
  /** Gets a line for every request; no token and no secret is in it. */
  readonly log?: (line: string) => void
}

export interface Partner {
  /** `http://127.0.0.1:40123` */
  readonly url: string
  counts(client: string): Counts
  readonly control: PartnerControl
  close(): Promise<void>
}

/** Bytes of a request that are read. */
const LIMIT = 1024 * 1024

/**
 * Starts a stand-in for the receivers of the shipped flows: a learning, an incentive management and an IoT service,
 * one in the manner of Jam and one of Neo, each with a token service of its own, on loopback.
 */
export async function startPartner(setting: PartnerSetting): Promise<Partner> {
  const { secrets, clock = Date, log = () => {}, tokensPerMinute = 10 } = setting
  const now = () => clock.now()
  const book = (realm: string, lifetime: number, clients: readonly Client[]) =>
    new TokenBook({ realm, lifetime, clients, now, log })
  const learning = book('learning', 1800, [{ id: 'acme', secret: secrets.learning, scopes: [] }])
  const incentive = book('incentive', 1800, incentiveClients(secrets))
  const iot = book('iot', 900, [{ id: 'iot-tenant', secret: secrets.iot, scopes: [] }])
  const jam = book('jam', 1800, [{ id: 'jam-client', secret: secrets.jam, scopes: [] }])
  const neo = book('neo', 1800, [{ id: 'neo-client', secret: secrets.neo, scopes: [] }])
  const books = [learning, incentive, iot, jam, neo]

  const incentiveService = createIncentive({ tokens: incentive, tokensPerMinute, now })
  const control = createControl(books, incentiveService.credits)
  const services = [
    createLearning(learning),
    incentiveService,
    createIot(iot, now),
    createJam(jam, neo, secrets.jamUser),
    createControlService(control, books),
  ]
  let url = ''
  const server = createServer((request, response) => {
    void serve(request, response, services, url)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(setting.port ?? 0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url,
    counts: (client) => books.find((candidate) => candidate.clients.includes(client))!.counts(client),
    control,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function incentiveClients(secrets: PartnerSecrets): Client[] {
  const clients = [
    { id: 'client_im_read', secret: secrets.incentiveRead, scopes: ['im.read'] },
    { id: 'client_im_write', secret: secrets.incentiveWrite, scopes: ['im.write'] },
  ]
  if (secrets.incentiveBoth !== undefined)
    clients.push({ id: 'client_im_both', secret: secrets.incentiveBoth, scopes: ['im.read', 'im.write'] })
  return clients
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  services: readonly Service[],
  base: string,
): Promise<void> {
  try {
    send(response, await answer(request, services, base))
  } catch {
    // The caller went away while it was sending.
    response.destroy()
  }
}

async function answer(request: IncomingMessage, services: readonly Service[], base: string): Promise<Reply> {
  const body = await readBody(request)
  if (!body) return apiError(413, 'too_large', `a request may have ${LIMIT} bytes`)
  const url = URL.parse(base + request.url)
  if (!url || !request.url!.startsWith('/')) return apiError(400, 'invalid_url', 'the URL is no path')
  const call = { method: request.method!, url, headers: request.headers, body }
  for (const service of services) {
    const reply = service.handle(call)
    if (reply) return reply
  }
  return apiError(404, 'not_found', 'nothing is served at this path')
}

/** All of it; undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size <= LIMIT) chunks.push(chunk as Buffer)
  }
  return size > LIMIT ? undefined : Buffer.concat(chunks)
}

function send(response: ServerResponse, reply: Reply): void {
  const body = Buffer.from(reply.body === undefined ? '' : JSON.stringify(reply.body))
  response.writeHead(reply.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    ...reply.headers,
  })
  response.end(body)
}
