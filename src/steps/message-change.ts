import { Body } from '../core/body.ts'
import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import { checkHeaderName, headerText, WITHHELD_HEADERS } from '../core/header.ts'
import type { Deployment, Template } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { entriesInWords, textInWords, valueInWords } from '../core/plain-words.ts'
import type { ProblemCode } from '../core/problem-codes.ts'
import { letGo } from '../net/answer-stream.ts'

export interface ChangeOptions {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly contentType?: string
}

/** The same in words, a sentence each. */
export function explainChange({ headers, body, contentType }: ChangeOptions): string[] {
  return [
    ...(headers ? [`Headers: ${entriesInWords(headers)}.`] : []),
    ...(body === undefined ? [] : [`The body becomes ${valueInWords(body)}.`]),
    ...(contentType === undefined ? [] : [`Its content type becomes ${textInWords(contentType)}.`]),
  ]
}

/** New values for a message, all worked out, nothing changed yet. */
export interface Evaluated {
  /** In the order of the names. */
  readonly headers: readonly (string | undefined)[]
  readonly body: Body | undefined
  readonly contentType: string | undefined
}

/** Headers, body and content type that a step gives to the message: what `set` and `respond` have in common. */
export class MessageChange {
  private readonly names: readonly string[]
  private readonly values: readonly Template[]
  private readonly body: Template | undefined
  private readonly contentType: ((message: Message, context: Context) => string) | undefined
  /** The last body of a constant value, and the content type of the message that it was made for. */
  private made:
    | { readonly body: Body; readonly former: string | undefined; readonly type: string | undefined }
    | undefined

  constructor({ headers = {}, body, contentType }: ChangeOptions, deployment: Deployment) {
    this.names = Object.keys(headers).map((name) => name.toLowerCase())
    this.values = Object.entries(headers).map(([name, value]) => headerValue(name, value, deployment))
    this.body = body === undefined ? undefined : deployment.value(body, ['body'])
    this.contentType = contentType === undefined ? undefined : deployment.text(contentType, ['contentType'])
  }

  evaluate(message: Message, context: Context): Evaluated {
    const contentType = this.contentType?.(message, context)
    return {
      headers: this.values.map((value, i) => headerText(this.names[i]!, value.evaluate(message, context))),
      body: this.body && this.bodyOf(this.body, contentType, message, context),
      contentType,
    }
  }

  apply(message: Message, { headers, body, contentType }: Evaluated): void {
    if (body) {
      letGo(message.body)
      message.body = body
    } else if (contentType !== undefined) message.body = message.body.as(contentType)
    for (let i = 0; i < headers.length; i++) message.setHeader(this.names[i]!, headers[i])
  }

  /** A constant body is the same object for message after message: it is turned into bytes once. */
  private bodyOf(template: Template, type: string | undefined, message: Message, context: Context): Body {
    const former = message.body.contentType
    if (!template.constant) return Body.of(template.evaluate(message, context), type, former)
    if (this.made === undefined || this.made.former !== former || this.made.type !== type)
      this.made = { body: Body.of(template.constant.value, type, former), former, type }
    return this.made.body
  }
}

function headerValue(name: string, value: unknown, deployment: Deployment): Template {
  const at = ['headers', name]
  checkHeaderName(name, at, deployment)
  const problem = (code: ProblemCode, message: string, hint: string) =>
    deployment.problem({ code, message, hint, at, on: 'key' })
  if (/^(proxy-)?authorization$/i.test(name))
    problem(
      'flow/authorization',
      `a flow does not set "${name}"`,
      'Name a credential on the http step: `credential: <name>`. The engine gets the token and puts it on the request.',
    )
  else if (/^set-cookie$/i.test(name)) {
    if (!setsCookies(deployment))
      problem(
        'flow/header-reserved',
        `the header "${name}" does not go out with the reply: the endpoint sets no cookies`,
        'Write `setCookie: true` on the endpoint where callers are to keep cookies of the flow.',
      )
  } else if (WITHHELD_HEADERS.has(name.toLowerCase()))
    problem(
      'flow/header-reserved',
      `the header "${name}" is not set by a flow: it would not go out with the reply`,
      'The engine takes care of it; another name will go out.',
    )
  const template = deployment.value(value, at)
  if (!template.constant) return template
  try {
    headerText(name, template.constant.value)
  } catch (error) {
    const { message, hint } = error as Failure
    deployment.problem({ code: 'flow/header-value', message, at, ...(hint === undefined ? {} : { hint }) })
  }
  return template
}

/** Whether what starts the flow lets its reply set cookies. */
function setsCookies({ flow }: Deployment): boolean {
  return (flow.trigger?.options as { setCookie?: boolean } | undefined)?.setCookie === true
}
