import { Choice, Keys, Optional, Template, Templates } from '../core/schema.ts'
import { defineStep } from '../core/kinds.ts'
import { toText } from '../core/json.ts'
import { inWords, textInWords } from '../core/plain-words.ts'

export const log = defineStep({
  name: 'log',
  summary: 'Writes a line to the message log, and keeps a payload there when asked to.',
  shorthand: 'message',
  options: Keys({
    message: Template({ description: 'The line.', examples: ['copied ${size(body)} items'] }),
    level: Optional(
      Choice(['debug', 'info', 'warn', 'error'], { description: 'How loud.', default: 'info' }),
    ),
    fields: Optional(Templates({ description: 'Values to keep beside the line, by name.' })),
    attach: Optional(
      Keys(
        {
          name: Template({ description: 'Name of the attachment.' }),
          content: Optional(
            Template({ description: 'What to keep; the body when left out.', default: '${body}' }),
          ),
          contentType: Optional(
            Template({ description: "The attachment's content type; the body's when left out." }),
          ),
        },
        { description: 'A payload to keep in the message log.' },
      ),
    ),
  }),
  examples: [
    { title: 'A line', yaml: 'steps:\n  - timer: { every: 1h }\n  - log: an hour has passed\n' },
    {
      title: 'A line with the body as an attachment',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - log:\n      message: order ${body.id}\n      attach: { name: order.json }\n',
    },
  ],
  explain: ({ message, level = 'info', fields, attach }) => ({
    text: `writes ${textInWords(message)} to the message log${level === 'info' ? '' : `, as ${level}`}`,
    details: [
      ...(fields ? [`Beside it: ${inWords(Object.keys(fields))}.`] : []),
      ...(attach
        ? [
            `Keeps ${attach.content === undefined ? 'the body' : textInWords(attach.content)} there as ${textInWords(attach.name)}.`,
          ]
        : []),
    ],
  }),
  prepare({ message, level = 'info', fields, attach }, deployment) {
    const line = deployment.text(message, ['message'])
    const values = fields && deployment.value(fields, ['fields'])
    const attachment = attach && {
      name: deployment.text(attach.name, ['attach', 'name']),
      content: deployment.template(attach.content ?? '${body}', ['attach', 'content']),
      contentType:
        attach.contentType === undefined
          ? undefined
          : deployment.text(attach.contentType, ['attach', 'contentType']),
      ofBody: attach.content === undefined,
    }
    return {
      run(message, context) {
        const text = line(message, context)
        const extra = values?.evaluate(message, context) as Record<string, unknown> | undefined
        if (attachment) {
          const value = attachment.content.evaluate(message, context)
          const content = value instanceof Uint8Array ? value : toText(value)
          const type =
            attachment.contentType?.(message, context) ??
            typeOf(value, attachment.ofBody ? message.body.contentType : undefined)
          context.attach(attachment.name(message, context), content, type)
        }
        context.log(level, text, extra)
      },
    }
  },
})

function typeOf(value: unknown, known: string | undefined): string {
  if (known !== undefined) return known
  if (value instanceof Uint8Array) return 'application/octet-stream'
  return typeof value === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
}
