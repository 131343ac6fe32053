import { Body } from '../core/body.ts'
import { defineStep, type Deployment, type Template as Compiled } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { Keys, ListOf, Optional, Template, Templates, Text, Value } from '../core/schema.ts'
import { checkHeaderName, headerText } from '../core/header.ts'
import { letGo } from '../net/answer-stream.ts'

export const set = defineStep({
  name: 'set',
  summary: 'Sets headers, properties and the body (the content modifier).',
  options: Keys({
    headers: Optional(
      Templates({
        description: 'Headers of the message by name; they go out with the reply. Null removes one.',
      }),
    ),
    properties: Optional(
      Templates({
        description: 'Properties by name; any value; they never leave the flow. Null removes one.',
      }),
    ),
    body: Optional(
      Value({
        description:
          'The new body. A map or list becomes JSON, its expressions keep their types; text stays text.',
      }),
    ),
    contentType: Optional(Template({ description: 'Content type of the body.' })),
    remove: Optional(
      Keys(
        {
          headers: Optional(
            ListOf(Text({ description: 'Name of a header, or a pattern with `*` at the end.' }), {
              description: 'Headers to remove.',
            }),
          ),
          properties: Optional(
            ListOf(Text({ description: 'Name of a property.' }), { description: 'Properties to remove.' }),
          ),
        },
        { description: 'What to take away; done first.' },
      ),
    ),
  }),
  examples: [
    {
      title: 'Remember the id and build a new body',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - set:\n      properties: { orderId: "${body.id}" }\n      body: { id: "${body.id}", total: "${body.qty * body.price}" }\n',
    },
  ],
  prepare({ headers, properties, body, contentType, remove }, deployment) {
    const newHeaders = headers && namedTemplates(headers, 'headers', deployment)
    const newProperties = properties && namedTemplates(properties, 'properties', deployment)
    const newBody = body === undefined ? undefined : deployment.value(body, ['body'])
    const type = contentType === undefined ? undefined : deployment.text(contentType, ['contentType'])
    for (const [name] of newHeaders ?? []) {
      checkHeaderName(name, ['headers', name], deployment)
      if (name.toLowerCase() === 'authorization')
        deployment.problem({
          code: 'flow/authorization',
          message: 'a flow does not set "authorization"',
          hint: 'Name a credential on the http step: `credential: <name>`. The engine gets the token and puts it on the request.',
          at: ['headers', name],
          on: 'key',
        })
    }
    const removedHeaders = (remove?.headers ?? []).map((name) => name.toLowerCase())
    const removedProperties = remove?.properties ?? []
    return {
      run(message, context) {
        const headerValues = newHeaders?.map(
          ([name, value]) =>
            [name.toLowerCase(), headerText(name, value.evaluate(message, context))] as const,
        )
        const propertyValues = newProperties?.map(
          ([name, value]) => [name, value.evaluate(message, context)] as const,
        )
        const bodyValue = newBody?.evaluate(message, context)
        const typeText = type?.(message, context)
        for (const name of removedHeaders) removeHeader(name, message)
        for (const name of removedProperties) delete message.properties[name]
        if (newBody) {
          letGo(message.body)
          message.body = Body.of(bodyValue, typeText, message.body.contentType)
        } else if (typeText !== undefined) message.body = message.body.as(typeText)
        for (const [name, value] of headerValues ?? []) message.setHeader(name, value)
        for (const [name, value] of propertyValues ?? [])
          if (value === null) delete message.properties[name]
          else message.properties[name] = value
      },
    }
  },
})

function namedTemplates(
  values: Record<string, unknown>,
  option: string,
  deployment: Deployment,
): (readonly [string, Compiled])[] {
  return Object.entries(values).map(
    ([name, value]) => [name, deployment.value(value, [option, name])] as const,
  )
}

function removeHeader(name: string, message: Message): void {
  if (!name.endsWith('*')) return message.setHeader(name, undefined)
  for (const key of Object.keys(message.headers))
    if (key.startsWith(name.slice(0, -1))) delete message.headers[key]
}
