import { Failure } from '../core/failure.ts'
import type { Answer } from '../core/http.ts'
import type { Grant } from '../core/kinds.ts'
import type { Credential } from '../core/services.ts'
import type { Address } from './address.ts'
import { missingScope, type Verdict } from './verdict.ts'

/** Why a refused request was not sent again, or that it was, in vain. */
export type Refusal = 'final' | 'scope' | 'vain' | 'stream' | 'same' | 'twice'

/** The receiver does not take what the credential gave: a hint tells a bad token from a missing role. */
export function refusedAnswer(
  answer: Answer,
  verdict: Verdict,
  { host }: Address,
  credential: Credential,
  grant: Grant,
  why: Refusal,
): Failure {
  const { status } = answer
  const { name } = credential
  const content = verdict === 'content'
  const hint = hintFor(why, answer, credential, grant)
  return new Failure(
    'receiver.unauthorized',
    `"${host}" refused the credential "${name}" with status ${status}${content ? ' (by `invalidateWhen`)' : ''}`,
    {
      receiver: { status, host },
      hint: content ? `${hint} If the answer means something else, make \`invalidateWhen\` narrower.` : hint,
    },
  )
}

function hintFor(
  why: Refusal,
  { status, headers }: Answer,
  { name, type }: Credential,
  grant: Grant,
): string {
  const known = grant.describe()
  const renewable = grant.refusedBy.length > 0 || grant.refuses !== undefined
  const roles = `check the roles of the client at the receiver, and audience and scope of the credential "${name}"`
  switch (why) {
    case 'final':
      return renewable
        ? `By \`invalidateOn\` of the credential "${name}" status ${status} does not mean that a token is no longer good, so no new one was fetched: ${known}. Check the roles of the client at the receiver, or add ${status} to \`invalidateOn\`.`
        : `Check the credential "${name}" (${type}) and what it is allowed at the receiver: ${known}.`
    case 'scope':
      return `The receiver says that a scope is missing${missingScope(headers)}: give the client the scope or role${renewable ? `, and check \`scope\` of the credential "${name}"` : ''}: ${known}.`
    case 'vain':
      return `No new token was fetched: ${known}. Tokens can be obtained, so ${roles}.`
    case 'stream':
      return `The token was dropped; the request was not sent again, because its body was a stream and is used up: ${known}. Let a step look at the body before, so that it is kept in memory.`
    case 'same':
      return `The token service gave the same token again, so the request was not sent again: ${known}. The token itself is in order; ${roles}.`
    case 'twice':
      return `A new token was fetched and was refused, too: ${known}. Tokens can be obtained, so ${roles}.`
  }
}

/** The new token that a refusal asks for cannot be had: people learn of the refusal, too. */
export function notRenewed(thrown: unknown, { status }: Answer, { host }: Address): unknown {
  if (!(thrown instanceof Failure) || !thrown.code.startsWith('credential.')) return thrown
  const { code, message, hint, receiver, reply, cause } = thrown
  const why = `A new token was wanted because "${host}" had refused the one before, with status ${status}.`
  return new Failure(code, message, {
    hint: hint === undefined ? why : `${hint} ${why}`,
    ...(receiver && { receiver }),
    reply,
    cause,
  })
}

/** Hosts that http is no danger to. */
const THIS_MACHINE = /^(localhost|\[::1\]|127(\.\d+){3})$/

/** The credential stays here: nothing was sent. */
export function notAllowed(
  { name, hosts }: Pick<Credential, 'name' | 'hosts'>,
  { url, origin, host }: Address,
): Failure {
  const may = hosts.map((host) => `"${host}"`).join(', ')
  if (hosts[0]?.startsWith(VIRTUAL)) return notVirtual(name, hosts, url, may)
  const plain = url.protocol === 'http:' && !THIS_MACHINE.test(url.hostname)
  return new Failure(
    'credential.host',
    `the credential "${name}" may not go to "${plain ? origin : host}"; it may go to ${may}`,
    {
      receiver: { host },
      hint: plain
        ? 'Credentials go by https only: begin the URL with "https://" (http is for hosts of this machine).'
        : `If "${host}" belongs to the receiver, name it in security-material/${name}.yaml: ${hostLine([...hosts, host])}.`,
    },
  )
}

/** Before the names of virtual hosts of the Cloud Connector. */
const VIRTUAL = 'http://'

function notVirtual(name: string, hosts: readonly string[], url: URL, may: string): Failure {
  const { host, origin } = url
  const names = hosts.map((one) => one.slice(VIRTUAL.length))
  return new Failure(
    'credential.host',
    `the credential "${name}" may not go to "${origin}"; it may go to ${may}, by the Cloud Connector`,
    {
      receiver: { host },
      hint:
        url.protocol === 'http:'
          ? `If "${host}" is a virtual host of the receiver, name it in security-material/${name}.yaml: ${hostLine([...names, host])}.`
          : 'Begin the URL with "http://": the tunnel to the Cloud Connector is encrypted.',
    },
  )
}

/** The line of a credential's file, as YAML. */
function hostLine(hosts: readonly string[]): string {
  const written = hosts.map((host) => (/^[\d[*]/.test(host) ? `'${host}'` : host))
  return `\`allowedHosts: [${written.join(', ')}]\``
}

export function setByCredential(header: string, { name }: Credential): Failure {
  return new Failure(
    'request.invalid',
    `the header "${header}" is set by the credential "${name}", and by the flow as well`,
    {
      hint: `Take the header out of the step: the engine puts it on the request.`,
    },
  )
}
