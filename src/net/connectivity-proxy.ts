import { Readable } from 'node:stream'
import { Dispatcher } from 'undici'
import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Answer, Exchange } from '../core/http.ts'
import type { LentToken } from '../core/kinds.ts'
import type { ConnectivityProxy, VirtualHosts } from '../core/services.ts'
import type { World } from '../core/world.ts'
import { discard } from './answer-stream.ts'
import type { Carrier, SendOver } from './connections.ts'
import { EgressDenied, type Egress } from './egress.ts'

/** Says which of several Cloud Connectors of a subaccount is meant. */
const LOCATION = 'SAP-Connectivity-SCC-Location_ID'
/** What only the engine says to the proxy: a flow could reach another system with the same virtual name. */
const OWN_HEADERS = ['proxy-authorization', LOCATION.toLowerCase()]

export interface ConnectivityProxySetting {
  readonly url: string
  /** Name of the credential whose token it wants. */
  readonly credential?: string
}

/**
 * SAP's connectivity proxy: the way to the virtual hosts of the Cloud Connector.
 * @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/configure-destination-for-on-premise-system
 */
export function createConnectivityProxy(
  { url, credential }: ConnectivityProxySetting,
  world: Pick<World, 'dispatcherFor'>,
  egress: Egress,
): ConnectivityProxy {
  const proxy = new URL(url.includes('://') ? url : `http://${url}`)
  return {
    credential,
    dispatcherFor: (hosts) =>
      new ProxyCarrier(world.dispatcherFor(undefined, 'none'), proxy, hosts, egress, credential),
  }
}

/** Sends each request in absolute form to the proxy, with the token that it wants; renews that once where it is refused. */
class ProxyCarrier extends Dispatcher implements Carrier {
  readonly #way: Dispatcher
  readonly #proxy: URL
  readonly #hosts: VirtualHosts
  readonly #egress: Egress
  readonly #credential: string | undefined
  readonly #allowed = new Set<string>()

  constructor(
    way: Dispatcher,
    proxy: URL,
    hosts: VirtualHosts,
    egress: Egress,
    credential: string | undefined,
  ) {
    super()
    this.#way = way
    this.#proxy = proxy
    this.#hosts = hosts
    this.#egress = egress
    this.#credential = credential
  }

  async carry(request: Exchange, send: SendOver): Promise<Answer> {
    try {
      return await this.#carry(request, send)
    } catch (error) {
      const { body } = request
      if (body instanceof Readable && !body.destroyed) body.destroy()
      throw error
    }
  }

  async #carry(request: Exchange, send: SendOver): Promise<Answer> {
    this.#check(request)
    const lent = await this.#token(request.until)
    const answer = await this.#send(request, lent, send)
    if (answer.status !== 407) return answer
    discard(answer)
    if (lent?.reject() !== true || request.body instanceof Readable) throw this.#refused(request)
    const renewed = await this.#token(request.until)
    if (renewed!.token.reveal() === lent.token.reveal()) throw this.#refused(request)
    const second = await this.#send(request, renewed, send)
    if (second.status !== 407) {
      renewed!.accepted()
      return second
    }
    discard(second)
    renewed!.reject()
    throw this.#refused(request)
  }

  /** Names count, addresses do not: the Cloud Connector looks them up. @throws Failure */
  #check({ origin, headers }: Exchange): void {
    const host = hostOf(origin)
    if (!this.#allowed.has(origin)) {
      if (!origin.startsWith('http:'))
        throw new Failure(
          'request.invalid',
          `"${origin}" is no address of a virtual host of the Cloud Connector`,
          {
            receiver: { host },
            hint: 'Begin it with "http:"; the tunnel to the Cloud Connector is encrypted.',
          },
        )
      try {
        this.#egress.check(new URL(origin), 'proxied')
      } catch (error) {
        throw error instanceof EgressDenied ? error.failure(host) : error
      }
      this.#allowed.add(origin)
    }
    for (let i = 0; i < headers.length; i += 2) {
      if (!OWN_HEADERS.includes(headers[i]!.toLowerCase())) continue
      throw new Failure('request.invalid', `the header "${headers[i]}" is not free on the way to "${host}"`, {
        receiver: { host },
        hint: 'The engine sets it: the location is that of the credential, the token that of the connectivity proxy.',
      })
    }
  }

  #token(until: Cancellation): Promise<LentToken | undefined> {
    const { lend } = this.#hosts
    return this.#credential === undefined ? Promise.resolve(undefined) : lend(this.#credential, until)
  }

  #send(request: Exchange, lent: LentToken | undefined, send: SendOver): Promise<Answer> {
    const { origin, path, headers } = request
    const { locationId } = this.#hosts
    const host = hostOf(origin)
    return send(this.#way, {
      ...request,
      origin: this.#proxy.origin,
      path: origin + path,
      host,
      headers: [
        ...headers,
        'host',
        host,
        ...(lent ? ['proxy-authorization', `Bearer ${lent.token.reveal()}`] : []),
        ...(locationId === undefined ? [] : [LOCATION, locationId]),
      ],
    })
  }

  #refused({ origin }: Exchange): Failure {
    const host = hostOf(origin)
    return new Failure(
      'receiver.unreachable',
      `the connectivity proxy did not let the request to "${host}" through (status 407)`,
      {
        receiver: { host },
        hint:
          this.#credential === undefined
            ? 'It wants a token: name a credential in `connectivityProxy.credential` of sluice.yaml.'
            : `It does not take the token of the credential "${this.#credential}": that needs client and token service of the binding of the connectivity service.`,
      },
    )
  }
}

function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('//') + 2)
}
