import { Failure } from '../core/failure.ts'
import type { Grant } from '../core/kinds.ts'
import type { Credential } from '../core/services.ts'
import type { Address } from './address.ts'

/** Why a refused request was not sent again, or that it was, in vain. */
export type Refusal = 'final' | 'scope' | 'stream' | 'same' | 'twice'

/** The receiver does not take what the credential gave: a hint tells a bad token from a missing role. */
export function refusedAnswer(
  status: number,
  { host }: Address,
  { name, type }: Credential,
  grant: Grant,
  why: Refusal,
): Failure {
  const known = grant.describe()
  const hint = {
    final: `Check the credential "${name}" (${type}) and what it is allowed at the receiver: ${known}.`,
    scope: `The receiver says that a scope is missing: give the client the scope or role, and check \`scope\` of the credential "${name}": ${known}.`,
    stream: `The token was dropped; the request was not sent again, because its body was a stream and is used up: ${known}. Let a step look at the body before, so that it is kept in memory.`,
    same: `The token service gave the same token again, so the request was not sent again: ${known}. The token itself is in order; check the roles of the client at the receiver, and audience and scope of the credential "${name}".`,
    twice: `A new token was fetched and was refused, too: ${known}. Tokens can be obtained, so check the roles of the client at the receiver, and audience and scope of the credential "${name}".`,
  }[why]
  return new Failure(
    'receiver.unauthorized',
    `"${host}" refused the credential "${name}" with status ${status}`,
    {
      receiver: { status, host },
      hint,
    },
  )
}

/** The credential stays here: nothing was sent. */
export function notAllowed(
  { name, hosts }: Pick<Credential, 'name' | 'hosts'>,
  { url, origin, host }: Address,
): Failure {
  const may = hosts.map((host) => `"${host}"`).join(', ')
  const plain = url.protocol === 'http:'
  return new Failure(
    'credential.host',
    `the credential "${name}" may not go to "${plain ? origin : host}"; it may go to ${may}`,
    {
      receiver: { host },
      hint: plain
        ? 'Credentials go by https; by http only to hosts of this machine that they name.'
        : `If the host belongs to the receiver, add it to \`allowedHosts\` of security-material/${name}.yaml; a host without a port means the port of https.`,
    },
  )
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
