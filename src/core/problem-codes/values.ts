import type { ProblemText } from './problem-text.ts'

/** Keys and values that are not those that are wanted there. */
export const VALUE_PROBLEMS = {
  'key/missing': {
    title: 'A key is missing',
    meaning: 'The step, credential or map needs this key and has no default for it.',
    wrong: `steps:
  - http: { method: GET }
`,
    right: `steps:
  - http: { method: GET, url: "https://api.example.com/items" }
`,
  },
  'key/not-yet': {
    title: 'A key is not in this version',
    meaning:
      'The flow language has this key, but this version of Sluice does not do it yet. It is not skipped in silence: the flow would do something else than it says.',
    wrong: `delivery: { attempts: 3 }
steps:
  - timer: { every: 1h }
  - http: { url: "https://api.example.com/items" }
`,
    right: `steps:
  - timer: { every: 1h }
  - http: { url: "https://api.example.com/items" }
    retry: { attempts: 3 }
`,
  },
  'key/unknown': {
    title: 'A key is not known',
    meaning:
      'Nothing of this name can stand here; a key with a typing mistake would have no effect. Case counts: keys are camelCase.',
    wrong: `steps:
  - http: { url: "https://api.example.com/items", methd: POST }
`,
    right: `steps:
  - http: { url: "https://api.example.com/items", method: POST }
`,
  },
  'value/braces': {
    title: '"{{name}}" is not replaced',
    meaning:
      'Externalised parameters of SAP Cloud Integration are written `{{name}}`. Here they are declared under `parameters` and read as `${param.name}`.',
    wrong: `parameters: { company: acme }
steps:
  - log: "company {{company}}"
`,
    right: `parameters: { company: acme }
steps:
  - log: company \${param.company}
`,
  },
  'value/choice': {
    title: 'A value is none of the words that are possible',
    meaning: 'Only certain words are possible here; the message lists them. Case counts.',
    wrong: `steps:
  - log: { message: slow, level: warning }
`,
    right: `steps:
  - log: { message: slow, level: warn }
`,
  },
  'value/date': {
    title: 'A value is no date and time',
    meaning:
      'Dates are written `2026-12-01` and, with a time, `2026-12-01T02:00` or `2026-12-01T02:00:00+01:00`. Days that do not exist are found, too.',
    wrong: `steps:
  - timer: { at: [2030-02-30T02:00] }
  - log: tick
`,
    right: `steps:
  - timer: { at: [2030-02-28T02:00] }
  - log: tick
`,
  },
  'value/duration': {
    title: 'A value is no duration',
    meaning:
      'A duration has a unit, so that nobody takes seconds for milliseconds: `500ms`, `30s`, `5m`, `2h`, `7d`, or several together such as `1h30m`.',
    wrong: `steps:
  - http: { url: "https://api.example.com/items" }
    timeout: 30
`,
    right: `steps:
  - http: { url: "https://api.example.com/items" }
    timeout: 30s
`,
  },
  'value/empty': {
    title: 'A value is empty',
    meaning: 'Behind the key stands nothing, `null` or an empty text, and something is wanted.',
    wrong: `steps:
  - http:
      url:
`,
    right: `steps:
  - http:
      url: https://api.example.com/items
`,
  },
  'value/pattern': {
    title: 'A text has another form than the one that is wanted',
    meaning:
      'The text is used as a name, a code or an address, and these have a form; the message shows one.',
    wrong: `steps:
  - fail: { message: No stock., code: No Stock }
`,
    right: `steps:
  - fail: { message: No stock., code: order.no-stock }
`,
  },
  'value/range': {
    title: 'A number, duration or list is outside of its limits',
    meaning: 'The message tells the limits.',
    wrong: `steps:
  - forEach:
      concurrency: 0
      steps:
        - log: \${item}
`,
    right: `steps:
  - forEach:
      concurrency: 16
      steps:
        - log: \${item}
`,
  },
  'value/size': {
    title: 'A value is no size',
    meaning: 'Sizes are written as bytes or with a unit: `64KB`, `40MB`, `1GB`, where 1 KB is 1,024 bytes.',
    wrong: `# sluice.yaml
limits: { body: 40 megabytes }
`,
    right: `# sluice.yaml
limits: { body: 40MB }
`,
  },
  'value/type': {
    title: 'A value is of another type than the one that is wanted',
    meaning:
      'A text stands where a number, a map or a list is wanted, or the other way round. In YAML 1.2 `yes`, `no`, `on` and `off` are texts; write `true` or `false`.',
    wrong: `enabled: yes
steps:
  - log: hello
`,
    right: `enabled: true
steps:
  - log: hello
`,
  },
} as const satisfies Record<string, ProblemText>
