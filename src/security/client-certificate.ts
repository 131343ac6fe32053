import type { X509Certificate } from 'node:crypto'
import { sayDuration } from '../core/duration.ts'
import type { Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import {
  isForClients,
  readIdentity,
  subjectOf,
  type GivenIdentity,
  type Identity,
  type Spelling,
} from './identity.ts'

/** A certificate that this side shows, and its key. */
export interface ClientCertificate {
  readonly material: Identity['material']
  /** For people: `CN=acme, O=Acme`. */
  readonly subject: string
  /** Epoch ms. */
  readonly ends: number
}

type Reporter = (report: ProblemReport) => void

const DAY = 24 * 60 * 60_000
/** ms before its end that a certificate is warned of. */
export const SOON = 30 * DAY
const RENEW =
  'Ask for a new one where this one came from, and put it into the same file: it takes effect with the next request.'

/** Tells what is wrong with `tls.<field>` of a credential; the message is the rest of a sentence. */
export function reportTls(problem: Reporter) {
  return (field: string, message: string, hint: string, on?: 'key') =>
    problem({
      code: 'credential/certificate',
      message: `"tls.${field}" ${message}`,
      hint,
      at: ['tls', field],
      ...(on && { on }),
    })
}

/**
 * The client certificate of a credential; undefined where there is none. What is wrong with it is reported.
 * @param now epoch ms
 */
export function readClientCertificate(
  given: GivenIdentity,
  now: number,
  problem: Reporter,
): ClientCertificate | undefined {
  const read = readIdentity(given, SPELLING, reportTls(problem))
  if (!read) return undefined
  const field = given.pkcs12 === undefined ? 'certificate' : 'pkcs12'
  checkDates(read.leaf, ['tls', field], now, problem)
  checkUsage(read.leaf, ['tls', field], problem)
  const { material, leaf } = read
  return { material, subject: subjectOf(leaf), ends: leaf.validToDate.getTime() }
}

const SPELLING: Spelling = {
  certificate: 'certificate: ${file:certificates/client.crt}',
  key: 'key: ${file:certificates/client.key}',
  pkcs12: 'pkcs12: ${file:certificates/client.p12}',
  passphrase: 'passphrase: ${env:NAME}',
}

/** What it says does not change from day to day: it is told once, and the log reminds. */
function checkDates(leaf: X509Certificate, at: Path, now: number, problem: Reporter): void {
  const [from, to] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  const report = (severity: 'error' | 'warning', message: string, hint: string) =>
    problem({ code: 'credential/certificate', severity, message: `"${at.join('.')}" ${message}`, hint, at })
  if (now >= to) report('error', `has expired: it was good until ${dayOf(to)}`, RENEW)
  else if (now < from)
    report('warning', `is not valid yet: it is good from ${dayOf(from)}`, 'Check the date of this machine.')
  else if (to - now < SOON) report('warning', `is good until ${dayOf(to)} only`, RENEW)
}

function checkUsage(leaf: X509Certificate, at: Path, problem: Reporter): void {
  if (isForClients(leaf)) return
  problem({
    code: 'credential/certificate',
    severity: 'warning',
    message: `"${at.join('.')}" is not for clients: its extended key usage does not say so`,
    hint: 'Most services refuse it; ask for a certificate with the usage "TLS client authentication".',
    at,
  })
}

export function dayOf(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10)
}

/** `CN=acme, O=Acme, until 2027-01-31` */
export function describeCertificate({ subject, ends }: Pick<ClientCertificate, 'subject' | 'ends'>): string {
  return `${subject}, until ${dayOf(ends)}`
}

/** Undefined as long as it lasts. `expires in 12 d, on 2026-12-03` */
export function sayExpiry({ ends }: Pick<ClientCertificate, 'ends'>, now: number): string | undefined {
  const left = ends - now
  if (left >= SOON) return undefined
  const whole = Math.abs(left) < 2 * DAY ? Math.abs(left) : Math.abs(left) - (Math.abs(left) % DAY)
  return left <= 0
    ? `has expired ${sayDuration(whole)} ago, on ${dayOf(ends)}`
    : `expires in ${sayDuration(whole)}, on ${dayOf(ends)}`
}
