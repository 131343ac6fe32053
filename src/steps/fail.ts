import { Failure } from '../core/failure.ts'
import { defineStep } from '../core/kinds.ts'
import { textInWords } from '../core/plain-words.ts'
import { Keys, Optional, Template, Text, Whole } from '../core/schema.ts'

export const fail = defineStep({
  name: 'fail',
  summary: 'Ends the flow with a failure.',
  shorthand: 'message',
  options: Keys({
    message: Template({ description: 'What went wrong, for the message log and for the caller.' }),
    status: Optional(
      Whole({
        description: 'HTTP status that the caller of an endpoint gets.',
        default: 500,
        minimum: 400,
        maximum: 599,
      }),
    ),
    code: Optional(
      Text({ description: 'Code of the failure.', default: 'flow.failed', pattern: '^[a-z][a-z0-9.-]*$' }),
    ),
  }),
  examples: [
    {
      title: 'Refuse what is not complete',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - fail: { message: the order has no id, status: 422, code: order.no-id }\n    if: body.id == null\n',
    },
  ],
  explain: ({ message, status = 500, code = 'flow.failed' }) => ({
    text: `ends the flow with a failure: ${textInWords(message)}`,
    details: [`Its code is ${code}; the caller of an endpoint gets the status ${status}.`],
  }),
  prepare({ message, status = 500, code = 'flow.failed' }, deployment) {
    const text = deployment.text(message, ['message'])
    return {
      run(message, context) {
        throw new Failure(code, text(message, context), { reply: status })
      },
    }
  },
})
