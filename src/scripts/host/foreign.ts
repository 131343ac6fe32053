import { Mistake } from './mistake.ts'

export const NO_IMPORT =
  'A script stands alone, with what the language itself has: put the code into the script, and call receivers with an http step.'
export const EXPORTS_NOTHING = [
  'a script in a flow exports nothing',
  'It changes `message`; put it into a file to export a function.',
] as const

const TYPES = 'types are only taken out of a script, nothing is made of them'

/** What is more than types, by a word of the stripper's message: what is there, and what to write instead. */
const MORE_THAN_TYPES: readonly (readonly [said: RegExp, message: string, hint: string])[] = [
  [
    /\benum\b/,
    `"enum" is not there: ${TYPES}`,
    'Write an object: `const Colour = { Red: "red", Green: "green" } as const`.',
  ],
  [
    /\bnamespace\b/,
    `"namespace" is not there: ${TYPES}`,
    'Write an object (`const Shop = { ... } as const`), or the functions by themselves.',
  ],
  [
    /parameter property/,
    `a parameter property is not there: ${TYPES}`,
    'Write the field and set it: `class Order { id: string; constructor(id: string) { this.id = id } }`.',
  ],
  [/angle-bracket/, `a type in angle brackets is not there: ${TYPES}`, 'Write `value as Type`.'],
  [/import equals/, '"import" is not there in scripts', NO_IMPORT],
  [
    /export assignment/,
    '"export =" is not there in scripts',
    'Write `export default function (message, context) { ... }`.',
  ],
]

/** TypeScript that is understood and not taken, in our words; nothing for other mistakes. */
export function notTaken({ message, offset, length }: Mistake, text: string): Mistake | undefined {
  const [word = ''] = /^\w+/.exec(text.slice(offset)) ?? []
  if (/cannot be used outside of module code/.test(message))
    return word === 'export'
      ? new Mistake(EXPORTS_NOTHING[0], offset, word.length, { hint: EXPORTS_NOTHING[1] })
      : new Mistake('"import" is not there in scripts', offset, word.length, { hint: NO_IMPORT })
  if (!/not supported/.test(message)) return undefined
  const known = MORE_THAN_TYPES.find(([said]) => said.test(message))
  const [, ours, hint] = known ?? ['', message, undefined]
  return new Mistake(ours, offset, word === '' ? length : word.length, { hint })
}
