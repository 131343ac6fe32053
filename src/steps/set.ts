import { defineStep } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { entriesInWords, inWords } from '../core/plain-words.ts'
import { Keys, ListOf, Optional, Template, Templates, Text, Value } from '../core/schema.ts'
import { explainChange, MessageChange } from './message-change.ts'

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
  explain({ properties, remove, ...options }) {
    const what = [
      ...(options.body === undefined ? [] : ['the body']),
      ...(options.headers ? ['headers'] : []),
      ...(properties ? ['properties'] : []),
    ]
    const removed = [...(remove?.headers ?? []), ...(remove?.properties ?? [])]
    return {
      text: what.length > 0 ? `sets ${inWords(what)}` : 'changes the message',
      details: [
        ...(removed.length > 0 ? [`Removes ${inWords(removed)}.`] : []),
        ...(properties ? [`Properties: ${entriesInWords(properties)}.`] : []),
        ...explainChange(options),
      ],
    }
  },
  prepare({ properties, remove, ...options }, deployment) {
    const change = new MessageChange(options, deployment)
    const newProperties = Object.entries(properties ?? {}).map(
      ([name, value]) => [name, deployment.value(value, ['properties', name])] as const,
    )
    const removedHeaders = (remove?.headers ?? []).map((name) => name.toLowerCase())
    const removedProperties = remove?.properties ?? []
    return {
      ...(options.body !== undefined && { leaves: 'body' as const }),
      run(message, context) {
        const evaluated = change.evaluate(message, context)
        const values = newProperties.map(([, value]) => value.evaluate(message, context))
        for (const name of removedHeaders) removeHeader(name, message)
        for (const name of removedProperties) delete message.properties[name]
        change.apply(message, evaluated)
        newProperties.forEach(([name], i) => {
          if (values[i] === null) delete message.properties[name]
          else message.properties[name] = values[i]
        })
      },
    }
  },
})

function removeHeader(name: string, message: Message): void {
  if (!name.endsWith('*')) return message.setHeader(name, undefined)
  for (const key of Object.keys(message.headers))
    if (key.startsWith(name.slice(0, -1))) delete message.headers[key]
}
