import { END, defineStep } from '../core/kinds.ts'
import { Keys, Optional, Template, Templates, Value, Whole } from '../core/schema.ts'
import { explainChange, MessageChange } from './message-change.ts'

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
  explain: ({ status, ...options }) => ({
    text: `ends the flow successfully${status === undefined ? '' : ` with status ${status}`}`,
    details: [
      options.body === undefined ? 'The caller gets the message as it is.' : 'The caller gets what follows.',
      ...explainChange(options),
    ],
  }),
  prepare({ status, ...options }, deployment) {
    for (const kind of ['forEach', 'parallel'])
      if (deployment.isInside(kind))
        deployment.problem({
          code: 'flow/respond-inside',
          message: `"respond" stands in "${kind}": one of several lines of work cannot end the flow`,
          hint: `Put it after the "${kind}".`,
        })
    const change = new MessageChange(options, deployment)
    return {
      run(message, context) {
        change.apply(message, change.evaluate(message, context))
        if (status !== undefined) message.replyStatus = status
        return END
      },
    }
  },
})
