import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import { checkHeaderName, headerText } from '../core/header.ts'
import type { Deployment, Template } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { ENCODINGS } from './content-encoding.ts'

/** Of a connection or of the framing: not for flows, neither sent nor taken over from an answer. */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'trailer',
  'expect',
])

/** Headers of a request, ready but for what differs from message to message. */
export interface RequestHeaders {
  /** A new flat list: names in lower case, values; without the content type. @throws Failure `request.invalid` */
  evaluate(message: Message, context: Context): string[]
  /** The name under which the flow wrote a content type among the headers. */
  readonly contentType: string | undefined
  /** The flow says what becomes of `user-agent`. */
  readonly userAgent: boolean
}

export interface HeaderSetting {
  readonly withCredential: boolean
  /** Value of `accept-encoding` where the flow has none. */
  readonly encodings: string
}

/** Compiles headers that a flow wrote under `headers`; reports those that no flow may set. */
export function prepareHeaders(
  written: Readonly<Record<string, unknown>>,
  { withCredential, encodings }: HeaderSetting,
  deployment: Deployment,
): RequestHeaders {
  const fixed: string[] = []
  const changing: { name: string; value: Template }[] = []
  const names = new Set<string>()
  let contentType: string | undefined
  for (const [key, value] of Object.entries(written)) {
    const name = key.toLowerCase()
    if (!checkName(key, name, deployment)) continue
    if (names.has(name)) reportTwice(key, deployment)
    names.add(name)
    if (name === 'content-type') {
      contentType = key
      continue
    }
    const template = deployment.value(value, ['headers', key])
    if (name === 'cookie' && withCredential && template.constant) reportCookie(key, deployment)
    else if (template.constant) fixed.push(...constantHeader(name, key, template.constant.value, deployment))
    else changing.push({ name, value: template })
  }
  if (!names.has('accept')) fixed.push('accept', '*/*')
  if (!names.has('accept-encoding')) fixed.push('accept-encoding', encodings)
  const traced = !names.has('traceparent')
  return {
    contentType,
    userAgent: names.has('user-agent'),
    evaluate(message, context) {
      const headers = fixed.slice()
      if (traced) headers.push('traceparent', context.run.traceparent)
      for (const { name, value } of changing) {
        const text = headerText(name, value.evaluate(message, context))
        if (text !== undefined) headers.push(name, text)
      }
      return headers
    },
  }
}

/** Headers of an answer that the message keeps, in lower case. */
export function prepareSavedHeaders(written: readonly string[], deployment: Deployment): string[] {
  return written.map((key, index) => {
    const name = key.toLowerCase()
    const at = ['saveHeaders', index]
    checkHeaderName(key, at, { problem: (report) => deployment.problem({ ...report, on: 'value' }) })
    if (OF_CONNECTION.has(name) || name === 'content-type')
      deployment.problem({
        code: 'flow/header-reserved',
        message: `"${key}" is not kept among the message's headers`,
        hint:
          name === 'content-type'
            ? 'The body keeps its content type by itself; `response.headers["content-type"]` has it, too.'
            : 'It belongs to the connection with the receiver; `response.headers` has it.',
        at,
      })
    return name
  })
}

function checkName(key: string, name: string, deployment: Deployment): boolean {
  const at = ['headers', key]
  checkHeaderName(key, at, deployment)
  if (OF_CONNECTION.has(name)) {
    deployment.problem({
      code: 'flow/header-reserved',
      message: `the header "${key}" is not set by a flow`,
      hint: 'The engine takes care of it.',
      at,
      on: 'key',
    })
    return false
  }
  if (name === 'authorization' || name === 'proxy-authorization') {
    deployment.problem({
      code: 'flow/authorization',
      message: `a flow does not set "${key}"`,
      hint:
        name === 'proxy-authorization'
          ? 'The proxy and its user are settings: `http.proxy` in sluice.yaml.'
          : 'Name a credential on the http step: `credential: <name>`. The engine gets the token and puts it on the request.',
      at,
      on: 'key',
    })
    return false
  }
  return true
}

/** A cookie that an answer gave is never written down; one that is written down is a secret. */
function reportCookie(key: string, deployment: Deployment): void {
  deployment.problem({
    code: 'flow/authorization',
    message: `a flow does not write "${key}" down on a request with a credential`,
    hint: 'A secret belongs into the credential (`tokenIn: { in: cookie, name: ... }`). A cookie that an answer gave comes from there: `cookie: "${properties.session}"`.',
    at: ['headers', key],
    on: 'key',
  })
}

function reportTwice(key: string, deployment: Deployment): void {
  deployment.problem({
    code: 'flow/header-twice',
    message: `the header "${key}" is there twice; case makes no difference`,
    hint: 'Take one of them out.',
    at: ['headers', key],
    on: 'key',
  })
}

function constantHeader(name: string, key: string, value: unknown, deployment: Deployment): string[] {
  try {
    const text = headerText(name, value)
    if (name === 'accept-encoding' && text !== undefined) checkEncodings(text)
    return text === undefined ? [] : [name, text]
  } catch (error) {
    const { message, hint } = Failure.from(error)
    deployment.problem({
      code: 'flow/header-value',
      message,
      ...(hint === undefined ? {} : { hint }),
      at: ['headers', key],
    })
    return []
  }
}

/** An answer can only be taken in an encoding that is known. @throws Failure `request.invalid` */
function checkEncodings(text: string): void {
  const names = text.split(',').map((entry) => entry.split(';')[0]!.trim().toLowerCase())
  const unknown = names.find((name) => name !== '' && !(ENCODINGS as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new Failure('request.invalid', `answers in the encoding "${unknown}" cannot be read`, {
      hint: `Known encodings: ${ENCODINGS.join(', ')}.`,
    })
}
