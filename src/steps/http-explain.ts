import { sayDuration } from '../core/duration.ts'
import type { CredentialExplanation, Explaining, StepExplanation } from '../core/explanation.ts'
import {
  codeInWords,
  counted,
  entriesInWords,
  inWords,
  sizeInWords,
  statusesInWords,
  textInWords,
  valueInWords,
} from '../core/plain-words.ts'
import { isMap } from '../core/shape-values.ts'
import { parseTemplate } from '../expression/scan.ts'
import { certainOrigin } from '../net/url-check.ts'
import type { HttpOptions, PaginateOptions, ThrottleOptions } from './http-options.ts'
import { methodOf, sendsMessage } from './http-request.ts'

/** An http step in words. */
export function explainHttp(given: HttpOptions, explaining: Explaining): StepExplanation {
  const { credential: used, paginate, throttle } = given
  const credential = used && explaining.credential(used.name)
  const { url, host } = addressOf(given.url, credential, explaining)
  return {
    text: `${methodOf(given)} ${url}`,
    details: [
      ...hostWords(given.url, host),
      ...(given.query ? [`Query: ${entriesInWords(given.query)}.`] : []),
      ...(given.headers ? [`Headers: ${entriesInWords(given.headers)}.`] : []),
      ...payloadWords(given),
      ...(used ? [credentialWords(used.name, credential)] : []),
      ...(given.tenant === undefined
        ? []
        : [`For the tenant ${given.tenant}, which must be one of the credential's.`]),
      ...answerWords(given),
      ...(paginate ? pagingWords(paginate) : []),
      statusWords(given),
      ...(throttle ? [throttleWords(throttle, used !== undefined)] : []),
    ],
    receivers: [host ?? receiverOf(given.url, credential)],
    credentials: used ? [used.name] : [],
  }
}

interface Address {
  /** With its expressions. */
  readonly url: string
  /** Where no message can change it. */
  readonly host: string | undefined
}

function addressOf(
  written: string,
  credential: CredentialExplanation | undefined,
  explaining: Explaining,
): Address {
  const url = shown(written)
  const filled = withParameters(written, explaining)
  const { parts } = parseTemplate(filled)
  const origin = certainOrigin(parts)
  if (origin !== undefined) return { url, host: URL.parse(origin)?.host }
  const [first] = parts
  const absolute = first !== undefined && (!('text' in first) || /^\s*[a-z][a-z0-9+.-]*:/i.test(first.text))
  if (absolute || credential?.baseUrl === undefined) return { url, host: undefined }
  const { baseUrl } = credential
  return {
    url: `${baseUrl.replace(/\/?$/, '/')}${url.replace(/^\//, '')}`,
    host: URL.parse(baseUrl)?.host,
  }
}

/** On one line, without user, and without the values of a query that is part of it: they may be a key. */
function shown(url: string): string {
  return url
    .trim()
    .replace(/\s*\r?\n\s*/g, ' ')
    .replace(/^([a-z]+:\/\/)[^/?#${]*@/i, '$1****@')
    .replace(/([?&][^=&?#]+=)(?!\$\{)[^&#]+/g, '$1…')
}

function withParameters(url: string, { parameters }: Explaining): string {
  return url.replace(/\$\{\s*param\.(\w+)\s*\}/g, (all, name: string) =>
    Object.hasOwn(parameters, name) ? String(parameters[name]) : all,
  )
}

function hostWords(url: string, host: string | undefined): string[] {
  if (host !== undefined) return url.includes('${') && !url.includes(host) ? [`Its host: ${host}.`] : []
  return url.trimStart().startsWith('${') ? ['Where to is known only when it runs.'] : []
}

function receiverOf(url: string, credential: CredentialExplanation | undefined): string {
  if (credential?.hosts.length) return inWords(credential.hosts, 'or')
  if (credential?.baseUrl !== undefined && !/^\s*[a-z]+:|^\s*\$\{/i.test(url))
    return `the host of ${credential.baseUrl}`
  return `that of ${shown(url)}`
}

function payloadWords(given: HttpOptions): string[] {
  const { body, contentType } = given
  if (sendsMessage(given)) return ["It sends the message's body."]
  if (body === undefined) return []
  const type = contentType === undefined ? '' : `, as ${textInWords(contentType).replaceAll('"', '')}`
  return [
    isMap(body)
      ? `It sends${type === '' ? ' JSON' : ''}: ${entriesInWords(body)}${type}.`
      : `It sends ${valueInWords(body)}${type}.`,
  ]
}

function credentialWords(name: string, credential: CredentialExplanation | undefined): string {
  if (!credential) return `Credential ${name}: there is none of this name.`
  if (credential.broken) return `Credential ${name}: its file has mistakes.`
  return `Credential ${name}: ${credential.sends ?? `of the type ${credential.type}`}.`
}

function answerWords({ into, paginate, saveHeaders, maxResponse }: HttpOptions): string[] {
  return [
    ...(into === undefined ? [] : [`The answer becomes the property "${into}"; the body stays.`]),
    ...(into === undefined && !paginate ? ['The answer becomes the body.'] : []),
    ...(saveHeaders?.length ? [`Headers of the answer that are kept: ${inWords(saveHeaders)}.`] : []),
    ...(maxResponse === undefined ? [] : [`An answer over ${sizeInWords(maxResponse)} fails it.`]),
  ]
}

function pagingWords({ items, maxPages, prefetch = 1, ...ways }: PaginateOptions): string[] {
  return [
    `The answer comes in pages; the body becomes a stream of the items ${codeInWords(items)} of each.`,
    `${nextPageWords(ways)}${ways.more === undefined ? '' : `; the last is the one where ${codeInWords(ways.more)} is false`}.`,
    ...(prefetch === 1 ? [] : [`Pages fetched ahead: ${prefetch}.`]),
    ...(maxPages === undefined ? [] : [`More than ${counted(maxPages, 'page')} fail it.`]),
    'Time-out and retries are those of each page.',
  ]
}

function nextPageWords({ next, page, offset, cursor }: Partial<PaginateOptions>): string {
  if (next !== undefined) return `The next page is ${codeInWords(next)}, until there is none`
  const numbered = page ?? offset
  if (numbered) {
    const what = page ? 'counts pages' : 'counts items'
    const start = numbered.start ?? (page ? 1 : 0)
    const size = numbered.size === undefined ? '' : `, ${counted(numbered.size, 'item')} a page`
    return `The entry "${numbered.param}" ${what} from ${start} on${size}`
  }
  if (cursor) return `The next page is asked for with "${cursor.param}" = ${codeInWords(cursor.value)}`
  return 'The next page is the one that the header Link names'
}

function statusWords({ acceptStatus = [], followRedirects }: HttpOptions): string {
  const except = acceptStatus.length === 0 ? '' : `, unless it is ${statusesInWords(acceptStatus)}`
  return followRedirects
    ? `A status of 400 or more fails it${except}; redirects are followed.`
    : `A redirect, or a status of 400 or more, fails it${except}.`
}

function throttleWords({ rate, per = 1000, concurrency, by }: ThrottleOptions, credential: boolean): string {
  const limits = [
    ...(rate === undefined ? [] : [`${counted(rate, 'request')} begin within ${sayDuration(per)}`]),
    ...(concurrency === undefined ? [] : [`${concurrency} are under way at once`]),
  ]
  const who = by === 'host' || !credential ? 'to this host' : 'with this credential'
  return `At most ${inWords(limits)}; requests of other steps ${who} that have a throttle count, too.`
}
