import { Body } from '../core/body.ts'
import { checkHeaderName, headerText } from '../core/header.ts'
import { END, defineStep } from '../core/kinds.ts'
import { Keys, Optional, Template, Templates, Value, Whole } from '../core/schema.ts'
import { letGo } from '../net/answer-stream.ts'

export const respond = defineStep({
  name: 'respond',
  summary: 'Ends the flow successfully and says what the caller gets.',
  options: Keys({
    status: Optional(
      Whole({ description: 'HTTP status of the reply.', default: 200, minimum: 200, maximum: 599 }),
    ),
    headers: Optional(
      Templates({ description: 'Headers of the reply by name, beside those of the message.' }),
    ),
    body: Optional(Value({ description: "Body of the reply; the message's when left out." })),
    contentType: Optional(Template({ description: 'Content type of the reply.' })),
  }),
  examples: [
    {
      title: 'Nothing to do',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - respond: { status: 202, body: { accepted: "${body.id}" } }\n',
    },
  ],
  prepare({ status, headers, body, contentType }, deployment) {
    const newBody = body === undefined ? undefined : deployment.value(body, ['body'])
    const type = contentType === undefined ? undefined : deployment.text(contentType, ['contentType'])
    const newHeaders = Object.entries(headers ?? {}).map(([name, value]) => {
      checkHeaderName(name, ['headers', name], deployment)
      return [name.toLowerCase(), deployment.value(value, ['headers', name])] as const
    })
    return {
      run(message, context) {
        const headerValues = newHeaders.map(
          ([name, value]) => [name, headerText(name, value.evaluate(message, context))] as const,
        )
        const bodyValue = newBody?.evaluate(message, context)
        const typeText = type?.(message, context)
        if (newBody) {
          letGo(message.body)
          message.body = Body.of(bodyValue, typeText, message.body.contentType)
        } else if (typeText !== undefined) message.body = message.body.as(typeText)
        for (const [name, value] of headerValues) message.setHeader(name, value)
        if (status !== undefined) message.replyStatus = status
        return END
      },
    }
  },
})
