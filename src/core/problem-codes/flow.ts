import type { ProblemText } from './problem-text.ts'

/** Flows: their keys and steps. */
export const FLOW_PROBLEMS = {
  'flow/duplicate-id': {
    title: 'Two steps of a flow have one id',
    meaning: 'The message log and its timings tell steps apart by their ids.',
    wrong: `steps:
  - log: one
    id: say
  - log: two
    id: say
`,
    right: `steps:
  - log: one
    id: say-one
  - log: two
    id: say-two
`,
  },
  'flow/indentation': {
    title: 'An option stands beside the kind of the step',
    meaning:
      'The options of a step are indented deeper than its kind. At the same depth they would be keys of the step itself, such as `id` or `if`.',
    wrong: `steps:
  - http:
    url: https://api.example.com/items
`,
    right: `steps:
  - http:
      url: https://api.example.com/items
`,
  },
  'flow/item-stream': {
    title: 'A step looks into a body that is a stream of items',
    meaning:
      'After a step with `paginate` the body is a stream: pages are fetched as their items are taken, so that a million items fit into little memory. A step that wants all of it at once would end that.',
    wrong: `steps:
  - http:
      url: https://api.example.com/items
      paginate: { items: body.items, next: body.next }
  - log: \${size(body)} items
`,
    right: `steps:
  - http:
      url: https://api.example.com/items
      paginate: { items: body.items, next: body.next }
  - forEach:
      steps:
        - log: item \${item.id}
  - log: \${body.count} items
`,
  },
  'flow/no-dash': {
    title: 'The steps are no list: a "-" is missing',
    meaning: 'Steps are a list, and each item of a list in YAML begins with `- `.',
    wrong: `steps:
  log: hello
`,
    right: `steps:
  - log: hello
`,
  },
  'flow/no-kind': {
    title: 'A step has no kind',
    meaning:
      'A step is a map with one key that says what it does, such as `http` or `log`, and what belongs to it.',
    wrong: `steps:
  - id: hello
`,
    right: `steps:
  - id: hello
    log: Hello.
`,
  },
  'flow/no-steps': {
    title: 'A flow has no steps',
    meaning: 'A flow is a map with `steps`, a list of at least one step.',
    wrong: `- timer: { every: 1h }
- log: tick
`,
    right: `steps:
  - timer: { every: 1h }
  - log: tick
`,
  },
  'flow/parallel': {
    title: 'A "parallel" has no branches',
    meaning: 'Below `branches` stands a map of names, each with its steps.',
    wrong: `steps:
  - parallel:
      branches: {}
`,
    right: `steps:
  - parallel:
      branches:
        price:
          - http: { url: "https://prices.example.com/" }
        stock:
          - http: { url: "https://stock.example.com/" }
`,
  },
  'flow/parameter': {
    title: 'A parameter is not declared rightly',
    meaning:
      'A parameter is `name: default`, or `name: { default, type, description }` with the type text, number or boolean. One without a default must be given from outside.',
    wrong: `parameters: { company: }
steps:
  - log: \${param.company}
`,
    right: `parameters: { company: acme }
steps:
  - log: \${param.company}
`,
  },
  'flow/respond-inside': {
    title: 'A "respond" stands in a "forEach" or "parallel"',
    meaning:
      '`respond` ends the flow with a reply. Inside of a `forEach` or `parallel` several lines of work go on at once, and one of them cannot end the flow for the others.',
    wrong: `steps:
  - endpoint: { path: /orders, access: public }
  - forEach:
      steps:
        - respond: { status: 202 }
`,
    right: `steps:
  - endpoint: { path: /orders, access: public }
  - forEach:
      steps:
        - log: order \${item.id}
  - respond: { status: 202 }
`,
  },
  'flow/retry': {
    title: 'A step that holds steps has a "retry"',
    meaning:
      'Trying a whole `forEach`, `choose` or `try` again would do once more what was done well. Only single steps are tried again.',
    wrong: `steps:
  - forEach:
      steps:
        - http: { method: POST, url: "https://api.example.com/items" }
    retry: { attempts: 3 }
`,
    right: `steps:
  - forEach:
      steps:
        - http: { method: POST, url: "https://api.example.com/items" }
          retry: { attempts: 3 }
`,
  },
  'flow/trigger-position': {
    title: 'A trigger is not the first step',
    meaning: '`endpoint` and `timer` start a flow, so they stand first. A flow has one trigger or none.',
    wrong: `steps:
  - log: hello
  - timer: { every: 1h }
`,
    right: `steps:
  - timer: { every: 1h }
  - log: hello
`,
  },
  'flow/try': {
    title: 'A "try" has neither "catch" nor "finally"',
    meaning: 'It would do nothing: its steps would fail as they do without it.',
    wrong: `steps:
  - try:
      steps:
        - http: { url: "https://api.example.com/items" }
`,
    right: `steps:
  - try:
      steps:
        - http: { url: "https://api.example.com/items" }
      catch:
        - steps:
            - log: "no items: \${error.message}"
`,
  },
  'flow/two-kinds': {
    title: 'A step has two kinds',
    meaning: 'A step does one thing. Usually a `- ` is missing before the second kind.',
    wrong: `steps:
  - http: { url: "https://api.example.com/items" }
    log: fetched
`,
    right: `steps:
  - http: { url: "https://api.example.com/items" }
  - log: fetched
`,
  },
  'flow/unknown-kind': {
    title: 'There is no kind of step of this name',
    meaning: 'The message lists the kinds. Case counts: they are camelCase, as `forEach`.',
    wrong: `steps:
  - foreach:
      steps:
        - log: \${item}
`,
    right: `steps:
  - forEach:
      steps:
        - log: \${item}
`,
  },
} as const satisfies Record<string, ProblemText>
