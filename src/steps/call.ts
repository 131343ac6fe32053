import { Body } from '../core/body.ts'
import { Failure } from '../core/failure.ts'
import { defineStep, type RunRequest } from '../core/kinds.ts'
import { Message } from '../core/message.ts'
import { inWords, valueInWords } from '../core/plain-words.ts'
import { Keys, Optional, Templates, Text, Value } from '../core/schema.ts'
import { letGo } from '../net/answer-stream.ts'
import { MessageChange } from './message-change.ts'

export const call = defineStep({
  name: 'call',
  summary: 'Runs another flow and takes its message (ProcessDirect).',
  description:
    'The other flow has no trigger of its own, or one that is not asked here. It gets the body and headers of the message, or those that are written, and runs as a run of its own with the same correlation id. Its body and headers replace those of the message; properties do not travel. When it fails, the step fails with the same code.',
  shorthand: 'flow',
  options: Keys({
    flow: Text({ description: 'Name of the flow.', examples: ['orders/validate'] }),
    body: Optional(Value({ description: "Body for the other flow; the message's when left out." })),
    headers: Optional(
      Templates({ description: "Headers for the other flow, beside the message's; null removes one." }),
    ),
  }),
  examples: [
    {
      title: 'Shared steps',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - call: orders-validate\n  - log: order ${body.id} is valid\n',
    },
  ],
  explain({ flow, body, headers }, { flowNamed }) {
    const called = flowNamed(flow)
    return {
      text: `runs the flow "${flow}" and takes its message`,
      details: [
        ...(called ? [] : ['There is no such flow.']),
        ...(called?.description === undefined ? [] : [`What it does: ${called.description}`]),
        body === undefined
          ? "It gets the message's body and headers."
          : `It gets ${valueInWords(body)} as its body, and the message's headers.`,
        ...(headers ? [`Further headers: ${inWords(Object.keys(headers))}.`] : []),
        'It is a run of its own with the same correlation id; when it fails, this step fails with the same code.',
      ],
      calls: [flow],
    }
  },
  prepare({ flow, ...options }, deployment) {
    deployment.calls(flow, ['flow'])
    const change = new MessageChange(options, deployment)
    const { flows } = deployment.services
    return {
      leaves: 'body',
      async run(message, context) {
        const evaluated = change.evaluate(message, context)
        const own = new Message(evaluated.body ? Body.empty() : message.body)
        Object.assign(own.headers, message.headers)
        change.apply(own, evaluated)
        const request: RunRequest = {
          message: own,
          trigger: { kind: 'call', data: { flow: context.run.flow, run: context.run.id } },
          correlationId: context.run.correlationId,
          calledBy: context.run.id,
          traceparent: context.run.traceparent,
          deadline: context.deadline,
          onStart(cancel) {
            release()
            release = context.onCancel(cancel)
          },
        }
        let release = () => {}
        const result = await flows.run(flow, request)
        release()
        if (context.cancelled) throw context.cancelled
        if (!result) throw notRunning(flow)
        if (result.failure) throw calledFailure(flow, result.id, result.failure)
        if (evaluated.body) letGo(message.body)
        message.body = result.message.body
        message.headers = result.message.headers
      },
    }
  },
})

function notRunning(flow: string): Failure {
  return new Failure('flow.unavailable', `the flow "${flow}" is not running`, {
    hint: 'Look why: sluice flow list.',
  })
}

/** The failure of the other flow, as this step's. */
function calledFailure(flow: string, run: string | undefined, failure: Failure): Failure {
  const { code, message, hint, receiver, reply, retryAfter } = failure
  const where = run === undefined ? '' : ` (run ${run})`
  return new Failure(code, `the flow "${flow}" failed${where}: ${message}`, {
    ...(hint !== undefined && { hint }),
    ...(receiver && { receiver }),
    ...(retryAfter !== undefined && { retryAfter }),
    reply,
    cause: failure,
  })
}
