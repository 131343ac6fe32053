import type { Static, TObject } from '@sinclair/typebox'
import { readCertificates } from '../core/certificates.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { Keys, Optional, Text } from '../core/schema.ts'
import type { World } from '../core/world.ts'

/** How a credential gets to its token service and its receiver. */
export const REACH_FIELDS = {
  proxy: Optional(
    Text({
      description:
        'Proxy for its token requests and calls, in place of the setting `http.proxy`; `none`: no proxy.',
      examples: ['http://proxy.example.com:3128', 'none'],
    }),
  ),
  tls: Optional(
    Keys(
      {
        ca: Optional(
          Text({
            description: "Certificates (PEM) to trust for its token requests and calls, beside the system's.",
            examples: ['${file:certificates/acme-ca.pem}'],
          }),
        ),
      },
      { description: 'TLS of its token requests and calls. Certificates are always verified.' },
    ),
  ),
}

type ReachOptions = Static<TObject<typeof REACH_FIELDS>>

/** What differs from the settings of the engine. */
export interface Reach {
  readonly proxy: string | undefined
  readonly ca: string | undefined
}

/** Reads these fields; what is wrong with them is reported. */
export function readReach({ proxy, tls }: ReachOptions, problem: (report: ProblemReport) => void): Reach {
  const url = proxy === undefined || proxy === 'none' ? undefined : URL.parse(withScheme(proxy))
  if (proxy !== undefined && proxy !== 'none' && !(url && /^https?:$/.test(url.protocol) && url.host !== ''))
    problem({
      code: 'credential/proxy',
      message: '"proxy" is no address of a proxy',
      hint: 'Write http://host:port, http://user:password@host:port with the password as a reference, or none.',
      at: ['proxy'],
    })
  const certificates = tls?.ca === undefined ? [] : readCertificates(tls.ca)
  if (typeof certificates === 'string')
    problem({
      code: 'credential/certificate',
      message: `"tls.ca" ${certificates}`,
      hint: 'Refer to a file of certificates: ca: ${file:certificates/ca.pem}.',
      at: ['tls', 'ca'],
    })
  return { proxy, ca: tls?.ca }
}

function withScheme(proxy: string): string {
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

/** The world as this credential sees it: its connections go by its own proxy, and trust its certificates, too. */
export function reachedWorld(world: World, { proxy, ca }: Reach): World {
  if (proxy === undefined && ca === undefined) return world
  const tls = ca === undefined ? undefined : { ca }
  return { ...world, dispatcherFor: () => world.dispatcherFor(tls, proxy) }
}
