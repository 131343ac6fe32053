import type { ProblemText } from './problem-text.ts'

/** Files of flows, and what flows have against each other. */
export const FLOW_FILE_PROBLEMS = {
  'flow/call-circle': {
    title: 'Flows call each other in a circle',
    meaning:
      'A call waits until the flow that it calls has ended. In a circle none would ever end, so none of them starts.',
    wrong: `# flows/one.yaml
steps:
  - call: two
# flows/two.yaml
steps:
  - call: one
`,
    right: `# flows/one.yaml
steps:
  - call: shared
# flows/two.yaml
steps:
  - call: shared
# flows/shared.yaml
steps:
  - log: shared
`,
  },
  'flow/call-disabled': {
    title: 'A step calls a flow that is disabled',
    meaning: 'A flow with `enabled: false` does not run, and every call of it would fail.',
    wrong: `# flows/orders.yaml
steps:
  - call: stock
# flows/stock.yaml
enabled: false
steps:
  - log: stock
`,
    right: `# flows/orders.yaml
steps:
  - call: stock
# flows/stock.yaml
steps:
  - log: stock
`,
  },
  'flow/duplicate-name': {
    title: 'Two flows have one name',
    meaning:
      'A flow is called, run and found in the message log by its name: that of its file below the folder of flows, or what its `name` says.',
    wrong: `# flows/orders.yaml
steps:
  - log: orders
# flows/new-orders.yaml
name: orders
steps:
  - log: new orders
`,
    right: `# flows/orders.yaml
steps:
  - log: orders
# flows/new-orders.yaml
name: new-orders
steps:
  - log: new orders
`,
  },
  'flow/name': {
    title: 'A flow has a name that is none',
    meaning:
      'Names of flows hold small letters, digits, `-` and `/`, because they stand in URLs, variables and commands. Where a flow does not say its name, its file gives it.',
    wrong: `# flows/New Orders.yaml
steps:
  - log: new orders
`,
    right: `# flows/new-orders.yaml
steps:
  - log: new orders
`,
  },
  'flow/no-folder': {
    title: 'There is no folder of flows',
    meaning:
      'The folder of the setting `flows` (`./flows` where nothing is said) does not exist, so there is nothing to run. Often the command was started in another folder than that of the project.',
    wrong: `$ sluice check --flows ./flow
`,
    right: `$ sluice check --flows ./flows
`,
  },
  'flow/outside': {
    title: 'A link leads out of the folder of the flows',
    meaning:
      'Symbolic links are followed inside of the folder only: what is deployed is in it. The flow behind the link is not loaded.',
    wrong: `$ ln -s ../../elsewhere/orders.yaml flows/orders.yaml
`,
    right: `$ cp ../elsewhere/orders.yaml flows/orders.yaml
`,
    onlyTold: 'it needs a link',
  },
  'flow/path-taken': {
    title: 'Two flows are served on one path',
    meaning:
      'A request would fit to both endpoints. Names of parameters make no difference: `/orders/{id}` and `/orders/{order}` are one path.',
    wrong: `# flows/first.yaml
steps:
  - endpoint: { path: "/orders/{id}", access: public }
# flows/second.yaml
steps:
  - endpoint: { path: "/orders/{order}", access: public }
`,
    right: `# flows/first.yaml
steps:
  - endpoint: { path: "/orders/{id}", access: public }
# flows/second.yaml
steps:
  - endpoint: { path: "/orders/{order}", access: public, method: PUT }
`,
  },
  'flow/unknown-flow': {
    title: 'A step calls a flow that is not there',
    meaning:
      'A flow is called by its name: that of its file below the folder of flows without `.yaml`, or its `name`.',
    wrong: `# flows/orders.yaml
steps:
  - call: stok
# flows/stock.yaml
steps:
  - log: stock
`,
    right: `# flows/orders.yaml
steps:
  - call: stock
# flows/stock.yaml
steps:
  - log: stock
`,
  },
  'flow/unreadable': {
    title: 'A flow cannot be read',
    meaning:
      'The file or folder is there, but the user of the engine may not read it, it is no UTF-8 text, or it is a link that leads nowhere.',
    wrong: `$ iconv -t UTF-16 orders.yaml > flows/orders.yaml
`,
    right: `$ iconv -t UTF-8 orders.yaml > flows/orders.yaml
`,
    onlyTold: 'it needs a file that is no text',
  },
} as const satisfies Record<string, ProblemText>
