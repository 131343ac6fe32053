import type { Static, TObject } from '@sinclair/typebox'
import { isHeaderValue } from '../core/header.ts'
import type { AnyCredentialKind, ProblemReport } from '../core/kinds.ts'
import { Choice, Keys, Optional, Text } from '../core/schema.ts'
import type { ConnectivityProxy } from '../core/services.ts'
import type { Document, Path } from '../core/document.ts'
import type { CredentialLink } from './credential-links.ts'
import type { ReachOptions } from './reach.ts'

/** What of a credential goes by the Cloud Connector. */
export const CLOUD_CONNECTOR_FIELDS = {
  cloudConnector: Optional(
    Keys(
      {
        carries: Optional(
          Choice(['both', 'calls', 'tokenRequests'], {
            description: 'What goes by it: calls, token requests, or both (when left out).',
          }),
        ),
        locationId: Optional(
          Text({ description: 'Which one, where the subaccount has several.', examples: ['plant-7'] }),
        ),
      },
      {
        description:
          'Its addresses are virtual hosts of the Cloud Connector (`http://`), reached through `connectivityProxy` of sluice.yaml.',
      },
    ),
  ),
}

export type CloudConnectorOptions = Static<TObject<typeof CLOUD_CONNECTOR_FIELDS>> & {
  readonly proxy?: string
  readonly issuer?: string
  readonly tls?: ReachOptions['tls']
}

/** The Cloud Connector, as a credential uses it. */
export interface OnPremise {
  readonly calls: boolean
  readonly tokenRequests: boolean
  readonly locationId: string | undefined
}

/** Undefined: nothing goes by the Cloud Connector. */
export function readCloudConnector(
  { cloudConnector }: CloudConnectorOptions,
  asksService: boolean,
): OnPremise | undefined {
  if (!cloudConnector) return undefined
  const { carries = 'both', locationId } = cloudConnector
  return { calls: carries !== 'tokenRequests', tokenRequests: asksService && carries !== 'calls', locationId }
}

/** Reports what keeps a credential from the Cloud Connector. */
export function checkCloudConnector(
  options: CloudConnectorOptions,
  kind: Pick<AnyCredentialKind, 'asksService'>,
  connectivity: ConnectivityProxy | undefined,
  { imported }: { readonly imported: boolean },
  problem: (report: ProblemReport) => void,
): void {
  const asksService = kind.asksService === true
  const onPremise = readCloudConnector(options, asksService)
  if (!onPremise) return
  if (!connectivity)
    problem({
      code: 'credential/cloud-connector',
      message: imported
        ? 'the destination is OnPremise: its requests go through the Cloud Connector, and no connectivity proxy is set'
        : '"cloudConnector" is there, and no connectivity proxy is set',
      hint: `Name it in sluice.yaml: connectivityProxy: { url: http://host:20003, credential: NAME }. ${
        imported
          ? 'Where the system can be reached otherwise, say so in "override": ProxyType: Internet, with its own URL.'
          : 'Where the system can be reached otherwise, take "cloudConnector" out.'
      }`,
      at: ['cloudConnector'],
      on: imported ? 'value' : 'key',
    })
  if (onPremise.locationId !== undefined && !isHeaderValue(onPremise.locationId))
    problem({
      code: 'credential/header',
      message: 'the location of the Cloud Connector cannot be sent in a header',
      hint: 'It is one text of Latin characters on one line, as the Cloud Connector has it.',
      at: ['cloudConnector', 'locationId'],
    })
  checkFields(options, onPremise, asksService, problem)
}

/** What has no meaning on this way. */
function checkFields(
  options: CloudConnectorOptions,
  { calls, tokenRequests }: OnPremise,
  asksService: boolean,
  problem: (report: ProblemReport) => void,
): void {
  const report = (message: string, hint: string, at: Path) =>
    problem({ code: 'credential/cloud-connector', message, hint, at, on: 'key' })
  if (!calls && !asksService)
    report(
      '"carries" is tokenRequests, but a credential of this type asks for no token',
      'Take it out, so that its calls go by the Cloud Connector.',
      ['cloudConnector', 'carries'],
    )
  const { tls = {}, issuer, proxy } = options
  const isShown = asksService ? tokenRequests || (calls && tls.useForApi === true) : calls
  if (isShown && (tls.certificate !== undefined || tls.pkcs12 !== undefined))
    report(
      '"tls" has a client certificate, which nobody sees through the Cloud Connector',
      'Take it out: the Cloud Connector has a system certificate of its own, which it shows where its mapping says so.',
      ['tls'],
    )
  if (tokenRequests && issuer !== undefined)
    report(
      '"issuer" is an address of the internet; the token service is behind the Cloud Connector',
      'Write tokenServiceUrl: http://virtual-host/oauth/token; or carries: calls, where the issuer is outside.',
      ['issuer'],
    )
  if (proxy !== undefined && calls && (tokenRequests || !asksService))
    problem({
      code: 'credential/unused-field',
      message: '"proxy" has no use: everything goes by the Cloud Connector',
      hint: 'Take it out.',
      at: ['proxy'],
      on: 'key',
    })
}

/** A credential that goes by the Cloud Connector is made with the one of the connectivity proxy. */
export function cloudConnectorLinks(
  onPremise: OnPremise | undefined,
  connectivity: ConnectivityProxy | undefined,
  document: Document,
): CredentialLink[] {
  if (!onPremise || connectivity?.credential === undefined) return []
  return [
    {
      name: connectivity.credential,
      type: undefined,
      place: document.place(['cloudConnector'], { on: 'key' }),
    },
  ]
}

/** For people. */
export function describeCloudConnector({ calls, tokenRequests, locationId }: OnPremise): string {
  const carried = calls && tokenRequests ? 'calls and token requests' : calls ? 'calls' : 'token requests'
  return `${carried}${locationId === undefined ? '' : `, location "${locationId}"`}`
}

/** What follows what a credential sends. */
export function explainWay(onPremise: OnPremise | undefined): string {
  return onPremise ? `; by the Cloud Connector: ${describeCloudConnector(onPremise)}` : ''
}
