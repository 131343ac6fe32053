import type { ProblemText } from './problem-text.ts'

/** Scripts, in a flow and in files. */
export const SCRIPT_PROBLEMS = {
  'script/empty': {
    title: 'The script is empty',
    meaning: 'It does nothing. The body of the message stays what it is.',
    wrong: `steps:
  - script: "// to do"
`,
    right: `steps:
  - script: message.body.total = message.body.qty * message.body.price
`,
  },
  'script/file': {
    title: 'There is no such file of a script, or it cannot be read',
    meaning: 'The path is relative to the project folder, whichever flow names it.',
    wrong: `# flows/orders.yaml
steps:
  - script: { file: scripts/map-order.js }
# scripts/map-orders.js is there
`,
    right: `# flows/orders.yaml
steps:
  - script: { file: scripts/map-orders.js }
// scripts/map-orders.js
export default function mapOrders(message) {
  message.body.total = message.body.qty * message.body.price
}
`,
  },
  'script/function': {
    title: 'The file of a script has no such function',
    meaning:
      'A file exports the function that the step runs: its default export, or the one that `function` names.',
    wrong: `# flows/orders.yaml
steps:
  - script: { file: scripts/orders.js, function: mapOrder }
// scripts/orders.js
export function mapOrders(message) {
  message.body.total = message.body.qty * message.body.price
}
`,
    right: `# flows/orders.yaml
steps:
  - script: { file: scripts/orders.js, function: mapOrders }
// scripts/orders.js
export function mapOrders(message) {
  message.body.total = message.body.qty * message.body.price
}
`,
  },
  'script/mistake': {
    title: 'A script cannot be compiled',
    meaning:
      'It is no JavaScript (or TypeScript, in a file `*.ts`), or it uses something that scripts do not have: imports and other modules, for example.',
    wrong: `steps:
  - script: message.body.total = (message.body.qty * 2
`,
    right: `steps:
  - script: message.body.total = (message.body.qty * 2)
`,
  },
  'script/name': {
    title: 'A script uses a name that is not there in scripts',
    meaning:
      'Scripts run in a sandbox with the language and nothing of Node or browsers: no network, files, timers or environment. Where the name is reached, the run fails.',
    wrong: `steps:
  - script: message.body = await fetch("https://api.example.com/items")
`,
    right: `steps:
  - http: { url: "https://api.example.com/items" }
`,
  },
  'script/outside': {
    title: 'The file of a script is outside of the project folder',
    meaning: 'What a project runs is in its folder: it is deployed, reviewed and watched as a whole.',
    wrong: `steps:
  - script: { file: ../shared/map.js }
`,
    right: `# flows/orders.yaml
steps:
  - script: { file: scripts/map.js }
// scripts/map.js
export default function map(message) {
  message.body.mapped = true
}
`,
  },
  'script/source': {
    title: 'A script step has no script, or two',
    meaning: 'The script stands in the flow or in a file. `function` names a function of a file.',
    wrong: `steps:
  - script: { text: message.body = 1, file: scripts/map.js }
`,
    right: `steps:
  - script: { text: message.body = 1 }
`,
  },
  'script/timeout': {
    title: 'A script may take longer than a script can',
    meaning:
      'A script takes 60 seconds at the most; without a `timeout` it has less. Long work is cut into items by `forEach`.',
    wrong: `steps:
  - script: message.body = 1
    timeout: 5m
`,
    right: `steps:
  - script: message.body = 1
    timeout: 30s
`,
  },
  'script/unavailable': {
    title: 'Scripts could not be compiled at all',
    meaning:
      'The process in which scripts run could not be started, or ended while it compiled: the machine is out of memory or processes, or the script itself is far too large. It says nothing about the flow.',
    wrong: `$ (ulimit -u 1; sluice check)
`,
    right: `$ sluice check
`,
    onlyTold: 'it needs a machine without memory',
  },
} as const satisfies Record<string, ProblemText>
