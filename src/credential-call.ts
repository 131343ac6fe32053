import type { Body } from './core/body.ts'
import { isJsonType, isTextType } from './core/body.ts'
import { sayDuration } from './core/duration.ts'
import { Failure } from './core/failure.ts'
import type { ReceiverAnswer } from './core/http.ts'
import type { CredentialTestStep } from './core/credential-test.ts'
import type { Grant } from './core/kinds.ts'
import type { Credential, Send } from './core/services.ts'
import type { World } from './core/world.ts'
import type { Errand } from './errand.ts'
import { Addresses, shownUrl } from './net/address.ts'
import { decodedAnswer, isEncoded } from './net/decoded-answer.ts'
import { isRedirect } from './net/redirect.ts'
import { statusFailure, unfollowedRedirect } from './net/status-failure.ts'
import type { Redactor } from './security/redaction.ts'

export interface CallSetting {
  readonly send: Send
  readonly world: World
  readonly redactor: Pick<Redactor, 'beginning'>
}

type Asked = CredentialTestStep['asked']

export const NOTHING_ASKED: Asked = { method: '', url: '', headers: [], query: [], fields: [] }

/** Characters of an answer that people see. */
const SHOWN = 300
/** Bytes of an answer that are read. */
const READ = 256 * 1024
/** JSON where the receiver has the choice: it is read more easily. */
const HEADERS = ['accept', 'application/json, */*;q=0.1', 'accept-encoding', 'identity']

/** Gets a URL with the credential, as an http step does, and tells what came of it. Never rejects. */
export async function testCall(
  url: string,
  credential: Credential,
  setting: CallSetting,
  errand: Errand,
): Promise<CredentialTestStep> {
  const { clock } = setting.world
  const grants: Grant[] = []
  const started = clock.ticks()
  const took = () => sayDuration(clock.ticks() - started)
  try {
    const sent = await setting.send(
      { method: 'GET', url, headers: HEADERS, body: null, followRedirects: 0, maxResponse: Infinity },
      { name: credential.name, current: () => observed(credential, (grant) => grants.push(grant)) },
      errand,
    )
    const decode = { collect: READ, limit: Infinity }
    const answer = isEncoded(sent) ? await decodedAnswer(sent, decode) : sent
    const { type, ...content } = await contentOf(answer, setting.redactor)
    const { body, ...size } = content
    const got = {
      status: answer.status,
      ...(type !== undefined && { 'content type': type }),
      ...size,
      took: took(),
      ...(body !== undefined && { body }),
    }
    const asked = askedOf(url, credential, grants.at(-1))
    const failure = flawOf(answer, credential, clock.now())
    if (failure) return { ...failedStep('call', asked, failure), got }
    const warnings = oddities(answer, grants.length)
    return { title: 'call', ok: true, asked, got, ...(warnings.length > 0 && { warnings }) }
  } catch (thrown) {
    const failure = Failure.from(thrown)
    const status = failure.receiver?.status
    const got = grants.length === 0 ? {} : { ...(status !== undefined && { status }), took: took() }
    return { ...failedStep('call', askedOf(url, credential, grants.at(-1)), failure), got }
  }
}

export function failedStep(title: string, asked: Asked, failure: Failure): CredentialTestStep {
  const { code, message, hint } = failure
  return { title, ok: false, asked, got: {}, failure: { code, message, ...(hint !== undefined && { hint }) } }
}

/** The same credential, which tells what it puts on requests. */
function observed(credential: Credential, note: (grant: Grant) => void): Credential {
  const { name, type, baseUrl, hosts, apiHeaders, apiQuery, authorizer, dispatcher } = credential
  const noted = (grant: Grant): Grant => {
    note(grant)
    return grant
  }
  return {
    name,
    type,
    baseUrl,
    hosts,
    apiHeaders,
    apiQuery,
    dispatcher,
    allows: (url) => credential.allows(url),
    authorizer: {
      ...authorizer,
      authorize(until, tenant) {
        const grant = authorizer.authorize(until, tenant)
        return grant instanceof Promise ? grant.then(noted) : noted(grant)
      },
    },
  }
}

/** By name only. Without a grant nothing was sent. */
function askedOf(url: string, credential: Credential, grant: Grant | undefined): Asked {
  let target: URL
  try {
    target = new Addresses().resolve(url, credential.baseUrl).url
  } catch {
    return { ...NOTHING_ASKED, method: 'GET', url: shownUrl(url) }
  }
  const { shownCertificate: certificate } = credential
  const asked = {
    ...NOTHING_ASKED,
    method: 'GET',
    url: target.origin + target.pathname,
    ...(certificate !== undefined && { certificate }),
  }
  const added = [credential.apiQuery, grant?.query ?? ''].flatMap((query) => namesOf(query))
  return {
    ...asked,
    query: [...new Set([...namesOf(target.search), ...added])],
    headers: grant === undefined ? [] : headerNames(HEADERS, credential.apiHeaders, grant.headers),
  }
}

function namesOf(query: string): string[] {
  return [...new URLSearchParams(query).keys()]
}

/** Of an authorization also its scheme. */
function headerNames(...lists: readonly (readonly string[])[]): string[] {
  const names = new Map<string, string>([['user-agent', 'user-agent']])
  for (const list of lists)
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i]!.toLowerCase()
      const scheme = name === 'authorization' ? /^([a-z][\w-]*) \S/i.exec(list[i + 1]!)?.[1] : undefined
      names.set(name, scheme === undefined ? name : `${name} (${scheme})`)
    }
  return [...names.values()]
}

function flawOf(answer: ReceiverAnswer, { name }: Credential, now: number): Failure | undefined {
  const { status, headers } = answer
  if (isRedirect(status, headers)) return unfollowedRedirect('GET', answer)
  return status >= 400 ? statusFailure('GET', answer, name, now) : undefined
}

/** @param grants with which it was sent, one after the other */
function oddities({ headers }: ReceiverAnswer, grants: number): string[] {
  const odd: string[] = []
  if (grants > 1)
    odd.push(
      'the receiver refused the first token and took the next one; if it does so often, ask its operator how long its tokens are good.',
    )
  if (/^text\/html\b/i.test(headers['content-type'] ?? ''))
    odd.push(
      'the answer is a web page, not data. Look whether the URL is the one of the API: a page to log in is answered with 200, too.',
    )
  return odd
}

interface Content {
  readonly type?: string
  /** Bytes, where it is known. */
  readonly size: number | string
  /** The beginning, where it is text. */
  readonly body?: string
}

async function contentOf(
  { headers, body }: ReceiverAnswer,
  redactor: CallSetting['redactor'],
): Promise<Content> {
  const { bytes, whole } = await beginningOf(body)
  const length = whole ? bytes.length : body.length
  const size = length ?? `more than ${Math.floor(bytes.length / 1024)} KB`
  const type = headers['content-type']
  const isText = isJsonType(type) || isTextType(type)
  const text = isText ? bytes.toString('utf8') : ''
  const shown = redactor.beginning(text, SHOWN).trim()
  return {
    ...(type !== undefined && { type }),
    size,
    ...(shown !== '' && { body: text.length > SHOWN ? `${shown}…` : shown }),
  }
}

/** As much as is read, and whether that is all. */
async function beginningOf(body: Body): Promise<{ bytes: Buffer; whole: boolean }> {
  if (!body.isStream) return { bytes: body.bytes(), whole: true }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body.take()) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
    if (size >= READ) return { bytes: Buffer.concat(chunks, size), whole: false }
  }
  return { bytes: Buffer.concat(chunks, size), whole: true }
}
