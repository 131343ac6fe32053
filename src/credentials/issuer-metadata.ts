import type { Answer } from '../core/http.ts'
import { isMap } from '../core/shape-values.ts'
import { cleanText } from './service-words.ts'

/** Why metadata does not help. */
export interface MetadataFlaw {
  /** The rest of a sentence that begins with "the metadata". */
  readonly flaw: string
  readonly hint: string
  /** There was a document; it is the one to talk about. */
  readonly isAnswer: boolean
}

export interface MetadataReading {
  readonly issuer: string
  readonly sendsCertificate: boolean
  hide(text: string): string
}

/** What metadata says of where things are, as it is written there. */
export interface WrittenEndpoints {
  readonly token: string
  readonly revocation: string | undefined
}

/** Where the token service is, as the answer says. @see https://www.rfc-editor.org/rfc/rfc8414#section-3.3 */
export function readMetadata(
  { status, headers, body }: Pick<Answer, 'status' | 'headers' | 'body'>,
  { issuer, sendsCertificate, hide }: MetadataReading,
): WrittenEndpoints | MetadataFlaw {
  const flaw = (text: string, hint: string, isAnswer = true): MetadataFlaw => ({ flaw: text, hint, isAnswer })
  if (status !== 200)
    return flaw(
      status >= 300 && status < 400
        ? `leads elsewhere (${status}), which is not followed`
        : `is not there: ${status}`,
      status >= 500
        ? 'Look whether the service is up.'
        : 'Check issuer: it is what the service calls itself, such as https://login.example.com; or write tokenServiceUrl in its place.',
      false,
    )
  const encoding = headers['content-encoding'] ?? 'identity'
  const document = encoding === 'identity' ? parsed(body as Buffer) : undefined
  if (!isMap(document))
    return flaw('is no JSON', 'Check issuer: there is something else at this address.', false)
  const said = own(document, 'issuer')
  if (typeof said !== 'string') return flaw('does not say whose it is', 'Ask the operator of the service.')
  if (said !== issuer)
    return flaw(
      `is that of another issuer: ${cleanText(said, 200, hide) ?? 'a text that cannot be shown'}`,
      `If that is the one you mean, write it as issuer, exactly so; "${issuer}" stands there.`,
    )
  const aliases = own(document, 'mtls_endpoint_aliases')
  const endpointOf = (name: string) => {
    const alias = sendsCertificate && isMap(aliases) ? own(aliases, name) : undefined
    const written = alias ?? own(document, name)
    return typeof written === 'string' ? written : undefined
  }
  const token = endpointOf('token_endpoint')
  return token !== undefined
    ? { token, revocation: endpointOf('revocation_endpoint') }
    : flaw(
        'does not say where the token service is (token_endpoint)',
        'Write tokenServiceUrl in place of issuer.',
      )
}

function own(map: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : undefined
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
