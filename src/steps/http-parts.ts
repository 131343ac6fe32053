import type { Context } from '../core/context.ts'
import type { Path } from '../core/document.ts'
import { headerText } from '../core/header.ts'
import { toText, typeName } from '../core/json.ts'
import type { Deployment, Template } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { didYouMean, nearest } from '../core/problem.ts'
import type { Part } from '../net/multipart.ts'

const KEYS = ['content', 'contentType', 'filename'] as const

type Evaluate = (message: Message, context: Context) => Part[]

/** Compiles the parts that a step writes as a map under `body`: `{ content, contentType, filename }`, or a value. */
export function prepareParts(written: Readonly<Record<string, unknown>>, deployment: Deployment): Evaluate {
  const fields = Object.entries(written).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((entry, i) => fieldOf(name, entry, ['body', name, i], deployment))
      : [fieldOf(name, value, ['body', name], deployment)],
  )
  return (message, context) => fields.flatMap((field) => field(message, context))
}

function fieldOf(name: string, written: unknown, at: Path, deployment: Deployment): Evaluate {
  if (isDescribed(written)) return describedPart(name, written, at, deployment)
  const value = deployment.value(written, at)
  const plain = (content: unknown): Part[] =>
    content === null || content === undefined
      ? []
      : [{ name, content, contentType: undefined, filename: undefined }]
  return (message, context) => {
    const given = value.evaluate(message, context)
    return Array.isArray(given) ? given.flatMap(plain) : plain(given)
  }
}

/** A map with one of the keys, or with nothing but what is nearly one. */
function isDescribed(written: unknown): written is Record<string, unknown> {
  if (typeName(written) !== 'map') return false
  const keys = Object.keys(written as object)
  return (
    KEYS.some((key) => keys.includes(key)) ||
    (keys.length > 0 && keys.every((key) => nearest(key, KEYS) !== undefined))
  )
}

function describedPart(
  name: string,
  written: Record<string, unknown>,
  at: Path,
  deployment: Deployment,
): Evaluate {
  for (const key of Object.keys(written))
    if (!(KEYS as readonly string[]).includes(key))
      deployment.problem({
        code: 'key/unknown',
        message: `"${key}" is not a key of the part "${name}"${didYouMean(key, KEYS)}`,
        hint: `Known keys: ${KEYS.join(', ')}. A part that is JSON with other keys stands under "content".`,
        at: [...at, key],
        on: 'key',
      })
  if (!Object.keys(written).some((key) => key === 'content' || nearest(key, KEYS) === 'content'))
    deployment.problem({
      code: 'key/missing',
      message: `"content" is missing in the part "${name}"`,
      hint: 'content: Text, a map or list (sent as JSON), or bytes, such as "${body}".',
      at: [...at, 'content'],
    })
  const optional = (key: (typeof KEYS)[number]): Template | undefined =>
    Object.hasOwn(written, key) ? deployment.value(written[key], [...at, key]) : undefined
  const content = optional('content')
  const contentType = optional('contentType')
  const filename = optional('filename')
  return (message, context) => {
    const file = filename?.evaluate(message, context) ?? undefined
    return [
      {
        name,
        content: content!.evaluate(message, context) ?? '',
        contentType: headerText('content-type', contentType?.evaluate(message, context)),
        filename: file === undefined ? undefined : toText(file),
      },
    ]
  }
}
