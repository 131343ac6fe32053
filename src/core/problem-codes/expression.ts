import type { ProblemText } from './problem-text.ts'

/** Expressions: `${}` in texts, and bare ones in `if`, `items` and the like. */
export const EXPRESSION_PROBLEMS = {
  'expression/arguments': {
    title: 'A function has the wrong number of arguments, or an unfit one',
    meaning:
      'The message says what the function takes. Patterns of `matches` are those of RE2, without look-around.',
    wrong: `steps:
  - log: \${replace(body.name, "-")}
`,
    right: `steps:
  - log: \${replace(body.name, "-", " ")}
`,
  },
  'expression/date-pattern': {
    title: 'A date pattern means something else than it seems to',
    meaning:
      'In date patterns `Y` is the year of the week and `D` the day of the year. They are right on most days of the year, which makes the mistake hard to find.',
    wrong: `steps:
  - log: \${formatDate(now(), "YYYY-MM-dd")}
`,
    right: `steps:
  - log: \${formatDate(now(), "yyyy-MM-dd")}
`,
  },
  'expression/duplicate-key': {
    title: 'A key is there twice in a map of an expression',
    meaning: 'Only one of the two values would be kept.',
    wrong: `steps:
  - set: { body: '\${{"sku": body.sku, "sku": body.id}}' }
`,
    right: `steps:
  - set: { body: '\${{"sku": body.sku, "id": body.id}}' }
`,
  },
  'expression/empty': {
    title: 'There is no expression',
    meaning: 'Between the braces of `${}` stands nothing. A literal `${}` is written `$${}`.',
    wrong: `steps:
  - log: order \${}
`,
    right: `steps:
  - log: order \${body.id}
`,
  },
  'expression/fails': {
    title: 'A piece of an expression can only fail',
    meaning:
      'It depends on nothing that is known only with a message, so it was tried when the flow was loaded, and it fails: a division by zero, a day that does not exist, a number added to a text.',
    wrong: `steps:
  - log: \${"order " + 1}
`,
    right: `steps:
  - log: \${"order " + string(1)}
`,
  },
  'expression/hidden-variable': {
    title: 'An iteration variable hides another variable',
    meaning: 'Inside of `map`, `filter` and the like the name would mean the element, outside the variable.',
    wrong: `steps:
  - set: { body: "\${body.items.map(body, body.sku)}" }
`,
    right: `steps:
  - set: { body: "\${body.items.map(i, i.sku)}" }
`,
  },
  'expression/length': {
    title: '".length" of a text or list is null',
    meaning:
      'Texts and lists have no members. `size(x)` tells how long one is; of a text it counts code points.',
    wrong: `steps:
  - log: \${body.items.length} items
`,
    right: `steps:
  - log: \${size(body.items)} items
`,
  },
  'expression/not-alone': {
    title: 'An expression stands neither bare nor as a whole in "${}"',
    meaning:
      'Places that take an expression, such as `if` and `items`, take it bare or in exactly one `${}`; text around it has no meaning there.',
    wrong: `steps:
  - log: paid
    if: \${body.state} == "paid"
`,
    right: `steps:
  - log: paid
    if: body.state == "paid"
`,
  },
  'expression/not-here': {
    title: 'A variable is not there in this place',
    meaning:
      '`item` and `index` are there in `forEach` only, `error` in `catch` and `onError`. Expressions of a credential see the answer of its service, no message.',
    wrong: `steps:
  - log: \${item.sku}
`,
    right: `steps:
  - forEach:
      steps:
        - log: \${item.sku}
`,
  },
  'expression/subtraction': {
    title: 'A name with a hyphen reads as a subtraction',
    meaning:
      '`headers.content-type` takes `type` from `headers.content`. Names with a hyphen stand in brackets and quotes.',
    wrong: `steps:
  - log: \${headers.content-type}
`,
    right: `steps:
  - log: \${headers["content-type"]}
`,
  },
  'expression/syntax': {
    title: 'An expression cannot be read',
    meaning:
      "Expressions have CEL's syntax: `&&`, `||`, `!`, `==`, `a ? b : c`, `x in list`. A word of another language, such as `and`, is not known.",
    wrong: `steps:
  - log: paid
    if: body.paid and body.sent
`,
    right: `steps:
  - log: paid
    if: body.paid && body.sent
`,
  },
  'expression/unknown-function': {
    title: 'There is no such function',
    meaning:
      'Functions stand before their arguments, `lower(x)`; only `contains`, `startsWith`, `endsWith`, `matches` and what goes over lists stand behind a dot.',
    wrong: `steps:
  - log: \${lowercase(body.name)}
`,
    right: `steps:
  - log: \${lower(body.name)}
`,
  },
  'expression/unknown-member': {
    title: 'The variable has no such member',
    meaning:
      'What is in `error`, `run`, `trigger` and `response` is known before any message comes; the message lists it.',
    wrong: `steps:
  - log: \${run.correlation}
`,
    right: `steps:
  - log: \${run.correlationId}
`,
  },
  'expression/unknown-parameter': {
    title: 'The flow has no such parameter',
    meaning: 'Parameters stand under `parameters` at the top of the flow, each with a default or a type.',
    wrong: `parameters: { company: acme }
steps:
  - log: \${param.compny}
`,
    right: `parameters: { company: acme }
steps:
  - log: \${param.company}
`,
  },
  'expression/unknown-variable': {
    title: 'There is no such variable',
    meaning:
      'There are `body`, `headers`, `properties`, `param`, `trigger`, `response`, `run`, and in their places `error`, `item` and `index`. Text in an expression stands in quotes.',
    wrong: `steps:
  - log: \${header.x}
`,
    right: `steps:
  - log: \${headers.x}
`,
  },
  'expression/unterminated': {
    title: 'The "${" is not closed',
    meaning: 'A `}` is missing. A literal `${` is written `$${`.',
    wrong: `steps:
  - log: order \${body.id
`,
    right: `steps:
  - log: order \${body.id}
`,
  },
} as const satisfies Record<string, ProblemText>
