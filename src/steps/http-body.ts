import type { Body } from '../core/body.ts'
import { charsetOf, checkCharset } from '../core/charset.ts'
import type { Context } from '../core/context.ts'
import type { Path } from '../core/document.ts'
import { Failure } from '../core/failure.ts'
import { headerText } from '../core/header.ts'
import { typeName } from '../core/json.ts'
import type { Deployment, Template } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { multipartBody } from '../net/multipart.ts'
import { isMultipart, requestBody } from '../net/request-body.ts'
import { prepareParts } from './http-parts.ts'
import { checkNoTokenRequest, sendsMessage, type RequestOptions } from './http-request.ts'

type Evaluate<T> = (message: Message, context: Context) => T

/** What a request carries, and as what. */
export interface Payload {
  /** Its content type is always this one; the body's own where there is none, and `typeOf` neither. */
  readonly type: string | undefined
  readonly typeOf: Evaluate<string | undefined> | undefined
  /** @param type what `typeOf` gave, or `type` */
  readonly body: (message: Message, context: Context, type: string | undefined) => Body | null
  /** The body that the step wrote, before it is a body. */
  readonly value: Template | undefined
  /** A stream has to be in memory before it is sent. */
  readonly recodes: boolean
}

/** @param header the name under which a content type is written among the headers */
export function preparePayload(
  given: RequestOptions,
  header: string | undefined,
  deployment: Deployment,
): Payload {
  const { type, typeOf } = prepareType(given, header, deployment)
  if (given.body === undefined) {
    const sends = sendsMessage(given)
    const recodes = sends && type !== undefined && charsetOf(type, '') !== undefined
    return { type, typeOf, body: sends ? messageBody : () => null, value: undefined, recodes }
  }
  checkNoTokenRequest(given.body, ['body'], deployment)
  const isMap = typeName(given.body) === 'map'
  if (isMap && isMultipart(given.contentType ?? type ?? '')) {
    const parts = prepareParts(given.body as Record<string, unknown>, deployment)
    checkMultipart(given.contentType ?? type!, given, header, deployment)
    const { world } = deployment
    const body = (message: Message, context: Context) => multipartBody(parts(message, context), world.newId())
    return { type: undefined, typeOf: undefined, body, value: undefined, recodes: false }
  }
  const value = deployment.value(given.body, ['body'])
  const made = { type, typeOf, value, recodes: false }
  const always =
    value.constant && typeOf === undefined && constantBody(value.constant.value, type, deployment)
  if (always) return { ...made, body: () => always }
  return { ...made, body: (message, context, type) => requestBody(value.evaluate(message, context), type) }
}

/** The message's own, in the charset of the content type that the step names. */
function messageBody({ body }: Message, _context: Context, type: string | undefined): Body {
  return type === undefined ? body : body.recoded(type)
}

/** Made once. Undefined: it cannot be made, which is reported. */
function constantBody(value: unknown, type: string | undefined, deployment: Deployment): Body | undefined {
  try {
    const body = requestBody(value, type)
    body.bytes()
    return body
  } catch (error) {
    const { message, hint = '' } = Failure.from(error)
    deployment.problem({ code: 'flow/body', message, hint, at: ['body'] })
    return undefined
  }
}

function prepareType(
  { contentType, headers }: RequestOptions,
  header: string | undefined,
  deployment: Deployment,
): Pick<Payload, 'type' | 'typeOf'> {
  if (header !== undefined && contentType !== undefined)
    deployment.problem({
      code: 'flow/header-twice',
      message: `the content type is there twice: as \`contentType\` and as the header "${header}"`,
      hint: 'Take one of them out.',
      at: ['headers', header],
      on: 'key',
    })
  const at = contentType === undefined ? ['headers', header ?? ''] : ['contentType']
  const written = contentType ?? (header === undefined ? undefined : headers?.[header])
  if (written === undefined || written === null) return { type: undefined, typeOf: undefined }
  const template = deployment.value(written, at)
  if (template.constant)
    return { type: constantType(template.constant.value, at, deployment), typeOf: undefined }
  return {
    type: undefined,
    typeOf: (message, context) => headerText('content-type', template.evaluate(message, context)),
  }
}

function constantType(value: unknown, at: Path, deployment: Deployment): string | undefined {
  try {
    const type = headerText('content-type', value)
    if (type !== undefined) checkCharset(type)
    return type
  } catch (error) {
    const { code, message, hint = '' } = Failure.from(error)
    deployment.problem({
      code: code === 'body.invalid' ? 'flow/charset' : 'flow/header-value',
      message,
      hint,
      at,
    })
    return undefined
  }
}

function checkMultipart(
  type: string,
  { contentType }: RequestOptions,
  header: string | undefined,
  deployment: Deployment,
): void {
  const at = contentType === undefined ? ['headers', header!] : ['contentType']
  if (/\bboundary\s*=/i.test(type))
    deployment.problem({
      code: 'flow/multipart',
      message: 'the step makes the boundary of the parts itself',
      hint: 'Write `contentType: multipart/form-data`.',
      at,
    })
  else if (!/^multipart\/form-data\s*(;|$)/i.test(type))
    deployment.problem({
      code: 'flow/multipart',
      message: `a map is sent as "multipart/form-data", not as "${type}"`,
      hint: 'Write `contentType: multipart/form-data`; or build the whole body as text, with its boundaries.',
      at,
    })
}
