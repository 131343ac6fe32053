import type { ProblemText } from './problem-text.ts'

/** Files that `sluice fmt` leaves as they are. */
export const FMT_PROBLEMS = {
  'fmt/refused': {
    title: 'A file cannot be written anew',
    meaning:
      '`sluice fmt` compares what a file says and its comments before and after; where something would be lost it leaves the file as it is.',
    wrong: `$ sluice fmt flows/orders.yaml
`,
    right: `$ sluice fmt --check flows/orders.yaml
`,
    onlyTold: 'it takes an unusual comment',
  },
  'fmt/not-written': {
    title: 'A file cannot be written',
    meaning:
      '`sluice fmt` writes a new file and puts it in the place of the old one; links, read-only files and folders are left alone.',
    wrong: `$ sluice fmt flows/link.yaml
`,
    right: `$ sluice fmt flows/orders.yaml
`,
    onlyTold: 'it takes a file that may not be written',
  },
  'fmt/unreadable': {
    title: 'A file cannot be read',
    meaning: '`sluice fmt` writes UTF-8 texts that may be read and written.',
    wrong: `$ sluice fmt flows/latin1.yaml
`,
    right: `$ sluice fmt flows/orders.yaml
`,
    onlyTold: 'it takes a file with other bytes',
  },
} as const satisfies Record<string, ProblemText>
