import type { ProblemText } from './problem-text.ts'

/** What is wrong with a file before it is known what it holds. */
export const YAML_PROBLEMS = {
  'yaml/alias': {
    title: 'A value begins with "*", which YAML reads as an alias',
    meaning:
      'In YAML `*name` stands for a value that was marked with `&name` before. A cron pattern in plain text is read like that, too. An alias that stands for nothing, or for thousands of values, is not followed.',
    wrong: `steps:
  - timer: { cron: * * * * * }
  - log: tick
`,
    right: `steps:
  - timer: { cron: "* * * * *" }
  - log: tick
`,
  },
  'yaml/curly-quotes': {
    title: 'A text or a key stands in curly quotes',
    meaning:
      'Word processors and web pages turn `"` into `“` and `”`. YAML knows straight quotes only: with curly ones they become a part of the text, and a URL or a key in them is another one.',
    wrong: `steps:
  - http: { url: “https://api.example.com/items” }
`,
    right: `steps:
  - http: { url: "https://api.example.com/items" }
`,
  },
  'yaml/duplicate-key': {
    title: 'A key is there twice in one map',
    meaning:
      'Only one of the two could count, and which one differs between YAML readers. So neither is taken in silence.',
    wrong: `steps:
  - http:
      url: https://api.example.com/items
      url: https://api.example.org/items
`,
    right: `steps:
  - http:
      url: https://api.example.org/items
`,
  },
  'yaml/empty': {
    title: 'The file is empty',
    meaning:
      'The file holds nothing, or comments only. A flow has at least `steps`, a credential at least a `type`.',
    wrong: `# Orders come here.
`,
    right: `# Orders come here.
steps:
  - endpoint: { path: /orders, access: public }
`,
  },
  'yaml/escape': {
    title: 'A backslash in double quotes is no escape that YAML knows',
    meaning:
      'In double quotes a backslash begins an escape such as `\\n`. Paths of Windows and patterns stand better in single quotes, where a backslash has no meaning.',
    wrong: `steps:
  - log: "C:\\orders"
`,
    right: `steps:
  - log: 'C:\\orders'
`,
  },
  'yaml/key': {
    title: 'A key is a list, a map or an alias',
    meaning: 'Keys are texts. Braces or brackets at the beginning of a key make a map or a list of it.',
    wrong: `steps:
  - set: { properties: { [shop]: open } }
`,
    right: `steps:
  - set: { properties: { shop: open } }
`,
  },
  'yaml/merge-key': {
    title: '"<<" is a merge key of YAML 1.1',
    meaning:
      'Files are read as YAML 1.2, which has no merge keys. What two steps share is written at both, or they call one flow.',
    wrong: `steps:
  - http: &call { url: "https://api.example.com/a" }
  - http: { <<: *call, method: POST }
`,
    right: `steps:
  - http: { url: "https://api.example.com/a" }
  - http: { url: "https://api.example.com/a", method: POST }
`,
  },
  'yaml/quotes': {
    title: 'A text needs quotes',
    meaning:
      'Some characters mean something in YAML: `: ` and ` #` inside of a text, `{`, `[`, `@` and others at its beginning, and an expression `${}` in a map that is written in braces. In quotes the text is a text.',
    wrong: `steps:
  - log: order: \${body.id}
`,
    right: `steps:
  - log: "order: \${body.id}"
`,
  },
  'yaml/several-documents': {
    title: 'A second document begins in the file',
    meaning:
      'A line `---` ends one YAML document and begins another one. A file holds one flow, one credential, or the settings.',
    wrong: `steps:
  - log: one
---
steps:
  - log: two
`,
    right: `steps:
  - log: one
`,
  },
  'yaml/space': {
    title: 'After ":" a space is missing',
    meaning:
      'Only a colon with a space or the end of the line behind it makes a key; without one all is one text.',
    wrong: `steps:
  - log:hello
`,
    right: `steps:
  - log: hello
`,
  },
  'yaml/syntax': {
    title: 'The file is no YAML',
    meaning:
      'From this place on the text cannot be told apart, most often because of an indentation, a quote or a brace that is not closed. Further mistakes below it show up once this one is mended.',
    wrong: `steps:
  - http:
      url: https://api.example.com/items
        method: GET
`,
    right: `steps:
  - http:
      url: https://api.example.com/items
      method: GET
`,
  },
  'yaml/tab': {
    title: 'A tab stands in the indentation',
    meaning:
      'YAML indents with spaces only, because a tab is as wide as each editor likes. Most editors turn tabs into spaces by a setting.',
    wrong: `steps:
\t- log: hello
`,
    right: `steps:
  - log: hello
`,
  },
  'yaml/tag': {
    title: 'A value begins with "!", which YAML reads as a tag',
    meaning:
      'In YAML `!name` says of what type a value is; tags have no meaning here. An expression that begins with "not" is put in quotes.',
    wrong: `steps:
  - log: not yet
    if: !body.done
`,
    right: `steps:
  - log: not yet
    if: "!body.done"
`,
  },
  'yaml/too-deep': {
    title: 'Maps and lists are nested too deeply',
    meaning:
      'Two hundred levels are read. No person writes such a file: look at what generated it, often for one bracket too many.',
    wrong: `steps:
  - set: { body: [[[[[[[[ ... 200 levels ... ]]]]]]]] }
`,
    right: `steps:
  - set: { body: [1, 2, 3] }
`,
    onlyTold: 'it is shortened',
  },
  'yaml/too-large': {
    title: 'The file is too large',
    meaning:
      'Files of more than 4 million characters are not read. Large data does not belong into a flow: fetch it with an http step, or let a script read it from the message.',
    wrong: `steps:
  - set: { body: [ ... 5 million characters ... ] }
`,
    right: `steps:
  - http: { url: "https://api.example.com/prices" }
`,
    onlyTold: 'it is shortened',
  },
} as const satisfies Record<string, ProblemText>
