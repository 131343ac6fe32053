import { defineStep, type Run } from '../core/kinds.ts'
import { codeInWords } from '../core/plain-words.ts'
import { Expression, Keys, ListOf, Optional, Steps } from '../core/schema.ts'

export const choose = defineStep({
  name: 'choose',
  summary: 'Runs the steps of the first case whose condition is true.',
  composite: true,
  options: Keys({
    cases: ListOf(
      Keys({
        if: Expression({ description: 'The condition.', examples: ["body.type == 'A'"] }),
        steps: Steps({ description: 'What to do then.' }),
      }),
      { description: 'Looked at in turn; the first that is true is taken.' },
    ),
    else: Optional(Steps({ description: 'What to do when no case is true.' })),
  }),
  examples: [
    {
      title: 'Two ways for an order',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - choose:\n      cases:\n        - if: body.total > 1000\n          steps:\n            - log: a large order\n      else:\n        - log: an order\n',
    },
  ],
  explain: ({ cases, else: otherwise }) => ({
    text: 'goes the first way whose condition is true',
    details: otherwise ? [] : ['When none is true, it goes on with the next step.'],
    parts: [
      ...cases.map((way) => ({ title: `when ${codeInWords(way.if)}`, steps: way.steps })),
      ...(otherwise ? [{ title: 'when none of them is true', steps: otherwise }] : []),
    ],
  }),
  async prepare({ cases, else: otherwise }, deployment) {
    const branches = await Promise.all(
      cases.map(async (branch, i) => ({
        applies: deployment.condition(branch.if, ['cases', i, 'if']),
        run: await deployment.steps(branch.steps),
      })),
    )
    const fallback: Run | undefined = otherwise && (await deployment.steps(otherwise))
    return {
      run(message, context) {
        for (const branch of branches)
          if (branch.applies(message, context)) return branch.run(message, context)
        return fallback?.(message, context)
      },
    }
  },
})
